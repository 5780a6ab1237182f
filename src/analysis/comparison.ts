/** Which bounds moved from one table to another, and what moved them. */
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { micros } from './counterexample.ts';
import { flowBounds, type FlowBound } from './flow-bounds.ts';

export interface MovedBound {
  readonly flow: string;
  /** Null where there is no such flow, or no bound. */
  readonly beforeNs: number | null;
  readonly afterNs: number | null;
  readonly why: readonly string[];
}

/** What a bound is made of, by name: what differs between two tables is why it moved. */
function ingredients(plan: GatewayPlan, { flow, queue, critical }: FlowBound): Map<string, string> {
  const { periodNs, jitterNs, spacingNs, burst } = flow.arrival;
  const route = plan.routes[flow.route];
  const found = new Map([
    ['major frame', micros(plan.majorFrameNs)],
    ['period', micros(periodNs)],
    ['jitter', micros(jitterNs)],
    ['spacing', micros(spacingNs)],
    ['burst', String(burst)],
    ['pieces', String(flow.pieces)],
    ['queue', queue.queue.name],
    ['flows of its queue', queue.flows.map(({ id }) => id).join(', ')],
    ['cost of a request', micros(queue.queue.costNs)],
  ]);
  if (route) {
    found.set('packets per major frame of its route', String(route.packetsPerMajorFrame));
    found.set('bytes per major frame of its route', String(route.bytesPerMajorFrame));
  }
  for (const { window, startNs, endNs, cutoffNs, quota } of queue.visits) {
    const { id } = window;
    found.set(`first look of window "${id}"`, micros(startNs));
    found.set(`end of window "${id}"`, micros(endNs));
    found.set(`cut-off of window "${id}"`, micros(cutoffNs));
    found.set(`requests sure in window "${id}"`, String(quota));
  }
  if (critical) found.set('missed window', `"${critical.missed.window.id}"`);
  return found;
}

function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    return was === is ? [] : [`${name} ${was ?? 'none'} -> ${is ?? 'none'}`];
  });
}

// [impl->req~time.compared~1]
/** Flows of either plan whose bounds differ. */
export function movedBounds(before: GatewayPlan, after: GatewayPlan): MovedBound[] {
  const was = new Map(flowBounds(before).map((bound) => [bound.flow.id, bound]));
  const is = new Map(flowBounds(after).map((bound) => [bound.flow.id, bound]));
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((flow) => {
    const [old, present] = [was.get(flow), is.get(flow)];
    if (!old) return [{ flow, beforeNs: null, afterNs: present!.boundNs, why: ['a new flow'] }];
    if (!present)
      return [{ flow, beforeNs: old.boundNs, afterNs: null, why: ['no such flow now'] }];
    if (old.boundNs === present.boundNs) return [];
    const why = differences(ingredients(before, old), ingredients(after, present));
    return [{ flow, beforeNs: old.boundNs, afterNs: present.boundNs, why }];
  });
}
