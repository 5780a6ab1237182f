/** `bench NAME`: one bench per published claim. */
import { inlineGenerously } from '../host/engine.ts';
import { machine } from '../host/machine.ts';
import { parseArguments, UsageError, type CommandShape } from './arguments.ts';
import { forwardingAt } from './bench/forwarding.ts';
import { interference } from './bench/interference.ts';
import { spreadOf, type Spread } from './bench/spread.ts';
import { forwardingOverVhostUser, type Series } from './bench/vhost-user.ts';
import { clientsMissing, type Client } from './clients/missing-clients.ts';
import { ExitCode } from './exit-code.ts';
import { textTable, us } from './text-table.ts';

export const BENCH_SHAPE: CommandShape = {
  positionals: ['NAME'],
  options: { json: 'flag', debug: 'flag' },
};

const ROUNDS = 31;
const BURSTS = 10_000;
const SIZES = [64, 256, 1514];

function forwarding(json: boolean): void {
  inlineGenerously();
  const sizes = SIZES.map((bytes) => forwardingAt(bytes, ROUNDS, BURSTS));
  if (json) {
    console.log(
      JSON.stringify(
        {
          bench: 'forwarding',
          machine: machine(),
          runs: ROUNDS,
          compared: 'alternating rounds in one process: plain wasm copy, ring to ring, whole path',
          sizes,
        },
        null,
        2,
      ),
    );
    return;
  }
  const cell = ({ median, min, max }: Spread) =>
    `${median.toFixed(1)} (${min.toFixed(1)}-${max.toFixed(1)})`;
  console.log('nanoseconds per packet, median (min-max) of alternating rounds');
  console.log(
    textTable([
      ['bytes', 'plain copy', 'ring to ring', 'whole path', 'ring/copy', 'path/ring'],
      ...sizes.map((size) => [
        String(size.bytes),
        cell(size.copyNs),
        cell(size.ringToRingNs),
        cell(size.wholePathNs),
        size.ringToCopy.median.toFixed(2),
        size.pathToRing.median.toFixed(2),
      ]),
    ]),
  );
}

const PAIRS = 7;
const SECONDS = 10;

async function interferenceBench(json: boolean): Promise<void> {
  const result = await interference(PAIRS, SECONDS);
  if (json) {
    const p999 = (runs: typeof result.quiet) =>
      spreadOf(runs.map((run) => run.publicationNs.p999)).median;
    const flows = [
      {
        id: result.flow,
        system: 'gateway',
        p999NsQuiet: p999(result.quiet),
        p999NsFlooded: p999(result.flooded),
        ratio: result.ratio,
      },
    ];
    const document = {
      bench: 'interference',
      machine: machine(),
      runs: PAIRS,
      seconds: SECONDS,
      flows,
      ...result,
    };
    console.log(JSON.stringify(document, null, 2));
    return;
  }
  const row = (
    name: string,
    { publicationNs, windowStartJitterNs, sent, delivered }: (typeof result.quiet)[number],
  ) => [
    name,
    us(publicationNs.p50),
    us(publicationNs.p99),
    us(publicationNs.p999),
    us(windowStartJitterNs.p999),
    String(sent),
    String(delivered),
  ];
  console.log(`${result.flow}: publication after window start, ${PAIRS} pairs of ${SECONDS} s`);
  console.log(
    textTable([
      ['babbler', 'p50', 'p99', 'p99.9', 'window start p99.9', 'sent', 'delivered'],
      ...result.quiet.flatMap((run, n) => [row('silent', run), row('floods', result.flooded[n]!)]),
    ]),
  );
  const shown = ({ median, min, max }: Spread) => `${us(median)} (${us(min)} to ${us(max)})`;
  console.log(
    `p99.9 grows by ${shown(result.publicationGrowthNs)}, ratio ${result.ratio.toFixed(2)}; ` +
      `window starts by ${shown(result.windowStartGrowthNs)}`,
  );
}

/** @throws UsageError naming what is not there: a bench never ends well with empty data */
function needs(clients: readonly Client[]): void {
  const missing = clientsMissing(clients);
  if (missing.length === 0) return;
  const are = missing.length > 1 ? 'are' : 'is';
  throw new UsageError(`${missing.join(', ')} ${are} missing: run test/install-clients`);
}

const VHOST_RUNS = 5;
/** The published claim, the same at shorter windows, and the hard case: few packets at a time. */
const VHOST_SERIES: readonly Series[] = [
  { name: 'windows-250us', windowUs: 250, queueSize: 1024, bursts: 16 },
  { name: 'windows-100us', windowUs: 100, queueSize: 1024, bursts: 16 },
  { name: 'few-packets', windowUs: 250, queueSize: 256, bursts: 1 },
];

async function vhostUser(json: boolean): Promise<void> {
  needs(['dpdk']);
  const series = [];
  for (const [n, each] of VHOST_SERIES.entries()) {
    const sizes = [];
    for (const bytes of n === 0 ? SIZES : [64]) {
      sizes.push(await forwardingOverVhostUser(bytes, each, VHOST_RUNS));
      const last = sizes.at(-1)!;
      if (!json) {
        const { gatewayMpps, peerMpps, ratio, ratios, gatewayCpuNsPerPacket } = last;
        console.log(
          `${each.name} ${bytes} B: gateway ${gatewayMpps.toFixed(2)} Mpps, DPDK ` +
            `${peerMpps.toFixed(2)} Mpps, ratio ${ratio.toFixed(2)} (${ratios.min.toFixed(2)}-` +
            `${ratios.max.toFixed(2)}), ${gatewayCpuNsPerPacket.toFixed(0)} ns of service per ` +
            `packet, ${last.disturbed} of ${VHOST_RUNS} pairs disturbed`,
        );
      }
    }
    series.push({ ...each, forwarding: sizes });
  }
  if (!json) return;
  const { forwarding: main } = series[0]!;
  const document = { bench: 'vhost-user', machine: machine(), runs: VHOST_RUNS, forwarding: main };
  console.log(JSON.stringify({ ...document, series }, null, 2));
}

const BENCHES: Readonly<Record<string, (json: boolean) => void | Promise<void>>> = {
  forwarding,
  interference: interferenceBench,
  'vhost-user': vhostUser,
};

export async function bench(words: readonly string[]): Promise<number> {
  const { positionals, options } = parseArguments(words, BENCH_SHAPE);
  const name = positionals[0]!;
  const chosen = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (!chosen) {
    const known = Object.keys(BENCHES);
    throw new UsageError(`there is no bench "${name}"; there are ${known.join(', ')}`);
  }
  await chosen(options['json'] === true);
  return ExitCode.OK;
}
