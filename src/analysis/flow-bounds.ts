/** A bound for every flow of a plan, or the name of what stands in its way. */
import type { Nanoseconds } from '../base/time.ts';
import type { GatewayPlan, PlanFlow, PlanQueue } from '../schedule/gateway-plan.ts';
import { ArrivalSteps } from './arrival-steps.ts';
import {
  longestResponses,
  piecesPerFrame,
  type Instant,
  type QueueLoad,
  type QueueResponse,
} from './busy-period.ts';
import { routeDemands, type RouteDemand } from './route-demand.ts';
import { visitOf, type Visit } from './visit.ts';
import { latestStarts } from './window-edges.ts';

/** What is short, for a flow that is not schedulable. */
export type Shortage =
  | { readonly kind: 'never-fits' }
  | { readonly kind: 'overload'; readonly demand: number; readonly quota: number }
  | { readonly kind: 'route-quota'; readonly demand: RouteDemand }
  | { readonly kind: 'deadline'; readonly missedByNs: Nanoseconds };

export interface FlowBound {
  readonly flow: PlanFlow;
  /** Null where there is none: {@link shortage} says why. */
  readonly boundNs: Nanoseconds | null;
  readonly notifiedBoundNs: Nanoseconds | null;
  /** Whether some arrivals within the contract come up to the bound (by one nanosecond). */
  readonly exact: boolean;
  readonly backlogMax: number | null;
  readonly critical: Instant | null;
  readonly shortage: Shortage | null;
  readonly queue: QueueView;
}

/** What the bounds of one queue were computed from. */
export interface QueueView {
  readonly queue: PlanQueue;
  readonly flows: readonly PlanFlow[];
  /** Every window that serves it, quota or not. */
  readonly visits: readonly Visit[];
  readonly load: QueueLoad;
}

interface QueueResult {
  readonly view: QueueView;
  readonly response: QueueResponse | undefined;
  readonly shortage: Shortage | null;
}

// [impl->req~time.bound~1]
/** Bounds of all flows, in the order of the plan. */
export function flowBounds(plan: GatewayPlan): FlowBound[] {
  const queues = [...new Set(plan.flows.map(({ queue }) => queue))];
  const free = new Map(queues.map((queue) => [queue, analysed(viewOf(plan, queue, Infinity))]));
  const bounds = plan.flows.map((flow) => boundOf(flow, free.get(flow.queue)!));
  const demands = routeDemands(plan, bounds);
  const results = new Map(
    queues.map((queue) => [queue, policed(plan, free.get(queue)!, demands)] as const),
  );
  return plan.flows.map((flow) => boundOf(flow, results.get(flow.queue)!));
}

function viewOf(plan: GatewayPlan, queueIndex: number, frameQuota: number): QueueView {
  const queue = plan.queues[queueIndex]!;
  const flows = plan.flows.filter((flow) => flow.queue === queueIndex);
  const longest = {
    bytes: Math.max(...flows.map(({ bytesMax }) => bytesMax)),
    pieces: Math.max(...flows.map(({ pieces }) => pieces)),
  };
  const starts = latestStarts(plan);
  const visits = plan.windows.flatMap(
    (window) => visitOf(plan, window, queueIndex, longest, starts[window.index]!) ?? [],
  );
  const load = {
    arrivals: new ArrivalSteps(flows),
    visits: visits.filter(({ quota }) => quota > 0),
    majorFrameNs: plan.majorFrameNs,
    frameQuota,
  };
  return { queue, flows, visits, load };
}

function analysed(view: QueueView): QueueResult {
  const { load } = view;
  const failed = (shortage: Shortage) => ({ view, response: undefined, shortage });
  const quota = piecesPerFrame(load);
  if (quota === 0) return failed({ kind: 'never-fits' });
  if (load.arrivals.exceeds(quota, load.majorFrameNs)) {
    return failed({ kind: 'overload', demand: load.arrivals.rate * load.majorFrameNs, quota });
  }
  return { view, response: longestResponses(load), shortage: null };
}

/**
 * The same queue where a route may hold its requests back. A quota that the contracts never use up
 * changes nothing; one that defers is a cap of the major frame, where it is for this queue alone.
 */
function policed(
  plan: GatewayPlan,
  result: QueueResult,
  demands: readonly RouteDemand[],
): QueueResult {
  const { view } = result;
  if (!result.response) return result;
  const routes = [...new Set(view.flows.map(({ route }) => route))];
  const short = demands.filter((demand) => demand.short && routes.includes(demand.route.index));
  const demand = short[0];
  if (!demand) return result;
  const { route } = demand;
  const alone =
    routes.length === 1 &&
    plan.flows.every((flow) => flow.route !== route.index || flow.queue === view.queue.index);
  const whole = view.flows.every(({ pieces }) => pieces === 1);
  const shortage = { kind: 'route-quota', demand } as const;
  // Requests past the quota are dropped, and so still published in time.
  if (route.excess === 'drop') return { ...result, shortage };
  if (!alone || !whole) return { ...result, response: undefined, shortage };
  const capped = analysed(viewOf(plan, view.queue.index, demand.packetsSure));
  return capped.response ? capped : { ...capped, shortage };
}

function boundOf(flow: PlanFlow, { view, response, shortage }: QueueResult): FlowBound {
  const own = response?.flows[view.flows.indexOf(flow)];
  if (!response || !own) {
    return {
      flow,
      boundNs: null,
      notifiedBoundNs: null,
      exact: false,
      backlogMax: null,
      critical: null,
      shortage,
      queue: view,
    };
  }
  const missedByNs = own.boundNs - flow.deadlineNs;
  return {
    flow,
    boundNs: own.boundNs,
    notifiedBoundNs: own.notifiedBoundNs,
    exact: own.exact,
    backlogMax: backlogOf(flow, own.boundNs, response),
    critical: own.instant,
    shortage: shortage ?? (missedByNs > 0 ? { kind: 'deadline', missedByNs } : null),
    queue: view,
  };
}

/** No more of a flow waits than the queue holds, or than can have come within its bound. */
function backlogOf(flow: PlanFlow, boundNs: Nanoseconds, { backlogMax }: QueueResponse): number {
  const within = new ArrivalSteps([flow]).requestsWithin(boundNs);
  return Math.max(1, Math.min(backlogMax, within));
}
