/** The cyclic executive: window by window, budget before start, absolute time base. */
import type { Pace } from '../base/time.ts';
import { GatewayCounter, WindowCounter, type Counters } from '../channel/counters.ts';
import { EventKind, type EventLog } from '../channel/event-log.ts';
import type { WindowTrace } from '../channel/window-trace.ts';
import type { GatewayPlan, PlanWindow } from '../schedule/gateway-plan.ts';
import type { Histogram } from '../base/histogram.ts';
import type { CommandExecutor } from './command-executor.ts';
import type { FrameTime } from './frame-time.ts';
import type { Publications } from './publications.ts';
import type { QueueService } from './queue-service.ts';
import { WindowBudget } from './window-budget.ts';

/** Why a window ended late, and the names of the causes in the order of their numbers. */
export const OVERRUN_CAUSES = ['cost-model', 'host', 'garbage-collection'] as const;
export const OverrunCause = { COST_MODEL: 0, HOST: 1, GARBAGE_COLLECTION: 2 } as const;

/** Tells who took the time of a window that ended late. */
export interface OverrunEvidence {
  /** Before a window is served. */
  mark(): void;
  /** After a window that ended late; one of {@link OverrunCause}. */
  cause(): number;
}

/** One clock read and one burst at a time; the last guard of a loop that time already bounds. */
const VISITS_MAX = 1 << 22;

export interface DispatcherParts {
  readonly plan: GatewayPlan;
  readonly time: FrameTime;
  readonly pace: Pace;
  readonly counters: Counters;
  readonly events: EventLog;
  readonly trace: WindowTrace;
  readonly evidence: OverrunEvidence;
  readonly publications: Publications;
  readonly commands: CommandExecutor;
  /** By queue index; queues that no window serves have one too. */
  readonly services: readonly (QueueService | undefined)[];
  /** What composes each display, in its compositor windows. */
  readonly compositors: readonly QueueService[];
  /** What else begins anew with a major frame. */
  readonly framed: readonly { majorFrameBegins(): void }[];
}

interface ServedWindow {
  readonly plan: PlanWindow;
  readonly budget: WindowBudget;
  readonly countersAt: number;
}

// [impl->req~sched.no-allocation~1]
export class Dispatcher {
  private readonly parts: DispatcherParts;
  private readonly windows: readonly ServedWindow[];
  private readonly words: Float64Array;
  private readonly jitter: Histogram;
  private readonly target = new Float64Array(1);
  private readonly lateness = new Float64Array(1);

  constructor(parts: DispatcherParts) {
    this.parts = parts;
    this.words = parts.counters.words;
    this.jitter = parts.counters.windowStartJitter;
    this.windows = parts.plan.windows.map((plan) => ({
      plan,
      budget: new WindowBudget(plan, parts),
      countersAt: parts.counters.windowAt(plan.index),
    }));
  }

  /** Sets the start of the first major frame; the grid is absolute from then on. */
  begin(firstFrameNs: number): void {
    this.parts.time.frameStart[0] = firstFrameNs;
  }

  /**
   * Runs one major frame and moves the grid on; frames missed while stopped are skipped and
   * counted.
   */
  // [impl->req~sched.static-table~1]
  // [impl->req~sched.absolute-grid~1]
  majorFrame(): void {
    const { framed, time, plan } = this.parts;
    for (let n = 0; n < framed.length; n++) framed[n]!.majorFrameBegins();
    for (let n = 0; n < this.windows.length; n++) this.window(this.windows[n]!);
    this.words[GatewayCounter.MAJOR_FRAMES]! += 1;
    time.frameStart[0]! += plan.majorFrameNs;
    time.read();
    const late = time.now[0]! - time.frameStart[0]!;
    if (late < plan.majorFrameNs) return;
    const missed = Math.floor(late / plan.majorFrameNs);
    time.frameStart[0]! += missed * plan.majorFrameNs;
    this.words[GatewayCounter.SKIPPED_FRAMES]! += missed;
  }

  private window(window: ServedWindow): void {
    const { time, pace, evidence, publications, plan, trace } = this.parts;
    const { offsetNs, durationNs, kind } = window.plan;
    this.target[0] = time.frameStart[0]! + offsetNs;
    time.windowStart[0] = this.target[0]!;
    const inTime = time.now[0]! <= this.target[0]!;
    pace.waitUntil(this.target, time.now);
    evidence.mark();
    const started = time.read();
    this.noteStart(started - offsetNs, inTime);
    time.started[0] = time.now[0]!;
    const end = offsetNs + durationNs;
    if (kind === 'control') this.parts.commands.run(time, end, plan.controlCommandNs);
    else this.serve(window, started, end);
    publications.notify();
    const overrun = this.account(window, end);
    const { index } = window.plan;
    trace.visited(index, time, window.budget.busyNs, window.budget.servedRequests, overrun);
  }

  private noteStart(latenessNs: number, inTime: boolean): void {
    this.lateness[0] = latenessNs;
    this.jitter.recordFrom(this.lateness, 0);
    if (latenessNs <= this.parts.plan.windowSwitchNs) return;
    this.words[GatewayCounter.LATE_STARTS]! += 1;
    // Between windows the data plane only waits: who was there in time and still starts late was
    // kept waiting by the host. Who came late inherited it, from a window that has its own cause.
    if (inTime) this.parts.time.disturbed[0] = this.parts.time.now[0]!;
  }

  /** Visits the window's queues in order, again and again, until time or every cap is used up. */
  // [impl->req~host.idle-cost~1]
  // [impl->req~sched.serving-rule~1]
  private serve(window: ServedWindow, started: number, end: number): void {
    const { time, pace } = this.parts;
    const { budget, plan } = window;
    budget.open(end);
    let now = started;
    for (let visit = 0; visit < VISITS_MAX; visit++) {
      const served = budget.visit(now);
      // A burst that served something has just read the clock.
      now = served > 0 ? budget.endedAt : time.read();
      if (budget.exhausted || now >= end) return;
      if (served > 0 || plan.pollNs === 0) continue;
      this.target[0] = time.frameStart[0]! + Math.min(now + plan.pollNs, end);
      if (!pace.rest(this.target, time.now)) {
        // What would come after the last look may also come after the window.
        if (now + plan.pollNs >= end) return;
        pace.waitUntil(this.target, time.now);
      }
      now = time.read();
    }
  }

  /** Counts the visit; 0, or 1 + the cause of its overrun. */
  // [impl->req~sched.overrun-detection~1]
  private account(window: ServedWindow, end: number): number {
    const { time, evidence, events } = this.parts;
    const { words } = this;
    const at = window.countersAt;
    const spent = window.budget.busyNs;
    words[at + WindowCounter.VISITS]! += 1;
    words[at + WindowCounter.REQUESTS]! += window.budget.servedRequests;
    words[at + WindowCounter.SPENT_NS]! += spent;
    if (spent > words[at + WindowCounter.SPENT_NS_MAX]!)
      words[at + WindowCounter.SPENT_NS_MAX] = spent;
    const { budget, plan } = window;
    const endedAt = plan.kind === 'control' ? this.parts.commands.endedAt : budget.endedAt;
    const overrun = endedAt - end;
    if (overrun <= 0) return 0;
    const cause = evidence.cause();
    if (cause === OverrunCause.HOST) time.disturbed[0] = time.now[0]!;
    words[at + WindowCounter.OVERRUNS_COST + cause]! += 1;
    if (overrun > words[at + WindowCounter.OVERRUN_NS_MAX]!)
      words[at + WindowCounter.OVERRUN_NS_MAX] = overrun;
    events.report(EventKind.OVERRUN, window.plan.index, 0, cause, time.now);
    return 1 + cause;
  }
}
