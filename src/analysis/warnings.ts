/** What a schedulable table still depends on: exact fits, ring sizes, receivers, contracts. */
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { arrivalsMax } from './arrival-curve.ts';
import { micros } from './counterexample.ts';
import type { FlowBound } from './flow-bounds.ts';
import type { Visit } from './visit.ts';

/** A window is an exact fit where less than this part of a request decides about one more. */
const NARROW = 100;

// [impl->req~time.narrow~1]
/** Windows that serve one request more or less for a little time, and rings that are too short. */
export function warningsFor(plan: GatewayPlan, bounds: readonly FlowBound[]): string[] {
  const views = new Set(bounds.map(({ queue }) => queue));
  const fits = [...views].flatMap(({ queue, visits }) =>
    visits.flatMap((visit) => narrowFit(visit, queue.name)),
  );
  const rings = bounds.flatMap(({ flow, backlogMax }) => {
    const { device, name } = plan.queues[flow.queue]!;
    const size = plan.devices[device]!.queueSizeMax;
    if (backlogMax === null || backlogMax <= size) return [];
    return [
      `flow "${flow.id}": ${backlogMax} requests may wait, ${name} has ${size} entries: ` +
        'the guest waits before its requests become visible, which no bound counts',
    ];
  });
  const lines = bounds.flatMap(({ flow, exact, boundNs }) =>
    boundNs !== null && !exact
      ? [`flow "${flow.id}": its bound is safe and not exact, the busy period was not followed up`]
      : [],
  );
  return [...fits, ...rings, ...lines];
}

function narrowFit({ window, slackNs, stepNs, quota, limitedBy }: Visit, queue: string): string[] {
  const lacking = stepNs - slackNs;
  const narrow = Math.ceil(stepNs / NARROW);
  if (quota > 0 && slackNs >= 0 && slackNs < narrow) {
    return [
      `window "${window.id}": ${quota} requests of ${queue} fit with ${micros(slackNs)} to spare, ` +
        `${micros(slackNs + 1)} less would serve one less`,
    ];
  }
  if (limitedBy !== 'duration' || lacking <= 0 || lacking >= narrow) return [];
  return [`window "${window.id}": ${micros(lacking)} more would serve one more of ${queue}`];
}

// [impl->req~time.assumptions~1]
/** What the bound of a flow takes for granted, in sentences. */
export function assumptionsOf(plan: GatewayPlan, bound: FlowBound): string[] {
  const { flow, queue, boundNs } = bound;
  const flows = queue.flows.map(({ id }) => id).join(', ');
  const own = `${queue.queue.name} carries ${flows} only, within the arrival contract`;
  const route = plan.routes[flow.route];
  if (!route || boundNs === null) return [own];
  const receiver = plan.devices[route.to]!.id;
  const within = arrivalsMax(flow.arrival, plan.majorFrameNs + boundNs);
  const buffers =
    `${receiver} has receive buffers for ${within} packets of it per major frame: ` +
    'a packet without one is dropped';
  return flow.pieces === 1 ? [own, buffers] : [own, buffers, segmentation(bound)];
}

function segmentation({ flow }: FlowBound): string {
  return `a packet of ${flow.bytesMax} bytes is cut into at most ${flow.pieces - 1} segments`;
}
