/**
 * Part of `bench gpu`: the cockpit with a guest that floods its GPU below the cluster's plane, and
 * with one that does nothing there, in alternating runs.
 */
import { present } from '../../base/assert.ts';
import type { Histogram } from '../../base/histogram.ts';
import { QueueCounter, RegionCounter } from '../../channel/counters.ts';
import { loadConfig } from '../../control-plane/config/load-config.ts';
import { Gateway } from '../../control-plane/gateway.ts';
import { packagePath } from '../../host/files.ts';
import { after } from '../../host/timers.ts';
import { compilePlan } from '../../schedule/compile-plan.ts';
import type { EmbeddedProgram, GatewayConfig } from '../../schedule/gateway-config.ts';
import { favoured } from '../clients/favour.ts';
import { textTable, us } from '../text-table.ts';
import type { Progress } from './bench-result.ts';
import { spreadOf, type Spread } from './spread.ts';

const CONFIG = 'config/cockpit.json';
const NEIGHBOUR = 'infotainment';
const PAIRS = 5;
const SECONDS = 6;

interface Quantiles {
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
}

/** One run; times from the planned start of a window to publication, by flow. */
interface Run {
  readonly publication: Readonly<Record<string, Quantiles>>;
  readonly windowStartJitter: Quantiles;
  readonly pictures: number;
  readonly mismatches: number;
  readonly neighbourRequests: number;
}

function quantilesOf(histogram: Histogram): Quantiles {
  return {
    p50Ns: histogram.quantile(0.5),
    p99Ns: histogram.quantile(0.99),
    p999Ns: histogram.quantile(0.999),
  };
}

/** The cockpit with another program for the neighbour. */
function withNeighbour(config: GatewayConfig, program: EmbeddedProgram): GatewayConfig {
  return {
    ...config,
    partitions: config.partitions.map((partition) =>
      partition.id === NEIGHBOUR
        ? { ...partition, guest: { type: 'embedded', program } }
        : partition,
    ),
  };
}

async function runFor(config: GatewayConfig, seconds: number): Promise<Run> {
  const configFile = packagePath(CONFIG);
  const gateway = new Gateway(compilePlan(config), config, { configFile });
  gateway.start();
  await new Promise<void>((resolve) => {
    after(seconds * 1000, resolve);
  });
  await gateway.stop();
  const { counters, plan } = gateway;
  const flood = present(
    plan.queues.find(({ name }) => name === `${NEIGHBOUR}.gpu0.controlq`),
    'the queue of the neighbour',
  );
  const cluster = present(
    plan.planes.find(({ id }) => id.endsWith('.cluster')),
    'the plane of the cluster',
  );
  return {
    publication: Object.fromEntries(
      plan.flows.map(({ index, id }) => [id, quantilesOf(counters.flowPublication(index))]),
    ),
    windowStartJitter: quantilesOf(counters.windowStartJitter),
    pictures: counters.planeLatency(cluster.index).count,
    mismatches: counters.region(0, RegionCounter.MISMATCHES),
    neighbourRequests: counters.queue(flood.index, QueueCounter.REQUESTS),
  };
}

export interface NeighbourFlow {
  readonly id: string;
  readonly p999NsQuiet: number;
  readonly p999NsFlooded: number;
  /** Flooded less quiet, pair by pair. */
  readonly growthNs: Spread;
}

export interface GpuNeighbour {
  readonly pairs: number;
  readonly seconds: number;
  readonly flows: readonly NeighbourFlow[];
  /** Growth of the lateness of window starts, which is the host's. */
  readonly windowStartGrowthNs: Spread;
  readonly quiet: readonly Run[];
  readonly flooded: readonly Run[];
}

export function neighbourText(result: GpuNeighbour): string {
  const { flows, pairs, seconds, windowStartGrowthNs } = result;
  const shown = ({ median, min, max }: Spread) => `${us(median)} (${us(min)} to ${us(max)})`;
  return [
    `p99.9 of publication after window start, ${pairs} pairs of ${seconds} s: a neighbour that idles, ` +
      'and one that floods its GPU',
    textTable([
      ['flow', 'idle', 'floods', 'grows by'],
      ...flows.map((flow) => [
        ...[flow.id, us(flow.p999NsQuiet), us(flow.p999NsFlooded)],
        shown(flow.growthNs),
      ]),
    ]),
    `window starts, which are the host's: ${shown(windowStartGrowthNs)}`,
  ].join('\n');
}

/** Alternating pairs of runs. */
export async function gpuNeighbour(
  progress: Progress,
  pairs = PAIRS,
  seconds = SECONDS,
): Promise<GpuNeighbour> {
  const { config } = loadConfig(packagePath(CONFIG));
  const cockpit = present(config, CONFIG);
  const quiet: Run[] = [];
  const flooded: Run[] = [];
  await favoured(async () => {
    for (let n = 0; n < pairs; n++) {
      progress(`neighbour ${n + 1} of ${pairs}`);
      quiet.push(await runFor(withNeighbour(cockpit, 'echo'), seconds));
      flooded.push(await runFor(withNeighbour(cockpit, 'gpu-babbler'), seconds));
    }
  });
  const growth = (of: (run: Run) => number) =>
    spreadOf(flooded.map((run, n) => of(run) - of(quiet[n]!)));
  const p999 = (id: string) => (run: Run) => run.publication[id]!.p999Ns;
  return {
    pairs,
    seconds,
    flows: cockpit.flows.map(({ id }) => ({
      id,
      p999NsQuiet: spreadOf(quiet.map(p999(id))).median,
      p999NsFlooded: spreadOf(flooded.map(p999(id))).median,
      growthNs: growth(p999(id)),
    })),
    windowStartGrowthNs: growth((run) => run.windowStartJitter.p999Ns),
    quiet,
    flooded,
  };
}
