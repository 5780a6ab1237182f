/** The schedule, and for every flow its arrivals against its service, as one SVG picture. */
import type { Nanoseconds } from '../base/time.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { micros } from './counterexample.ts';
import type { FlowBound } from './flow-bounds.ts';
import { passage } from './passage.ts';

const WIDTH = 960;
const LEFT = 150;
const RIGHT = 30;
const LANE = 26;
const PANEL = 240;
const TITLE = 30;
const PLOT_TOP = 44;
const PLOT_HEIGHT = 150;
const COLOURS = ['#4878a8', '#d9822b', '#5a9e5a', '#a05aa0', '#b05050', '#708090'] as const;
const STEPS_SHOWN = 400;

const STYLE =
  'text{font:12px sans-serif;fill:#222}.s{font-size:10px;fill:#666}' +
  '.a{fill:none;stroke:#b03030;stroke-width:2}.b{fill:none;stroke:#3060a0;stroke-width:2}' +
  '.r{stroke:#208040;stroke-width:2}.g{stroke:#ccc}';

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(words)}</text>`;
}

/** Horizontal scale: from `fromNs` to `toNs` over the width of a panel. */
function scale(fromNs: Nanoseconds, toNs: Nanoseconds): (ns: Nanoseconds) => number {
  const perNs = (WIDTH - LEFT - RIGHT) / Math.max(1, toNs - fromNs);
  return (ns) => LEFT + (ns - fromNs) * perNs;
}

function schedule(plan: GatewayPlan): string {
  const x = scale(0, plan.majorFrameNs);
  const lanes = [...plan.partitions.map(({ id }) => id), '(gateway)'];
  const names = lanes.map((id, n) => text(10, TITLE + n * LANE + 17, id));
  const windows = plan.windows.map(({ id, partition, offsetNs, durationNs }) => {
    const lane = partition < 0 ? lanes.length - 1 : partition;
    const y = TITLE + lane * LANE + 3;
    const width = Math.max(1, x(offsetNs + durationNs) - x(offsetNs));
    const about = escaped(`${id}: ${micros(offsetNs)}, ${micros(durationNs)}`);
    return (
      `<rect x="${x(offsetNs).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" ` +
      `height="${LANE - 6}" fill="${COLOURS[lane % COLOURS.length]}"><title>${about}</title></rect>`
    );
  });
  const title = text(10, 18, `${plan.name}: major frame ${micros(plan.majorFrameNs)}`);
  return [title, ...names, ...windows].join('');
}

function path(name: string, points: readonly (readonly [number, number])[]): string {
  const d = points.map(([x, y], n) => `${n ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`);
  return `<path class="${name}" d="${d.join('')}"/>`;
}

/** A staircase that has risen to `level` from each instant on. */
function stairs(
  rises: readonly { readonly atNs: Nanoseconds; readonly level: number }[],
  x: (ns: Nanoseconds) => number,
  y: (level: number) => number,
  untilNs: Nanoseconds,
): [number, number][] {
  let level = 0;
  const points = rises.flatMap((rise) => {
    const before = level;
    level = rise.level;
    return [
      [x(rise.atNs), y(before)],
      [x(rise.atNs), y(level)],
    ] as [number, number][];
  });
  return [...points, [x(untilNs), y(level)]];
}

function curves(bound: FlowBound): string {
  const { critical, queue, flow, boundNs } = bound;
  const title = text(10, 18, `${flow.id}: ${bound.shortage ? 'does not hold' : 'holds'}`);
  if (!critical || boundNs === null) return title + text(LEFT, 60, 'no bound');
  const { startNs, publishedNs, arrivalNs, pieces, missed, prompt } = critical;
  const untilNs = publishedNs + (publishedNs - startNs) / 10;
  const x = scale(startNs, untilNs);
  const y = (level: number) => PLOT_TOP + PLOT_HEIGHT * (1 - level / (pieces + 1));
  const arrivals = [];
  for (let n = 0; n < STEPS_SHOWN; n++) {
    const { offsetNs, pieces: level } = queue.load.arrivals.step(n);
    if (startNs + offsetNs > untilNs || level > pieces + 1) break;
    arrivals.push({ atNs: startNs + offsetNs, level });
  }
  const served = passage(queue.load, critical).flatMap(({ visit, frameNs, from, to }) =>
    Array.from({ length: Math.min(to, pieces) - from + 1 }, (_, n) => ({
      atNs: prompt ? startNs + visit.promptNs(n + 1) : frameNs + visit.publishedNs(n + 1),
      level: from + n,
    })),
  );
  const middle = y(pieces - 0.5);
  const begin = prompt ? 'a look' : 'cut-off';
  return [
    title,
    path('g', [
      [LEFT, y(0)],
      [WIDTH - RIGHT, y(0)],
    ]),
    path('a', stairs(arrivals, x, y, untilNs)),
    path('b', stairs(served.slice(-STEPS_SHOWN), x, y, untilNs)),
    path('r', [
      [x(arrivalNs), middle],
      [x(publishedNs), middle],
    ]),
    text(x(arrivalNs) + 6, middle - 5, `R = ${micros(boundNs)}`),
    text(LEFT, y(0) + 16, `${begin} of "${missed.window.id}", ${micros(startNs)}`, 'class="s"'),
    text(WIDTH - RIGHT - 120, y(0) + 16, micros(Math.round(untilNs)), 'class="s"'),
    text(10, PLOT_TOP + 20, 'arrivals', 'style="fill:#b03030"'),
    text(10, PLOT_TOP + 40, 'service', 'style="fill:#3060a0"'),
  ].join('');
}

// [impl->req~time.picture~1]
/** The schedule on top, then one panel for each flow: the horizontal distance is its bound. */
export function picture(plan: GatewayPlan, bounds: readonly FlowBound[]): string {
  const top = TITLE + (plan.partitions.length + 1) * LANE + 20;
  const height = top + bounds.length * PANEL;
  const panels = bounds.map(
    (bound, n) => `<g transform="translate(0 ${top + n * PANEL})">${curves(bound)}</g>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}"><style>${STYLE}</style>` +
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>${schedule(plan)}${panels.join('')}</svg>\n`
  );
}
