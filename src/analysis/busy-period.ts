/**
 * The longest response time of a queue: for every cut-off that can just be missed, what the visits
 * behind it serve, against what can have arrived. The safety argument is in
 * `safety/decisions/0008-response-times.md`.
 */
import type { Nanoseconds } from '../base/time.ts';
import type { ArrivalSteps, ArrivalStep } from './arrival-steps.ts';
import type { Visit } from './visit.ts';

/** More steps than any sensible table needs; behind them a straight line bounds the rest. */
const STEPS_MAX = 20_000;

export interface QueueLoad {
  readonly arrivals: ArrivalSteps;
  /** Visits with a quota, in the order of the major frame. */
  readonly visits: readonly Visit[];
  readonly majorFrameNs: Nanoseconds;
  /** Pieces that may be served in one major frame, whatever the visits allow. */
  readonly frameQuota: number;
}

/** Where the longest response time comes from. */
export interface Instant {
  /** The visit that is just missed, or the one in which everything happens. */
  readonly missed: Visit;
  /** Whether everything happens in one visit, behind one of its looks that finds nothing. */
  readonly prompt: boolean;
  /** Requests of the flow up to and including the one that waits longest. */
  readonly requests: number;
  /** Pieces of the whole queue that are served up to its end. */
  readonly pieces: number;
  readonly servedIn: Visit;
  /** All in nanoseconds of the major frame of `missed`. */
  readonly startNs: Nanoseconds;
  readonly arrivalNs: Nanoseconds;
  readonly publishedNs: Nanoseconds;
}

export interface FlowResponse {
  readonly boundNs: Nanoseconds;
  readonly notifiedBoundNs: Nanoseconds;
  readonly instant: Instant;
  /** False where a straight line stands for what was not counted out. */
  readonly exact: boolean;
}

export interface QueueResponse {
  readonly flows: readonly FlowResponse[];
  readonly backlogMax: number;
}

export function piecesPerFrame({ visits, frameQuota }: QueueLoad): number {
  const quotas = visits.reduce((sum, { quota }) => sum + quota, 0);
  return Math.min(quotas, frameQuota);
}

function requestsOf(step: ArrivalStep): number {
  return step.requests.reduce((sum, count) => sum + count, 0);
}

/** The caller has made sure that there are visits and that the queue is not overloaded. */
export function longestResponses(load: QueueLoad): QueueResponse {
  const found = new Found(load);
  for (let missed = 0; missed < load.visits.length; missed++) found.behind(missed);
  return found.response();
}

/** The same where only this one of the visits is missed. */
export function responsesBehind(load: QueueLoad, missed: number): QueueResponse {
  const found = new Found(load);
  found.behind(missed);
  return found.response();
}

/** The worst that was found so far. */
class Found {
  private readonly load: QueueLoad;
  private readonly best: ({ boundNs: Nanoseconds; instant: Instant } | undefined)[];
  private readonly notified: number[];
  private backlog = 0;
  private remainder = -Infinity;

  constructor(load: QueueLoad) {
    this.load = load;
    this.best = load.arrivals.sources.map(() => undefined);
    this.notified = load.arrivals.sources.map(() => 0);
  }

  /** Everything that may begin at one visit. */
  behind(missed: number): void {
    this.prompt(this.load.visits[missed]!);
    new BusyPeriod(this.load, missed, this).follow();
  }

  /** Requests that come behind an empty look, and are served in the same visit. */
  private prompt(visit: Visit): void {
    const { arrivals } = this.load;
    const { cutoffNs, endNs } = visit;
    for (let n = 0; n < STEPS_MAX; n++) {
      const step = arrivals.step(n);
      if (step.pieces > visit.quota) return;
      const lastNs = visit.promptNs(step.pieces);
      // The look may be any of the visit: one that leaves the time for all that is counted.
      const startNs = Math.min(cutoffNs, endNs - lastNs);
      const publishedNs = startNs + lastNs;
      const place = { missed: visit, prompt: true, startNs, servedIn: visit };
      this.note(place, step, publishedNs, publishedNs);
      const before = n === 0 ? 0 : requestsOf(arrivals.step(n - 1));
      this.noteBacklog(arrivals.requestsWithin(lastNs) - before);
    }
  }

  /**
   * Requests of one ring are served in their order, so that the last of each flow may be the one
   * that comes last at this instant, whichever flow the curve steps for.
   */
  note(
    place: Pick<Instant, 'missed' | 'prompt' | 'startNs' | 'servedIn'>,
    step: ArrivalStep,
    publishedNs: Nanoseconds,
    notifiedNs: Nanoseconds,
  ): void {
    const arrivalNs = place.startNs + step.offsetNs;
    for (let source = 0; source < step.requests.length; source++) {
      this.notified[source] = Math.max(this.notified[source]!, notifiedNs - arrivalNs);
      const boundNs = publishedNs - arrivalNs;
      if (boundNs <= (this.best[source]?.boundNs ?? -Infinity)) continue;
      const instant = {
        ...place,
        requests: step.requests[source]!,
        pieces: step.pieces,
        arrivalNs,
        publishedNs,
      };
      this.best[source] = { boundNs, instant };
    }
  }

  noteBacklog(requests: number): void {
    this.backlog = Math.max(this.backlog, requests);
  }

  /** A straight line above everything that was not counted out. */
  noteRemainder(boundNs: Nanoseconds): void {
    this.remainder = Math.max(this.remainder, Math.ceil(boundNs));
  }

  response(): QueueResponse {
    const { arrivals, visits } = this.load;
    const behind = Math.max(...visits.map(({ notifiedNs, startNs }) => notifiedNs - startNs));
    const flows = this.best.map((best, source) => {
      const { boundNs, instant } = best!;
      const rest = this.remainder > boundNs ? this.remainder : 0;
      return {
        boundNs: Math.max(boundNs, rest),
        notifiedBoundNs: Math.max(this.notified[source]!, rest === 0 ? 0 : rest + behind),
        instant,
        exact: rest === 0,
      };
    });
    const inexact = this.remainder > -Infinity;
    const longest = Math.max(...flows.map(({ boundNs }) => boundNs));
    const backlogMax = inexact ? arrivals.requestsWithin(longest) : this.backlog;
    return { flows, backlogMax };
  }
}

/** Everything that arrives behind one cut-off, visit by visit, until nothing can be left over. */
class BusyPeriod {
  private readonly load: QueueLoad;
  private readonly index: number;
  private readonly missed: Visit;
  private readonly found: Found;
  private readonly piecesEach: number;
  /** Instants of publication of the pieces so far, and how many of them an arrival has passed. */
  private readonly published: Nanoseconds[] = [];
  private passed = 0;

  constructor(load: QueueLoad, index: number, found: Found) {
    this.load = load;
    this.index = index;
    this.missed = load.visits[index]!;
    this.found = found;
    this.piecesEach = Math.max(...load.arrivals.sources.map(({ pieces }) => pieces));
  }

  follow(): void {
    const { arrivals, visits, majorFrameNs, frameQuota } = this.load;
    const repeats = arrivals.repeatsAfter(majorFrameNs);
    let at = 0;
    let served = 0;
    let ofFrame = -Infinity;
    const enough = 2 * piecesPerFrame(this.load);
    for (let ahead = 1; at < STEPS_MAX || this.published.length < enough; ahead++) {
      const number = this.index + ahead;
      const visit = visits[number % visits.length]!;
      const frameNs = Math.floor(number / visits.length) * majorFrameNs;
      if (number % visits.length === 0) ofFrame = 0;
      const quota = Math.min(visit.quota, frameQuota - ofFrame);
      ofFrame += quota;
      for (let n = 1; n <= quota; n++) this.published.push(frameNs + visit.publishedNs(n));
      served += quota;
      at = this.serve(visit, frameNs, at, served, quota);
      if (arrivals.step(at).offsetNs > repeats) return;
      const frameEnds = number % visits.length === visits.length - 1;
      const mayEnd = frameQuota === Infinity || frameEnds;
      if (mayEnd && this.isOver(frameNs + visit.cutoffNs, served)) {
        this.countArrivalsBefore(at);
        return;
      }
    }
    this.boundTheRest(arrivals.step(at).offsetNs);
  }

  /** Steps from `at` whose last piece is among the first `served`; the next step. */
  private serve(
    visit: Visit,
    frameNs: Nanoseconds,
    at: number,
    served: number,
    quota: number,
  ): number {
    const { arrivals } = this.load;
    const { missed } = this;
    const place = { missed, prompt: false, startNs: missed.cutoffNs, servedIn: visit };
    let next = at;
    for (; arrivals.step(next).pieces <= served && next < STEPS_MAX; next++) {
      const step = arrivals.step(next);
      const publishedNs = this.published[step.pieces - 1]!;
      const notifiedNs = frameNs + visit.notifiedNs + this.earlierNs(step.pieces - served + quota);
      this.found.note(place, step, publishedNs, notifiedNs);
      this.countBacklog(step);
    }
    return next;
  }

  /**
   * Notifications wait for the end of a visit: it is as late for requests that began so much
   * earlier that the missed visit still served the first of them, and this one only the last.
   */
  private earlierNs(pieceOfVisit: number): Nanoseconds {
    const { quota, stepNs, cutoffNs, window } = this.missed;
    return Math.min(Math.min(pieceOfVisit - 1, quota) * stepNs, cutoffNs - window.offsetNs);
  }

  private countBacklog(step: ArrivalStep): void {
    const now = this.missed.cutoffNs + step.offsetNs;
    while (this.passed < this.published.length && this.published[this.passed]! <= now) {
      this.passed++;
    }
    const gone = Math.floor(this.passed / this.piecesEach);
    this.found.noteBacklog(requestsOf(step) - gone);
  }

  /** What comes while the last of the steps before `at` is still waiting. */
  private countArrivalsBefore(at: number): void {
    const { arrivals } = this.load;
    const lastNs = this.published[arrivals.step(at - 1).pieces - 1]!;
    const { cutoffNs } = this.missed;
    for (let n = at; n < STEPS_MAX && cutoffNs + arrivals.step(n).offsetNs < lastNs; n++) {
      this.countBacklog(arrivals.step(n));
    }
  }

  /**
   * Whether a visit with this cut-off leaves nothing, even where the first requests came so much
   * earlier that the missed visit could still serve some of them.
   */
  private isOver(cutoffNs: Nanoseconds, served: number): boolean {
    const { quota, stepNs, cutoffNs: missedNs } = this.missed;
    return this.load.arrivals.piecesWithin(cutoffNs - missedNs + quota * stepNs) <= served;
  }

  /** Arrivals at their long-run rate against service at its own, from this offset on. */
  private boundTheRest(offsetNs: Nanoseconds): void {
    const { arrivals, majorFrameNs } = this.load;
    const perFrame = piecesPerFrame(this.load);
    const perPiece = majorFrameNs / perFrame;
    const latest = Math.max(
      ...this.published.slice(0, 2 * perFrame).map((at, n) => at - (n + 1) * perPiece),
    );
    const atStart = latest - this.missed.cutoffNs + arrivals.burstiness * perPiece;
    this.found.noteRemainder(atStart - offsetNs * (1 - arrivals.rate * perPiece));
  }
}
