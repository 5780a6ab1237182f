/** Every file of config/invalid is refused for exactly the mistake that it is named after. */
import { strict as assert } from 'node:assert';
import { BROKEN_CONFIGS, type BrokenConfig } from '../../support/broken-configs.ts';
import { breaches, invalidNames, invalidText, place, problemsOf } from '../../support/judged.ts';
import { sharedDisplay } from '../../support/shared-display.ts';
import { twoPartitions } from '../../support/two-partitions.ts';
import { RULES } from '../../../src/control-plane/config/rules/index.ts';
import type { GatewayConfig } from '../../../src/schedule/gateway-config.ts';

const RULE_NAMES = RULES.map((rule) => rule.name);
/** Judged below, among the regressions. */
const JUDGED_BELOW = ['duplicate-partition-id', 'syntax-not-a-number'];

function assertRefused(name: string, { at, says, implies }: BrokenConfig): void {
  const problems = problemsOf(invalidText(name));
  const places = implies ? [at, implies.at] : [at];
  assert.deepEqual(
    problems.map(place).sort(),
    places.sort(),
    problems.map(({ message }) => message).join('\n'),
  );
  const { message } = problems.find((problem) => place(problem) === at)!;
  for (const words of says) assert.ok(message.includes(words), `${message}\nlacks: ${words}`);
}

function rulesBrokenBy(name: string): string[] {
  const found = breaches(JSON.parse(invalidText(name)) as GatewayConfig);
  return [...new Set(found.map((breach) => breach.rule))].sort();
}

function assertBreaksOnlyItsRule(name: string, broken: BrokenConfig): void {
  assert.deepEqual(
    rulesBrokenBy(name),
    [name, ...(broken.implies ? [broken.implies.rule] : [])].sort(),
  );
}

describe('config/invalid', () => {
  it('[utest->req~cfg.semantic~1] is derived from configurations that are accepted', () => {
    assert.deepEqual(problemsOf(JSON.stringify(twoPartitions())), []);
    assert.deepEqual(problemsOf(JSON.stringify(sharedDisplay())), []);
  });

  it('[utest->req~cfg.semantic~1] has a file for every rule', () => {
    const named = invalidNames().filter((name) => !/^(schema|syntax)-/.test(name));
    assert.deepEqual(named, [...RULE_NAMES].sort());
  });

  it('[utest->req~cfg.semantic~1] has an expected mistake for every file', () => {
    assert.deepEqual(invalidNames(), Object.keys(BROKEN_CONFIGS).sort());
  });

  it('[utest->req~cfg.semantic~1] names each rule once', () => {
    assert.equal(new Set(RULE_NAMES).size, RULE_NAMES.length);
  });

  for (const [name, broken] of Object.entries(BROKEN_CONFIGS)) {
    if (JUDGED_BELOW.includes(name)) continue;
    const requirement = name.startsWith('syntax-')
      ? 'strict-json'
      : name.startsWith('schema-')
        ? 'schema'
        : 'semantic';
    const also = broken.implies ? `, and for ${broken.implies.rule}, which it implies` : '';
    it(
      `[utest->req~cfg.${requirement}~1] ${name}.json is refused for that alone,` +
        ` at ${broken.at}${also} (catalogue 81)`,
      () => {
        assertRefused(name, broken);
        if (requirement === 'semantic') assertBreaksOnlyItsRule(name, broken);
      },
    );
  }
});

describe('regressions: config/invalid', () => {
  it('[utest->req~cfg.semantic~1] a partition id used twice is one finding, not one more for each of its devices', () => {
    assertRefused('duplicate-partition-id', BROKEN_CONFIGS['duplicate-partition-id']!);
  });

  it('[utest->req~cfg.all-errors~1] NaN is one mistake: the comma behind it is none (catalogue 81)', () => {
    assertRefused('syntax-not-a-number', BROKEN_CONFIGS['syntax-not-a-number']!);
  });
});
