/** `bench interference`: the cockpit with its babbler flooding and silent, in alternating runs. */
import { loadConfig } from '../../control-plane/config/load-config.ts';
import { Gateway } from '../../control-plane/gateway.ts';
import { packagePath } from '../../host/files.ts';
import { after } from '../../host/timers.ts';
import { compilePlan } from '../../schedule/compile-plan.ts';
import type { GatewayConfig } from '../../schedule/gateway-config.ts';
import { present } from '../../base/assert.ts';
import { spreadOf, type Spread } from './spread.ts';

const CONFIG = 'config/cockpit.json';

/** What one run showed; times in nanoseconds. */
interface Run {
  /** From the planned start of the window to publication. */
  readonly publicationNs: { readonly p50: number; readonly p99: number; readonly p999: number };
  readonly windowStartJitterNs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
  };
  readonly sent: number;
  readonly delivered: number;
}

/** The same system with a guest in place of the babbler that only answers. */
function silenced(config: GatewayConfig): GatewayConfig {
  return {
    ...config,
    partitions: config.partitions.map((partition) =>
      partition.guest.type === 'embedded' && partition.guest.program === 'babbler'
        ? { ...partition, guest: { type: 'embedded', program: 'echo' } }
        : partition,
    ),
  };
}

async function runFor(config: GatewayConfig, seconds: number): Promise<Run> {
  const gateway = new Gateway(compilePlan(config), config);
  gateway.start();
  await new Promise<void>((resolve) => {
    after(seconds * 1000, resolve);
  });
  await gateway.stop();
  const { counters, plan } = gateway;
  const flow = present(plan.flows[0], 'the flow of the cockpit');
  const quantiles = (histogram: { quantile(q: number): number }) => ({
    p50: histogram.quantile(0.5),
    p99: histogram.quantile(0.99),
    p999: histogram.quantile(0.999),
  });
  return {
    publicationNs: quantiles(counters.flowPublication(flow.index)),
    windowStartJitterNs: quantiles(counters.windowStartJitter),
    ...counters.delivery(flow.route),
  };
}

export interface Interference {
  readonly flow: string;
  readonly quiet: readonly Run[];
  readonly flooded: readonly Run[];
  /** Growth of p99.9 from quiet to flooded, pair by pair: of publication, and of window starts. */
  readonly publicationGrowthNs: Spread;
  readonly windowStartGrowthNs: Spread;
  readonly ratio: number;
}

/** Alternating runs of `seconds` seconds each. */
export async function interference(pairs: number, seconds: number): Promise<Interference> {
  const { config } = loadConfig(packagePath(CONFIG));
  const flooding = present(config, CONFIG);
  const quiet: Run[] = [];
  const flooded: Run[] = [];
  for (let n = 0; n < pairs; n++) {
    quiet.push(await runFor(silenced(flooding), seconds));
    flooded.push(await runFor(flooding, seconds));
  }
  const growth = (of: (run: Run) => number) =>
    spreadOf(flooded.map((run, n) => of(run) - of(quiet[n]!)));
  return {
    flow: present(flooding.flows[0], 'a flow').id,
    quiet,
    flooded,
    publicationGrowthNs: growth((run) => run.publicationNs.p999),
    windowStartGrowthNs: growth((run) => run.windowStartJitterNs.p999),
    ratio: spreadOf(flooded.map((run, n) => run.publicationNs.p999 / quiet[n]!.publicationNs.p999))
      .median,
  };
}
