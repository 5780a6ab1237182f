/** `bench NAME`: one bench per published claim. */
import { machine } from '../host/machine.ts';
import { parseArguments, UsageError, type CommandShape } from './arguments.ts';
import type { BenchResult, Progress } from './bench/bench-result.ts';
import { dashboard } from './bench/dashboard.ts';
import { forwarding } from './bench/forwarding.ts';
import { gpu } from './bench/gpu.ts';
import { guests } from './bench/guests.ts';
import { interference } from './bench/interference.ts';
import { memory } from './bench/memory.ts';
import { traceBench } from './bench/trace.ts';
import { vhostUser } from './bench/vhost-user.ts';
import { clientsMissing, type Client } from './clients/missing-clients.ts';
import { ExitCode } from './exit-code.ts';

export const BENCH_SHAPE: CommandShape = {
  positionals: ['NAME'],
  options: { json: 'flag', debug: 'flag' },
};

export interface Bench {
  /** What must be on this machine: a bench never ends well with empty data. */
  readonly needs: readonly Client[];
  readonly run: (progress: Progress) => BenchResult | Promise<BenchResult>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  dashboard: { needs: [], run: dashboard },
  forwarding: { needs: [], run: forwarding },
  gpu: { needs: ['display'], run: gpu },
  guests: { needs: ['dpdk', 'qemu'], run: guests },
  interference: { needs: ['dpdk'], run: interference },
  memory: { needs: [], run: memory },
  trace: { needs: [], run: traceBench },
  'vhost-user': { needs: ['dpdk'], run: vhostUser },
};

/** On a terminal one line that changes; nothing elsewhere. */
function showProgress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}

// [impl->req~cli.bench~1]
export async function bench(
  words: readonly string[],
  benches: Readonly<Record<string, Bench>> = BENCHES,
): Promise<number> {
  const { positionals, options } = parseArguments(words, BENCH_SHAPE);
  const name = positionals[0]!;
  const chosen = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (!chosen) {
    const known = Object.keys(benches);
    throw new UsageError(`there is no bench "${name}"; there are ${known.join(', ')}`);
  }
  const missing = clientsMissing(chosen.needs);
  if (missing.length > 0) {
    const are = missing.length > 1 ? 'are' : 'is';
    throw new UsageError(`${missing.join(', ')} ${are} missing: run test/install-clients`);
  }
  const { document, text } = await chosen.run(showProgress);
  showProgress('');
  console.log(
    options['json']
      ? JSON.stringify({ bench: name, machine: machine(), ...document }, null, 2)
      : text,
  );
  return ExitCode.OK;
}
