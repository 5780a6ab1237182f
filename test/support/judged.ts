/** Judging configurations that a test has written or changed. */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { judgeConfig } from '../../src/control-plane/config/load-config.ts';
import { pointer, type Problem } from '../../src/control-plane/config/json-source.ts';
import { RULES } from '../../src/control-plane/config/rules/index.ts';
import type { GatewayConfig } from '../../src/schedule/gateway-config.ts';
import { twoPartitions, type ConfigDraft } from './two-partitions.ts';

/** Path of a file of the repository; compiled tests lie two levels below build/. */
export function repositoryPath(...parts: string[]): string {
  return path.resolve(__dirname, '../../..', ...parts);
}

export const INVALID_DIRECTORY = repositoryPath('config/invalid');

export function invalidNames(): string[] {
  return readdirSync(INVALID_DIRECTORY)
    .map((file) => path.basename(file, '.json'))
    .sort();
}

export function invalidText(name: string): string {
  return readFileSync(path.join(INVALID_DIRECTORY, `${name}.json`), 'utf8');
}

export function problemsOf(text: string): readonly Problem[] {
  return judgeConfig('test.json', text).problems;
}

export function place({ line, column }: Problem): string {
  return `${line}:${column}`;
}

/** The semantic findings of a configuration, each with its rule and the place of its value. */
export function breaches(config: GatewayConfig): { rule: string; path: string; message: string }[] {
  return RULES.flatMap((rule) =>
    [...rule.check(config)].map((found) => ({
      rule: rule.name,
      path: pointer(found.path),
      message: found.message,
    })),
  );
}

/** Whether a configuration breaks this rule; the others are not looked at. */
export function breaks(name: string, config: GatewayConfig): boolean {
  const rule = RULES.find((candidate) => candidate.name === name)!;
  return [...rule.check(config)].length > 0;
}

/** The one finding of a changed configuration: of this rule, at this path, naming these words. */
export function assertBreaks(
  rule: string,
  at: string,
  says: readonly string[],
  change: (draft: ConfigDraft) => void,
): void {
  assertOneBreach(twoPartitions(change), rule, at, says);
}

/** The one finding of a configuration: of this rule, at this path, naming these words. */
export function assertOneBreach(
  config: GatewayConfig,
  rule: string,
  at: string,
  says: readonly string[],
): void {
  const found = breaches(config);
  assert.deepEqual(
    found.map((breach) => `${breach.rule} ${breach.path}`),
    [`${rule} ${at}`],
  );
  for (const words of says)
    assert.ok(found[0]!.message.includes(words), `${found[0]!.message}\nlacks: ${words}`);
}

export function assertValid(change: (draft: ConfigDraft) => void): void {
  assert.deepEqual(problemsOf(JSON.stringify(twoPartitions(change))), []);
}
