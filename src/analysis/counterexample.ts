/** Why a flow has no bound, or one beyond its deadline, in sentences for people. */
import { NS_PER_US, type Nanoseconds } from '../base/time.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { spanMin } from './arrival-curve.ts';
import type { Instant } from './busy-period.ts';
import type { FlowBound, Shortage } from './flow-bounds.ts';
import { passage } from './passage.ts';
import type { Visit } from './visit.ts';

/** Nanoseconds in microseconds, all digits that there are. */
export function micros(ns: Nanoseconds): string {
  return `${Math.round(ns) / NS_PER_US} µs`;
}

const ARRIVALS_MAX = 1000;

/** When the requests of the flow come in the worst case, in nanoseconds of the major frame. */
export function criticalArrivals({ flow, critical }: FlowBound): Nanoseconds[] {
  if (!critical) return [];
  const { startNs, requests, arrivalNs } = critical;
  const count = Math.min(requests, ARRIVALS_MAX) - 1;
  const before = Array.from({ length: count }, (_, n) => startNs + spanMin(flow.arrival, n + 1));
  // Just behind the cut-off is the first nanosecond behind it.
  return [...before, arrivalNs].map((at) => at + 1);
}

const LIMITS: Readonly<Record<Visit['limitedBy'], string>> = {
  requestsMax: 'its requestsMax',
  requestsGuaranteed: 'its requestsGuaranteed',
  bytesMax: 'its bytesMax',
  duration: 'its length',
};

/** What is short, in one sentence. */
export function shortageText(shortage: Shortage, bound: FlowBound): string {
  const { queue, flows, visits } = bound.queue;
  switch (shortage.kind) {
    case 'never-fits':
      return `no window guarantees a request of ${queue.name}: ${visits.map(neverFits).join('; ')}`;
    case 'overload':
      return (
        `${round(shortage.demand)} requests come to ${queue.name} per major frame in the long run ` +
        `(${flows.map(({ id }) => id).join(', ')}), ${shortage.quota} are served: ${quotas(visits)}`
      );
    case 'route-quota': {
      const { route, packets, bytes } = shortage.demand;
      return (
        `route "${route.id}" carries ${route.packetsPerMajorFrame} packets and ` +
        `${route.bytesPerMajorFrame} bytes per major frame; its flows may need ${round(packets)} ` +
        `packets and ${round(bytes)} bytes, and the rest is ` +
        (route.excess === 'drop' ? 'dropped' : 'deferred')
      );
    }
    case 'deadline':
      return `the bound is ${micros(shortage.missedByNs)} beyond the deadline: ${waits(bound)}`;
  }
}

function round(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 1000) / 1000) : 'more';
}

function neverFits({ window, costNs, limitedBy, startNs, endNs }: Visit): string {
  const room = Math.max(0, endNs - startNs);
  const has = Number.isFinite(startNs) ? `${micros(room)} for ${micros(costNs)}` : 'no time at all';
  return `"${window.id}" has ${has}, limited by ${LIMITS[limitedBy]}`;
}

function quotas(visits: readonly Visit[]): string {
  return visits
    .map(({ window, quota, limitedBy }) => `${quota} in "${window.id}" by ${LIMITS[limitedBy]}`)
    .join(', ');
}

/** What the request waits for most: the way to the next visit, or visits that are full. */
function waits({ queue, critical }: FlowBound): string {
  const { missed, publishedNs, startNs, prompt } = critical!;
  if (prompt) {
    const waited = micros(publishedNs - startNs);
    return `the other queues of window "${missed.window.id}" come first, for ${waited}`;
  }
  const stages = passage(queue.load, critical!);
  const full = stages.slice(0, -1);
  const first = stages[0]!;
  const next = first.frameNs + first.visit.startNs - startNs;
  if (full.length === 0) {
    return (
      `from the cut-off of "${missed.window.id}" to the start of "${first.visit.window.id}" ` +
      `are ${micros(next)} of ${micros(publishedNs - startNs)}`
    );
  }
  const names = [...new Set(full.map(({ visit }) => visit))];
  return `${full.length} visits before its own are full: ${quotas(names)}`;
}

/** The arrivals that show it, and what serves them when. */
export function counterexampleLines(plan: GatewayPlan, bound: FlowBound): string[] {
  const { flow, critical } = bound;
  if (!critical) return [];
  const arrivals = criticalArrivals(bound).slice(0, 8);
  const more = critical.requests > arrivals.length ? ', …' : '';
  return [
    `${critical.requests} requests of ${flow.id} come at ${arrivals.map(micros).join(', ')}${more}: ` +
      `just too late for ${critical.prompt ? 'a look of ' : ''}window "${critical.missed.window.id}"` +
      others(bound, critical),
    ...stageLines(plan, bound, critical),
    `request ${critical.requests}, there since ${micros(critical.arrivalNs)}, ` +
      `is published at ${micros(critical.publishedNs)}`,
  ];
}

function others({ queue: { flows }, flow }: FlowBound, { pieces, requests }: Instant): string {
  if (flows.length === 1) return '';
  // All flows begin together: some of each are there.
  return `, with ${pieces - requests * flow.pieces} of the other flows of the queue`;
}

function stageLines(plan: GatewayPlan, { queue }: FlowBound, critical: Instant): string[] {
  const stages = passage(queue.load, critical);
  const shown = stages.length > 8 ? [...stages.slice(0, 4), ...stages.slice(-3)] : stages;
  return shown.map(({ visit, frameNs, from, to }) => {
    const frame = frameNs / plan.majorFrameNs;
    const later = frame === 0 ? '' : ` of major frame +${frame}`;
    const last = Math.min(to, critical.pieces);
    const startsAt = micros(frameNs + visit.startNs);
    return `window "${visit.window.id}"${later} serves ${from} to ${last} from ${startsAt} on`;
  });
}
