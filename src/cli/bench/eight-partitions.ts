/** A gateway with eight partitions, each with a front-end: silent, or sending without haste. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GatewayConfig, RouteConfig } from '../../schedule/gateway-config.ts';
import { Ethernet, macOctets } from '../../wire/ethernet.ts';
import { NetHeader } from '../../wire/virtio-net.ts';
import { GatewayProcess } from '../clients/gateway-process.ts';
import { processNs } from '../clients/thread-time.ts';
import { nowNs, pause } from '../clients/wait.ts';
import { BUFFER_BYTES, FRONT_END_BYTES, FrontEnd, RING_SIZE } from './front-end.ts';
import { View, type SharedMemory } from './shared-memory.ts';

const PARTITIONS = 8;
export const MAJOR_FRAME_US = 10_000;
const WINDOW_US = 1000;
/** A look at the start of a window, one before its end; the analysis takes it off the supply. */
export const POLL_US = 1000;
const GAP_US = 50;
const CONTROL_US = 300;
const PACKET_BYTES = 256;
const PACKETS = 32;
/** Every front-end sends a few packets each time. */
const SEND_EVERY_MS = 10;
const BURST = 8;
/** Until a front-end is seen to have gone, another one is refused. */
const GONE_MS = 20;
const CONNECTIONS_MAX = 50;
const KIB = 1024;

const partners = (n: number) => n ^ 1;
const macOf = (n: number) => `52:54:00:00:00:0${n + 1}`;
const names = Array.from({ length: PARTITIONS }, (_, n) => `p${n}`);
const socketOf = (directory: string, name: string) => path.join(directory, name, 'net0.sock');

function route(n: number): RouteConfig {
  return {
    ...{ id: `r${n}`, from: `${names[n]}.net0`, to: `${names[partners(n)]}.net0`, vlan: null },
    ...{ packetsPerMajorFrame: PACKETS, bytesPerMajorFrame: PACKETS * 1518, excess: 'defer' },
    delivery: 'immediate',
  };
}

function config(directory: string): GatewayConfig {
  return {
    formatVersion: 1,
    gateway: { name: 'eight-partitions', revision: 1, asil: 'QM' },
    partitions: names.map((id, n) => ({
      ...{ id, asil: 'QM', memoryMiB: FRONT_END_BYTES / 2 ** 20 },
      guest: {
        ...{ type: 'vhost-user', socketDirectory: path.join(directory, id) },
        ...{ socketMode: 'listen', unsealed: 'refuse' },
      },
      devices: [
        {
          ...{ id: 'net0', type: 'virtio-net', mac: macOf(n), queuePairs: 1, queueSize: RING_SIZE },
          features: { offer: ['VIRTIO_F_VERSION_1'], require: ['VIRTIO_F_VERSION_1'] },
        },
      ],
    })),
    network: { routes: names.map((_, n) => route(n)) },
    schedule: {
      majorFrameUs: MAJOR_FRAME_US,
      idle: 'sleep',
      windows: [
        ...names.map((partition, n) => ({
          ...{ id: partition, partition, offsetUs: n * (WINDOW_US + GAP_US) },
          ...{ durationUs: WINDOW_US, pollUs: POLL_US },
          queues: [{ queue: 'net0.transmitq0', requestsMax: PACKETS, bytesMax: PACKETS * 1518 }],
        })),
        {
          ...{ id: 'control', kind: 'control', durationUs: CONTROL_US },
          offsetUs: PARTITIONS * (WINDOW_US + GAP_US),
        },
      ],
    },
    costs: {
      netForward: { baseNs: 1000, perKibNs: 200, perDescriptorNs: 20 },
      controlCommandNs: 20_000,
      windowSwitchNs: 20_000,
    },
    flows: [],
    health: { reactions: [] },
  };
}

/** In MiB; guests' memory is shared, and no part of the first two. */
export interface Resident {
  readonly anonymous: number;
  readonly file: number;
  readonly shared: number;
}

export class EightPartitions {
  /** Packets that arrived. */
  received = 0;
  private readonly directory = mkdtempSync(path.join(tmpdir(), 'virtio-gateway-'));
  private readonly view = new View(PARTITIONS, FRONT_END_BYTES);
  private readonly memories: readonly SharedMemory[];
  private readonly frontEnds: FrontEnd[] = [];
  private gateway: GatewayProcess | undefined;

  constructor() {
    this.memories = names.map(() => this.view.memory());
  }

  async start(): Promise<void> {
    this.gateway = await GatewayProcess.start(config(this.directory));
    for (const [n] of names.entries()) this.frontEnds.push(await this.connect(n));
    await this.gateway.serves(...names);
  }

  async stop(): Promise<void> {
    for (const frontEnd of this.frontEnds) frontEnd.close();
    this.view.close();
    await this.gateway?.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** One of the front-ends goes, and comes back. */
  async reconnect(turn: number): Promise<void> {
    const n = turn % PARTITIONS;
    this.frontEnds[n]!.close();
    this.frontEnds[n] = await this.connect(n);
  }

  /** What the gateway has of a processor while nobody sends, in percent. */
  async idlePercent(seconds: number): Promise<number> {
    const { pid } = this.gateway!.process;
    const before = { at: nowNs(), ns: processNs(pid) };
    await pause(seconds * 1000);
    return (100 * (processNs(pid) - before.ns)) / (nowNs() - before.at);
  }

  /** Every front-end sends to its partner for so long; nothing is lost. */
  async send(seconds: number): Promise<void> {
    for (const end = nowNs() + seconds * 1e9; nowNs() < end; await pause(SEND_EVERY_MS))
      for (const frontEnd of this.frontEnds) this.turn(frontEnd);
  }

  get resident(): Resident {
    const status = readFileSync(`/proc/${this.gateway!.process.pid}/status`, 'utf8');
    const mib = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / KIB;
    return { anonymous: mib('RssAnon'), file: mib('RssFile'), shared: mib('RssShmem') };
  }

  private async served(n: number): Promise<FrontEnd> {
    for (let connections = 1; ; connections++) {
      const memory = this.memories[n]!;
      memory.forget();
      try {
        return await FrontEnd.connect(socketOf(this.directory, names[n]!), memory);
      } catch (error) {
        if (connections === CONNECTIONS_MAX) throw error;
        await pause(GONE_MS);
      }
    }
  }

  private async connect(n: number): Promise<FrontEnd> {
    const frontEnd = await this.served(n);
    const { receiveq, transmitq } = frontEnd;
    for (let index = 0; index < RING_SIZE; index++) {
      receiveq.expose(index, BUFFER_BYTES, true);
      const at = transmitq.bufferAt(index);
      this.view.u8.fill(0, at, at + NetHeader.SIZE + PACKET_BYTES);
      this.view.u8.set(macOctets(macOf(partners(n))), at + NetHeader.SIZE + Ethernet.DESTINATION);
      this.view.u8.set(macOctets(macOf(n)), at + NetHeader.SIZE + Ethernet.SOURCE);
      this.view.u8.set([0x88, 0xb5], at + NetHeader.SIZE + Ethernet.TYPE);
    }
    receiveq.publish();
    return frontEnd;
  }

  /** Buffers come back, and a few packets go out. */
  private turn({ receiveq, transmitq }: FrontEnd): void {
    for (let n = 0; n < RING_SIZE; n++) {
      const index = receiveq.reap();
      if (index < 0) break;
      this.received++;
      receiveq.expose(index, BUFFER_BYTES, true);
    }
    receiveq.publish();
    for (let n = 0; n < RING_SIZE && transmitq.reap() >= 0; n++);
    if (transmitq.outstanding > 0) return;
    for (let n = 0; n < BURST; n++) transmitq.expose(n, NetHeader.SIZE + PACKET_BYTES, false);
    transmitq.publish();
  }
}
