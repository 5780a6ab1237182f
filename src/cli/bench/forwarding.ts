/** `bench forwarding`: ring to ring and the whole path, in process, beside a plain copy. */
import { NetHeader } from '../../wire/virtio-net.ts';
import { RouteCounter } from '../../channel/counters.ts';
import { type DataPlane, buildDataPlane, sharedStateOf } from '../../data-plane/data-plane.ts';
import { DescriptorChain } from '../../data-plane/virtqueue/descriptor-chain.ts';
import { inlineGenerously } from '../../host/engine.ts';
import { readBuiltFile } from '../../host/files.ts';
import { monotonicClock, SpinPace } from '../../host/monotonic-clock.ts';
import { Scratch, type PartitionArea } from '../../schedule/arena-layout.ts';
import { compilePlan } from '../../schedule/compile-plan.ts';
import type { GatewayConfig } from '../../schedule/gateway-config.ts';
import type { GatewayPlan, PlanNetDevice } from '../../schedule/gateway-plan.ts';
import { textTable } from '../text-table.ts';
import { BenchRing, BUFFER_BYTES, RING_SIZE } from './bench-ring.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { spreadOf, type Spread } from './spread.ts';

const BURST = 32;
const SIZES = [64, 256, 1514];

interface Counts {
  readonly rounds: number;
  /** Of each round. */
  readonly bursts: number;
}

const COUNTS: Counts = { rounds: 31, bursts: 10_000 };

type PartitionConfig = GatewayConfig['partitions'][number];

function benchPartition(id: string, last: number): PartitionConfig {
  return {
    id,
    asil: 'QM',
    memoryMiB: 4,
    guest: { type: 'embedded', program: 'echo' },
    devices: [
      {
        id: 'net0',
        type: 'virtio-net',
        mac: `52:54:00:00:00:0${last}`,
        queuePairs: 1,
        queueSize: RING_SIZE,
        features: { offer: ['VIRTIO_F_VERSION_1'], require: [] },
      },
    ],
  };
}

/** Two partitions with one device each and a route between them; nothing is ever policed away. */
function benchConfig(): GatewayConfig {
  return {
    formatVersion: 1,
    gateway: { name: 'bench', revision: 1, asil: 'QM' },
    partitions: [benchPartition('a', 1), benchPartition('b', 2)],
    network: {
      routes: [
        {
          id: 'a-b',
          from: 'a.net0',
          to: 'b.net0',
          vlan: null,
          packetsPerMajorFrame: 1e6,
          bytesPerMajorFrame: 4e9,
          excess: 'drop',
          delivery: 'immediate',
        },
      ],
    },
    schedule: {
      majorFrameUs: 10_000,
      idle: 'spin',
      windows: [
        {
          id: 'w',
          partition: 'a',
          offsetUs: 0,
          durationUs: 5000,
          queues: [{ queue: 'net0.transmitq0', requestsMax: 65535, bytesMax: 4e9 }],
        },
      ],
    },
    costs: { netForward: { baseNs: 500, perKibNs: 100, perDescriptorNs: 0 }, windowSwitchNs: 0 },
    flows: [],
    health: { reactions: [] },
  };
}

/** Everything that one packet size needs. */
class ForwardingBench {
  private readonly plan: GatewayPlan = compilePlan(benchConfig());
  private readonly plane: DataPlane;
  private readonly sender: BenchRing;
  private readonly receiver: BenchRing;
  private readonly source: DescriptorChain;
  private readonly sink: DescriptorChain;
  private readonly length: number;
  private copied = 0;

  constructor(bytes: number) {
    this.length = NetHeader.SIZE + bytes;
    this.plane = buildDataPlane(
      this.plan,
      sharedStateOf(
        this.plan,
        new WebAssembly.Module(readBuiltFile('data-plane/arena-kernel.wasm')),
      ),
      {
        clock: monotonicClock,
        pace: new SpinPace(),
        notifier: { notify() {} },
        evidence: { mark() {}, cause: () => 0 },
      },
    );
    const { arena, queues, partitions, devices } = this.plane;
    const [a, b] = this.plan.layout.partitions as unknown as readonly [
      PartitionArea,
      PartitionArea,
    ];
    this.sender = new BenchRing(arena, a.sliceAt, 0, queues[1]!, this.length, false);
    this.receiver = new BenchRing(arena, b.sliceAt, 0, queues[2]!, BUFFER_BYTES, true);
    this.fillPackets(a.sliceAt + this.sender.buffers);
    for (const device of devices) device.start(0, 1);
    for (const partition of partitions) partition.running = true;
    const descScratch = this.plan.layout.scratchAt + Scratch.DESC;
    this.source = new DescriptorChain(arena, devices[0]!.memory, 20, descScratch);
    this.sink = new DescriptorChain(arena, devices[1]!.memory, 20, descScratch);
  }

  private fillPackets(at: number): void {
    const [from, to] = this.plan.devices as unknown as readonly [PlanNetDevice, PlanNetDevice];
    for (let n = 0; n < RING_SIZE; n++) {
      this.plane.arena.u8.set(
        [...new Array<number>(NetHeader.SIZE).fill(0), ...to.mac, ...from.mac, 8, 0],
        at + n * BUFFER_BYTES,
      );
    }
  }

  private exposeBurst(): void {
    this.sender.expose(BURST);
    this.receiver.expose(BURST);
  }

  /** (a) Ring to ring: both chains validated, one copy, both completed, published per burst. */
  ringBurst(): void {
    this.exposeBurst();
    const { arena, queues } = this.plane;
    const from = queues[1]!.ring;
    const to = queues[2]!.ring;
    from.look();
    to.look();
    for (let n = 0; n < BURST; n++) {
      const head = from.takeHead();
      const receiveHead = to.takeHead();
      this.source.begin();
      this.sink.begin();
      if (from.walk(this.source, head, 20) !== 0 || to.walk(this.sink, receiveHead, 20) !== 0)
        throw new Error('fault');
      arena.copy(this.sink.at[0]!, this.source.at[0]!, this.source.readableBytes);
      to.complete(receiveHead, this.source.readableBytes);
      from.complete(head, 0);
    }
    to.publish();
    from.publish();
  }

  /** (b) The whole path: poll, validate, route, police, copy, complete, publish. */
  pathBurst(): void {
    this.exposeBurst();
    const service = this.plane.services[1]!;
    let available = service.look();
    while (available > 0) {
      const many = service.serveMany(available, BURST * BUFFER_BYTES);
      if (many === 0) service.serve(BUFFER_BYTES);
      available -= Math.max(many, 1);
    }
    service.publish();
    this.plane.publications.notify();
  }

  /** The plain copy of the same bytes between the same buffers. */
  copyBurst(): void {
    const { arena } = this.plane;
    const [a, b] = this.plan.layout.partitions as unknown as readonly [
      PartitionArea,
      PartitionArea,
    ];
    for (let n = 0; n < BURST; n++) {
      const offset = (this.copied & (RING_SIZE - 1)) * BUFFER_BYTES;
      this.copied++;
      arena.copy(
        (b.sliceAt + this.receiver.buffers + offset) | 0,
        (a.sliceAt + this.sender.buffers + offset) | 0,
        this.length,
      );
    }
  }

  /** Packets delivered so far by {@link pathBurst}: the bench checks itself. */
  get delivered(): number {
    return this.plane.counters.route(0, RouteCounter.DELIVERED);
  }

  /** A new major frame: the route's quota is whole again. */
  majorFrame(): void {
    this.plane.vswitch.majorFrameBegins();
  }
}

type Loop = 'copyBurst' | 'ringBurst' | 'pathBurst';
const LOOPS: readonly Loop[] = ['copyBurst', 'ringBurst', 'pathBurst'];

/** Nanoseconds per packet of one round of a loop. */
function round(bench: ForwardingBench, loop: Loop, bursts: number): number {
  const cell = new Float64Array(1);
  bench.majorFrame();
  monotonicClock.readInto(cell);
  const started = cell[0]!;
  for (let n = 0; n < bursts; n++) bench[loop]();
  monotonicClock.readInto(cell);
  return (cell[0]! - started) / (bursts * BURST);
}

/** Alternating rounds of the three loops at one packet size; all in nanoseconds per packet. */
function forwardingAt(bytes: number, { rounds, bursts }: Counts) {
  const bench = new ForwardingBench(bytes);
  const times: Record<Loop, number[]> = { copyBurst: [], ringBurst: [], pathBurst: [] };
  for (const loop of LOOPS) round(bench, loop, bursts);
  const before = bench.delivered;
  for (let n = 0; n < rounds; n++) {
    for (const loop of LOOPS) times[loop].push(round(bench, loop, bursts));
  }
  if (bench.delivered - before !== rounds * bursts * BURST)
    throw new Error('not every packet was delivered');
  const ratio = (a: Loop, b: Loop) => spreadOf(times[a].map((time, n) => time / times[b][n]!));
  return {
    bytes,
    copyNs: spreadOf(times.copyBurst),
    ringToRingNs: spreadOf(times.ringBurst),
    wholePathNs: spreadOf(times.pathBurst),
    ringToCopy: ratio('ringBurst', 'copyBurst'),
    pathToRing: ratio('pathBurst', 'ringBurst'),
  };
}

export function forwarding(progress: Progress, counts = COUNTS): BenchResult {
  inlineGenerously();
  const sizes = SIZES.map((bytes) => {
    progress(`${bytes} bytes`);
    return forwardingAt(bytes, counts);
  });
  const cell = ({ median, min, max }: Spread) =>
    `${median.toFixed(1)} (${min.toFixed(1)}-${max.toFixed(1)})`;
  const table = textTable([
    ['bytes', 'plain copy', 'ring to ring', 'whole path', 'ring/copy', 'path/ring'],
    ...sizes.map((size) => [
      ...[String(size.bytes), cell(size.copyNs), cell(size.ringToRingNs), cell(size.wholePathNs)],
      ...[size.ringToCopy.median.toFixed(2), size.pathToRing.median.toFixed(2)],
    ]),
  ]);
  return {
    document: {
      runs: counts.rounds,
      compared: 'alternating rounds in one process: plain wasm copy, ring to ring, whole path',
      sizes,
    },
    text: `nanoseconds per packet, median (min-max) of alternating rounds\n${table}`,
  };
}
