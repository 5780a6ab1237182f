/** Supervision: a steady tick, a bounded drain of the event log, one reaction for each fault. */
import { strict as assert } from 'node:assert';
import sinon from 'sinon';
import { Fault } from '../../../src/base/fault.ts';
import { EventKind, EventLog, type GatewayEvent } from '../../../src/channel/event-log.ts';
import { ReactionTable } from '../../../src/control-plane/health/reaction-table.ts';
import {
  Supervision,
  SUPERVISION_TICK_MS,
  type FaultReport,
} from '../../../src/control-plane/health/supervision.ts';

const EVENTS_PER_TICK = 256;

describe('supervision', () => {
  let timers: sinon.SinonFakeTimers;
  let events: EventLog;
  let reports: FaultReport[];
  let ticks: number;
  let supervision: Supervision;
  const now = Float64Array.of(1000);

  beforeEach(() => {
    timers = sinon.useFakeTimers();
    events = new EventLog(new SharedArrayBuffer(EventLog.bytes));
    reports = [];
    ticks = 0;
    supervision = new Supervision({
      events,
      table: new ReactionTable([
        { fault: 'chain-empty', partition: 'b', action: 'isolate', log: false },
      ]),
      partitionIds: ['a', 'b'],
      carryOut: (report) => reports.push(report),
      onTick: () => {
        ticks++;
      },
    });
  });

  afterEach(() => {
    supervision.stop();
    timers.restore();
  });

  function fault(partition: number, queue = 0, code = Fault.ChainEmpty): void {
    events.report(EventKind.FAULT, partition, queue, code, now);
  }

  it('[utest->req~fault.reaction-table~1] a fault in the log becomes its reaction at the next tick, once', () => {
    supervision.start();
    fault(1, 7);
    assert.deepEqual(reports, []);
    timers.tick(5 * SUPERVISION_TICK_MS);
    assert.deepEqual(reports, [
      {
        partition: 1,
        queue: 7,
        code: Fault.ChainEmpty,
        detail: '',
        reaction: { action: 'isolate', log: false },
      },
    ]);
  });

  it("[utest->req~fault.reaction-table~1] the reaction is looked up by the partition's name", () => {
    supervision.start();
    fault(0);
    timers.tick(SUPERVISION_TICK_MS);
    assert.deepEqual(reports[0]!.reaction, { action: 'ignore', log: true });
  });

  it('[utest->req~fault.reaction-table~1] a fault the control plane saw itself is answered at once, with its detail', () => {
    supervision.report(1, -1, Fault.ChainEmpty, 'said so');
    assert.deepEqual(
      reports.map(({ queue, detail }) => [queue, detail]),
      [[-1, 'said so']],
    );
  });

  it("[utest->req~fault.reaction-table~1] other events reach the log's readers and are no faults", () => {
    const seen: GatewayEvent[] = [];
    supervision.log.subscribe((event) => seen.push(event));
    supervision.start();
    events.report(EventKind.OVERRUN, 3, 0, 1, now);
    fault(0);
    timers.tick(SUPERVISION_TICK_MS);
    assert.deepEqual(
      seen.map(({ kind, subject }) => [kind, subject]),
      [
        [EventKind.OVERRUN, 3],
        [EventKind.FAULT, 0],
      ],
    );
    assert.equal(reports.length, 1);
  });

  it('[utest->req~ctrl.register-budget~1] the tick comes every ten milliseconds', () => {
    supervision.start();
    timers.tick(9);
    assert.equal(ticks, 0);
    timers.tick(91);
    assert.equal(ticks, 10);
  });

  it('[utest->req~diag.event-log~1] one tick takes a bounded number of events, the rest waits in order', () => {
    supervision.start();
    for (let n = 0; n < EVENTS_PER_TICK + 10; n++) fault(0, n);
    timers.tick(SUPERVISION_TICK_MS);
    assert.equal(reports.length, EVENTS_PER_TICK);
    timers.tick(SUPERVISION_TICK_MS);
    assert.deepEqual(
      reports.map(({ queue }) => queue),
      Array.from({ length: EVENTS_PER_TICK + 10 }, (_, n) => n),
    );
  });

  it('[utest->req~diag.event-log~1] stopping reads what is left and ends the ticks', () => {
    supervision.start();
    fault(0);
    supervision.stop();
    assert.equal(reports.length, 1);
    fault(0);
    timers.tick(10 * SUPERVISION_TICK_MS);
    assert.deepEqual([reports.length, ticks], [1, 0]);
  });

  it('[utest->req~fault.reaction-table~1] nothing happens before the start', () => {
    fault(0);
    timers.tick(10 * SUPERVISION_TICK_MS);
    assert.deepEqual([reports.length, ticks], [0, 0]);
  });
});
