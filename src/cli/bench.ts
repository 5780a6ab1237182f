/** `bench NAME`: one bench per published claim. */
import { inlineGenerously } from '../host/engine.ts';
import { machine } from '../host/machine.ts';
import { parseArguments, UsageError, type CommandShape } from './arguments.ts';
import { forwardingAt, type Spread } from './bench/forwarding.ts';
import { ExitCode } from './exit-code.ts';
import { textTable } from './text-table.ts';

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

const BENCHES: Readonly<Record<string, (json: boolean) => void>> = { forwarding };

export function bench(words: readonly string[]): number {
  const { positionals, options } = parseArguments(words, BENCH_SHAPE);
  const chosen = BENCHES[positionals[0]!];
  if (!chosen)
    throw new UsageError(
      `there is no bench "${positionals[0]}"; there are ${Object.keys(BENCHES).join(', ')}`,
    );
  chosen(options['json'] === true);
  return ExitCode.OK;
}
