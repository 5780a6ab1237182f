/** The event log: typed records, exact times, and a count of what a full log lost. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { EventKind, EventLog, type GatewayEvent } from '../../../src/channel/event-log.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const CAPACITY = 1024;

function ends() {
  const buffer = new SharedArrayBuffer(EventLog.bytes);
  return { plane: new EventLog(buffer), control: new EventLog(buffer) };
}

function all(log: EventLog): GatewayEvent[] {
  const events: GatewayEvent[] = [];
  for (let event = log.next(); event; event = log.next()) events.push(event);
  return events;
}

describe('event log', () => {
  it('[utest->req~diag.event-log~1] any event arrives as it was reported, its time exact to the nanosecond', () => {
    const { plane, control } = ends();
    const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    const time = fc.oneof(
      fc.maxSafeNat(),
      fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 2 ** 32, 2 ** 53 - 1),
    );
    fc.assert(
      fc.property(word, word, word, word, time, (kind, subject, queue, code, timeNs) => {
        plane.report(kind, subject, queue, code, Float64Array.of(timeNs));
        assert.deepEqual(control.next(), { kind, subject, queue, code, timeNs });
        assert.equal(control.next(), undefined);
      }),
      seededRuns(92, 300),
    );
  });

  it('[utest->req~diag.event-log~1] events come out in the order they went in', () => {
    const { plane, control } = ends();
    for (let n = 0; n < 3000; n++) {
      plane.report(EventKind.FAULT, n, 0, 0, Float64Array.of(n));
      if (n % 500 === 499)
        assert.deepEqual(
          all(control).map(({ subject }) => subject),
          range(n - 499, n),
        );
    }
    assert.equal(control.lost, 0);
  });

  it('[utest->req~diag.event-log~1] a full log drops the newest, keeps the oldest, and counts', () => {
    const { plane, control } = ends();
    for (let n = 0; n < CAPACITY + 5; n++)
      plane.report(EventKind.FAULT, n, 0, 0, Float64Array.of(0));
    assert.equal(control.lost, 5);
    assert.deepEqual(
      all(control).map(({ subject }) => subject),
      range(0, CAPACITY - 1),
    );
    plane.report(EventKind.FAULT, 9999, 0, 0, Float64Array.of(0));
    assert.deepEqual(
      all(control).map(({ subject }) => subject),
      [9999],
    );
    assert.equal(control.lost, 5, 'what was lost stays counted');
  });

  it('[utest->req~diag.event-log~1] kinds are told apart', () => {
    const kinds = Object.values(EventKind);
    assert.equal(new Set(kinds).size, kinds.length);
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}
