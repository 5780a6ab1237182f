/**
 * One partition as the data plane sees it: may its queues be served, what can it reach, what did it
 * do.
 */
import { assert } from '../base/assert.ts';
import { FAULT_COUNT, NO_FAULT, type FaultCode } from '../base/fault.ts';
import type { Counters } from '../channel/counters.ts';
import { EventKind, type EventLog } from '../channel/event-log.ts';
import type { FrameTime } from './frame-time.ts';

assert(FAULT_COUNT <= 64, 'a fault is one bit of two words');

export class Partition {
  /** False while the partition is held: nothing of it is read, nothing is delivered to it. */
  running = false;

  private readonly faultsAt: number;
  /**
   * Faults already reported in this major frame: a flood of mistakes is one event per kind and
   * frame.
   */
  private readonly reported = new Int32Array(2);

  readonly index: number;
  private readonly counters: Counters;
  private readonly events: EventLog;
  private readonly time: FrameTime;

  constructor(index: number, counters: Counters, events: EventLog, time: FrameTime) {
    this.index = index;
    this.counters = counters;
    this.events = events;
    this.time = time;
    this.faultsAt = counters.faultAt(index);
  }

  /** Counts a fault of this partition's guest and reports its kind once per major frame. */
  // [impl->req~fault.contain~1]
  fault(code: FaultCode, queue: number): void {
    if (code === NO_FAULT) return;
    this.counters.words[this.faultsAt + code]! += 1;
    const bit = 1 << (code & 31);
    const word = code >>> 5;
    if ((this.reported[word]! & bit) !== 0) return;
    this.reported[word]! |= bit;
    this.events.report(EventKind.FAULT, this.index, queue, code, this.time.now);
  }

  readClockInto(cell: Float64Array): void {
    this.time.read();
    cell[0] = this.time.now[0]!;
  }

  majorFrameBegins(): void {
    this.reported[0] = this.reported[1] = 0;
  }
}
