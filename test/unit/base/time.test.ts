/** Units of time: whole nanoseconds stay exact for longer than a vehicle is on. */
import { strict as assert } from 'node:assert';
import { NS_PER_MS, NS_PER_S, NS_PER_US } from '../../../src/base/time.ts';

describe('base/time', () => {
  it('[utest->req~sched.absolute-grid~1] the units are multiples of each other', () => {
    assert.deepEqual([NS_PER_US, NS_PER_MS / NS_PER_US, NS_PER_S / NS_PER_MS], [1000, 1000, 1000]);
  });

  it('[utest->req~sched.absolute-grid~1] a Number holds every nanosecond of 104 days', () => {
    const ns = 104 * 24 * 3600 * NS_PER_S;
    assert.ok(Number.isSafeInteger(ns));
    assert.equal(ns + 1 - ns, 1);
  });
});
