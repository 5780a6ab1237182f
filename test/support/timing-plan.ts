/** Plans of nothing but time: queues with a cost, windows and flows in nanoseconds, for analysis and simulation. */
import { embeddedPlanParts } from './timing-parts.ts';
import type {
  ArrivalContract,
  GatewayPlan,
  PlanFlow,
  PlanQueue,
  PlanWindow,
} from '../../src/schedule/gateway-plan.ts';

export interface TimedQueue {
  readonly costNs: number;
}

export interface TimedEntry {
  readonly queue: number;
  readonly cap: number;
  readonly guaranteed?: number;
}

export interface TimedWindow {
  readonly offsetNs: number;
  readonly durationNs: number;
  readonly pollNs?: number;
  readonly entries: readonly TimedEntry[];
}

export interface TimedFlow {
  readonly queue: number;
  readonly arrival: Partial<ArrivalContract> & { readonly periodNs: number };
  readonly pieces?: number;
  readonly deadlineNs?: number;
}

export interface TimedPlan {
  readonly majorFrameNs: number;
  readonly queues: readonly TimedQueue[];
  readonly windows: readonly TimedWindow[];
  readonly flows: readonly TimedFlow[];
  readonly windowSwitchNs?: number;
  readonly notifyNs?: number;
  readonly lookNs?: number;
}

function queueOf({ costNs }: TimedQueue, index: number): PlanQueue {
  return {
    index,
    name: `p.net0.transmitq${index}`,
    device: 0,
    partition: 0,
    role: 'transmit',
    pair: index,
    costNs,
  };
}

function windowOf(timed: TimedWindow, index: number, plan: TimedPlan): PlanWindow {
  return {
    index,
    id: `w${index}`,
    kind: 'partition',
    partition: 0,
    display: -1,
    offsetNs: timed.offsetNs,
    durationNs: timed.durationNs,
    pollNs: timed.pollNs ?? 0,
    queues: timed.entries.map(({ queue, cap, guaranteed }) => ({
      queue,
      requestsMax: cap,
      requestsGuaranteed: guaranteed ?? cap,
      bytesMax: 1_000_000_000,
      publishEach: plan.flows.some((flow) => flow.queue === queue),
    })),
  };
}

function flowOf({ queue, arrival, pieces, deadlineNs }: TimedFlow, index: number): PlanFlow {
  return {
    index,
    id: `f${index}`,
    queue,
    route: 0,
    arrival: { jitterNs: 0, spacingNs: 0, burst: 1, ...arrival },
    bytesMax: 100,
    pieces: pieces ?? 1,
    deadlineNs: deadlineNs ?? 1_000_000_000,
    boundNs: null,
  };
}

export function timingPlan(timed: TimedPlan): GatewayPlan {
  return {
    ...embeddedPlanParts(timed.queues.length),
    majorFrameNs: timed.majorFrameNs,
    queues: timed.queues.map(queueOf),
    windows: timed.windows.map((window, index) => windowOf(window, index, timed)),
    flows: timed.flows.map(flowOf),
    windowSwitchNs: timed.windowSwitchNs ?? 0,
    notifyNs: timed.notifyNs ?? 0,
    lookNs: timed.lookNs ?? 0,
  };
}
