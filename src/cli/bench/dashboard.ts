/** `bench dashboard`: how late windows start while somebody looks, and in between. */
import { present } from '../../base/assert.ts';
import { loadConfig } from '../../control-plane/config/load-config.ts';
import { Gateway } from '../../control-plane/gateway.ts';
import { runReport } from '../../control-plane/run-report.ts';
import { packagePath } from '../../host/files.ts';
import { compilePlan } from '../../schedule/compile-plan.ts';
import { openDashboard } from '../run-dashboard.ts';
import { clientsMissing } from '../clients/missing-clients.ts';
import { pause, until } from '../clients/wait.ts';
import { textTable, us } from '../text-table.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { spreadOf, type Spread } from './spread.ts';
import { Browser, Reader, type SwitchedViewer } from './viewers.ts';

const CONFIG = 'config/cockpit.json';
const VISITS_MAX = 4000;

interface Phases {
  readonly pairs: number;
  /** Of each phase; what comes before it, while a viewer comes or goes, is not measured. */
  readonly seconds: number;
  /** A viewer that has not come or gone by then never will. */
  readonly patienceMs: number;
  /** After it has. */
  readonly settleMs: number;
  /** Pairs are pooled in so many blocks, and each gives one ratio. */
  readonly blocks: number;
}

const PHASES: Readonly<Record<'reader' | 'browser', Phases>> = {
  /** Short, so that what else happens on the machine falls on both sides alike. */
  reader: { pairs: 60, seconds: 2, patienceMs: 10_000, settleMs: 500, blocks: 6 },
  /** A browser takes seconds to start, which are not measured. */
  browser: { pairs: 6, seconds: 6, patienceMs: 30_000, settleMs: 8000, blocks: 6 },
};

/** Lateness of window starts in nanoseconds. */
interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One kind of viewer; phases with and without it alternate on one running gateway. */
interface Observation {
  readonly alone: Lateness;
  readonly lookedAt: Lateness;
  readonly ratioP99: number;
  readonly blocks: Spread;
}

interface Observations {
  readonly reader: Observation;
  /** Null where there is no Chromium. */
  readonly browser: Observation | null;
}

function latenessOf(visits: readonly number[]): Lateness {
  const sorted = visits.toSorted((one, other) => one - other);
  const quantile = (q: number) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
  return { p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999), max: quantile(1) };
}

/** A running gateway with its dashboard. */
class Watched {
  readonly gateway: Gateway;
  url = '';
  private dashboard: Awaited<ReturnType<typeof openDashboard>>;

  constructor() {
    const configFile = packagePath(CONFIG);
    const config = present(loadConfig(configFile).config, CONFIG);
    this.gateway = new Gateway(compilePlan(config), config, { configFile });
  }

  async start(): Promise<void> {
    const { gateway } = this;
    const say = (line: string) => (this.url = line.replace('dashboard: ', ''));
    const numbers = () => this.numbers();
    const identity = { sha256: '', name: gateway.plan.name, revision: 1 };
    const watched = { gateway, identity, numbers, sinceStartNs: () => 0, say };
    this.dashboard = await openDashboard(watched, 0);
    gateway.start();
    await until(() => gateway.windowTrace.written > 0, 'the first window starts');
  }

  private numbers() {
    const { plan, counters, guests, partitions, events, safeState } = this.gateway;
    return runReport({
      plan,
      counters,
      config: { sha256: '', name: plan.name, revision: 1 },
      durationNs: 0,
      modes: plan.partitions.map(({ index }) => partitions.mode(index)),
      statistics: guests.map((guest) => guest.statistics),
      lostEvents: events.lost,
      safeState,
    });
  }

  /** Lateness of each window start of so many seconds, while this many look. */
  async phase(phases: Phases, viewers: number): Promise<number[]> {
    const { seconds, settleMs, patienceMs } = phases;
    const { windowTrace } = this.gateway;
    const dashboard = this.dashboard!;
    await until(() => dashboard.viewerCount === viewers, `${viewers} look`, patienceMs);
    await pause(settleMs);
    const from = windowTrace.written;
    await pause(seconds * 1000);
    const visits = windowTrace.since(from, VISITS_MAX);
    const { viewerCount } = dashboard;
    if (viewerCount !== viewers) throw new Error(`${viewerCount} look, not ${viewers}`);
    return visits.map(({ plannedNs, startedNs }) => startedNs - plannedNs);
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.dashboard?.close(this.numbers());
  }
}

async function observe(
  watched: Watched,
  viewer: SwitchedViewer,
  phases: Phases,
): Promise<Observation> {
  const alone: number[][] = [];
  const lookedAt: number[][] = [];
  try {
    for (let n = 0; n < phases.pairs; n++) {
      await viewer.look(false);
      alone.push(await watched.phase(phases, 0));
      await viewer.look(true);
      lookedAt.push(await watched.phase(phases, 1));
    }
  } finally {
    await viewer.close();
  }
  const pooled = (runs: readonly number[][], from = 0, to = runs.length) =>
    latenessOf(runs.slice(from, to).flat());
  const perBlock = phases.pairs / phases.blocks;
  const ratios = Array.from({ length: phases.blocks }, (_, n) => {
    const block = [n * perBlock, (n + 1) * perBlock] as const;
    return pooled(lookedAt, ...block).p99 / pooled(alone, ...block).p99;
  });
  const [one, other] = [pooled(alone), pooled(lookedAt)];
  const ratioP99 = other.p99 / one.p99;
  return { alone: one, lookedAt: other, ratioP99, blocks: spreadOf(ratios) };
}

async function measured(progress: Progress, phases: typeof PHASES): Promise<Observations> {
  const watched = new Watched();
  await watched.start();
  try {
    progress('a reader comes and goes');
    const reader = await observe(watched, new Reader(watched.url), phases.reader);
    if (clientsMissing(['chromium']).length > 0) return { reader, browser: null };
    progress('a browser comes and goes');
    return { reader, browser: await observe(watched, new Browser(watched.url), phases.browser) };
  } finally {
    await watched.stop();
  }
}

function textOf({ reader, browser }: Observations): string {
  const row = (name: string, { p50, p99, p999, max }: Lateness) =>
    [name, us(p50), us(p99), us(p999), us(max)] as const;
  const rows = (name: string, observation: Observation | null) =>
    observation
      ? [row(`without a ${name}`, observation.alone), row(`with a ${name}`, observation.lookedAt)]
      : [];
  const shown = ({ ratioP99, blocks: { median, min, max } }: Observation) =>
    `${ratioP99.toFixed(2)}, by blocks ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  const head = ['', 'p50', 'p99', 'p99.9', 'max'];
  return [
    'lateness of window starts, in alternating phases of one run',
    textTable([head, ...rows('reader', reader), ...rows('browser', browser)]),
    `p99 with a reader over p99 without: ${shown(reader)}`,
    browser ? `with a browser that draws: ${shown(browser)}` : 'chromium is missing: not measured',
  ].join('\n');
}

export async function dashboard(progress: Progress, phases = PHASES): Promise<BenchResult> {
  const observations = await measured(progress, phases);
  const compared = 'alternating phases of one run: nobody looks, somebody does';
  return { document: { compared, ...observations }, text: textOf(observations) };
}
