/**
 * A hostile partition with a GPU beside an honest pair: the same scenario runs with the attack and
 * without it, and whatever the pair can see, count or time must be the same in both runs.
 *
 * Partition a is the attacker and draws the whole display; b draws the plane above it, with a
 * protected region, and exchanges packets with c in every major frame.
 */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { FAULT_COUNT } from '../../src/base/fault.ts';
import {
  GatewayCounter,
  QueueCounter,
  RouteCounter,
  WindowCounter,
} from '../../src/channel/counters.ts';
import { EventKind, type GatewayEvent } from '../../src/channel/event-log.ts';
import { flush, transfer } from './gpu-commands.ts';
import type { Answer, GpuDouble, Submission } from './gpu-double.ts';
import { assertPicture, part, paste, pattern, seen } from './gpu-pictures.ts';
import {
  GpuRig,
  HEIGHT,
  WIDTH,
  type GpuOptions,
  type GpuPartition,
  type GpuRigOptions,
} from './gpu-rig.ts';
import { netPlan } from './network.ts';
import { netDevice, route } from './rig.ts';
import type { RingDouble } from './ring-double.ts';

const NEIGHBOURS = ['b', 'c'];
const HIGH = [64, 32, 80, 64] as const;
const FRAMES = 6;
const BUFFERS = 40;

export interface GpuScenario {
  readonly gpu?: Partial<GpuOptions>;
  /** Of the attacker's queues. */
  readonly caps?: GpuPartition['caps'];
  readonly rig?: Omit<GpuRigOptions, 'partitions' | 'routes'>;
  /** Only with the attack: what the guest of a does before the major frames that are compared. */
  readonly attack: (rig: GpuRig, a: GpuDouble) => void;
  /** Only with the attack: what the guest does at every clock read of the data plane. */
  readonly meanwhile?: (rig: GpuRig, a: GpuDouble) => void;
  /** What must be true of the attacked partition afterwards, before it is restarted. */
  readonly then?: (rig: GpuRig, a: GpuDouble) => void;
}

/** Runs both, compares what the neighbours saw, and shows that a works again after its reset. */
export function besideGpuNeighbours(scenario: GpuScenario): void {
  const quiet = run(scenario, false);
  const attacked = run(scenario, true);
  assert.deepEqual(attacked.before, quiet.before, 'what the neighbours saw beside the attack');
  assert.deepEqual(attacked.after, quiet.after, 'what the neighbours saw beside the reset');
}

function buildRig({ gpu, caps, rig }: GpuScenario): GpuRig {
  return new GpuRig({
    windowUs: 800,
    compositorUs: 800,
    ...rig,
    partitions: {
      a: { gpu: { planes: ['low'], ...gpu }, ...(caps && { caps }) },
      b: { gpu: { planes: ['high'] }, net: netDevice(2), asil: 'B' },
      c: { net: netDevice(3) },
    },
    routes: [route('b', 'c'), route('c', 'b')],
    display: {
      refreshHz: 240,
      protectedRegions: [{ id: 'r', plane: 'high', rectPx: [3, 5, 33, 17], frozenAfterUs: 60_000 }],
      ...rig?.display,
    },
  });
}

interface Run {
  readonly before: unknown;
  readonly after: unknown;
}

function run(scenario: GpuScenario, attacking: boolean): Run {
  const rig = buildRig(scenario);
  const trace = traceOf(rig);
  const pair = new Pair(rig);
  const a = rig.guest('a');
  a.fill(a.picture(1, WIDTH, HEIGHT), pattern(WIDTH * HEIGHT, 5));
  a.present(1, WIDTH, HEIGHT);
  // The same major frames have passed in both runs, whatever a did.
  while (rig.counters.gateway(GatewayCounter.MAJOR_FRAMES) < 20) pair.frame();
  if (attacking) scenario.attack(rig, a);
  const stop =
    attacking && scenario.meanwhile ? runMeanwhile(rig, a, scenario.meanwhile) : () => {};
  for (let n = 0; n < FRAMES; n++) pair.frame();
  stop();
  if (attacking) scenario.then?.(rig, a);
  const before = view(rig, pair, trace);
  rig.stopRing('a.gpu0.controlq');
  rig.stopRing('a.gpu0.cursorq');
  rig.startDriver('a');
  assertWorks(rig, pair);
  assertGatewayGoesOn(rig);
  return { before, after: view(rig, pair, trace) };
}

/** The guest as a thread of its own: it acts whenever the data plane reads its clock. */
function runMeanwhile(rig: GpuRig, a: GpuDouble, act: (rig: GpuRig, a: GpuDouble) => void) {
  const { time } = rig;
  const readInto = time.readInto.bind(time);
  time.readInto = (cell) => {
    readInto(cell);
    act(rig, a);
  };
  return () => {
    time.readInto = readInto;
  };
}

/** The honest pair: b draws another picture in every major frame, both send a packet. */
class Pair {
  readonly answers: Answer[] = [];
  private readonly rig: GpuRig;
  private frames = 0;
  private readonly sent: Submission[] = [];
  /** What b has flushed last. */
  picture: Uint32Array = new Uint32Array(80 * 64);

  constructor(rig: GpuRig) {
    this.rig = rig;
    const b = rig.guest('b');
    b.picture(1, 80, 64);
    b.present(1, 80, 64);
    for (const id of NEIGHBOURS) {
      const { receive } = rig.nets[id]!;
      for (let n = 0; n < BUFFERS; n++) {
        receive.submit([{ address: receive.slice.allocate(2048), length: 2048, flags: 2 }]);
      }
    }
  }

  /** One major frame with the pair's work in it. */
  frame(): void {
    const { rig } = this;
    const b = rig.guest('b');
    const bytes = pattern(80 * 64, 100 + this.frames++);
    b.fill(b.backings.get(1)!, bytes);
    this.sent.push(
      b.submit(transfer(1, [0, 0, 80, 64], 0, { flags: 1, fence: BigInt(this.frames) })),
    );
    this.sent.push(b.submit(flush(1, [0, 0, 80, 64], { flags: 1, fence: BigInt(this.frames) })));
    this.send('b', 'c', 200);
    this.send('c', 'b', 300);
    rig.frames();
    this.picture = seen(bytes);
    for (const submission of this.sent.splice(0)) this.answers.push(b.answerOf(submission));
  }

  private send(from: string, to: string, bytes: number): void {
    const { transmit } = this.rig.nets[from]!;
    const macs = [to, from].flatMap((id) => [...macOf(this.rig, id)]);
    const payload = Array.from({ length: bytes - 14 }, (_, n) => (n + this.frames) & 0xff);
    const packet = [...new Array<number>(12).fill(0), ...macs, 8, 6, ...payload];
    const address = transmit.slice.allocate(packet.length);
    transmit.slice.write(address, packet);
    transmit.submit([{ address, length: packet.length }]);
  }
}

function macOf(rig: GpuRig, id: string): readonly number[] {
  return netPlan(rig.plan.devices.find((device) => device.id === `${id}.net0`)).mac;
}

function ringsOf(rig: GpuRig, id: string): RingDouble[] {
  const { receive, transmit } = rig.nets[id]!;
  const gpu = rig.guests[id];
  return [receive, transmit, ...(gpu ? [gpu.control, gpu.cursor] : [])];
}

/** Everything of b and c that the attack could have touched. */
function view(rig: GpuRig, pair: Pair, trace: readonly string[]): unknown {
  const { counters, plan } = rig;
  const partition = (id: string) => plan.partitions.findIndex((candidate) => candidate.id === id);
  const own = plan.queues.filter((queue) =>
    NEIGHBOURS.includes(plan.partitions[queue.partition]!.id),
  );
  const numbers = (count: number, of: (n: number) => number) =>
    Array.from({ length: count }, (_, n) => of(n));
  const latency = counters.planeLatency(rig.planePlan('high').index);
  return {
    answers: pair.answers.map(({ type, fence, usedLength }) => [type, fence, usedLength]),
    plane: hashOf(rig.picture('high')),
    display: hashOf(Uint32Array.from(part(rig.display(), WIDTH, HIGH))),
    used: NEIGHBOURS.map((id) => ringsOf(rig, id).map((ring) => ring.usedIndex)),
    memory: NEIGHBOURS.map((id) => memoryHash(rig, id)),
    queues: own.map((queue) => numbers(QueueCounter.COUNT, (n) => counters.queue(queue.index, n))),
    routes: plan.routes.map(({ index }) =>
      numbers(RouteCounter.COUNT, (n) => counters.route(index, n)),
    ),
    windows: plan.windows
      .filter(({ partition: owner }) => owner >= 0 && plan.partitions[owner]!.id !== 'a')
      .map(({ index }) => numbers(WindowCounter.COUNT, (n) => counters.window(index, n))),
    faults: NEIGHBOURS.map((id) => numbers(FAULT_COUNT, (n) => counters.fault(partition(id), n))),
    planeCounts: rig.planeCounts('high'),
    regions: rig.regionCounts(),
    latency: [latency.count, latency.max],
    events: rig.allEvents().filter((event) => concernsNeighbour(rig, event)),
    trace: [...trace],
  };
}

function concernsNeighbour({ plan }: GpuRig, { kind, subject }: GatewayEvent): boolean {
  const partition = kind === EventKind.OVERRUN ? plan.windows[subject]!.partition : subject;
  return NEIGHBOURS.includes(plan.partitions[partition]?.id ?? '');
}

function hashOf(pixels: Uint32Array): string {
  return createHash('sha256').update(new Uint8Array(pixels.buffer)).digest('hex');
}

function memoryHash(rig: GpuRig, id: string): string {
  const { arena, sliceAt, size } = rig.slices[id]!;
  return createHash('sha256')
    .update(arena.u8.slice(sliceAt, sliceAt + size))
    .digest('hex');
}

/** Records when the neighbours' rings publish and notify. */
function traceOf(rig: GpuRig): string[] {
  const trace: string[] = [];
  const { time, notifier, plane, plan } = rig;
  const watched = plan.queues.filter((queue) =>
    NEIGHBOURS.includes(plan.partitions[queue.partition]!.id),
  );
  for (const queue of watched) {
    const { ring } = plane.queues[queue.index]!;
    const publish = ring.publish.bind(ring);
    ring.publish = () => {
      publish();
      trace.push(`${time.nowNs} ${queue.name} published, ${ring.taken} taken`);
    };
  }
  notifier.notify = (_kind, target) => {
    const queue = watched.find((candidate) => candidate.index === target);
    if (queue) trace.push(`${time.nowNs} ${queue.name} notified`);
  };
  return trace;
}

/** A new driver of a draws a picture, which is seen wherever the plane of b is not. */
function assertWorks(rig: GpuRig, pair: Pair): void {
  const a = rig.guest('a');
  const bytes = pattern(WIDTH * HEIGHT, 6);
  a.fill(a.picture(1, WIDTH, HEIGHT), bytes);
  a.present(1, WIDTH, HEIGHT);
  while (rig.counters.gateway(GatewayCounter.MAJOR_FRAMES) < 60) pair.frame();
  rig.frames(3);
  const expected = seen(bytes);
  paste(expected, WIDTH, [HIGH[0], HIGH[1]], pair.picture, 80, [0, 0, 80, 64]);
  assertPicture(rig.display(), expected, WIDTH, 'display after the reset');
}

function assertGatewayGoesOn({ counters, plan }: GpuRig): void {
  assert.equal(counters.gateway(GatewayCounter.SKIPPED_FRAMES), 0, 'no major frame is skipped');
  assert.equal(counters.gateway(GatewayCounter.LATE_STARTS), 0, 'no window starts late');
  for (const { index, id } of plan.windows) {
    assert.equal(counters.window(index, WindowCounter.OVERRUNS_COST), 0, `${id} ends in time`);
  }
}
