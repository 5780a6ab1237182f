/**
 * A hostile partition beside an honest pair: the same scenario runs with the attack and without it,
 * and whatever the pair can see, count or time must be the same in both runs.
 *
 * Partition a is the attacker; b and c are honest and exchange packets in every major frame. Routes
 * a-b, b-a, b-c and c-b: each packet of b is also offered to a, so that a's receive ring is on the
 * path of b's own window.
 */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import {
  CommandKind,
  CommandWord,
  NotifyKind,
  RingFlag,
} from '../../src/channel/command-channel.ts';
import {
  GatewayCounter,
  QueueCounter,
  RouteCounter,
  WindowCounter,
} from '../../src/channel/counters.ts';
import { EventKind, type GatewayEvent } from '../../src/channel/event-log.ts';
import { FAULT_COUNT } from '../../src/base/fault.ts';
import type { PlanDevice, PlanQueue } from '../../src/schedule/gateway-plan.ts';
import { namesOf } from '../../src/wire/features.ts';
import { netDevice, Rig, ringFor, route, type DeviceOptions, type RigOptions } from './rig.ts';
import type { RingDouble } from './ring-double.ts';

const NEIGHBOURS = ['b', 'c'];
const PAIR_ROUTES = ['b-c', 'c-b'];
const HONEST_FEATURES = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'];
const BUFFERS = 60;
const PACKETS_PER_EXCHANGE = 2;
const NET_HEADER_BYTES = 12;

export interface Scenario {
  /** What device a offers and negotiates besides VERSION_1 and MAC. */
  readonly features?: readonly string[];
  readonly device?: DeviceOptions;
  readonly rig?: Omit<RigOptions, 'devices' | 'routes'>;
  /** Whether a's receive ring is filled with honest buffers before the attack; true unless given. */
  readonly supplied?: boolean;
  /** Only with the attack: what the guest of a does between two major frames. */
  readonly attack: (rig: Rig) => void;
  /** Only with the attack, from then on: what the guest does at every clock read of the data plane. */
  readonly meanwhile?: (rig: Rig) => void;
  /** What must be true of the attacked partition two major frames later, before it is restarted. */
  readonly then?: (rig: Rig) => void;
}

/** Runs both, compares what the neighbours saw, and shows that a works again after its reset. */
export function besideNeighbours(scenario: Scenario): void {
  const descriptorsBefore = openDescriptors();
  const quiet = run(scenario, false);
  const attacked = run(scenario, true);
  assert.deepEqual(
    attacked.beforeReset,
    quiet.beforeReset,
    'what the neighbours saw beside the attack',
  );
  assert.deepEqual(
    attacked.afterReset,
    quiet.afterReset,
    'what the neighbours saw beside the reset',
  );
  assert.equal(openDescriptors(), descriptorsBefore, 'no file descriptor is left over');
}

interface Run {
  readonly beforeReset: NeighbourView;
  readonly afterReset: NeighbourView;
}

function run(scenario: Scenario, attacking: boolean): Run {
  const rig = buildRig(scenario);
  const trace = traceOf(rig);
  const a = rig.guest('a');
  NEIGHBOURS.forEach((id) => rig.supply(id, BUFFERS));
  if (scenario.supplied !== false) rig.supply('a', 16);
  rig.send('a', rig.packet('a', 'b', 100));
  exchange(rig);
  rig.frames();
  if (attacking) scenario.attack(rig);
  const stop = attacking && scenario.meanwhile ? runMeanwhile(rig, scenario.meanwhile) : () => {};
  for (let n = 0; n < 2; n++) {
    exchange(rig);
    rig.frames();
  }
  stop();
  if (attacking) scenario.then?.(rig);
  const beforeReset = view(rig, trace);
  assert.equal(rig.guest('a'), a, 'a scenario leaves the restart to this helper');
  restartGuest(rig, 'a');
  assertWorks(rig);
  assertGatewayGoesOn(rig);
  return { beforeReset, afterReset: view(rig, trace) };
}

function buildRig({ features = [], device, rig = {} }: Scenario): Rig {
  const offer = [...HONEST_FEATURES, ...features];
  return new Rig({
    ...rig,
    devices: { a: netDevice(1, { offer, ...device }), b: netDevice(2), c: netDevice(3) },
    routes: [route('a', 'b'), route('b', 'a'), route('b', 'c'), route('c', 'b')],
  });
}

/** The honest pair's traffic of one major frame. */
function exchange(rig: Rig): void {
  for (let n = 0; n < PACKETS_PER_EXCHANGE; n++) {
    rig.send('b', rig.packet('b', 'c', 200 + 40 * n));
    rig.send('c', rig.packet('c', 'b', 300 + 40 * n));
  }
}

/** The guest as a thread of its own: it acts whenever the data plane reads its clock. */
function runMeanwhile(rig: Rig, act: (rig: Rig) => void): () => void {
  const { time } = rig;
  const readInto = time.readInto.bind(time);
  time.readInto = (cell) => {
    readInto(cell);
    act(rig);
  };
  return () => {
    time.readInto = readInto;
  };
}

/** Everything of b and c that the attack could have touched. */
interface NeighbourView {
  readonly received: Record<string, readonly string[]>;
  readonly used: Record<string, readonly unknown[]>;
  readonly memory: Record<string, string>;
  readonly queueCounters: Record<string, readonly number[]>;
  readonly routeCounters: Record<string, readonly number[]>;
  readonly windowCounters: Record<string, readonly number[]>;
  readonly faults: Record<string, readonly number[]>;
  readonly events: readonly GatewayEvent[];
  /** Publications and notifications of the neighbours' rings, in order, with their virtual time. */
  readonly trace: readonly string[];
}

function view(rig: Rig, trace: readonly string[]): NeighbourView {
  const { counters, plan } = rig;
  const each = <T>(ids: readonly string[], of: (id: string) => T): Record<string, T> =>
    Object.fromEntries(ids.map((id) => [id, of(id)]));
  const partition = (id: string) => plan.partitions.findIndex((candidate) => candidate.id === id);
  const queues = neighbourQueues(rig).map((queue) => queue.name);
  return {
    received: each(NEIGHBOURS, (id) => received(rig, id)),
    used: each(NEIGHBOURS, (id) =>
      [...rig.guest(id).receive, ...rig.guest(id).transmit].map((ring) => ring.usedElements),
    ),
    memory: each(NEIGHBOURS, (id) => digest(rig, id)),
    queueCounters: each(queues, (name) =>
      numbers(QueueCounter.COUNT, (n) =>
        counters.queue(plan.queues.find((queue) => queue.name === name)!.index, n),
      ),
    ),
    routeCounters: each(PAIR_ROUTES, (id) =>
      numbers(RouteCounter.COUNT, (n) =>
        counters.route(plan.routes.find((candidate) => candidate.id === id)!.index, n),
      ),
    ),
    windowCounters: each(NEIGHBOURS, (id) =>
      numbers(WindowCounter.COUNT, (n) =>
        counters.window(
          plan.windows.find((window) => window.partition === partition(id))!.index,
          n,
        ),
      ),
    ),
    faults: each(NEIGHBOURS, (id) => numbers(FAULT_COUNT, (n) => counters.fault(partition(id), n))),
    events: rig.allEvents().filter((event) => concernsNeighbour(rig, event)),
    trace: [...trace],
  };
}

function numbers(count: number, of: (n: number) => number): number[] {
  return Array.from({ length: count }, (_, n) => of(n));
}

function concernsNeighbour(rig: Rig, event: GatewayEvent): boolean {
  const { plan } = rig;
  const partition =
    event.kind === EventKind.OVERRUN ? plan.windows[event.subject]!.partition : event.subject;
  return NEIGHBOURS.includes(plan.partitions[partition]?.id ?? '');
}

/** The packets in a guest's used receive buffers with their virtio-net headers, oldest first, as hex. */
export function received(rig: Rig, id: string): string[] {
  return rig
    .guest(id)
    .receive.flatMap((ring) =>
      ring.usedElements.map(({ id, length }) =>
        Buffer.from(ring.bytesOf(id, length)).toString('hex'),
      ),
    );
}

function digest(rig: Rig, id: string): string {
  const { slice } = rig.guest(id);
  const bytes = slice.arena.u8.slice(slice.sliceAt, slice.sliceAt + slice.size);
  return createHash('sha256').update(bytes).digest('hex');
}

function neighbourQueues(rig: Rig): PlanQueue[] {
  const { queues, partitions } = rig.plan;
  return queues.filter((queue) => NEIGHBOURS.includes(partitions[queue.partition]!.id));
}

/** Records when the neighbours' rings publish and notify. */
function traceOf(rig: Rig): string[] {
  const trace: string[] = [];
  const { time, notifier, plane } = rig;
  const watched = neighbourQueues(rig);
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

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Posts a command as the control plane does; it is carried out in the next control window. */
export function command(
  rig: Rig,
  kind: number,
  target: number,
  operands: Record<number, number> = {},
): void {
  const words = new Int32Array(CommandWord.COUNT);
  words[CommandWord.KIND] = kind;
  words[CommandWord.TARGET] = target;
  for (const [word, value] of Object.entries(operands)) words[Number(word)] = value;
  assert.notEqual(rig.channel.send(words), undefined, 'the command channel has room');
}

/** Posts the start of a ring at the place of a double. */
export function startRing(rig: Rig, queue: PlanQueue, ring: RingDouble, index = ring.base): void {
  const { slice } = ring;
  const names = namesOf('virtio-net', rig.plan.devices[queue.device]!.offered);
  const flags =
    (names.includes('VIRTIO_RING_F_EVENT_IDX') ? RingFlag.EVENT_IDX : 0) |
    (names.includes('VIRTIO_RING_F_INDIRECT_DESC') ? RingFlag.INDIRECT : 0) |
    (ring.packed ? RingFlag.PACKED : 0);
  command(rig, CommandKind.START_QUEUE, queue.index, {
    [CommandWord.SIZE]: ring.size,
    [CommandWord.DESC]: slice.at(ring.desc) | 0,
    [CommandWord.AVAIL]: slice.at(ring.avail) | 0,
    [CommandWord.USED]: slice.at(ring.used) | 0,
    [CommandWord.FLAGS]: flags,
    [CommandWord.INDEX]: index,
    [CommandWord.NOTIFY_KIND]: NotifyKind.ARENA_WORD,
    [CommandWord.NOTIFY_TARGET]: queue.index,
  });
}

function isPacked({ offered }: PlanDevice): boolean {
  return namesOf('virtio-net', offered).includes('VIRTIO_F_RING_PACKED');
}

/** What a driver's reset comes to: device and rings stop, and start again with fresh rings. */
export function restartGuest(rig: Rig, id: string): void {
  const partition = rig.plan.partitions.find((candidate) => candidate.id === id)!;
  const device = rig.plan.devices[partition.devices[0]!]!;
  const { slice, mac } = rig.guest(id);
  command(rig, CommandKind.STOP_DEVICE, device.index);
  device.queues.forEach((queue) => command(rig, CommandKind.STOP_QUEUE, queue));
  rig.frames();
  command(rig, CommandKind.START_DEVICE, device.index, {
    [CommandWord.FEATURES_LOW]: device.offered.low | 0,
    [CommandWord.FEATURES_HIGH]: device.offered.high | 0,
  });
  const rings = device.queues.map((index) => {
    const queue = rig.plan.queues[index]!;
    const ring = ringFor(isPacked(device), slice, device.queueSizeMax);
    startRing(rig, queue, ring);
    return { role: queue.role, ring };
  });
  const of = (role: string) =>
    rings.filter((entry) => entry.role === role).map((entry) => entry.ring);
  rig.guests[id] = {
    slice,
    mac,
    receive: of('receive'),
    transmit: of('transmit'),
    control: of('control')[0],
  };
  rig.frames();
}

/** A packet each way between a and b arrives unchanged, and its buffers come back. */
export function assertWorks(rig: Rig): void {
  const a = rig.guest('a');
  const outward = rig.packet('a', 'b', 120);
  const inward = rig.packet('b', 'a', 130);
  const head = rig.send('a', outward);
  rig.supply('a', 2);
  rig.send('b', inward);
  exchange(rig);
  rig.frames(2);
  assert.deepEqual(
    a.transmit[0]!.usedElements,
    [{ id: head, length: 0 }],
    'the transmit buffer is returned',
  );
  assert.deepEqual(packetAt(received(rig, 'a')[0]), inward, 'a receives what b sends');
  const atB = received(rig, 'b').map(packetAt);
  assert.ok(
    atB.some((packet) => sameBytes(packet, outward)),
    'b receives what a sends',
  );
}

function packetAt(buffer: string | undefined): number[] {
  return [...Buffer.from((buffer ?? '').slice(2 * NET_HEADER_BYTES), 'hex')];
}

function sameBytes(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((byte, n) => byte === right[n]);
}

function assertGatewayGoesOn(rig: Rig): void {
  const { counters, plan } = rig;
  assert.equal(counters.gateway(GatewayCounter.SKIPPED_FRAMES), 0, 'no major frame is skipped');
  assert.equal(counters.gateway(GatewayCounter.LATE_STARTS), 0, 'no window starts late');
  assert.equal(counters.gateway(GatewayCounter.MAJOR_FRAMES), 7, 'every major frame is run');
  for (const window of plan.windows) {
    assert.equal(
      counters.window(window.index, WindowCounter.OVERRUNS_COST),
      0,
      `${window.id} ends in time`,
    );
  }
}
