/** Measures one flow: from the first instant a request may have been visible to its publication. */
import type { Histogram } from '../base/histogram.ts';
import { FlowCounter, type Counters } from '../channel/counters.ts';
import type { PlanFlow } from '../schedule/gateway-plan.ts';
import type { ArrivalStamps } from './arrival-stamps.ts';
import type { FrameTime } from './frame-time.ts';

const PENDING_MAX = 64;

// [impl->req~sched.latency-measured~1]
export class FlowProbe {
  private readonly pending = new Float64Array(PENDING_MAX);
  /** The same, where no time counts in which the queue's cap was used up. */
  private readonly pendingSure = new Float64Array(PENDING_MAX);
  /** For each pending request the last instant at which nothing waited before it. */
  private readonly pendingIdle = new Float64Array(PENDING_MAX);
  private pendingCount = 0;
  private readonly value = new Float64Array(1);
  private readonly latency: Histogram;
  private readonly publication: Histogram;
  private readonly countersAt: number;

  private readonly limitNs: number;
  private readonly counters: Counters;
  private readonly time: FrameTime;

  constructor(plan: PlanFlow, counters: Counters, time: FrameTime) {
    this.counters = counters;
    this.time = time;
    // What is proved, where something was.
    this.limitNs = plan.boundNs ?? plan.deadlineNs;
    this.latency = counters.flowLatency(plan.index);
    this.publication = counters.flowPublication(plan.index);
    this.countersAt = counters.flowAt(plan.index);
  }

  /** A request of this flow was delivered and waits for publication. */
  served(stamps: ArrivalStamps, position: number): void {
    if (this.pendingCount === PENDING_MAX) return;
    stamps.copyIdleTo(this.pendingIdle, this.pendingCount);
    stamps.copySureTo(this.pendingSure, this.pendingCount, position);
    stamps.copyTo(this.pending, this.pendingCount++, position);
  }

  get waiting(): boolean {
    return this.pendingCount > 0;
  }

  /** Everything pending has just been published; the caller has read the clock since. */
  published(): void {
    const { time, value, counters } = this;
    for (let n = 0; n < this.pendingCount; n++) {
      value[0] = time.now[0]! - this.pending[n]!;
      counters.words[this.countersAt + FlowCounter.REQUESTS]! += 1;
      if (time.now[0]! - this.pendingSure[n]! > this.limitNs) {
        // Host-caused only with evidence: the host took time while this request was waiting, or
        // one that it had to wait for.
        const host = time.disturbed[0]! >= this.pendingIdle[n]!;
        const counter = host ? FlowCounter.HOST_BREACHES : FlowCounter.VIOLATIONS;
        counters.words[this.countersAt + counter]! += 1;
      }
      this.latency.recordFrom(value, 0);
      value[0] = time.now[0]! - time.windowStart[0]!;
      this.publication.recordFrom(value, 0);
    }
    this.pendingCount = 0;
  }
}
