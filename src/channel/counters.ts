/** Monotonic counters and histograms that the data plane writes and everybody may read. */
import { FAULT_COUNT } from '../base/fault.ts';
import { Histogram, HISTOGRAM_WORDS } from '../base/histogram.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';

export const GatewayCounter = {
  MAJOR_FRAMES: 0,
  SKIPPED_FRAMES: 1,
  LATE_STARTS: 2,
  COMMANDS: 3,
  COUNT: 4,
} as const;
export const QueueCounter = {
  REQUESTS: 0,
  BYTES: 1,
  FAULTY: 2,
  UNROUTED: 3,
  NOTIFICATIONS: 4,
  NOTIFICATIONS_SUPPRESSED: 5,
  /** Taken from a ring that its front-end had disabled. */
  DISCARDED: 6,
  COUNT: 7,
} as const;
export const WindowCounter = {
  VISITS: 0,
  REQUESTS: 1,
  SPENT_NS: 2,
  SPENT_NS_MAX: 3,
  OVERRUNS_COST: 4,
  OVERRUNS_HOST: 5,
  OVERRUNS_GC: 6,
  OVERRUN_NS_MAX: 7,
  COUNT: 8,
} as const;
export const DisplayCounter = {
  /** Points of the refresh grid at which the compositor looked. */
  REFRESHES: 0,
  /** Pictures that it completed. */
  COMPOSED: 1,
  /** Bytes that it copied or summed. */
  BYTES: 2,
  /** Pictures that it began, at most one more than it completed. */
  BEGUN: 3,
  COUNT: 4,
} as const;
export const PlaneCounter = {
  COMPOSED: 0,
  /** Refreshes without it, because a flush was under way. */
  PASSED_OVER: 1,
  /** Composed while a flush was under way. */
  TORN: 2,
  /** Its owner was lost: something else was shown from then on. */
  REPLACED: 3,
  COUNT: 4,
} as const;
export const RegionCounter = { CHECKS: 0, MISMATCHES: 1, FROZEN: 2, COUNT: 3 } as const;
export const FlowCounter = { REQUESTS: 0, VIOLATIONS: 1, HOST_BREACHES: 2, COUNT: 3 } as const;

/** Why a packet that a device sent did not arrive, per route. */
export const DROP_REASONS = [
  'policed',
  'no-receive-buffer',
  'receiver-not-ready',
  'receiver-fault',
  'too-long-for-receiver',
  'offload-fan-out',
] as const;
export const Drop = {
  POLICED: 0,
  NO_RECEIVE_BUFFER: 1,
  RECEIVER_NOT_READY: 2,
  RECEIVER_FAULT: 3,
  TOO_LONG_FOR_RECEIVER: 4,
  OFFLOAD_FAN_OUT: 5,
} as const;
export const RouteCounter = {
  SENT: 0,
  DELIVERED: 1,
  BYTES: 2,
  DEFERRED: 3,
  DROPS: 4,
  COUNT: 4 + DROP_REASONS.length,
} as const;

/** Positions of every counter of a plan, in 64-bit words. */
export interface CounterLayout {
  readonly queues: number;
  readonly routes: number;
  readonly windows: number;
  readonly flows: number;
  readonly partitions: number;
  readonly displays: number;
  readonly planes: number;
  readonly regions: number;
  readonly histograms: number;
  readonly words: number;
}

export function layOutCounters(plan: GatewayPlan): CounterLayout {
  const queues = GatewayCounter.COUNT;
  const routes = queues + plan.queues.length * QueueCounter.COUNT;
  const windows = routes + plan.routes.length * RouteCounter.COUNT;
  const flows = windows + plan.windows.length * WindowCounter.COUNT;
  const partitions = flows + plan.flows.length * FlowCounter.COUNT;
  const displays = partitions + plan.partitions.length * FAULT_COUNT;
  const planes = displays + plan.displays.length * DisplayCounter.COUNT;
  const regions = planes + plan.planes.length * PlaneCounter.COUNT;
  const histograms = regions + plan.regions.length * RegionCounter.COUNT;
  const count = 1 + 2 * plan.flows.length + plan.planes.length;
  const words = histograms + count * HISTOGRAM_WORDS;
  return {
    queues,
    routes,
    windows,
    flows,
    partitions,
    displays,
    planes,
    regions,
    histograms,
    words,
  };
}

// [impl->req~diag.counters~1]
export class Counters {
  readonly words: Float64Array;
  readonly layout: CounterLayout;
  private readonly flows: number;

  constructor(plan: GatewayPlan, buffer: SharedArrayBuffer | ArrayBuffer) {
    this.layout = layOutCounters(plan);
    this.flows = plan.flows.length;
    this.words = new Float64Array(buffer, 0, this.layout.words);
  }

  static bytes(plan: GatewayPlan): number {
    return layOutCounters(plan).words * Float64Array.BYTES_PER_ELEMENT;
  }

  gateway(counter: number): number {
    return this.words[counter]!;
  }

  queue(index: number, counter: number): number {
    return this.words[this.queueAt(index) + counter]!;
  }

  route(index: number, counter: number): number {
    return this.words[this.routeAt(index) + counter]!;
  }

  /** Packets that a route was given, and those it delivered. */
  delivery(route: number): { sent: number; delivered: number } {
    return {
      sent: this.route(route, RouteCounter.SENT),
      delivered: this.route(route, RouteCounter.DELIVERED),
    };
  }

  window(index: number, counter: number): number {
    return this.words[this.windowAt(index) + counter]!;
  }

  flow(index: number, counter: number): number {
    return this.words[this.flowAt(index) + counter]!;
  }

  fault(partition: number, fault: number): number {
    return this.words[this.faultAt(partition) + fault]!;
  }

  queueAt(index: number): number {
    return this.layout.queues + index * QueueCounter.COUNT;
  }

  routeAt(index: number): number {
    return this.layout.routes + index * RouteCounter.COUNT;
  }

  windowAt(index: number): number {
    return this.layout.windows + index * WindowCounter.COUNT;
  }

  flowAt(index: number): number {
    return this.layout.flows + index * FlowCounter.COUNT;
  }

  faultAt(partition: number): number {
    return this.layout.partitions + partition * FAULT_COUNT;
  }

  displayAt(index: number): number {
    return this.layout.displays + index * DisplayCounter.COUNT;
  }

  planeAt(index: number): number {
    return this.layout.planes + index * PlaneCounter.COUNT;
  }

  regionAt(index: number): number {
    return this.layout.regions + index * RegionCounter.COUNT;
  }

  display(index: number, counter: number): number {
    return this.words[this.displayAt(index) + counter]!;
  }

  plane(index: number, counter: number): number {
    return this.words[this.planeAt(index) + counter]!;
  }

  region(index: number, counter: number): number {
    return this.words[this.regionAt(index) + counter]!;
  }

  /** From the completion of a flush to the composition that shows it. */
  planeLatency(index: number): Histogram {
    const before = 1 + 2 * this.flows + index;
    return new Histogram(this.words, this.layout.histograms + before * HISTOGRAM_WORDS);
  }

  /** Lateness of window starts, in nanoseconds. */
  get windowStartJitter(): Histogram {
    return new Histogram(this.words, this.layout.histograms);
  }

  /** From arrival to publication. */
  flowLatency(index: number): Histogram {
    return new Histogram(this.words, this.layout.histograms + (1 + 2 * index) * HISTOGRAM_WORDS);
  }

  /** From the planned start of the window to publication. */
  flowPublication(index: number): Histogram {
    return new Histogram(this.words, this.layout.histograms + (2 + 2 * index) * HISTOGRAM_WORDS);
  }
}
