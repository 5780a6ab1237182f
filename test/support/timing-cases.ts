/** Random timing plans, and the adversaries that a simulation of them meets. */
import fc from 'fast-check';
import { spanMin } from '../../src/analysis/arrival-curve.ts';
import type { ArrivalContract, GatewayPlan } from '../../src/schedule/gateway-plan.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { TimedPlan, TimedWindow } from './timing-plan.ts';
import type { Adversary } from './timing-simulation.ts';

const MANY = 1000;

const int = (min: number, max: number) => fc.integer({ min, max });

/** Pairs of gap and length, one after the other in a major frame. */
const layout = (count: number, longest: number) =>
  fc.array(fc.tuple(int(1, longest), int(1, longest)), { minLength: 1, maxLength: count });

const arrival = (longest: number): fc.Arbitrary<ArrivalContract> =>
  fc.record({
    periodNs: int(1, longest),
    jitterNs: fc.oneof(fc.constant(0), int(0, 3 * longest)),
    spacingNs: fc.oneof(fc.constant(0), int(0, Math.ceil(longest / 4))),
    burst: fc.oneof(fc.constant(1), int(1, 4)),
  });

/** One queue, one flow: small enough for every phase. */
export const smallCase: fc.Arbitrary<TimedPlan> = fc
  .record({
    costNs: int(1, 4),
    windows: layout(3, 12),
    caps: fc.array(fc.oneof(int(1, 3), fc.constant(MANY)), { minLength: 3, maxLength: 3 }),
    pollNs: fc.oneof(fc.constant(1), int(1, 12)),
    switchNs: fc.oneof(fc.constant(0), int(0, 2)),
    pieces: fc.oneof(fc.constant(1), int(1, 3)),
    arrival: arrival(40),
  })
  .map(({ costNs, windows, caps, pollNs, switchNs, pieces, arrival: contract }) => {
    let at = 0;
    const table = windows.map(([gapNs, durationNs], n): TimedWindow => {
      const window = {
        offsetNs: at,
        durationNs,
        pollNs,
        entries: [{ queue: 0, cap: caps[n]! }],
      };
      at += durationNs + gapNs;
      return window;
    });
    return {
      majorFrameNs: at,
      queues: [{ costNs }],
      windows: table,
      flows: [{ queue: 0, arrival: contract, pieces }],
      windowSwitchNs: switchNs,
    };
  });

/** Several queues with guarantees, several flows, notifications. */
export const largeCase: fc.Arbitrary<TimedPlan> = fc
  .record({
    costs: fc.array(int(1, 9), { minLength: 1, maxLength: 3 }),
    windows: layout(4, 120),
    shares: fc.array(
      fc.record({
        serves: int(0, 9),
        cap: fc.oneof(int(1, 6), int(1, 80)),
        guaranteed: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 12, maxLength: 12 },
    ),
    pieces: fc.array(fc.constantFrom(1, 1, 1, 2, 5), { minLength: 3, maxLength: 3 }),
    pollNs: fc.oneof(fc.constant(1), int(1, 20), int(1, 150)),
    switchNs: fc.oneof(fc.constant(0), int(0, 9)),
    notifyNs: fc.oneof(fc.constant(0), int(0, 4)),
    lookNs: fc.oneof(fc.constant(0), int(0, 3)),
    flows: fc.array(fc.record({ queue: int(0, 2), arrival: arrival(400) }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map(({ costs, windows, shares, pieces, pollNs, switchNs, notifyNs, lookNs, flows }) => {
    let at = 0;
    const table = windows.map(([gapNs, durationNs], n): TimedWindow => {
      let room = durationNs - switchNs;
      const entries = costs.flatMap((costNs, queue) => {
        const share = shares[3 * n + queue]!;
        if (share.serves === 0) return [];
        const fits = Math.max(0, Math.floor(room / costNs));
        const guaranteed = Math.min(share.cap, Math.floor(share.guaranteed * (fits + 1)), fits);
        room -= guaranteed * costNs;
        return [{ queue, cap: share.cap, guaranteed }];
      });
      const window = { offsetNs: at, durationNs, pollNs, entries };
      at += durationNs + gapNs;
      return window;
    });
    return {
      majorFrameNs: at,
      queues: costs.map((costNs) => ({ costNs })),
      windows: table,
      flows: flows.map((flow) => {
        const queue = flow.queue % costs.length;
        return { ...flow, queue, pieces: pieces[queue]! };
      }),
      windowSwitchNs: switchNs,
      notifyNs,
      // Looks at other queues of a busy pass are part of the costs; only one queue can say so here.
      lookNs: costs.length === 1 ? lookNs : 0,
    };
  });

/** Arrivals as early as the contract lets them be, with pauses where `pause` says so. */
export function arrivalsOf(
  contract: ArrivalContract,
  startNs: number,
  count: number,
  pause?: () => number,
): number[] {
  if (!pause) return Array.from({ length: count }, (_, n) => startNs + spanMin(contract, n + 1));
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    let earliest = n === 0 ? startNs : times[n - 1]!;
    for (let back = 1; back <= n; back++) {
      earliest = Math.max(earliest, times[n - back]! + spanMin(contract, back + 1));
    }
    times.push(earliest + pause());
  }
  return times;
}

/**
 * The worst behind one instant: what starts later is late, every request takes its cost, and the
 * dispatcher looks at `lookNs`, when everything was quiet, and then as late as it may.
 */
export function worstBehind(plan: GatewayPlan, startNs: number, lookNs: number): Adversary {
  return {
    late: (now) => (now >= startNs ? plan.windowSwitchNs : 0),
    wake: (now, target) => (now < lookNs && target > lookNs ? lookNs : target),
    takes: (_, cost) => cost,
    looks: () => plan.lookNs,
    notifies: (rings) => rings * plan.notifyNs,
  };
}

/** Anything that the plan allows, by chance; `level` per mille of things are at their worst. */
export function anything(plan: GatewayPlan, random: SeededRandom, level: number): Adversary {
  const worst = () => random.below(1000) < level;
  return {
    late: () => (worst() ? plan.windowSwitchNs : random.below(plan.windowSwitchNs + 1)),
    wake: (now, target) =>
      worst() || target - now <= 1 ? target : now + 1 + random.below(target - now),
    takes: (_, cost) => (worst() ? cost : 1 + random.below(cost)),
    looks: () => (worst() ? plan.lookNs : random.below(plan.lookNs + 1)),
    notifies: (rings) =>
      worst() ? rings * plan.notifyNs : random.below(rings * plan.notifyNs + 1),
  };
}
