/** A real gateway with a display that guests with front-ends share, in this process, for black-box tests. */
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/control-plane/config/load-config.ts';
import type { GatewayConfig, PlaneConfig } from '../../../src/schedule/gateway-config.ts';
import { RunningGateway, until } from '../running-gateway.ts';
import { GpuGuest, type GpuGuestOptions } from './gpu-guest.ts';

const OFFER = [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_RING_F_INDIRECT_DESC',
  'VIRTIO_RING_F_EVENT_IDX',
  'VIRTIO_GPU_F_EDID',
];

/** A partition whose device gpu0 draws on planes of these sizes, one for each scanout. */
export interface GpuChoice {
  readonly id: string;
  readonly scanouts: readonly (readonly [widthPx: number, heightPx: number])[];
  readonly offer?: readonly string[];
}

export const TWO_DISPLAYS: readonly GpuChoice[] = [
  { id: 'a', scanouts: [[320, 240]] },
  {
    id: 'b',
    scanouts: [
      [160, 120],
      [128, 96],
    ],
  },
];

/** Planes below one another. */
function planesOf(choices: readonly GpuChoice[]): PlaneConfig[] {
  let top = 0;
  return choices.flatMap(({ id, scanouts }) =>
    scanouts.map(([width, height], n) => {
      const rectPx = [0, top, width, height] as const;
      top += height;
      return { id: `${id}${n}`, z: 0, rectPx, asil: 'QM' };
    }),
  );
}

function gpuConfig(choices: readonly GpuChoice[], folder: string): GatewayConfig {
  const planes = planesOf(choices);
  const limits = { requestsMax: 64, requestsGuaranteed: 1, bytesMax: 2 ** 22 };
  const windowUs = 400;
  return {
    formatVersion: 1,
    gateway: { name: 'displays', revision: 1, asil: 'QM' },
    partitions: choices.map(({ id, scanouts, offer = OFFER }) => ({
      ...{ id, asil: 'QM', memoryMiB: 8 },
      guest: {
        type: 'vhost-user',
        socketDirectory: path.join(folder, id),
        socketMode: 'listen',
        unsealed: 'refuse',
      },
      devices: [
        {
          ...{ id: 'gpu0', type: 'virtio-gpu', queueSize: 64, resourceMiB: 8 },
          scanouts: scanouts.map((_, n) => ({ display: 'screen', plane: `${id}${n}` })),
          features: { offer, require: ['VIRTIO_F_VERSION_1'] },
        },
      ],
    })),
    network: { routes: [] },
    displays: [
      {
        ...{ id: 'screen', refreshHz: 60, planes },
        widthPx: Math.max(...planes.map(({ rectPx }) => rectPx[2])),
        heightPx: planes.reduce((sum, { rectPx }) => sum + rectPx[3], 0),
      },
    ],
    schedule: {
      majorFrameUs: 1000 + choices.length * windowUs,
      idle: 'sleep',
      windows: [
        { id: 'control', kind: 'control', offsetUs: 0, durationUs: 300 },
        { id: 'compose', kind: 'compositor', display: 'screen', offsetUs: 300, durationUs: 300 },
        ...choices.map(({ id }, n) => ({
          ...{ id: `w-${id}`, partition: id, offsetUs: 600 + n * windowUs },
          durationUs: windowUs - 5,
          queues: ['controlq', 'cursorq'].map((queue) => ({ queue: `gpu0.${queue}`, ...limits })),
        })),
      ],
    },
    costs: {
      netForward: { baseNs: 2000, perKibNs: 200, perDescriptorNs: 20 },
      gpuTransfer: { baseNs: 3000, perKibNs: 200, perDescriptorNs: 20 },
      gpuCompose: { baseNs: 3000, perKibNs: 200 },
      windowSwitchNs: 4000,
    },
    flows: [],
    health: { reactions: [{ fault: '*', partition: '*', action: 'ignore', log: true }] },
  };
}

export class GpuHost {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'vhost-gpu-'));
  readonly running: RunningGateway;
  private readonly endings: (() => void)[] = [];

  private constructor(choices: readonly GpuChoice[]) {
    const file = path.join(this.folder, 'gateway.json');
    writeFileSync(file, JSON.stringify(gpuConfig(choices, this.folder)));
    const { config, problems } = loadConfig(file);
    assert.deepEqual(problems, []);
    this.running = new RunningGateway(config!);
  }

  static async start(choices = TWO_DISPLAYS): Promise<GpuHost> {
    const host = new GpuHost(choices);
    for (const { id } of choices) await until(() => existsSync(host.socket(id)), `socket of ${id}`);
    return host;
  }

  socket(partition: string): string {
    return path.join(this.folder, partition, 'gpu0.sock');
  }

  /** A guest that ends with its test. */
  async guest(partition: string, options: GpuGuestOptions = {}): Promise<GpuGuest> {
    const guest = await GpuGuest.open(this.socket(partition), options);
    this.atEnd(() => guest.end());
    return guest;
  }

  atEnd(ending: () => void): void {
    this.endings.push(ending);
  }

  /** Lines about what went wrong with a partition. */
  trouble(partition: string): string[] {
    const wrong = new RegExp(
      `^(partition ${partition}: fault|${partition}\\.gpu0: (?!a front-end))`,
    );
    return this.running.lines.filter((line) => wrong.test(line));
  }

  endTest(): void {
    for (const ending of this.endings.splice(0).reverse()) ending();
    assert.equal(this.running.gateway.safeState, undefined);
  }

  async stop(): Promise<void> {
    await this.running.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A gateway with displays for the tests of a `describe`. */
export function gpuSuite(choices?: readonly GpuChoice[]): { readonly host: () => GpuHost } {
  let host: GpuHost;
  before(async () => {
    host = await GpuHost.start(choices);
  });
  afterEach(() => host.endTest());
  after(() => host.stop());
  return { host: () => host };
}
