/** A whole data plane on a virtual clock, with driver-side doubles: what most device tests stand on. */
import { netPlan } from './network.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock, Pace } from '../../src/base/time.ts';
import { CommandChannel, NotifyKind } from '../../src/channel/command-channel.ts';
import { Counters, DROP_REASONS, QueueCounter, RouteCounter } from '../../src/channel/counters.ts';
import { EventLog, type GatewayEvent } from '../../src/channel/event-log.ts';
import { WindowTrace } from '../../src/channel/window-trace.ts';
import { FAULT_NAMES, type FaultName } from '../../src/base/fault.ts';
import { type DataPlane, buildDataPlane, sharedStateOf } from '../../src/data-plane/data-plane.ts';
import type { OverrunEvidence } from '../../src/data-plane/dispatcher.ts';
import type { Notifier } from '../../src/data-plane/publications.ts';
import { compilePlan } from '../../src/schedule/compile-plan.ts';
import type {
  GatewayConfig,
  NetDeviceConfig,
  RouteConfig,
} from '../../src/schedule/gateway-config.ts';
import type { GatewayPlan } from '../../src/schedule/gateway-plan.ts';
import { bitsOf, namesOf } from '../../src/wire/features.ts';
import { PackedDouble } from './packed-double.ts';
import { GuestSlice, RingDouble } from './ring-double.ts';

const kernelPath = path.resolve(__dirname, '../../src/data-plane/arena-kernel.wasm');

/** Every device offers and negotiates packed rings too. */
export const ALL_PACKED = process.env['TEST_RINGS'] === 'packed';
const PACKED = 'VIRTIO_F_RING_PACKED';

let compiled: WebAssembly.Module | undefined;

export function kernel(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(kernelPath));
  return compiled;
}

/** Time that passes only when somebody waits, reads the clock, or says so. */
export class VirtualTime implements Clock, Pace {
  nowNs = 1_000_000_000;
  /** Cost of one clock read, so that a window always ends. */
  perReadNs = 100;

  readInto(cell: Float64Array): void {
    this.nowNs += this.perReadNs;
    cell[0] = this.nowNs;
  }

  waitUntil(target: Float64Array, now: Float64Array): void {
    this.nowNs = Math.max(this.nowNs, target[0]!);
    now[0] = this.nowNs;
  }

  rest(target: Float64Array, now: Float64Array): boolean {
    this.waitUntil(target, now);
    return true;
  }
}

export class RecordingNotifier implements Notifier {
  readonly sent: { kind: number; target: number }[] = [];

  notify(kind: number, target: number): void {
    this.sent.push({ kind, target });
  }
}

export const NO_EVIDENCE: OverrunEvidence = { mark() {}, cause: () => 0 };

export interface DeviceOptions extends Partial<NetDeviceConfig> {
  readonly offer?: readonly string[];
}

export function netDevice(last: number, options: DeviceOptions = {}): NetDeviceConfig {
  const { offer: wanted = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'], ...rest } = options;
  const offer = ALL_PACKED ? [...wanted, PACKED] : wanted;
  return {
    id: 'net0',
    type: 'virtio-net',
    mac: `52:54:00:00:00:0${last}`,
    queuePairs: 1,
    queueSize: 64,
    features: { offer, require: ['VIRTIO_F_VERSION_1'] },
    ...rest,
  };
}

export function route(from: string, to: string, options: Partial<RouteConfig> = {}): RouteConfig {
  return {
    id: `${from.split('.')[0]}-${to.split('.')[0]}`,
    from: `${from}.net0`,
    to: `${to}.net0`,
    vlan: null,
    packetsPerMajorFrame: 1000,
    bytesPerMajorFrame: 2_000_000,
    excess: 'drop',
    delivery: 'immediate',
    ...options,
  };
}

export interface RigOptions {
  readonly devices?: Record<string, NetDeviceConfig>;
  readonly routes?: readonly RouteConfig[];
  readonly flows?: GatewayConfig['flows'];
  readonly schedule?: Partial<GatewayConfig['schedule']>;
  readonly costs?: Partial<GatewayConfig['costs']>;
  readonly memoryMiB?: number;
  readonly slicesFrom?: number;
  readonly negotiate?: Record<string, readonly string[]>;
}

/** Partitions a and b by default, one window each, a control window, routes both ways. */
export function rigConfig(options: RigOptions = {}): GatewayConfig {
  const devices = options.devices ?? { a: netDevice(1), b: netDevice(2) };
  const ids = Object.keys(devices);
  const windowUs = Math.floor(9000 / ids.length);
  return {
    formatVersion: 1,
    gateway: { name: 'rig', revision: 1, asil: 'QM' },
    partitions: ids.map((id) => ({
      id,
      asil: 'QM',
      memoryMiB: options.memoryMiB ?? 1,
      guest: { type: 'embedded', program: 'echo' },
      devices: [devices[id]!],
    })),
    network: { routes: options.routes ?? [route('a', 'b'), route('b', 'a')] },
    schedule: {
      majorFrameUs: 10_000,
      idle: 'spin',
      windows: [
        ...ids.map((id, n) => ({
          id: `w-${id}`,
          partition: id,
          offsetUs: n * windowUs,
          durationUs: windowUs - 10,
          pollUs: 1000,
          queues: queueEntries(devices[id]!),
        })),
        { id: 'control', kind: 'control' as const, offsetUs: 9500, durationUs: 400 },
      ],
      ...options.schedule,
    },
    costs: {
      netForward: { baseNs: 500, perKibNs: 100, perDescriptorNs: 0 },
      netChecksum: { baseNs: 100, perKibNs: 100 },
      controlCommandNs: 1000,
      windowSwitchNs: 2000,
      ...options.costs,
    },
    flows: options.flows ?? [],
    health: { reactions: [] },
  };
}

function queueEntries(device: NetDeviceConfig) {
  const pairs = Array.from({ length: device.queuePairs }, (_, pair) => ({
    queue: `net0.transmitq${pair}`,
    requestsMax: 1000,
    requestsGuaranteed: 1,
    bytesMax: 4_000_000,
  }));
  return device.features.offer.includes('VIRTIO_NET_F_CTRL_VQ')
    ? [
        ...pairs,
        { queue: 'net0.controlq', requestsMax: 16, requestsGuaranteed: 1, bytesMax: 65536 },
      ]
    : pairs;
}

/** A driver-side double in the layout that was negotiated. */
export function ringFor(packed: boolean, slice: GuestSlice, size: number): RingDouble {
  return packed ? new PackedDouble(slice, size) : new RingDouble(slice, size);
}

/** A started device with a driver-side double for each of its rings. */
export interface RigGuest {
  readonly slice: GuestSlice;
  readonly receive: RingDouble[];
  readonly transmit: RingDouble[];
  readonly control: RingDouble | undefined;
  readonly mac: readonly number[];
}

export class Rig {
  readonly config: GatewayConfig;
  readonly plan: GatewayPlan;
  readonly plane: DataPlane;
  readonly counters: Counters;
  readonly events: EventLog;
  readonly windowTrace: WindowTrace;
  readonly channel: CommandChannel;
  readonly time = new VirtualTime();
  readonly notifier = new RecordingNotifier();
  readonly guests: Record<string, RigGuest> = {};
  evidence: OverrunEvidence = NO_EVIDENCE;

  constructor(options: RigOptions = {}) {
    this.config = rigConfig(options);
    this.plan = compilePlan(this.config, options.slicesFrom ?? 0);
    const shared = sharedStateOf(this.plan, kernel());
    this.counters = new Counters(this.plan, shared.counters);
    this.events = new EventLog(shared.events);
    this.windowTrace = new WindowTrace(shared.windowTrace);
    this.channel = new CommandChannel(shared.commands);
    const evidence: OverrunEvidence = {
      mark: () => this.evidence.mark(),
      cause: () => this.evidence.cause(),
    };
    this.plane = buildDataPlane(this.plan, shared, {
      clock: this.time,
      pace: this.time,
      notifier: this.notifier,
      evidence,
    });
    this.plane.dispatcher.begin(this.time.nowNs + 1000);
    for (const partition of this.plan.partitions) {
      this.guests[partition.id] = this.startGuest(
        partition.index,
        options.negotiate?.[partition.id],
      );
    }
  }

  private startGuest(index: number, negotiate?: readonly string[]): RigGuest {
    const area = this.plan.layout.partitions[index]!;
    const device = this.plan.devices[this.plan.partitions[index]!.devices[0]!]!;
    const slice = new GuestSlice(this.plane.arena, area.sliceAt, area.sliceBytes);
    const bits = negotiate ? bitsOf('virtio-net', negotiate) : device.offered;
    const names = namesOf('virtio-net', bits);
    const rings = device.queues.map((queue) => {
      const double = ringFor(names.includes(PACKED), slice, device.queueSizeMax);
      this.startRing(queue, double, names);
      return { role: this.plan.queues[queue]!.role, double };
    });
    this.plane.devices[device.index]!.start(bits.low, bits.high);
    this.plane.partitions[index]!.running = true;
    const of = (role: string) =>
      rings.filter((ring) => ring.role === role).map((ring) => ring.double);
    return {
      slice,
      receive: of('receive'),
      transmit: of('transmit'),
      control: of('control')[0],
      mac: netPlan(device).mac,
    };
  }

  startRing(
    queue: number,
    double: RingDouble,
    features: readonly string[],
    index = double.base,
  ): void {
    const { slice } = double;
    this.plane.queues[queue]!.start(
      {
        size: double.size,
        descAt: slice.at(double.desc) | 0,
        availAt: slice.at(double.avail) | 0,
        usedAt: slice.at(double.used) | 0,
        eventIdx: features.includes('VIRTIO_RING_F_EVENT_IDX'),
        indirect: features.includes('VIRTIO_RING_F_INDIRECT_DESC'),
        packed: double.packed,
        index,
      },
      NotifyKind.ARENA_WORD,
      queue,
    );
  }

  guest(id: string): RigGuest {
    return this.guests[id]!;
  }

  /** Gives a guest's receive ring so many buffers of so many bytes; their addresses. */
  supply(id: string, count: number, bytes = 2048, pair = 0): number[] {
    const { slice, receive } = this.guest(id);
    return Array.from({ length: count }, () => {
      const address = slice.allocate(bytes);
      receive[pair]!.submit([{ address, length: bytes, flags: 2 }]);
      return address;
    });
  }

  /** Sends a packet with a plain virtio-net header from one buffer. */
  send(
    id: string,
    packet: ArrayLike<number>,
    header: readonly number[] = new Array(12).fill(0),
    pair = 0,
  ): number {
    const { slice, transmit } = this.guest(id);
    const address = slice.allocate(12 + packet.length);
    slice.write(address, [...header, ...Array.from(packet)]);
    return transmit[pair]!.submit([{ address, length: 12 + packet.length }]);
  }

  /** An Ethernet packet from one guest to another, filled with a pattern. */
  packet(from: string, to: string, bytes = 64, type = [0x08, 0x06]): number[] {
    const head = [...this.guest(to).mac, ...this.guest(from).mac, ...type];
    return [...head, ...Array.from({ length: bytes - head.length }, (_, n) => (n * 7 + 1) & 0xff)];
  }

  frames(count = 1): void {
    for (let n = 0; n < count; n++) this.plane.dispatcher.majorFrame();
  }

  /** Faults of a partition by name, those that occurred. */
  faults(id: string): Partial<Record<FaultName, number>> {
    const index = this.plan.partitions.findIndex((partition) => partition.id === id);
    return Object.fromEntries(
      FAULT_NAMES.map((name, code) => [name, this.counters.fault(index, code)] as const).filter(
        ([, count]) => count > 0,
      ),
    );
  }

  route(id: string): {
    sent: number;
    delivered: number;
    deferred: number;
    drops: Record<string, number>;
  } {
    const { index } = this.plan.routes.find((candidate) => candidate.id === id)!;
    const drops = Object.fromEntries(
      DROP_REASONS.map(
        (reason, n) => [reason, this.counters.route(index, RouteCounter.DROPS + n)] as const,
      ).filter(([, count]) => count > 0),
    );
    return {
      sent: this.counters.route(index, RouteCounter.SENT),
      delivered: this.counters.route(index, RouteCounter.DELIVERED),
      deferred: this.counters.route(index, RouteCounter.DEFERRED),
      drops,
    };
  }

  unrouted(queue: string): number {
    const { index } = this.plan.queues.find((candidate) => candidate.name === queue)!;
    return this.counters.queue(index, QueueCounter.UNROUTED);
  }

  allEvents(): GatewayEvent[] {
    const events: GatewayEvent[] = [];
    for (let event = this.events.next(); event; event = this.events.next()) events.push(event);
    return events;
  }
}
