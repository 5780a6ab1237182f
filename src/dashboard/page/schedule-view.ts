/** The schedule as a Gantt chart: one lane for each partition, one column for each major frame. */
import { byId, setText, svg } from './dom.ts';
import { count, shortTime, time } from './format.ts';
import type { Hello, Visit } from './message.ts';
import {
  framesOf,
  lanesOf,
  plannedBars,
  type Bar,
  type FrameColumn,
  type Lane,
  type PlannedBar,
  type Span,
} from './schedule-model.ts';

const AXIS_PX = 22;
const LANE_PX = 38;
const PLANNED_PX = 24;
const ACTUAL_PX = 12;
const NAMES_PX = 104;
const NAMES_NARROW_PX = 78;
const NARROW_PX = 560;
/** Width of a column when as many are shown as fit. */
const COLUMN_PX = 420;
/** A bar can be seen however short it is. */
const BAR_PX_MIN = 2;
const TICKS = 5;
const COLUMNS_MAX = 8;

interface Chart {
  readonly hello: Hello;
  readonly lanes: readonly Lane[];
  readonly planned: readonly PlannedBar[];
}

/** Where a column lies, in pixels. */
interface Place {
  readonly left: number;
  readonly width: number;
}

export class ScheduleView {
  private readonly gantt = byId('gantt');
  private readonly detail = byId('visit');
  private readonly hold = byId<HTMLButtonElement>('hold');
  private readonly choice = byId<HTMLSelectElement>('frames');
  private chart: Chart | undefined;
  private visits: readonly Visit[] = [];
  private shown: readonly Visit[] = [];
  private selected: number | undefined;

  constructor() {
    this.hold.addEventListener('click', () => this.setHeld(!this.held));
    this.choice.addEventListener('change', () => this.draw());
    this.gantt.addEventListener('keydown', (event) => this.key(event));
    this.gantt.addEventListener('click', (event) => this.point(event));
    new ResizeObserver(() => this.draw()).observe(this.gantt);
  }

  begin(hello: Hello): void {
    this.chart = { hello, lanes: lanesOf(hello), planned: plannedBars(hello) };
    this.visits = this.shown = [];
    this.selected = undefined;
    this.setHeld(false);
  }

  show(visits: readonly Visit[]): void {
    this.visits = visits;
    if (this.held) return;
    this.draw();
  }

  private get held(): boolean {
    return this.hold.getAttribute('aria-pressed') === 'true';
  }

  private setHeld(held: boolean): void {
    this.hold.setAttribute('aria-pressed', String(held));
    if (!held) this.select(undefined);
    this.draw();
  }

  private get width(): number {
    return Math.floor(this.gantt.clientWidth);
  }

  private get columns(): number {
    const chosen = Number(this.choice.value);
    if (chosen > 0) return chosen;
    return Math.max(1, Math.min(COLUMNS_MAX, Math.floor(this.width / COLUMN_PX)));
  }

  private draw(): void {
    const { chart, width } = this;
    if (!chart || width === 0) return;
    if (!this.held) this.shown = this.visits;
    const frames = framesOf(chart.hello, this.shown, this.columns);
    const names = width < NARROW_PX ? NAMES_NARROW_PX : NAMES_PX;
    const height = AXIS_PX + chart.lanes.length * LANE_PX;
    const column = (width - names) / Math.max(1, frames.length);
    const place = (n: number): Place => ({ left: names + n * column, width: column });
    const drawing = svg('svg', { width, height, viewBox: `0 0 ${width} ${height}` });
    drawing.append(...laneBands(chart.lanes, width));
    frames.forEach((frame, n) =>
      drawing.append(this.column(chart, frame, place(n), frames.length - n)),
    );
    drawing.append(...laneNames(chart.lanes, names));
    this.gantt.replaceChildren(drawing);
  }

  private column(chart: Chart, frame: FrameColumn, place: Place, back: number): SVGGElement {
    const height = AXIS_PX + chart.lanes.length * LANE_PX;
    const group = svg('g', { class: 'frame' });
    group.append(...axisOf(chart.hello, frame, place, back, height));
    for (const bar of chart.planned)
      group.append(rectangle(place, bar, bar.lane, PLANNED_PX, { class: 'planned' }));
    for (const bar of frame.bars) group.append(this.visit(chart, bar, place));
    return group;
  }

  private visit(chart: Chart, bar: Bar, place: Place): SVGGElement {
    const { sequence, overrun } = bar.visit;
    const state = overrun > 0 ? 'overrun' : bar.late ? 'late' : 'in-time';
    const group = svg('g', {
      class: 'visit',
      'data-sequence': sequence,
      'data-state': state,
      'data-color': colorOf(chart.lanes[bar.lane]!),
      ...(sequence === this.selected && { 'data-selected': 'true' }),
    });
    group.append(
      rectangle(place, bar.actual, bar.lane, ACTUAL_PX, { class: 'actual' }),
      rectangle(place, bar.serving, bar.lane, ACTUAL_PX, { class: 'serving' }),
    );
    if (bar.late) group.append(lateMark(place, bar));
    return group;
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === 'Escape') this.setHeld(false);
    else if (step) this.move(step);
    else return;
    event.preventDefault();
  }

  /** To the next or the previous of the windows that are drawn. */
  private move(step: number): void {
    const drawn = this.drawn();
    if (drawn.length === 0) return;
    this.hold.setAttribute('aria-pressed', 'true');
    const at = drawn.findIndex(({ visit }) => visit.sequence === this.selected);
    const next = at < 0 ? (step > 0 ? 0 : drawn.length - 1) : at + step;
    this.select(drawn[Math.max(0, Math.min(drawn.length - 1, next))]);
  }

  private point(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target.closest('.visit') : null;
    const sequence = Number(target?.getAttribute('data-sequence') ?? NaN);
    const bar = this.drawn().find(({ visit }) => visit.sequence === sequence);
    if (!bar) return;
    this.hold.setAttribute('aria-pressed', 'true');
    this.select(bar);
  }

  private drawn(): Bar[] {
    const { chart } = this;
    if (!chart) return [];
    return framesOf(chart.hello, this.shown, this.columns).flatMap(({ bars }) => bars);
  }

  private select(bar: Bar | undefined): void {
    this.selected = bar?.visit.sequence;
    setText(
      this.detail,
      bar && this.chart ? detailOf(this.chart.hello, bar) : 'Choose a window to see its figures.',
    );
    this.draw();
  }
}

function colorOf({ partition }: Lane): number | string {
  return partition < 0 ? 'gateway' : partition % 6;
}

function laneTop(lane: number): number {
  return AXIS_PX + lane * LANE_PX;
}

function laneBands(lanes: readonly Lane[], width: number): SVGElement[] {
  return lanes.map((_, n) =>
    svg('rect', {
      class: n % 2 === 0 ? 'band even' : 'band',
      x: 0,
      y: laneTop(n),
      width,
      height: LANE_PX,
    }),
  );
}

function laneNames(lanes: readonly Lane[], width: number): SVGElement[] {
  return lanes.map((lane, n) => {
    const at = { x: 4, y: laneTop(n) + LANE_PX / 2 };
    const name = svg('text', { class: 'lane', 'data-color': colorOf(lane), ...at }, lane.name);
    if (lane.name.length * 7.2 > width - 10) {
      name.setAttribute('textLength', String(width - 12));
      name.setAttribute('lengthAdjust', 'spacingAndGlyphs');
    }
    return name;
  });
}

function axisOf(
  hello: Hello,
  frame: FrameColumn,
  { left, width }: Place,
  back: number,
  height: number,
): SVGElement[] {
  const marks: SVGElement[] = [];
  for (let n = 0; n < TICKS; n++) {
    const x = left + (n * width) / TICKS;
    const kind = n === 0 ? 'frame-line' : 'tick-line';
    marks.push(svg('line', { class: kind, x1: x, x2: x, y1: n === 0 ? 0 : AXIS_PX, y2: height }));
    const skipped = frame.skipped > 0 ? ` (${frame.skipped} skipped)` : '';
    const start = back === 1 ? 'last frame' : `${back - 1} before`;
    const label = n === 0 ? start + skipped : shortTime((n * hello.majorFrameNs) / TICKS);
    // The first tick would stand under the name of the frame where columns are narrow.
    if (n === 0 || width / TICKS > (n === 1 ? 78 : 46))
      marks.push(svg('text', { class: 'tick', x: x + 4, y: 14 }, label));
  }
  return marks;
}

function rectangle(
  { left, width }: Place,
  { from, to }: Span,
  lane: number,
  height: number,
  attributes: Record<string, string>,
): SVGRectElement {
  return svg('rect', {
    ...attributes,
    x: (left + from * width).toFixed(2),
    y: laneTop(lane) + (LANE_PX - height) / 2,
    width: Math.max(to > from ? BAR_PX_MIN : 0, (to - from) * width).toFixed(2),
    height,
    rx: 2,
  });
}

/** A triangle where a window began late: not by colour alone. */
function lateMark({ left, width }: Place, { actual, lane }: Bar): SVGElement {
  const x = left + actual.from * width;
  const y = laneTop(lane) + 5;
  return svg('path', { class: 'late-mark', d: `M${x - 4} ${y - 3}h8l-4 7z` });
}

function detailOf(hello: Hello, { window, visit, lateNs }: Bar): string {
  const end = visit.endedNs - visit.plannedNs;
  const partition = hello.partitions[window.partition]?.id ?? 'gateway';
  const cause = hello.overrunCauses[visit.overrun - 1];
  return [
    `${window.id} (${partition}), visit ${count(visit.sequence)}:`,
    `planned ${time(window.offsetNs)} + ${time(window.durationNs)},`,
    `started ${time(lateNs)} late, ended ${time(end)} after its planned start;`,
    `${count(visit.requests)} requests in ${time(visit.busyNs)}`,
    cause ? `; late end, cause: ${cause}` : '',
  ].join(' ');
}
