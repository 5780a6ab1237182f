/** What flows can ask of their routes in one major frame, against the quotas. */
import type { GatewayPlan, PlanFlow, PlanRoute } from '../schedule/gateway-plan.ts';
import { arrivalsMax } from './arrival-curve.ts';
import type { FlowBound } from './flow-bounds.ts';

/** Ethernet, IP and TCP headers with all options: what every further segment repeats. */
const SEGMENT_HEADERS = 134;

export interface RouteDemand {
  readonly route: PlanRoute;
  readonly packets: number;
  readonly bytes: number;
  /** Packets of the longest size that the quota always carries. */
  readonly packetsSure: number;
  readonly short: boolean;
}

function packetsOf({ pieces }: PlanFlow): number {
  return Math.max(1, pieces - 1);
}

function bytesOf(flow: PlanFlow): number {
  return flow.bytesMax + (packetsOf(flow) - 1) * SEGMENT_HEADERS;
}

/**
 * Requests of a flow that one major frame serves at most: what is served between the first and the
 * last window of its queue has come at most its bound earlier.
 */
function requestsServed({ flow, boundNs, queue }: FlowBound): number {
  const { visits } = queue;
  const first = Math.min(...visits.map(({ window }) => window.offsetNs));
  const last = Math.max(...visits.map(({ endNs }) => endNs));
  return boundNs === null ? Infinity : arrivalsMax(flow.arrival, last - first + boundNs);
}

/** Demands on the routes that carry flows; `bounds` are those without any quota of a route. */
// [impl->req~time.route-quota~1]
export function routeDemands(plan: GatewayPlan, bounds: readonly FlowBound[]): RouteDemand[] {
  return plan.routes.flatMap((route) => {
    const own = bounds.filter(({ flow }) => flow.route === route.index);
    if (own.length === 0) return [];
    const sum = (each: (flow: PlanFlow) => number) =>
      own.reduce((total, bound) => total + requestsServed(bound) * each(bound.flow), 0);
    const packets = sum(packetsOf);
    const bytes = sum(bytesOf);
    const longest = Math.max(...own.map(({ flow }) => flow.bytesMax));
    const short = packets > route.packetsPerMajorFrame || bytes > route.bytesPerMajorFrame;
    const packetsSure = Math.min(
      route.packetsPerMajorFrame,
      Math.floor(route.bytesPerMajorFrame / longest),
    );
    return [{ route, packets, bytes, packetsSure, short }];
  });
}
