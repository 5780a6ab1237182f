/** What `run` shows a person: a table that stays in place on a terminal, plain lines otherwise. */
import type { RunReport } from '../control-plane/run-report.ts';
import { textTable, us } from './text-table.ts';

function windowTable(report: RunReport): string {
  const rows = report.windows
    .filter((window) => window.partition !== null)
    .map((window) => [
      window.id,
      window.partition!,
      String(window.requests),
      us(window.visits > 0 ? window.spentNs / window.visits : 0),
      us(window.budgetNs),
      `${(100 * (window.visits > 0 ? window.spentNs / window.visits / window.budgetNs : 0)).toFixed(1)} %`,
    ]);
  return textTable([['window', 'partition', 'served', 'spent', 'budget', 'used'], ...rows]);
}

function flowTable(report: RunReport): string {
  const rows = report.flows.map((flow) => [
    flow.id,
    String(flow.sent ?? flow.requests),
    String(flow.delivered ?? '-'),
    us(flow.p50Ns),
    us(flow.p99Ns),
    us(flow.p999Ns),
    us(flow.maxNs),
    flow.boundNs === null ? '-' : us(flow.boundNs),
    us(flow.deadlineNs),
    String(flow.violations),
    String(flow.hostBreaches),
  ]);
  return textTable([
    [
      'flow',
      'sent',
      'delivered',
      'p50',
      'p99',
      'p99.9',
      'max',
      'bound',
      'deadline',
      'late',
      'host',
    ],
    ...rows,
  ]);
}

function routeTable(report: RunReport): string {
  const rows = report.routes.map((route) => [
    route.id,
    String(route.sent),
    String(route.delivered),
    Object.entries(route.dropped)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ') || '-',
  ]);
  return textTable([['route', 'sent', 'delivered', 'dropped'], ...rows]);
}

function displayTable(report: RunReport): string[] {
  const rows = report.displays.flatMap(({ planes }) =>
    planes.map(({ id, composed, latency, regions }) => [
      id,
      String(composed),
      us(latency.p50Ns),
      us(latency.p99Ns),
      us(latency.p999Ns),
      us(latency.maxNs),
      regions.length === 0 ? '-' : String(sumOf(regions, ({ checks }) => checks)),
      regions.length === 0 ? '-' : String(sumOf(regions, ({ mismatches }) => mismatches)),
      regions.length === 0 ? '-' : String(sumOf(regions, ({ frozen }) => frozen)),
    ]),
  );
  if (rows.length === 0) return [];
  const titles = ['plane', 'composed', 'p50', 'p99', 'p99.9', 'max', 'checks', 'wrong', 'frozen'];
  return [textTable([titles, ...rows]), ''];
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

function statusLine(report: RunReport): string {
  const jitter = report.windowStartJitterNs;
  const states = report.partitions
    .map((partition) => `${partition.id} ${partition.state}`)
    .join(', ');
  return (
    `${report.majorFrames} major frames, ${report.skippedMajorFrames} skipped; window start late by ` +
    `p50 ${us(jitter.p50)}, p99.9 ${us(jitter.p999)}, max ${us(jitter.max)}; ${states}`
  );
}

export function finalTable(report: RunReport): string {
  const publication = report.flows.map(
    (flow) =>
      `${flow.id}: published after window start ` +
      `p50 ${us(flow.publicationAfterWindowStart.p50Ns)}, p99.9 ${us(flow.publicationAfterWindowStart.p999Ns)}`,
  );
  return [
    windowTable(report),
    '',
    routeTable(report),
    '',
    flowTable(report),
    ...publication,
    '',
    ...displayTable(report),
    statusLine(report),
  ].join('\n');
}

export class LiveTable {
  private readonly out: NodeJS.WriteStream;
  private lines = 0;

  constructor(out: NodeJS.WriteStream) {
    this.out = out;
  }

  show(report: RunReport): void {
    if (!this.out.isTTY) {
      this.out.write(`${statusLine(report)}\n`);
      return;
    }
    const text = [
      windowTable(report),
      '',
      flowTable(report),
      '',
      ...displayTable(report),
      statusLine(report),
    ].join('\n');
    this.end();
    this.out.write(`${text}\n`);
    this.lines = text.split('\n').length;
  }

  /** Removes the table, so that what follows stands in its place. */
  end(): void {
    if (this.lines > 0) this.out.write(`\x1b[${this.lines}A\x1b[0J`);
    this.lines = 0;
  }
}
