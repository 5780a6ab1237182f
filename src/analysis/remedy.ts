/** The smallest changes of a table that would make a flow schedulable, each tried out. */
import type { Nanoseconds } from '../base/time.ts';
import type { GatewayPlan, PlanWindow, PlanWindowQueue } from '../schedule/gateway-plan.ts';
import { micros } from './counterexample.ts';
import { flowBounds, type FlowBound } from './flow-bounds.ts';

const GAPS_MAX = 4;

/** A change of the plan that grows with a number. */
interface Change {
  readonly most: number;
  readonly apply: (by: number) => GatewayPlan;
  readonly text: (by: number) => string;
}

/** Changes that help, one of a kind each, in words; none where none of these helps. */
// [impl->req~time.counterexample~1]
export function remediesFor(plan: GatewayPlan, bound: FlowBound): string[] {
  const { shortage, flow } = bound;
  if (!shortage) return [];
  if (shortage.kind === 'route-quota') {
    const { route, packets, bytes } = shortage.demand;
    return [
      `packetsPerMajorFrame ${Math.ceil(packets)} and bytesPerMajorFrame ${Math.ceil(bytes)} of route "${route.id}"`,
    ];
  }
  const own = { ...plan, flows: related(plan, bound) };
  const kinds = [longerWindows(own, bound), higherCaps(own, bound), furtherWindows(own, bound)];
  const found = kinds.flatMap((changes) => smallest(changes, flow.id) ?? []);
  const deadline = bound.boundNs === null ? [] : [`a deadline of ${micros(bound.boundNs)}`];
  return [...found, ...deadline];
}

/** Flows that the bound of this one depends on. */
function related(plan: GatewayPlan, { queue }: FlowBound) {
  const routes = new Set(queue.flows.map(({ route }) => route));
  const queues = new Set(
    plan.flows.filter(({ route }) => routes.has(route)).map((flow) => flow.queue),
  );
  return plan.flows.filter((flow) => queues.has(flow.queue));
}

function holds(plan: GatewayPlan, flow: string): boolean {
  return flowBounds(plan).some((bound) => bound.flow.id === flow && bound.shortage === null);
}

/** The change that helps with the smallest number, in words. */
function smallest(changes: readonly Change[], flow: string): string[] | undefined {
  let best: { by: number; text: string } | undefined;
  for (const { most, apply, text } of changes) {
    const limit = best ? Math.min(most, best.by - 1) : most;
    if (limit < 1 || !holds(apply(limit), flow)) continue;
    let [less, enough] = [0, limit];
    while (enough - less > 1) {
      const middle = Math.floor((less + enough) / 2);
      if (holds(apply(middle), flow)) enough = middle;
      else less = middle;
    }
    best = { by: enough, text: text(enough) };
  }
  return best && [best.text];
}

function withWindow(plan: GatewayPlan, changed: PlanWindow): GatewayPlan {
  const windows = plan.windows.map((window) => (window.index === changed.index ? changed : window));
  return { ...plan, windows };
}

/** Nanoseconds from the end of a window to the start of the next, or to the end of the frame. */
function freeBehind(plan: GatewayPlan, window: PlanWindow): Nanoseconds {
  const next = plan.windows[window.index + 1];
  return (next?.offsetNs ?? plan.majorFrameNs) - window.offsetNs - window.durationNs;
}

function longerWindows(plan: GatewayPlan, { queue }: FlowBound): Change[] {
  return queue.visits.map(({ window }) => ({
    most: freeBehind(plan, window) - 1,
    apply: (by) => withWindow(plan, { ...window, durationNs: window.durationNs + by }),
    text: (by) => `window "${window.id}" ${micros(by)} longer`,
  }));
}

function higherCaps(plan: GatewayPlan, { queue: view }: FlowBound): Change[] {
  const at = view.queue.index;
  const raised = (window: PlanWindow, raise: (entry: PlanWindowQueue) => PlanWindowQueue) =>
    withWindow(plan, {
      ...window,
      queues: window.queues.map((entry) => (entry.queue === at ? raise(entry) : entry)),
    });
  return view.visits.flatMap(({ window, limitedBy, slackNs, stepNs, quota }): Change[] => {
    const fit = Math.floor(slackNs / stepNs);
    if (fit < 1 || limitedBy === 'duration') return [];
    const each = Math.max(...view.flows.map(({ bytesMax }) => bytesMax));
    const apply = (by: number) =>
      raised(window, (entry) => ({
        ...entry,
        requestsMax: Math.max(entry.requestsMax, quota + by),
        requestsGuaranteed: Math.max(entry.requestsGuaranteed, quota + by),
        bytesMax: Math.max(entry.bytesMax, (quota + by) * each),
      }));
    const text = (by: number) =>
      `${quota + by} requests of ${quota} sure in window "${window.id}" (raise ${limitedBy})`;
    return [{ most: fit, apply, text }];
  });
}

/** One more window for the queue alone, in the middle of one of the longest gaps. */
function furtherWindows(plan: GatewayPlan, { queue: view }: FlowBound): Change[] {
  const model = view.visits[0]?.window;
  if (!model) return [];
  const gaps = plan.windows
    .map((window) => ({
      atNs: window.offsetNs + window.durationNs,
      lengthNs: freeBehind(plan, window),
    }))
    .sort((a, b) => b.lengthNs - a.lengthNs)
    .slice(0, GAPS_MAX);
  const entry = model.queues.find(({ queue }) => queue === view.queue.index)!;
  return gaps.map(({ atNs, lengthNs }) => {
    const most = lengthNs - 2;
    const offset = (by: number) => atNs + 1 + Math.floor((most - by) / 2);
    const apply = (by: number) => withFurther(plan, model, entry, offset(by), by);
    const text = (by: number) =>
      `one more window of ${micros(by)} for ${view.queue.name} at ${micros(offset(by))}`;
    return { most, apply, text };
  });
}

function withFurther(
  plan: GatewayPlan,
  model: PlanWindow,
  entry: PlanWindowQueue,
  offsetNs: Nanoseconds,
  durationNs: Nanoseconds,
): GatewayPlan {
  const further = { ...model, id: 'further', offsetNs, durationNs, queues: [entry] };
  const windows = [...plan.windows, further]
    .sort((a, b) => a.offsetNs - b.offsetNs)
    .map((window, index) => ({ ...window, index }));
  return { ...plan, windows };
}
