/** Sleeping towards an instant on a host that wakes late: what is spun away, and what is never overslept. */
import { strict as assert } from 'node:assert';
import {
  monotonicClock,
  SleepPace,
  type SleepingClock,
} from '../../../src/host/monotonic-clock.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const READ_NS = 100;

/** A clock whose sleepers come late by what `lateness` says. */
class LateClock implements SleepingClock {
  nowNs = 1_000_000;
  sleeps = 0;
  spunNs = 0;
  private readonly lateness: () => number;

  constructor(lateness: () => number) {
    this.lateness = lateness;
  }

  readInto(cell: Float64Array): void {
    this.nowNs += READ_NS;
    this.spunNs += READ_NS;
    cell[0] = this.nowNs;
  }

  sleepUntil(target: Float64Array): void {
    assert.ok(target[0]! > this.nowNs, 'nobody sleeps into the past');
    this.sleeps++;
    this.nowNs = target[0]! + this.lateness();
  }
}

/** Waits `count` times for instants 1 ms apart; how late the waiter was each time. */
function waits(pace: SleepPace, clock: LateClock, count: number): number[] {
  const target = new Float64Array([clock.nowNs]);
  const now = new Float64Array(1);
  return Array.from({ length: count }, () => {
    target[0]! += 1_000_000;
    pace.waitUntil(target, now);
    assert.ok(now[0]! >= target[0]!);
    return now[0]! - target[0]!;
  });
}

describe('sleep pace', () => {
  it('[utest->req~host.sleep-pace~1] on a host that wakes in time almost nothing is spun away after a while', () => {
    const clock = new LateClock(() => 1000);
    const pace = new SleepPace(clock);
    waits(pace, clock, 10_000);
    clock.spunNs = 0;
    const late = waits(pace, clock, 100);
    assert.ok(Math.max(...late) <= READ_NS, `${Math.max(...late)} ns late`);
    assert.ok(clock.spunNs / 100 < 3000, `${clock.spunNs / 100} ns spun for each wait`);
  });

  it('[utest->req~host.sleep-pace~1] it comes to expect what a host does, and is late in one wait of fifty at most', () => {
    const random = new SeededRandom(7);
    const clock = new LateClock(() => 20_000 + 40_000 * (random.next() / 2 ** 32) ** 3);
    const pace = new SleepPace(clock);
    waits(pace, clock, 20_000);
    clock.spunNs = 0;
    const late = waits(pace, clock, 20_000).filter((ns) => ns > READ_NS).length;
    assert.ok(late > 0 && late < 400, `${late} of 20000`);
    assert.ok(clock.spunNs / 20_000 < 60_000);
  });

  it('[utest->req~host.sleep-pace~1] a host that becomes slower is followed, up to 100 µs', () => {
    let lateness = 1000;
    const clock = new LateClock(() => lateness);
    const pace = new SleepPace(clock);
    waits(pace, clock, 10_000);
    lateness = 50_000;
    waits(pace, clock, 50);
    assert.equal(waits(pace, clock, 50).filter((ns) => ns > READ_NS).length, 0);
    lateness = 500_000;
    waits(pace, clock, 100);
    clock.spunNs = 0;
    lateness = 0;
    waits(pace, clock, 1);
    assert.ok(clock.spunNs <= 101_000, `${clock.spunNs} ns spun`);
  });

  it('[utest->req~host.sleep-pace~1] who rests wakes before the target, and is told when it is too near to sleep', () => {
    const clock = new LateClock(() => 20_000);
    const pace = new SleepPace(clock);
    const now = new Float64Array(1);
    const target = new Float64Array([clock.nowNs + 1_000_000]);
    assert.equal(pace.rest(target, now), true);
    assert.ok(now[0]! < target[0]! && target[0]! - now[0]! <= 100_000);
    const { sleeps, nowNs } = clock;
    assert.equal(pace.rest(target, now), false);
    assert.deepEqual([clock.sleeps, clock.nowNs], [sleeps, nowNs + READ_NS]);
    assert.equal(now[0], clock.nowNs);
  });

  it('[utest->req~host.sleep-pace~1] the clock of this host is reached, and not left before', () => {
    const pace = new SleepPace();
    const target = new Float64Array(1);
    const now = new Float64Array(1);
    for (const ns of [0, 1000, 300_000, 2_000_000]) {
      monotonicClock.readInto(target);
      target[0]! += ns;
      pace.waitUntil(target, now);
      assert.ok(now[0]! >= target[0]!);
    }
  });
});
