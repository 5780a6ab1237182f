/** The latency of one flow: a histogram with its bound and deadline drawn in, and its figures. */
import uPlot from '/uplot.js';
import { byId, html, setFigure, styleOf } from './dom.ts';
import { count, shortTime, time } from './format.ts';
import {
  labelsOf,
  marksOf,
  NOTHING,
  rangeOf,
  stepsOf,
  ticksOf,
  type Mark,
  type Steps,
} from './latency-model.ts';
import type { FlowLatency, FlowNumbers, LatencyBar, Numbers } from './message.ts';

const HEIGHT_PX = 220;
const LOGARITHMIC = 3;
const FIGURES = [
  ['minNs', 'min'],
  ['p50Ns', 'p50'],
  ['p99Ns', 'p99'],
  ['p999Ns', 'p99.9'],
  ['maxNs', 'max'],
  ['boundNs', 'bound'],
  ['deadlineNs', 'deadline'],
  ['requests', 'requests'],
  ['violations', 'late'],
  ['hostBreaches', 'late by the host'],
] as const;
const COUNTS: readonly string[] = ['requests', 'violations', 'hostBreaches'];

const MARK_STYLES: Readonly<Record<Mark['kind'], { color: string; dash: number[] }>> = {
  bound: { color: '--bad', dash: [] },
  deadline: { color: '--warn', dash: [6, 4] },
  measured: { color: '--muted', dash: [2, 3] },
};

export class LatencyView {
  private readonly place = byId('plot');
  private readonly choice = byId<HTMLSelectElement>('flow');
  private readonly figures = byId('flow-figures');
  private readonly cells = new Map<string, HTMLElement>();
  private readonly bars = new Map<string, readonly LatencyBar[]>();
  private flows: readonly FlowNumbers[] = [];
  private steps: Steps = { fromNs: [], counts: [] };
  private plot: uPlot | undefined;
  private title = '';

  constructor() {
    this.choice.addEventListener('change', () => this.draw());
    addEventListener('themechange', () => this.rebuild());
    new ResizeObserver(() => this.resize()).observe(this.place);
    for (const [key, name] of FIGURES) {
      const value = html('dd', { 'data-figure': key });
      this.cells.set(key, value);
      this.figures.append(html('div', {}, html('dt', {}, name), value));
    }
  }

  begin(): void {
    this.bars.clear();
    this.choice.replaceChildren();
  }

  showNumbers({ flows }: Numbers): void {
    this.flows = flows;
    const known = new Set([...this.choice.options].map(({ value }) => value));
    for (const { id } of flows)
      if (!known.has(id)) this.choice.append(html('option', { value: id }, id));
    this.drawFigures();
  }

  showLatency(flows: readonly FlowLatency[]): void {
    for (const { id, bars } of flows) this.bars.set(id, bars);
    this.draw();
  }

  private get flow(): FlowNumbers | undefined {
    return this.flows.find(({ id }) => id === this.choice.value);
  }

  private drawFigures(): void {
    const { flow } = this;
    if (!flow) return;
    for (const [key] of FIGURES) {
      const cell = this.cells.get(key)!;
      const value = flow[key];
      cell.parentElement!.hidden = value === null;
      if (value === null) continue;
      setFigure(cell, value, COUNTS.includes(key) ? count(value) : time(value));
      cell.toggleAttribute('data-alarm', key === 'violations' && value > 0);
    }
  }

  private draw(): void {
    this.drawFigures();
    const { flow } = this;
    if (!flow) return;
    this.steps = stepsOf(this.bars.get(flow.id) ?? []);
    this.place.setAttribute('aria-label', summaryOf(flow));
    this.title = flow.id;
    if (!this.plot) this.rebuild();
    else this.plot.setData(this.data);
  }

  private get data(): uPlot.AlignedData {
    return [[...this.steps.fromNs], [...this.steps.counts]];
  }

  private resize(): void {
    this.plot?.setSize({ width: this.place.clientWidth, height: HEIGHT_PX });
  }

  private rebuild(): void {
    this.plot?.destroy();
    this.plot = undefined;
    if (!this.title || this.place.clientWidth === 0) return;
    this.plot = new uPlot(this.options(), this.data, this.place);
  }

  private get marks(): Mark[] {
    const { flow } = this;
    return flow ? marksOf(flow) : [];
  }

  private options(): uPlot.Options {
    const axis = {
      stroke: styleOf('--muted'),
      grid: { stroke: styleOf('--line'), width: 1 },
      ticks: { stroke: styleOf('--line'), width: 1 },
      font: '12px system-ui, sans-serif',
      splits: (_plot: uPlot, _axis: number, min: number, max: number) => ticksOf(min, max),
      filter: (_plot: uPlot, values: number[]) => values,
    };
    return {
      width: this.place.clientWidth,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, distr: LOGARITHMIC, range: () => rangeOf(this.steps, this.marks) },
        y: { distr: LOGARITHMIC, range: (_plot, _min, max) => [NOTHING, Math.max(10, max * 2)] },
      },
      axes: [
        { ...axis, values: (_plot, values) => labelsOf(values, shortTime) },
        { ...axis, size: 56, values: (_plot, values) => labelsOf(values, count) },
      ],
      series: [
        {},
        {
          stroke: styleOf('--accent'),
          fill: styleOf('--accent-soft'),
          width: 1.5,
          points: { show: false },
          paths: uPlot.paths.stepped!({ align: 1 }),
          fillTo: NOTHING,
        },
      ],
      hooks: { draw: [(plot) => this.drawMarks(plot)] },
    };
  }

  private drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    this.marks.forEach(({ ns, name, kind }, n) => {
      const { color, dash } = MARK_STYLES[kind];
      const x = plot.valToPos(ns, 'x', true);
      ctx.strokeStyle = ctx.fillStyle = styleOf(color);
      ctx.lineWidth = (kind === 'measured' ? 1 : 2) * devicePixelRatio;
      ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.textAlign = x > bbox.left + bbox.width / 2 ? 'right' : 'left';
      const gap = (ctx.textAlign === 'right' ? -5 : 5) * devicePixelRatio;
      ctx.setLineDash([]);
      ctx.strokeStyle = styleOf('--panel');
      ctx.lineWidth = 4 * devicePixelRatio;
      ctx.strokeText(name, x + gap, bbox.top + (13 + 15 * n) * devicePixelRatio);
      ctx.fillText(name, x + gap, bbox.top + (13 + 15 * n) * devicePixelRatio);
    });
    ctx.restore();
  }
}

/** The picture in words. */
function summaryOf(flow: FlowNumbers): string {
  const bound = flow.boundNs === null ? '' : ` bound ${time(flow.boundNs)},`;
  return (
    `Histogram of the latency of ${flow.id}: ${count(flow.requests)} requests, ` +
    `half within ${time(flow.p50Ns)}, 99.9 % within ${time(flow.p999Ns)}, ` +
    `longest ${time(flow.maxNs)};${bound} deadline ${time(flow.deadlineNs)}`
  );
}
