/** The arithmetic behind one bound, line by line: visits, cut-offs, the busy window, the bound. */
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { arrivalsMax, spanMin } from './arrival-curve.ts';
import { responsesBehind, type Instant } from './busy-period.ts';
import { counterexampleLines, micros, shortageText } from './counterexample.ts';
import type { FlowBound } from './flow-bounds.ts';
import { passage, type Stage } from './passage.ts';
import { FluidSupply } from './supply.ts';
import type { Visit } from './visit.ts';
import { assumptionsOf } from './warnings.ts';

const ROWS_MAX = 40;

/** Rows of cells; a table where there are several cells, a sentence where there is one. */
export interface Paragraph {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

// [impl->req~time.explained~1]
export function explain(plan: GatewayPlan, bound: FlowBound): Paragraph[] {
  const { shortage } = bound;
  return [
    { title: 'flow', rows: demand(plan, bound) },
    { title: 'what every visit serves', rows: visitRows(bound.queue.visits) },
    { title: 'supply', rows: supplyRows(plan, bound) },
    ...busyWindow(plan, bound),
    ...(shortage ? [{ title: 'does not hold', rows: [[shortageText(shortage, bound)]] }] : []),
    { title: 'assumed', rows: assumptionsOf(plan, bound).map((text) => [text]) },
  ];
}

function demand(plan: GatewayPlan, { flow, queue }: FlowBound): string[][] {
  const { periodNs, jitterNs, spacingNs, burst } = flow.arrival;
  const route = plan.routes[flow.route];
  return [
    [`${flow.id}: ${queue.queue.name}${route ? ` by route ${route.id}` : ''}`],
    [
      `${burst} ${burst === 1 ? 'request' : 'requests'} every P = ${micros(periodNs)}, ` +
        `jitter J = ${micros(jitterNs)}, at least d = ${micros(spacingNs)} apart, ` +
        `at most ${flow.bytesMax} bytes`,
    ],
    [
      `each takes ${flow.pieces} ${flow.pieces === 1 ? 'place' : 'places'} ` +
        `of C = ${micros(queue.queue.costNs)}; deadline ${micros(flow.deadlineNs)}`,
    ],
    ...(queue.flows.length === 1
      ? []
      : [[`the ring carries ${queue.flows.map(({ id }) => id).join(', ')}`]]),
  ];
}

function visitRows(visits: readonly Visit[]): string[][] {
  const head = [
    'window',
    'first look',
    'end',
    'serves',
    'by',
    'to spare',
    'gap',
    'cut-off a = end - C - gap',
  ];
  return [
    head,
    ...visits.map(({ window, startNs, endNs, quota, limitedBy, slackNs, costNs, cutoffNs }) => [
      window.id,
      micros(startNs),
      micros(endNs),
      String(quota),
      limitedBy,
      micros(slackNs),
      quota > 0 ? micros(endNs - costNs - cutoffNs) : '-',
      quota > 0 ? micros(cutoffNs) : '-',
    ]),
  ];
}

function supplyRows(plan: GatewayPlan, { queue, flow }: FlowBound): string[][] {
  const { visits } = queue;
  const supply = new FluidSupply(visits, plan.majorFrameNs);
  const { costNs } = queue.queue;
  const most = arrivalsMax(flow.arrival, plan.majorFrameNs);
  return [
    [`window time per major frame ${micros(supply.perFrameNs)} of ${micros(plan.majorFrameNs)}`],
    [`longest way to the time of one request ${micros(supply.lengthFor(costNs))}`],
    [`at most ${most} requests in a major frame, both ends included`],
  ].filter(([text]) => !text!.includes('Infinity'));
}

function busyWindow(plan: GatewayPlan, bound: FlowBound): Paragraph[] {
  const { critical, boundNs, notifiedBoundNs, queue, flow, exact } = bound;
  if (!critical || boundNs === null) return [];
  const { load, flows } = queue;
  const { missed } = critical;
  const source = flows.indexOf(flow);
  const behind = load.visits.map((visit, n) => [
    `just behind "${visit.window.id}"`,
    micros(responsesBehind(load, n).flows[source]!.boundNs),
  ]);
  const what = critical.prompt ? 'a look' : 'the cut-off';
  const a = `a = ${micros(critical.startNs)}, ${what} of "${missed.window.id}"`;
  return [
    { title: 'longest response, by the window that is just missed', rows: behind },
    { title: `busy window from ${a}`, rows: busyRows(plan, bound) },
    { title: 'critical instant', rows: counterexampleLines(plan, bound).map((text) => [text]) },
    {
      title: 'bound',
      rows: [
        [
          `R = max (F(n) - a - A) = ${micros(boundNs)}` +
            (exact ? ', which some arrivals come up to' : ', by a straight line for the rest'),
        ],
        [`notified within ${micros(notifiedBoundNs!)}`],
        [`at most ${bound.backlogMax} requests wait`],
      ],
    },
  ];
}

/** One row for every arrival step up to one behind the critical one. */
function busyRows(plan: GatewayPlan, bound: FlowBound): string[][] {
  const { critical, queue, flow } = bound;
  const { startNs, pieces } = critical!;
  const { arrivals } = queue.load;
  const head = ['q', 'delta(q)', 'A', 'n(A)', 'window', 'place', 'F(n)', 'F(n) - a - A'];
  const own = queue.flows.indexOf(flow);
  const stages = passage(queue.load, critical!);
  const rows = [head];
  for (let n = 0; arrivals.step(n).pieces <= pieces && rows.length <= ROWS_MAX; n++) {
    const step = arrivals.step(n);
    const q = step.requests[own]!;
    const stage = stages.find(({ to }) => step.pieces <= to);
    if (!stage) break;
    const { place, atNs, where } = placeOf(plan, stage, step.pieces, critical!);
    rows.push([
      String(q),
      micros(spanMin(flow.arrival, q)),
      micros(step.offsetNs),
      String(step.pieces),
      where,
      String(place),
      micros(atNs),
      micros(atNs - startNs - step.offsetNs),
    ]);
  }
  return rows;
}

function placeOf(plan: GatewayPlan, stage: Stage, piece: number, { prompt, startNs }: Instant) {
  const { visit, frameNs, from } = stage;
  const place = piece - from + 1;
  if (prompt) {
    return { place, where: visit.window.id, atNs: startNs + visit.promptNs(place) };
  }
  const frame = frameNs / plan.majorFrameNs;
  const where = frame === 0 ? visit.window.id : `${visit.window.id} +${frame}`;
  return { place, where, atNs: frameNs + visit.publishedNs(place) };
}
