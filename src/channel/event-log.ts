/**
 * What the data plane reports: bounded, typed records; a full log counts what it loses and never
 * waits.
 */
import { BoundedRing } from '../base/bounded-ring.ts';

export const EventKind = { FAULT: 1, OVERRUN: 2, ANNOUNCE_ACKNOWLEDGED: 3, STOPPED: 4 } as const;

const WORDS = 8;
const CAPACITY = 1024;
const TWO_32 = 0x1_0000_0000;

export interface GatewayEvent {
  kind: number;
  /** Partition for faults, window for overruns, device for acknowledgements. */
  subject: number;
  queue: number;
  /** Fault code, or overrun cause. */
  code: number;
  /** Nanoseconds of the monotonic clock. */
  timeNs: number;
}

// [impl->req~diag.event-log~1]
export class EventLog {
  private readonly ring: BoundedRing;
  private readonly record = new Int32Array(WORDS);

  constructor(buffer: SharedArrayBuffer) {
    this.ring = new BoundedRing(buffer, WORDS, CAPACITY);
  }

  static get bytes(): number {
    return BoundedRing.bytes(WORDS, CAPACITY);
  }

  /** Data plane only; the time is `now[0]`. */
  report(kind: number, subject: number, queue: number, code: number, now: Float64Array): void {
    const { record } = this;
    record[0] = kind;
    record[1] = subject;
    record[2] = queue;
    record[3] = code;
    record[4] = now[0]! % TWO_32;
    record[5] = now[0]! / TWO_32;
    this.ring.push(record);
  }

  /** Control plane only: the oldest event, or undefined. */
  next(): GatewayEvent | undefined {
    const { record } = this;
    if (!this.ring.shift(record)) return undefined;
    return {
      kind: record[0]!,
      subject: record[1]!,
      queue: record[2]!,
      code: record[3]!,
      timeNs: (record[4]! >>> 0) + record[5]! * TWO_32,
    };
  }

  get lost(): number {
    return this.ring.refused;
  }
}
