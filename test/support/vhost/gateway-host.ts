/** A real gateway whose partitions are driven over vhost-user, in this process, for black-box tests. */
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/control-plane/config/load-config.ts';
import { RunningGateway, until } from '../running-gateway.ts';

const WINDOW_US = 200;
const CONTROL_US = 300;

/** A partition with one network device called net0, which a front-end of the test drives. */
export interface PartitionChoice {
  readonly id: string;
  readonly unsealed?: 'refuse' | 'accept';
  readonly memoryMiB?: number;
  readonly offer?: readonly string[];
  readonly queuePairs?: number;
  readonly queueSize?: number;
  readonly mtu?: number;
  /** A broken ring asks for a reset of its device; otherwise every fault is only told. */
  readonly needsReset?: boolean;
  /** Devices net0, net1 and so on; one when absent. */
  readonly devices?: number;
}

export const BASIC = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'] as const;

/** A pair that is attacked, and a pair of neighbours that must not notice. */
export const TWO_PAIRS: readonly PartitionChoice[] = [
  { id: 'a' },
  { id: 'b' },
  { id: 'c' },
  { id: 'd' },
];

function macOf(partition: number, device = 0): string {
  return `52:54:00:00:0${device}:0${partition + 1}`;
}

export function macBytes(partition: number, device = 0): number[] {
  return macOf(partition, device)
    .split(':')
    .map((byte) => parseInt(byte, 16));
}

function deviceOf(choice: PartitionChoice, partition: number, device: number) {
  const { offer = BASIC, queuePairs = 1, queueSize = 64, mtu } = choice;
  return {
    id: `net${device}`,
    type: 'virtio-net',
    mac: macOf(partition, device),
    queuePairs,
    queueSize,
    ...(mtu !== undefined && { mtu }),
    features: { offer, require: ['VIRTIO_F_VERSION_1'] },
  };
}

function windowQueues(choice: PartitionChoice) {
  const { offer = BASIC, queuePairs = 1, devices = 1 } = choice;
  const limits = { requestsMax: 32, requestsGuaranteed: 1, bytesMax: 65536 };
  return Array.from({ length: devices }, (_, device) => [
    ...Array.from({ length: queuePairs }, (_entry, pair) => ({
      queue: `net${device}.transmitq${pair}`,
      ...limits,
    })),
    ...(offer.includes('VIRTIO_NET_F_CTRL_VQ')
      ? [{ queue: `net${device}.controlq`, ...limits }]
      : []),
  ]).flat();
}

function routeBetween(from: string, to: string) {
  return {
    id: `${from}-${to}`.replaceAll('.', '-'),
    from,
    to,
    vlan: null,
    packetsPerMajorFrame: 64,
    bytesPerMajorFrame: 131072,
    excess: 'drop',
    delivery: 'immediate',
  };
}

/** Partitions 2n and 2n+1 have routes to each other; two devices of one partition have them, too. */
function routesOf(choices: readonly PartitionChoice[]) {
  return choices.flatMap(({ id, devices = 1 }, n) => {
    if (devices > 1) {
      return [routeBetween(`${id}.net0`, `${id}.net1`), routeBetween(`${id}.net1`, `${id}.net0`)];
    }
    const partner = choices[n ^ 1];
    return partner && (partner.devices ?? 1) === 1
      ? [routeBetween(`${id}.net0`, `${partner.id}.net0`)]
      : [];
  });
}

function reactionsOf(choices: readonly PartitionChoice[]) {
  const resets = choices.filter(({ needsReset }) => needsReset);
  return [
    ...resets.map(({ id }) => ({ fault: '*', partition: id, action: 'needs-reset', log: true })),
    { fault: '*', partition: '*', action: 'ignore', log: true },
  ];
}

/** The configuration as a user would write it. */
export function vhostConfig(choices: readonly PartitionChoice[], folder: string): unknown {
  return {
    formatVersion: 1,
    gateway: { name: 'vhost', revision: 1, asil: 'QM' },
    partitions: choices.map((choice, n) => ({
      id: choice.id,
      asil: 'QM',
      memoryMiB: choice.memoryMiB ?? 2,
      guest: {
        type: 'vhost-user',
        socketDirectory: path.join(folder, choice.id),
        socketMode: 'listen',
        unsealed: choice.unsealed ?? 'refuse',
      },
      devices: Array.from({ length: choice.devices ?? 1 }, (_, device) =>
        deviceOf(choice, n, device),
      ),
    })),
    network: { routes: routesOf(choices) },
    schedule: {
      majorFrameUs: choices.length * WINDOW_US + CONTROL_US + 500,
      idle: 'sleep',
      windows: [
        ...choices.map((choice, n) => ({
          id: `w-${choice.id}`,
          partition: choice.id,
          offsetUs: n * WINDOW_US,
          durationUs: WINDOW_US - 5,
          queues: windowQueues(choice),
        })),
        {
          id: 'control',
          kind: 'control',
          offsetUs: choices.length * WINDOW_US,
          durationUs: CONTROL_US,
        },
      ],
    },
    costs: {
      netForward: { baseNs: 2000, perKibNs: 200, perDescriptorNs: 20 },
      netChecksum: { baseNs: 500, perKibNs: 500 },
      windowSwitchNs: 4000,
    },
    flows: [],
    health: { reactions: reactionsOf(choices) },
  };
}

export class GatewayHost {
  readonly folder: string;
  readonly running: RunningGateway;
  private readonly choices: readonly PartitionChoice[];

  private constructor(choices: readonly PartitionChoice[]) {
    this.choices = choices;
    this.folder = mkdtempSync(path.join(tmpdir(), 'vhost-'));
    const file = path.join(this.folder, 'gateway.json');
    writeFileSync(file, JSON.stringify(vhostConfig(choices, this.folder)));
    const { config, problems } = loadConfig(file);
    assert.deepEqual(problems, []);
    this.running = new RunningGateway(config!);
  }

  /** Starts a gateway and waits until its sockets are there. */
  static async start(choices = TWO_PAIRS): Promise<GatewayHost> {
    const host = new GatewayHost(choices);
    for (const { id, devices = 1 } of choices) {
      for (let device = 0; device < devices; device++) {
        const socket = host.socket(id, `net${device}`);
        await until(() => existsSync(socket), `socket ${socket}`);
      }
    }
    return host;
  }

  socket(partition: string, device = 'net0'): string {
    return path.join(this.folder, partition, `${device}.sock`);
  }

  mac(partition: string, device = 0): number[] {
    return macBytes(
      this.choices.findIndex(({ id }) => id === partition),
      device,
    );
  }

  choice(partition: string): PartitionChoice {
    return this.choices.find(({ id }) => id === partition)!;
  }

  /** Lines about mistakes of a partition's guest and of its front-end. */
  troubleLines(partition: string): string[] {
    const trouble = new RegExp(
      `^(partition ${partition}: fault |${partition}\\.net\\d: (?!a front-end connected))`,
    );
    return this.running.lines.filter((line) => trouble.test(line));
  }

  /** Nothing has ended the gateway. */
  assertAlive(): void {
    assert.equal(this.running.gateway.safeState, undefined);
  }

  async stop(): Promise<void> {
    await this.running.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
