/** A latency histogram as steps for a plot with two logarithmic axes. */
import type { FlowNumbers, LatencyBar } from './message.ts';

/** Steps per power of two: fewer than were measured, so that the outline is calm. */
const STEPS = 6;
/** Where nothing was counted a logarithmic axis needs something above 0. */
export const NOTHING = 0.5;

export interface Steps {
  /** Where a step begins, in nanoseconds. */
  readonly fromNs: readonly number[];
  readonly counts: readonly number[];
}

function stepOf(ns: number): number {
  return Math.floor(STEPS * Math.log2(Math.max(1, ns)));
}

function edgeOf(step: number): number {
  return 2 ** (step / STEPS);
}

/** A bar belongs to the step of its upper end, so that nothing looks faster than it was. */
export function stepsOf(bars: readonly LatencyBar[]): Steps {
  const sums = new Map<number, number>();
  for (const { toNs, count } of bars) {
    const step = stepOf(toNs);
    sums.set(step, (sums.get(step) ?? 0) + count);
  }
  const filled = [...sums.keys()].sort((one, other) => one - other);
  const fromNs: number[] = [];
  const counts: number[] = [];
  for (const step of filled) {
    fromNs.push(edgeOf(step));
    counts.push(sums.get(step)!);
    if (sums.has(step + 1)) continue;
    fromNs.push(edgeOf(step + 1));
    counts.push(NOTHING);
  }
  return { fromNs, counts };
}

/** A vertical line of the plot. */
export interface Mark {
  readonly ns: number;
  readonly name: string;
  readonly kind: 'bound' | 'deadline' | 'measured';
}

/** What is proven, what is demanded and what was measured last. */
export function marksOf(flow: FlowNumbers): Mark[] {
  const marks: Mark[] = [];
  if (flow.boundNs !== null) marks.push({ ns: flow.boundNs, name: 'bound', kind: 'bound' });
  marks.push({ ns: flow.deadlineNs, name: 'deadline', kind: 'deadline' });
  if (flow.maxNs > 0) marks.push({ ns: flow.maxNs, name: 'max', kind: 'measured' });
  return marks;
}

/** From below the shortest to above the longest of what is drawn. */
export function rangeOf(steps: Steps, marks: readonly Mark[]): [number, number] {
  const all = [...steps.fromNs, ...marks.map(({ ns }) => ns)];
  return [Math.max(1, Math.min(...all) / 1.5), Math.max(...all) * 1.5];
}

const TICKS_PER_DECADE = [1, 2, 5];
/** With fewer powers of ten than this between them, ticks at 2 and 5 are labelled too. */
const POWERS_LABELLED_MIN = 3;

/** Ticks of a logarithmic axis: 1, 2 and 5 of each decade. */
export function ticksOf(min: number, max: number): number[] {
  const ticks: number[] = [];
  for (let decade = Math.floor(Math.log10(min)); 10 ** decade <= max; decade++)
    ticks.push(...TICKS_PER_DECADE.map((n) => n * 10 ** decade));
  return ticks.filter((tick) => tick >= min && tick <= max);
}

/** A label for each power of ten, and for every tick where those are few. */
export function labelsOf(ticks: readonly number[], format: (tick: number) => string): string[] {
  const isPower = (tick: number) => /^10*$/.test(String(tick));
  const all = ticks.filter(isPower).length < POWERS_LABELLED_MIN;
  return ticks.map((tick) => (all || isPower(tick) ? format(tick) : ''));
}
