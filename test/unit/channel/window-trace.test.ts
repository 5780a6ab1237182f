/** The window trace: visits as the dispatcher wrote them, and none that has been overwritten. */
import { strict as assert } from 'node:assert';
import { WindowTrace } from '../../../src/channel/window-trace.ts';

/** What a reader can have at most at one time. */
const READABLE = 4096 - 64;
const NEWEST = 0x7fff_ffff;

/** A writer and a reader; visit n has every word made from n. */
function ends() {
  const buffer = new SharedArrayBuffer(WindowTrace.bytes);
  const plane = new WindowTrace(buffer);
  let next = 0;
  const write = (count: number) => {
    for (let n = 0; n < count; n++, next++) {
      const planned = 2 ** 40 + next * 1000;
      plane.visited(
        next % 5,
        {
          windowStart: Float64Array.of(planned),
          started: Float64Array.of(planned + 1),
          now: Float64Array.of(planned + 500),
        },
        next % 400,
        next % 32,
        next % 4,
      );
    }
  };
  return { control: new WindowTrace(buffer), write, buffer };
}

const sequences = (visits: readonly { readonly sequence: number }[]) =>
  visits.map(({ sequence }) => sequence);
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe('window trace', () => {
  it('[utest->req~diag.window-trace~1] a visit is read as it was written, its times exact', () => {
    const { control, write } = ends();
    write(8);
    assert.deepEqual(control.since(7, NEWEST), [
      {
        sequence: 7,
        window: 2,
        plannedNs: 2 ** 40 + 7000,
        startedNs: 2 ** 40 + 7001,
        endedNs: 2 ** 40 + 7500,
        busyNs: 7,
        requests: 7,
        overrun: 3,
      },
    ]);
  });

  it('[utest->req~diag.window-trace~1] a reader gets what is new since it last read, oldest first', () => {
    const { control, write } = ends();
    assert.deepEqual([control.written, control.since(0, NEWEST)], [0, []]);
    write(3);
    assert.deepEqual(sequences(control.since(0, NEWEST)), [0, 1, 2]);
    write(4);
    assert.deepEqual(sequences(control.since(3, NEWEST)), [3, 4, 5, 6]);
    assert.deepEqual(control.since(control.written, NEWEST), []);
  });

  it('[utest->req~diag.window-trace~1] of many the newest are given', () => {
    const { control, write } = ends();
    write(1000);
    assert.deepEqual(sequences(control.since(0, 10)), range(990, 999));
  });

  it('[utest->req~diag.window-trace~1] before the first visit there is nothing to read', () => {
    const { control, write } = ends();
    write(2);
    assert.deepEqual(sequences(control.since(-50, NEWEST)), [0, 1]);
  });

  it('[utest->req~diag.window-trace~1] a reader that was away too long sees a gap', () => {
    const { control, write } = ends();
    write(10_000);
    assert.deepEqual(sequences(control.since(0, NEWEST)), range(10_000 - READABLE, 9999));
  });

  it('[utest->req~diag.window-trace~1] the numbers go on behind 2^31 visits', () => {
    const { control, write, buffer } = ends();
    write(1);
    const later = new WindowTrace(buffer);
    Object.assign(later, { sequence: 0x7fff_fffe });
    const cells = {
      windowStart: Float64Array.of(1),
      started: Float64Array.of(2),
      now: Float64Array.of(3),
    };
    for (let n = 0; n < 4; n++) later.visited(n, cells, 0, 0, 0);
    assert.equal(control.written, (0x7fff_fffe + 4) | 0);
    assert.deepEqual(
      control.since(0x7fff_fffe, NEWEST).map(({ sequence, window }) => [sequence, window]),
      [0x7fff_fffe, 0x7fff_ffff, -0x8000_0000, -0x7fff_ffff].map((sequence, n) => [sequence, n]),
    );
  });

  it('[utest->req~diag.window-trace~1] what is overwritten while it is read is left out', () => {
    const { control, write } = ends();
    write(5000);
    // The writer comes around between the copy and the second look at its position.
    let looks = 0;
    const { written } = control;
    Object.defineProperty(control, 'written', {
      get: () => (looks++ === 0 ? written : written + READABLE - 3),
    });
    assert.deepEqual(sequences(control.since(0, 10)), range(4997, 4999));
  });
});
