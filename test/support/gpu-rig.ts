/** A whole data plane with GPU devices on one display, on a virtual clock, with driver-side doubles. */
import { CommandChannel, NotifyKind } from '../../src/channel/command-channel.ts';
import {
  Counters,
  DisplayCounter,
  PlaneCounter,
  RegionCounter,
} from '../../src/channel/counters.ts';
import { EventLog, type GatewayEvent } from '../../src/channel/event-log.ts';
import { ScanoutView } from '../../src/channel/scanout-state.ts';
import { FAULT_NAMES, type FaultName } from '../../src/base/fault.ts';
import { type DataPlane, buildDataPlane, sharedStateOf } from '../../src/data-plane/data-plane.ts';
import { GpuDevice } from '../../src/data-plane/gpu/gpu-device.ts';
import { compilePlan } from '../../src/schedule/compile-plan.ts';
import type {
  CostsConfig,
  DisplayConfig,
  GatewayConfig,
  GpuDeviceConfig,
  NetDeviceConfig,
  RouteConfig,
  WindowConfig,
  WindowQueueConfig,
} from '../../src/schedule/gateway-config.ts';
import type { GatewayPlan, PlanDevice } from '../../src/schedule/gateway-plan.ts';
import { namesOf } from '../../src/wire/features.ts';
import { GpuDouble } from './gpu-double.ts';
import { GuestSlice, type RingDouble } from './ring-double.ts';
import { ALL_PACKED, kernel, NO_EVIDENCE, RecordingNotifier, ringFor, VirtualTime } from './rig.ts';

/** Slices above 2 GiB, where an offset is no small integer. */
export const ABOVE_2_GIB = 2 ** 31 + 2 ** 20;

const PACKED = 'VIRTIO_F_RING_PACKED';
export const ALL_FEATURES = [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_RING_F_INDIRECT_DESC',
  'VIRTIO_GPU_F_EDID',
  'VIRTIO_GPU_F_RESOURCE_UUID',
  'VIRTIO_GPU_F_RESOURCE_BLOB',
];

export type GpuOptions = Partial<Omit<GpuDeviceConfig, 'features' | 'scanouts'>> & {
  readonly offer?: readonly string[];
  /** Planes of the only display, one for each scanout. */
  readonly planes: readonly string[];
};

export interface GpuPartition {
  readonly gpu?: GpuOptions;
  readonly net?: NetDeviceConfig;
  readonly asil?: 'QM' | 'B';
  /** Of its queues in its window, in place of those of all. */
  readonly caps?: Partial<WindowQueueConfig>;
}

export interface GpuRigOptions {
  readonly partitions?: Readonly<Record<string, GpuPartition>>;
  readonly display?: Partial<DisplayConfig>;
  readonly memoryMiB?: number;
  readonly slicesFrom?: number;
  /** Of every queue in every window. */
  readonly caps?: Partial<WindowQueueConfig>;
  readonly windowUs?: number;
  readonly compositorUs?: number;
  readonly costs?: Partial<CostsConfig>;
  readonly routes?: readonly RouteConfig[];
  readonly flows?: GatewayConfig['flows'];
}

export const WIDTH = 160;
export const HEIGHT = 128;

/** Partition a draws the whole display, b a smaller plane above it. */
export const TWO_PLANES: Readonly<Record<string, GpuPartition>> = {
  a: { gpu: { planes: ['low'] } },
  b: { gpu: { planes: ['high'] }, asil: 'B' },
};

export const DISPLAY: DisplayConfig = {
  id: 'd',
  widthPx: WIDTH,
  heightPx: HEIGHT,
  refreshHz: 100,
  planes: [
    { id: 'low', z: 0, rectPx: [0, 0, WIDTH, HEIGHT], asil: 'QM' },
    { id: 'high', z: 1, rectPx: [64, 32, 80, 64], asil: 'B' },
  ],
};

function gpuConfig({ planes, offer = ALL_FEATURES, ...rest }: GpuOptions): GpuDeviceConfig {
  return {
    id: 'gpu0',
    type: 'virtio-gpu',
    queueSize: 64,
    resourceMiB: 1,
    scanouts: planes.map((plane) => ({ display: 'd', plane })),
    features: {
      offer: ALL_PACKED ? [...offer, PACKED] : offer,
      require: ['VIRTIO_F_VERSION_1'],
    },
    ...rest,
  };
}

function queuesOf({ gpu, net }: GpuPartition, caps: Partial<WindowQueueConfig> = {}) {
  const queues = [
    ...(gpu ? ['gpu0.controlq', 'gpu0.cursorq'] : []),
    ...(net ? ['net0.transmitq0'] : []),
  ];
  return queues.map((queue) => ({
    queue,
    requestsMax: 1000,
    requestsGuaranteed: 1,
    bytesMax: 4_000_000,
    ...caps,
  }));
}

export function gpuRigConfig(options: GpuRigOptions = {}): GatewayConfig {
  const { partitions = TWO_PLANES, windowUs = 2000, compositorUs = 2000 } = options;
  const own = Object.entries(partitions);
  const compositorAt = own.length * (windowUs + 10);
  const windows: WindowConfig[] = own.map(([id, partition], n) => ({
    id: `w-${id}`,
    partition: id,
    offsetUs: n * (windowUs + 10),
    durationUs: windowUs,
    pollUs: 500,
    queues: queuesOf(partition, partition.caps ?? options.caps),
  }));
  return {
    formatVersion: 1,
    gateway: { name: 'rig', revision: 1, asil: 'QM' },
    partitions: own.map(([id, { gpu, net, asil = 'QM' }]) => ({
      id,
      asil,
      memoryMiB: options.memoryMiB ?? 4,
      guest: { type: 'embedded', program: 'echo' },
      devices: [...(gpu ? [gpuConfig(gpu)] : []), ...(net ? [net] : [])],
    })),
    network: { routes: options.routes ?? [] },
    displays: [{ ...DISPLAY, ...options.display }],
    schedule: {
      majorFrameUs: compositorAt + compositorUs + 600,
      idle: 'spin',
      windows: [
        ...windows,
        {
          id: 'compositor',
          kind: 'compositor',
          display: 'd',
          offsetUs: compositorAt,
          durationUs: compositorUs,
          pollUs: 500,
        },
        {
          id: 'control',
          kind: 'control',
          offsetUs: compositorAt + compositorUs + 10,
          durationUs: 400,
        },
      ],
    },
    costs: {
      netForward: { baseNs: 500, perKibNs: 100, perDescriptorNs: 0 },
      gpuTransfer: { baseNs: 1000, perKibNs: 10, perDescriptorNs: 1 },
      gpuCompose: { baseNs: 1000, perKibNs: 10 },
      controlCommandNs: 1000,
      windowSwitchNs: 2000,
      ...options.costs,
    },
    flows: options.flows ?? [],
    health: { reactions: [] },
  };
}

export interface NetRings {
  readonly receive: RingDouble;
  readonly transmit: RingDouble;
}

export class GpuRig {
  readonly config: GatewayConfig;
  readonly plan: GatewayPlan;
  readonly plane: DataPlane;
  readonly counters: Counters;
  readonly events: EventLog;
  readonly channel: CommandChannel;
  readonly time = new VirtualTime();
  readonly notifier = new RecordingNotifier();
  readonly guests: Record<string, GpuDouble> = {};
  readonly nets: Record<string, NetRings> = {};
  readonly slices: Record<string, GuestSlice> = {};

  constructor(options: GpuRigOptions = {}) {
    this.config = gpuRigConfig(options);
    this.plan = compilePlan(this.config, options.slicesFrom ?? ABOVE_2_GIB);
    const shared = sharedStateOf(this.plan, kernel());
    this.counters = new Counters(this.plan, shared.counters);
    this.events = new EventLog(shared.events);
    this.channel = new CommandChannel(shared.commands);
    const { time, notifier } = this;
    const host = { clock: time, pace: time, notifier, evidence: NO_EVIDENCE };
    this.plane = buildDataPlane(this.plan, shared, host);
    this.plane.dispatcher.begin(this.time.nowNs + 1000);
    for (const { id, index } of this.plan.partitions) {
      const area = this.plan.layout.partitions[index]!;
      this.slices[id] = new GuestSlice(this.plane.arena, area.sliceAt, area.sliceBytes);
      this.startDriver(id);
    }
  }

  private devicesOf(id: string): PlanDevice[] {
    const { devices } = this.plan.partitions.find((partition) => partition.id === id)!;
    return devices.map((device) => this.plan.devices[device]!);
  }

  /** A new driver: all rings of its partition begin anew, then it runs. */
  startDriver(id: string): void {
    const partition = this.plan.partitions.find((candidate) => candidate.id === id)!;
    for (const device of this.devicesOf(id)) {
      const rings = this.startDevice(id, device);
      if (device.type === 'virtio-gpu')
        this.guests[id] = new GpuDouble(this, this.slices[id]!, rings[0]!, rings[1]!);
      else this.nets[id] = { receive: rings[0]!, transmit: rings[1]! };
    }
    this.plane.partitions[partition.index]!.running = true;
  }

  private startDevice(id: string, device: PlanDevice): RingDouble[] {
    const names = namesOf(device.type, device.offered);
    const rings = device.queues.map((queue) => {
      const ring = ringFor(names.includes(PACKED), this.slices[id]!, device.queueSizeMax);
      this.startRing(queue, ring, ring.base);
      return ring;
    });
    this.plane.devices[device.index]!.start(device.offered.low, device.offered.high);
    return rings;
  }

  /** Starts a ring at an index, as the command of the control plane does. */
  startRing(queue: number, ring: RingDouble, index: number): void {
    const device = this.plan.devices[this.plan.queues[queue]!.device]!;
    const names = namesOf(device.type, device.offered);
    const { slice } = ring;
    this.plane.services[queue]?.reset();
    this.plane.queues[queue]!.start(
      {
        size: ring.size,
        descAt: slice.at(ring.desc) | 0,
        availAt: slice.at(ring.avail) | 0,
        usedAt: slice.at(ring.used) | 0,
        eventIdx: names.includes('VIRTIO_RING_F_EVENT_IDX'),
        indirect: names.includes('VIRTIO_RING_F_INDIRECT_DESC'),
        packed: ring.packed,
        index,
      },
      NotifyKind.ARENA_WORD,
      queue,
    );
  }

  /** Stops a queue as the command of the control plane does; where it goes on. */
  stopRing(name: string): number {
    const { index } = this.queue(name);
    const { ring } = this.plane.queues[index]!;
    ring.stop();
    this.plane.services[index]!.reset();
    return ring.base;
  }

  queue(name: string) {
    return this.plan.queues.find((candidate) => candidate.name === name)!;
  }

  guest(id: string): GpuDouble {
    return this.guests[id]!;
  }

  device(id: string): GpuDevice {
    const found = this.devicesOf(id).map(({ index }) => this.plane.devices[index]);
    return found.find((device) => device instanceof GpuDevice)!;
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

  allEvents(): GatewayEvent[] {
    const events: GatewayEvent[] = [];
    for (let event = this.events.next(); event; event = this.events.next()) events.push(event);
    return events;
  }

  private pixelsAt(at: number, count: number): Uint32Array {
    return new Uint32Array(this.plane.arena.i32.slice(at >>> 2, (at >>> 2) + count));
  }

  /** The composed display, row by row, each pixel as 0xXXRRGGBB. */
  display(): Uint32Array {
    const { pixelsAt, bytes } = this.plan.layout.displays[0]!;
    return this.pixelsAt(pixelsAt, bytes / 4);
  }

  planePlan(id: string) {
    return this.plan.planes.find((plane) => plane.id === `d.${id}`)!;
  }

  /** The picture of a plane. */
  picture(id: string): Uint32Array {
    const { pixelsAt, bytes } = this.plan.layout.planes[this.planePlan(id).index]!;
    return this.pixelsAt(pixelsAt, bytes / 4);
  }

  /** What the control plane sees of a plane's scanout. */
  scanout(id: string): ScanoutView {
    const { stateAt } = this.plan.layout.planes[this.planePlan(id).index]!;
    return new ScanoutView(this.plane.arena.i32, stateAt);
  }

  displayCounts(): Record<'refreshes' | 'composed' | 'bytes', number> {
    const of = (counter: number) => this.counters.display(0, counter);
    return {
      refreshes: of(DisplayCounter.REFRESHES),
      composed: of(DisplayCounter.COMPOSED),
      bytes: of(DisplayCounter.BYTES),
    };
  }

  planeCounts(id: string): Record<'composed' | 'passedOver' | 'torn' | 'replaced', number> {
    const of = (counter: number) => this.counters.plane(this.planePlan(id).index, counter);
    return {
      composed: of(PlaneCounter.COMPOSED),
      passedOver: of(PlaneCounter.PASSED_OVER),
      torn: of(PlaneCounter.TORN),
      replaced: of(PlaneCounter.REPLACED),
    };
  }

  regionCounts(index = 0): Record<'checks' | 'mismatches' | 'frozen', number> {
    const of = (counter: number) => this.counters.region(index, counter);
    return {
      checks: of(RegionCounter.CHECKS),
      mismatches: of(RegionCounter.MISMATCHES),
      frozen: of(RegionCounter.FROZEN),
    };
  }
}
