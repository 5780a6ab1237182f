/** `explain`: the arithmetic behind one bound, for people. */
import { explain as explanation } from '../analysis/explanation.ts';
import { flowBounds } from '../analysis/flow-bounds.ts';
import { loadConfig } from '../control-plane/config/load-config.ts';
import { didYouMean } from '../control-plane/config/validator.ts';
import { compilePlan } from '../schedule/compile-plan.ts';
import { parseArguments, UsageError, type CommandShape } from './arguments.ts';
import { printProblems } from './check.ts';
import { ExitCode } from './exit-code.ts';
import { textTable } from './text-table.ts';

export const EXPLAIN_SHAPE: CommandShape = {
  positionals: ['CONFIG', 'FLOW'],
  options: { debug: 'flag' },
};

export function explain(words: readonly string[]): number {
  const { positionals } = parseArguments(words, EXPLAIN_SHAPE);
  const [file, flow] = positionals as [string, string];
  const loaded = loadConfig(file);
  printProblems(file, loaded.problems);
  if (!loaded.config) return ExitCode.USAGE;
  const plan = compilePlan(loaded.config);
  const bound = flowBounds(plan).find((candidate) => candidate.flow.id === flow);
  if (!bound) {
    const ids = plan.flows.map(({ id }) => id);
    const known = ids.length === 0 ? 'it has none' : `it has ${ids.join(', ')}`;
    throw new UsageError(`${file} has no flow "${flow}", ${known}.${didYouMean(flow, ids)}`);
  }
  for (const { title, rows } of explanation(plan, bound)) {
    console.log(`${title}\n${indented(textTable(rows))}\n`);
  }
  return bound.shortage ? ExitCode.NOT_SCHEDULABLE : ExitCode.OK;
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}
