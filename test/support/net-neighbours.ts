/** An attack beside an honest pair: the pair's bytes, used elements, counters and times must not show it. */
import { strict as assert } from 'node:assert';
import { FAULT_NAMES } from '../../src/base/fault.ts';
import { QueueCounter, RouteCounter, WindowCounter } from '../../src/channel/counters.ts';
import type { NetDeviceConfig, RouteConfig } from '../../src/schedule/gateway-config.ts';
import { Rig, netDevice, route, type DeviceOptions } from './rig.ts';

const HONEST = ['x', 'y'];
const FRAMES_BEFORE = 1;
const FRAMES_AFTER = 2;

export interface Attack {
  /** Options of the attacker's device, and of the device it may talk to. */
  readonly mallory?: DeviceOptions;
  readonly victim?: DeviceOptions;
  readonly route?: Partial<RouteConfig>;
  readonly run: (rig: Rig) => void;
  /** Looks at the attacked run after the first major frame that has served the attack. */
  readonly afterOneFrame?: (rig: Rig) => void;
}

function devicesOf(attack: Attack): Record<string, NetDeviceConfig> {
  return {
    mallory: netDevice(1, attack.mallory),
    victim: netDevice(2, attack.victim),
    x: netDevice(3),
    y: netDevice(4),
  };
}

function build(attack: Attack): Rig {
  return new Rig({
    devices: devicesOf(attack),
    routes: [
      route('mallory', 'victim', attack.route),
      route('victim', 'mallory'),
      route('x', 'y'),
      route('y', 'x'),
    ],
  });
}

/** The same conversation in every run: both ways, and a length that changes. */
function converse(rig: Rig, majorFrame: number): void {
  for (const [from, to] of [
    ['x', 'y'],
    ['y', 'x'],
  ] as const) {
    rig.supply(to, 2, 1600);
    rig.send(from, rig.packet(from, to, 60 + 100 * majorFrame));
  }
}

/** Everything that the honest pair, or somebody who looks at it, can see. */
interface Trace {
  readonly memory: readonly Uint8Array[];
  readonly numbers: Record<string, unknown>;
}

function traceOf(rig: Rig): Trace {
  const { plan, counters, notifier } = rig;
  const partitions = plan.partitions
    .filter(({ id }) => HONEST.includes(id))
    .map(({ index }) => index);
  const queues = plan.queues.filter((queue) => partitions.includes(queue.partition));
  const every = (table: { COUNT: number }, read: (counter: number) => number) =>
    Array.from({ length: table.COUNT }, (_, counter) => read(counter));
  return {
    memory: HONEST.map((id) => {
      const { slice } = rig.guest(id);
      return slice.arena.u8.slice(slice.sliceAt, slice.sliceAt + slice.size);
    }),
    numbers: {
      used: HONEST.map((id) =>
        [...rig.guest(id).receive, ...rig.guest(id).transmit].map((ring) => ring.usedElements),
      ),
      queues: queues.map(({ index }) =>
        every(QueueCounter, (counter) => counters.queue(index, counter)),
      ),
      routes: plan.routes
        .filter(({ from }) => partitions.includes(plan.devices[from]!.partition))
        .map(({ index }) => every(RouteCounter, (counter) => counters.route(index, counter))),
      windows: plan.windows
        .filter((window) => partitions.includes(window.partition))
        .map(({ index }) => every(WindowCounter, (counter) => counters.window(index, counter))),
      faults: partitions.map((index) => FAULT_NAMES.map((_, code) => counters.fault(index, code))),
      notifications: notifier.sent.filter(({ target }) =>
        queues.some(({ index }) => index === target),
      ),
      time: rig.time.nowNs,
    },
  };
}

function run(attack: Attack, attacked: boolean): Rig {
  const rig = build(attack);
  for (let n = 0; n < FRAMES_BEFORE + FRAMES_AFTER; n++) {
    if (attacked && n === FRAMES_BEFORE) attack.run(rig);
    converse(rig, n);
    rig.frames();
    if (attacked && n === FRAMES_BEFORE) attack.afterOneFrame?.(rig);
  }
  return rig;
}

/** Control runs by what they depend on, so that each is made once. */
const controls = new Map<string, Trace>();

function controlOf(attack: Attack): Trace {
  const key = JSON.stringify([attack.mallory, attack.victim, attack.route]);
  const known = controls.get(key) ?? traceOf(run(attack, false));
  controls.set(key, known);
  return known;
}

/** Runs the attack, shows that the honest pair cannot tell it from peace, and returns the attacked rig. */
export function besideHonestPair(attack: Attack): Rig {
  const control = controlOf(attack);
  const rig = run(attack, true);
  const attacked = traceOf(rig);
  assert.deepEqual(attacked.numbers, control.numbers);
  HONEST.forEach((id, n) => {
    assert.equal(
      Buffer.compare(attacked.memory[n]!, control.memory[n]!),
      0,
      `memory of ${id} as in peace`,
    );
  });
  assert.equal(
    rig.route('x-y').delivered,
    FRAMES_BEFORE + FRAMES_AFTER,
    'the honest pair was served',
  );
  return rig;
}

/** The attacker's queue is alive: an honest packet of it still arrives, unchanged. */
export function assertStillServes(rig: Rig): void {
  const before = rig.route('mallory-victim').delivered;
  rig.supply('victim', 1, 2048);
  rig.send('mallory', rig.packet('mallory', 'victim'));
  rig.frames();
  assert.equal(
    rig.route('mallory-victim').delivered,
    before + 1,
    'the attacker itself is still served',
  );
}
