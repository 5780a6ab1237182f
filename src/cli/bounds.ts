/** Bounds of flows as `check` shows them: JSON of the contract, a table, and what is wrong. */
import { counterexampleLines, criticalArrivals, shortageText } from '../analysis/counterexample.ts';
import { flowBounds, type FlowBound } from '../analysis/flow-bounds.ts';
import { remediesFor } from '../analysis/remedy.ts';
import { assumptionsOf } from '../analysis/warnings.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { textTable, us } from './text-table.ts';

export function schedulable(bounds: readonly FlowBound[]): boolean {
  return bounds.every(({ shortage }) => shortage === null);
}

/** The plan with the bounds that a run is held against. */
export function withBounds(plan: GatewayPlan, bounds: readonly FlowBound[]): GatewayPlan {
  const flows = plan.flows.map((flow, n) => ({ ...flow, boundNs: bounds[n]!.boundNs }));
  return { ...plan, flows };
}

export function boundsReport(plan: GatewayPlan, bounds: readonly FlowBound[]) {
  return bounds.map((bound) => {
    const { flow, boundNs, notifiedBoundNs, shortage, backlogMax, critical, exact } = bound;
    return {
      id: flow.id,
      boundNs,
      notifiedBoundNs,
      deadlineNs: flow.deadlineNs,
      schedulable: shortage === null,
      backlogMax,
      critical: critical && {
        window: critical.missed.window.id,
        requests: critical.requests,
        arrivalsNs: criticalArrivals(bound),
        servedIn: critical.servedIn.window.id,
        publishedNs: critical.publishedNs,
      },
      exact,
      assumptions: assumptionsOf(plan, bound),
      shortage: shortage && shortageText(shortage, bound),
      counterexample: shortage ? counterexampleLines(plan, bound) : [],
      remedies: shortage ? remediesFor(plan, bound) : [],
    };
  });
}

type FlowReport = ReturnType<typeof boundsReport>[number];

export function boundTable(flows: readonly FlowReport[]): string {
  const time = (ns: number | null) => (ns === null ? 'none' : us(ns));
  return textTable([
    ['flow', 'deadline', 'bound', 'notified', 'backlog', 'missed window', 'requests', ''],
    ...flows.map((flow) => [
      flow.id,
      us(flow.deadlineNs),
      `${flow.exact || flow.boundNs === null ? '' : '≤ '}${time(flow.boundNs)}`,
      time(flow.notifiedBoundNs),
      String(flow.backlogMax ?? '-'),
      flow.critical?.window ?? '-',
      String(flow.critical?.requests ?? '-'),
      flow.schedulable ? 'holds' : 'DOES NOT HOLD',
    ]),
  ]);
}

/** What does not hold: why, the counterexample, and the smallest changes that would help. */
// [impl->req~time.counterexample~1]
export function refusals(flows: readonly FlowReport[]): string {
  return flows
    .filter((flow) => !flow.schedulable)
    .map((flow) =>
      [
        `flow "${flow.id}" is not schedulable: ${flow.shortage}`,
        ...flow.counterexample.map((line) => `  ${line}`),
        ...(flow.remedies.length === 0
          ? []
          : [`  would hold with: ${flow.remedies.join('; or ')}`]),
      ].join('\n'),
    )
    .join('\n');
}

/** A plan that may run, with its bounds; what does not hold is written to stderr. */
// [impl->req~time.run-proven~1]
export function provenPlan(plan: GatewayPlan): GatewayPlan | undefined {
  const bounds = flowBounds(plan);
  if (schedulable(bounds)) return withBounds(plan, bounds);
  process.stderr.write(`${refusals(boundsReport(plan, bounds))}\n`);
  return undefined;
}
