/** The last major frames as lanes and bars, in shares of a major frame; nothing is drawn here. */
import type { Hello, Visit, WindowPlan } from './message.ts';

export interface Lane {
  /** Index of the partition, -1 for the gateway's own windows. */
  readonly partition: number;
  readonly name: string;
}

/** A span of a major frame: 0 is its start, 1 its end; what ends late may lie beyond. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Bar {
  readonly visit: Visit;
  readonly window: WindowPlan;
  readonly lane: number;
  readonly actual: Span;
  /** The served time, laid at the start of the actual one. */
  readonly serving: Span;
  readonly lateNs: number;
  readonly late: boolean;
}

export interface PlannedBar extends Span {
  readonly lane: number;
}

export interface FrameColumn {
  readonly startNs: number;
  readonly bars: readonly Bar[];
  /** Major frames that were left out before this one. */
  readonly skipped: number;
}

export function lanesOf({ partitions, windows }: Hello): Lane[] {
  const lanes = partitions.map(({ id }, partition) => ({ partition, name: id }));
  const gateway = windows.some(({ partition }) => partition < 0);
  return gateway ? [...lanes, { partition: -1, name: 'gateway' }] : lanes;
}

function laneOf({ partitions }: Hello, { partition }: WindowPlan): number {
  return partition < 0 ? partitions.length : partition;
}

/** The plan of every major frame. */
export function plannedBars(hello: Hello): PlannedBar[] {
  return hello.windows.map((window) => ({
    lane: laneOf(hello, window),
    from: window.offsetNs / hello.majorFrameNs,
    to: (window.offsetNs + window.durationNs) / hello.majorFrameNs,
  }));
}

function barOf(hello: Hello, visit: Visit, frameStartNs: number): Bar | undefined {
  const window = hello.windows[visit.window];
  if (!window) return undefined;
  const share = (ns: number) => (ns - frameStartNs) / hello.majorFrameNs;
  const lateNs = visit.startedNs - visit.plannedNs;
  const servedUntilNs = Math.min(visit.startedNs + visit.busyNs, visit.endedNs);
  return {
    visit,
    window,
    lane: laneOf(hello, window),
    actual: { from: share(visit.startedNs), to: share(visit.endedNs) },
    serving: { from: share(visit.startedNs), to: share(servedUntilNs) },
    lateNs,
    late: lateNs > hello.windowSwitchNs,
  };
}

/** The last `count` major frames of these visits that are complete, oldest first. */
export function framesOf(hello: Hello, visits: readonly Visit[], count: number): FrameColumn[] {
  const frames = new Map<number, Bar[]>();
  for (const visit of visits) {
    const startNs = visit.plannedNs - (hello.windows[visit.window]?.offsetNs ?? 0);
    const bar = barOf(hello, visit, startNs);
    if (!bar) continue;
    const bars = frames.get(startNs);
    if (bars) bars.push(bar);
    else frames.set(startNs, [bar]);
  }
  const columns = [...frames].sort(([one], [other]) => one - other);
  // The newest is under way, unless all its windows have been visited.
  if (columns.length > 1 && columns.at(-1)![1].length < hello.windows.length) columns.pop();
  return columns
    .map(([startNs, bars], n) => {
      const before = columns[n - 1]?.[0] ?? startNs - hello.majorFrameNs;
      return { startNs, bars, skipped: Math.round((startNs - before) / hello.majorFrameNs) - 1 };
    })
    .slice(-count);
}
