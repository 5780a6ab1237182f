/**
 * The serving rule inside one window: caps, guarantees, bursts, and the check before every start.
 */
import type { GatewayPlan, PlanWindow } from '../schedule/gateway-plan.ts';
import { BURST_MAX } from '../schedule/serving-rule.ts';
import type { FrameTime } from './frame-time.ts';
import { Served, type QueueService } from './queue-service.ts';

/** What one queue may still use of one window. */
class QueueBudget {
  requestsLeft = 0;
  bytesLeft = 0;
  guaranteedLeft = 0;
  closed = false;

  readonly service: QueueService;
  readonly costNs: number;
  readonly requestsMax: number;
  readonly requestsGuaranteed: number;
  readonly bytesMax: number;
  readonly publishEach: boolean;

  constructor(
    service: QueueService,
    costNs: number,
    requestsMax: number,
    requestsGuaranteed: number,
    bytesMax: number,
    publishEach: boolean,
  ) {
    this.service = service;
    this.costNs = costNs;
    this.requestsMax = requestsMax;
    this.requestsGuaranteed = requestsGuaranteed;
    this.bytesMax = bytesMax;
    this.publishEach = publishEach;
  }

  open(): void {
    this.requestsLeft = this.requestsMax;
    this.bytesLeft = this.bytesMax;
    this.guaranteedLeft = this.requestsGuaranteed;
    this.closed = false;
  }

  get reservedNs(): number {
    return this.closed ? 0 : this.guaranteedLeft * this.costNs;
  }

  spend(requests: number, bytes: number): void {
    this.requestsLeft -= requests;
    this.bytesLeft -= bytes;
    this.guaranteedLeft = Math.max(0, this.guaranteedLeft - requests);
    if (this.requestsLeft === 0) this.closed = true;
  }

  /**
   * How many requests may start one after the other when `left` nanoseconds remain, of which the
   * others' guarantees need `reserved`: work beyond the own guarantee must leave the others theirs.
   */
  startable(left: number, reserved: number): number {
    const fit = Math.floor(left / this.costNs);
    const beyond = Math.max(this.guaranteedLeft, Math.floor((left - reserved) / this.costNs));
    return Math.min(fit, beyond, this.requestsLeft);
  }
}

export interface BudgetParts {
  readonly plan: GatewayPlan;
  readonly time: FrameTime;
  readonly services: readonly (QueueService | undefined)[];
  readonly compositors: readonly QueueService[];
}

/** A compositor has its window to itself: only time bounds its bands. */
const BANDS_MAX = 1 << 30;

function queueBudgets(window: PlanWindow, parts: BudgetParts): QueueBudget[] {
  const { plan, services, compositors } = parts;
  if (window.kind === 'compositor') {
    const compositor = compositors[window.display]!;
    return [new QueueBudget(compositor, plan.composeNs, BANDS_MAX, 0, BANDS_MAX, false)];
  }
  return window.queues.flatMap(
    ({ queue, requestsMax, requestsGuaranteed, bytesMax, publishEach }) => {
      const service = services[queue];
      const { costNs } = plan.queues[queue]!;
      if (!service) return [];
      return [
        new QueueBudget(service, costNs, requestsMax, requestsGuaranteed, bytesMax, publishEach),
      ];
    },
  );
}

export class WindowBudget {
  servedRequests = 0;
  /** Time of the bursts that served something, in nanoseconds. */
  busyNs = 0;
  /**
   * Clock at the end of the last burst that served something, in nanoseconds of the major frame.
   */
  endedAt = 0;
  /** The clock as it was read last: before this visit, or at the end of a burst. */
  private clock = 0;

  private readonly queues: readonly QueueBudget[];
  private readonly time: FrameTime;
  private end = 0;

  constructor(window: PlanWindow, parts: BudgetParts) {
    this.time = parts.time;
    this.queues = queueBudgets(window, parts);
  }

  /** A new visit of this window, which ends at `end` nanoseconds of the major frame. */
  open(end: number): void {
    this.end = end;
    this.servedRequests = 0;
    this.busyNs = 0;
    this.endedAt = 0;
    for (let n = 0; n < this.queues.length; n++) this.queues[n]!.open();
  }

  /** Every queue has used its cap, or has nothing that can still start. */
  get exhausted(): boolean {
    for (let n = 0; n < this.queues.length; n++) {
      if (!this.queues[n]!.closed) return false;
    }
    return true;
  }

  /**
   * One burst for each queue that has budget left, with a clock that has just been read; the number
   * of requests served.
   */
  visit(now: number): number {
    let served = 0;
    this.clock = now;
    for (let n = 0; n < this.queues.length; n++) {
      const queue = this.queues[n]!;
      if (!queue.closed) served += this.burst(queue);
    }
    this.servedRequests += served;
    return served;
  }

  /** Time that the other queues' unused guarantees still need. */
  private reservedBesides(queue: QueueBudget): number {
    let reserved = 0;
    for (let n = 0; n < this.queues.length; n++) {
      const other = this.queues[n]!;
      if (other !== queue) reserved += other.reservedNs;
    }
    return reserved;
  }

  // [impl->req~sched.budget-before-start~1]
  // [impl->req~sched.work-bound~1]
  private burst(queue: QueueBudget): number {
    const started = this.clock;
    let now = started;
    const { service, costNs } = queue;
    let available = service.look();
    const reserved = this.queues.length > 1 ? this.reservedBesides(queue) : 0;
    let served = 0;
    let outOfTime = false;
    while (served < BURST_MAX && available > 0 && !queue.closed) {
      if (now + costNs > this.end) {
        outOfTime = true;
        break;
      }
      const startable = queue.startable(this.end - now, reserved);
      if (startable <= 0) break;
      const many = queue.publishEach
        ? 0
        : service.serveMany(Math.min(startable, available, BURST_MAX - served), queue.bytesLeft);
      if (many > 0) {
        now += many * costNs;
        served += many;
        available -= many;
        queue.spend(many, service.lastBytes);
        continue;
      }
      const result = service.serve(queue.bytesLeft);
      if (result !== Served.ONE) {
        queue.closed = true;
        break;
      }
      now += costNs;
      served++;
      available--;
      queue.spend(1, service.lastBytes);
      if (queue.publishEach) service.publish();
    }
    if (served > 0) {
      service.publish();
      this.clock = this.endedAt = this.time.read();
      this.busyNs += this.endedAt - started;
    }
    // By declared costs nothing more fits; what the clock says decides whether a look is worth it.
    if (outOfTime && this.clock + costNs > this.end) queue.closed = true;
    return served;
  }
}
