/** Time inside a major frame: small integers, exact, capped, and in cells that are read again. */
import { strict as assert } from 'node:assert';
import { FrameTime } from '../../../src/data-plane/frame-time.ts';

function frameTime(now: number, frameStart: number): FrameTime {
  const time = new FrameTime({
    readInto: (cell) => {
      cell[0] = now;
    },
  });
  time.frameStart[0] = frameStart;
  return time;
}

describe('frame time', () => {
  it("[utest->req~sched.absolute-grid~1] a reading is the distance from the frame's start, and is kept as absolute time", () => {
    const start = 2 ** 52;
    for (const elapsed of [0, 1, 999_999_999, 2 ** 31 - 1]) {
      const time = frameTime(start + elapsed, start);
      assert.equal(time.read(), elapsed);
      assert.equal(time.now[0], start + elapsed);
    }
  });

  it('[utest->req~sched.absolute-grid~1] a distance that is no small integer any more is capped', () => {
    for (const elapsed of [2 ** 31, 2 ** 32, 2 ** 32 + 5, 1e15])
      assert.equal(frameTime(elapsed, 0).read(), 2 ** 31 - 1);
  });

  it("[utest->req~sched.absolute-grid~1] before the frame's start it is negative", () => {
    assert.equal(frameTime(1000, 4000).read(), -3000);
  });
});
