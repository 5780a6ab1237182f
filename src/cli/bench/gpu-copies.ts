/**
 * Part of `bench gpu`: a picture's way from guest memory to its plane, in process, beside a plain
 * copy of the same bytes over the same way.
 */
import { type DataPlane, buildDataPlane, sharedStateOf } from '../../data-plane/data-plane.ts';
import { DriverQueue } from '../../guest/driver-queue.ts';
import { GpuQueue } from '../../guest/gpu-queue.ts';
import { GuestMachine } from '../../guest/guest-machine.ts';
import { readBuiltFile } from '../../host/files.ts';
import { monotonicClock, SpinPace } from '../../host/monotonic-clock.ts';
import { compilePlan } from '../../schedule/compile-plan.ts';
import type { GatewayConfig } from '../../schedule/gateway-config.ts';
import type { GatewayPlan } from '../../schedule/gateway-plan.ts';
import {
  GPU_PIXEL_BYTES,
  GpuAttachBacking,
  GpuCommand,
  GpuEdid,
  GpuFormat,
  GpuMemEntry,
  GpuResourceCreate2d,
  GpuResourceFlush,
  GpuResponse,
  GpuSetScanout,
  GpuTransferToHost2d,
} from '../../wire/virtio-gpu.ts';
import { spreadOf, type Spread } from './spread.ts';

const WIDTH = 1280;
const HEIGHT = 800;
const BYTES = WIDTH * HEIGHT * GPU_PIXEL_BYTES;
const ROUNDS = 41;
const PICTURES = 25;
const RESOURCE = 1;
const RING_SIZE = 64;
const PAGE = 4096;
const NOTIFY_NONE = 0;

/** One device that draws one plane, the whole display. */
function benchConfig(): GatewayConfig {
  return {
    formatVersion: 1,
    gateway: { name: 'bench', revision: 1, asil: 'QM' },
    partitions: [
      {
        ...{ id: 'a', asil: 'QM', memoryMiB: 8 },
        guest: { type: 'embedded', program: 'infotainment-display' },
        devices: [
          {
            ...{ id: 'gpu0', type: 'virtio-gpu', queueSize: RING_SIZE, resourceMiB: 8 },
            scanouts: [{ display: 'd', plane: 'p' }],
            features: { offer: ['VIRTIO_F_VERSION_1'], require: [] },
          },
        ],
      },
    ],
    network: { routes: [] },
    displays: [
      {
        ...{ id: 'd', widthPx: WIDTH, heightPx: HEIGHT, refreshHz: 60 },
        planes: [{ id: 'p', z: 0, rectPx: [0, 0, WIDTH, HEIGHT], asil: 'QM' }],
      },
    ],
    schedule: { majorFrameUs: 10_000, idle: 'spin', windows: [] },
    costs: { netForward: { baseNs: 500, perKibNs: 100, perDescriptorNs: 0 }, windowSwitchNs: 0 },
    flows: [],
    health: { reactions: [] },
  };
}

class CopiesBench {
  private readonly plan: GatewayPlan = compilePlan(benchConfig());
  private readonly plane: DataPlane;
  private readonly queue: GpuQueue;
  /** Arena offsets of a picture's three places: guest memory, resource, plane. */
  private readonly places: readonly [number, number, number];

  constructor() {
    const { plan } = this;
    const kernel = new WebAssembly.Module(readBuiltFile('data-plane/arena-kernel.wasm'));
    const shared = sharedStateOf(plan, kernel);
    const { memory } = shared;
    const [area] = plan.layout.partitions;
    this.plane = buildDataPlane(plan, shared, {
      clock: monotonicClock,
      pace: new SpinPace(),
      notifier: { notify() {} },
      evidence: { mark() {}, cause: () => 0 },
    });
    const pace = new SpinPace();
    const machine = new GuestMachine({ memory, area: area!, clock: monotonicClock, pace });
    this.queue = this.startQueue(machine);
    const backing = machine.allocate(BYTES, PAGE);
    const guestAt = machine.at(backing);
    machine.u8.fill(0x5a, guestAt, guestAt + BYTES);
    this.places = [guestAt, plan.layout.devices[0]!.resourcesAt, plan.layout.planes[0]!.pixelsAt];
    this.createPicture(backing);
  }

  private startQueue(machine: GuestMachine): GpuQueue {
    const ring = new DriverQueue(machine, {
      size: RING_SIZE,
      bufferBytes: GpuEdid.SIZE,
      eventIdx: false,
    });
    const setup = { size: RING_SIZE, eventIdx: false, indirect: false, packed: false, index: 0 };
    const [descAt, availAt, usedAt] = [ring.desc, ring.avail, ring.used].map(
      (address) => machine.at(address) | 0,
    ) as [number, number, number];
    for (const device of this.plane.devices) device.start(0, 1);
    for (const partition of this.plane.partitions) partition.running = true;
    this.plane.queues[0]!.start({ ...setup, descAt, availAt, usedAt }, NOTIFY_NONE, 0);
    return new GpuQueue(machine, ring, machine.vectorWord(0, 1));
  }

  private createPicture(backing: number): void {
    const { queue } = this;
    queue.begin(GpuCommand.RESOURCE_CREATE_2D, GpuResourceCreate2d.SIZE);
    queue.put(GpuResourceCreate2d.RESOURCE_ID, RESOURCE);
    queue.put(GpuResourceCreate2d.FORMAT, GpuFormat.B8G8R8X8_UNORM);
    queue.put(GpuResourceCreate2d.WIDTH, WIDTH);
    queue.put(GpuResourceCreate2d.HEIGHT, HEIGHT);
    queue.end(GpuResourceCreate2d.SIZE);
    queue.begin(GpuCommand.RESOURCE_ATTACH_BACKING, GpuAttachBacking.SIZE + GpuMemEntry.SIZE);
    queue.put(GpuAttachBacking.RESOURCE_ID, RESOURCE);
    queue.put(GpuAttachBacking.NR_ENTRIES, 1);
    queue.putAddress(GpuAttachBacking.SIZE + GpuMemEntry.ADDR, backing);
    queue.put(GpuAttachBacking.SIZE + GpuMemEntry.LENGTH, BYTES);
    queue.end(GpuAttachBacking.SIZE + GpuMemEntry.SIZE);
    queue.begin(GpuCommand.SET_SCANOUT, GpuSetScanout.SIZE);
    queue.putRect(GpuSetScanout.RECT, 0, 0, WIDTH, HEIGHT);
    queue.put(GpuSetScanout.RESOURCE_ID, RESOURCE);
    queue.end(GpuSetScanout.SIZE);
    this.serve();
  }

  /** Whatever waits is served, piece by piece as in a window that does not end. */
  private serve(): void {
    const { plane, queue } = this;
    const service = plane.services[0]!;
    queue.publish();
    while (service.look() > 0) service.serve(BYTES);
    service.publish();
    queue.reap();
    if (queue.answered !== queue.given || queue.answer >= GpuResponse.ERR_UNSPEC)
      throw new Error('a command was refused');
  }

  /** Guest memory to resource, resource to plane, by two commands. */
  commands(): void {
    const { queue } = this;
    queue.begin(GpuCommand.TRANSFER_TO_HOST_2D, GpuTransferToHost2d.SIZE);
    queue.putRect(GpuTransferToHost2d.RECT, 0, 0, WIDTH, HEIGHT);
    queue.put(GpuTransferToHost2d.RESOURCE_ID, RESOURCE);
    queue.end(GpuTransferToHost2d.SIZE);
    queue.begin(GpuCommand.RESOURCE_FLUSH, GpuResourceFlush.SIZE);
    queue.putRect(GpuResourceFlush.RECT, 0, 0, WIDTH, HEIGHT);
    queue.put(GpuResourceFlush.RESOURCE_ID, RESOURCE);
    queue.end(GpuResourceFlush.SIZE);
    this.serve();
  }

  /** The same bytes over the same way, as two copies. */
  copies(): void {
    const [guest, resource, plane] = this.places;
    this.plane.arena.copy(resource | 0, guest | 0, BYTES);
    this.plane.arena.copy(plane | 0, resource | 0, BYTES);
  }

  /** Whether the plane shows what lies in guest memory: the bench checks itself. */
  get isShown(): boolean {
    const { u8 } = this.plane.arena;
    const [, , plane] = this.places;
    // The fourth byte of a pixel is opaque on a plane, whatever a guest writes there.
    return u8[plane] === 0x5a && u8[plane + BYTES - 2] === 0x5a && u8[plane + BYTES - 1] === 0xff;
  }
}

export interface GpuCopies {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Bytes that were moved, both ways together, per nanosecond. */
  readonly commandsGBs: Spread;
  readonly copyGBs: Spread;
  /** Time of the commands by time of the plain copies, of alternating rounds. */
  readonly ratio: Spread;
}

export function copiesText({ commandsGBs, copyGBs, ratio }: GpuCopies): string {
  return (
    `in process, transfer and flush: ${commandsGBs.median.toFixed(1)} GB/s, plain copies of the same ` +
    `bytes ${copyGBs.median.toFixed(1)} GB/s; the commands take ${ratio.median.toFixed(2)} times as ` +
    `long (${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`
  );
}

/** Alternating rounds of transfer and flush, and of plain copies. */
export function gpuCopies(rounds = ROUNDS): GpuCopies {
  const bench = new CopiesBench();
  const times = { commands: [] as number[], copies: [] as number[] };
  const now = new Float64Array(1);
  const timed = (loop: keyof typeof times): number => {
    monotonicClock.readInto(now);
    const started = now[0]!;
    for (let n = 0; n < PICTURES; n++) bench[loop]();
    monotonicClock.readInto(now);
    return now[0]! - started;
  };
  bench.commands();
  if (!bench.isShown) throw new Error('the picture does not arrive');
  for (let n = 0; n < rounds + 1; n++) {
    const round = { commands: timed('commands'), copies: timed('copies') };
    // The first round warms up.
    if (n === 0) continue;
    times.commands.push(round.commands);
    times.copies.push(round.copies);
  }
  const rate = (ns: number) => (2 * BYTES * PICTURES) / ns;
  return {
    widthPx: WIDTH,
    heightPx: HEIGHT,
    commandsGBs: spreadOf(times.commands.map(rate)),
    copyGBs: spreadOf(times.copies.map(rate)),
    ratio: spreadOf(times.commands.map((time, n) => time / times.copies[n]!)),
  };
}
