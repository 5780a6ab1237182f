/** The machine of an embedded guest: its memory, its interrupts, its clock, and the request to stop. */
import { strict as assert } from 'node:assert';
import { InternalError } from '../../../src/base/assert.ts';
import { GuestStatistic } from '../../../src/channel/guest-statistics.ts';
import { GuestMachine } from '../../../src/guest/guest-machine.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../../src/schedule/arena-layout.ts';
import { FunctionBench } from '../../support/function-bench.ts';

const MEMORY = 1024 * 1024;

function machine() {
  const bench = new FunctionBench();
  const area = bench.plan.layout.partitions[1]!;
  return {
    bench,
    area,
    guest: new GuestMachine({ memory: bench.memory, area, clock: bench.time, pace: bench.time }),
  };
}

describe('guest machine', () => {
  it("[utest->req~guest.honest-driver~1] allocations are aligned, apart, and inside the partition's memory", () => {
    const { guest } = machine();
    let end = EMBEDDED_GUEST_PHYSICAL;
    for (const [bytes, align] of [
      [1, 1],
      [10, 16],
      [7, 2],
      [100, 4],
      [1, 64],
      [4096, 4096],
    ] as const) {
      const address = guest.allocate(bytes, align);
      assert.equal(address % align, 0);
      assert.ok(address >= end);
      end = address + bytes;
    }
  });

  it('[utest->req~guest.honest-driver~1] the whole memory can be allocated, and not a byte more', () => {
    const { guest } = machine();
    assert.equal(guest.allocate(MEMORY, 1), EMBEDDED_GUEST_PHYSICAL);
    assert.throws(() => guest.allocate(1, 1), InternalError);
  });

  it("[utest->req~guest.honest-driver~1] an address lies in the slice of the guest's own partition", () => {
    const { guest, area } = machine();
    assert.equal(guest.at(EMBEDDED_GUEST_PHYSICAL), area.sliceAt);
    assert.equal(guest.at(EMBEDDED_GUEST_PHYSICAL + MEMORY - 1), area.sliceAt + MEMORY - 1);
  });

  it('[utest->req~guest.honest-driver~1] an interrupt that came after the count was taken ends the wait at once', () => {
    const { bench, guest } = machine();
    const word = guest.vectorWord(0, 2);
    assert.equal(word, bench.vectorWord(1, 2));
    const seen = guest.interrupts(word);
    Atomics.add(bench.words, word, 1);
    const started = performance.now();
    guest.waitForInterrupt(word, seen, 1e9);
    assert.ok(performance.now() - started < 50);
    assert.equal(guest.interrupts(word), seen + 1);
  });

  it('[utest->req~guest.honest-driver~1] a wait without an interrupt ends, soon enough for a stop to be seen', () => {
    const { guest } = machine();
    const word = guest.vectorWord(0, 1);
    for (const ns of [-5, 0, 1e6, 1e12]) {
      const started = performance.now();
      guest.waitForInterrupt(word, 0, ns);
      assert.ok(performance.now() - started < 500, `${ns} ns`);
    }
  });

  it("[utest->req~guest.honest-driver~1] time is the clock's, and a sleep reaches its target", () => {
    const { bench, guest } = machine();
    const now = guest.readClock();
    assert.equal(now, bench.time.nowNs);
    guest.sleepUntil(Float64Array.of(now + 5e6));
    assert.ok(guest.now[0]! >= now + 5e6);
  });

  it("[utest->req~guest.honest-driver~1] the host's request to stop is seen", () => {
    const { guest } = machine();
    assert.equal(guest.stopRequested, false);
    guest.statistics.words[GuestStatistic.STOP_REQUESTED] = 1;
    assert.equal(guest.stopRequested, true);
  });
});
