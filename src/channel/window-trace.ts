/**
 * The last visits of windows, planned against actual: the data plane writes, everybody may read.
 * An old visit is overwritten; a reader that is too slow sees gaps in the sequence, no mixture.
 */

/** Words of a visit, 64-bit numbers; times are absolute nanoseconds of the monotonic clock. */
const VisitWord = {
  SEQUENCE: 0,
  WINDOW: 1,
  PLANNED: 2,
  STARTED: 3,
  ENDED: 4,
  BUSY: 5,
  REQUESTS: 6,
  OVERRUN: 7,
  COUNT: 8,
} as const;

const CAPACITY = 4096;
/**
 * Visits that a reader leaves alone because the writer may come to them while they are copied: a
 * plain store can become visible early, but not by the time of so many windows.
 */
const MARGIN = 64;
/** The number of visits has a cache line of its own. */
const RECORDS_AT = 64;

/** What the dispatcher knows behind a window, in cells, so that no double has to be passed. */
export interface VisitTimes {
  readonly windowStart: Float64Array;
  readonly started: Float64Array;
  /** The last clock value read in the window: the end of the last look or burst. */
  readonly now: Float64Array;
}

export interface WindowVisit {
  /** 0 for the first visit of the data plane, and on by one, modulo 2^32 as a signed number. */
  readonly sequence: number;
  readonly window: number;
  readonly plannedNs: number;
  readonly startedNs: number;
  readonly endedNs: number;
  /** Time of the bursts that served something. */
  readonly busyNs: number;
  readonly requests: number;
  /** 0: ended in time; otherwise 1 + the number of the overrun's cause. */
  readonly overrun: number;
}

// [impl->req~diag.window-trace~1]
export class WindowTrace {
  private readonly count: Int32Array;
  private readonly words: Float64Array;
  private sequence = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.count = new Int32Array(buffer, 0, 1);
    this.words = new Float64Array(buffer, RECORDS_AT, CAPACITY * VisitWord.COUNT);
  }

  static get bytes(): number {
    return RECORDS_AT + CAPACITY * VisitWord.COUNT * Float64Array.BYTES_PER_ELEMENT;
  }

  /** Data plane only: one window has ended. */
  visited(
    window: number,
    times: VisitTimes,
    busyNs: number,
    requests: number,
    overrun: number,
  ): void {
    const { words, count, sequence } = this;
    const at = (sequence & (CAPACITY - 1)) * VisitWord.COUNT;
    words[at + VisitWord.SEQUENCE] = sequence;
    words[at + VisitWord.WINDOW] = window;
    words[at + VisitWord.PLANNED] = times.windowStart[0]!;
    words[at + VisitWord.STARTED] = times.started[0]!;
    words[at + VisitWord.ENDED] = times.now[0]!;
    words[at + VisitWord.BUSY] = busyNs;
    words[at + VisitWord.REQUESTS] = requests;
    words[at + VisitWord.OVERRUN] = overrun;
    this.sequence = (sequence + 1) | 0;
    Atomics.store(count, 0, this.sequence);
  }

  /** Number of the next visit, modulo 2^32 as a signed number. */
  get written(): number {
    return Atomics.load(this.count, 0);
  }

  /**
   * The visits from number `from` on, oldest first, at most `most` of the newest; those that have
   * been overwritten by now are left out.
   */
  since(from: number, most: number): WindowVisit[] {
    const { written } = this;
    const available = Math.min((written - from) >>> 0, most, CAPACITY - MARGIN);
    const visits: WindowVisit[] = [];
    for (let n = available; n > 0; n--) visits.push(this.copyOf((written - n) | 0));
    const overtaken = this.written - (CAPACITY - MARGIN);
    return visits.filter(({ sequence }, n) => {
      const expected = (written - available + n) | 0;
      return sequence === expected && ((expected - overtaken) | 0) >= 0;
    });
  }

  private copyOf(sequence: number): WindowVisit {
    const { words } = this;
    const at = (sequence & (CAPACITY - 1)) * VisitWord.COUNT;
    return {
      sequence: words[at + VisitWord.SEQUENCE]!,
      window: words[at + VisitWord.WINDOW]!,
      plannedNs: words[at + VisitWord.PLANNED]!,
      startedNs: words[at + VisitWord.STARTED]!,
      endedNs: words[at + VisitWord.ENDED]!,
      busyNs: words[at + VisitWord.BUSY]!,
      requests: words[at + VisitWord.REQUESTS]!,
      overrun: words[at + VisitWord.OVERRUN]!,
    };
  }
}
