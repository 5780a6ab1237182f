/** Test results as JUnit XML, with the properties of Eclipse S-CORE. */
import { byText } from '../item.ts';
import type { TestResult } from '../test-results.ts';
import type { Trace } from '../trace.ts';
import { escapeMarkup } from './escape.ts';

interface Case {
  readonly result: TestResult;
  readonly requirements: Set<string>;
}

/** Each result once, with all requirements that its title names. */
function casesOf({ requirements }: Trace): Case[] {
  const cases = new Map<string, Case>();
  for (const { id, tests } of requirements) {
    for (const result of tests.flatMap(({ results }) => results)) {
      const key = `${result.suite} ${result.id}`;
      const found = cases.get(key) ?? { result, requirements: new Set() };
      found.requirements.add(id);
      cases.set(key, found);
    }
  }
  return [...cases.values()].sort(
    (a, b) => byText(a.result.suite, b.result.suite) || byText(a.result.id, b.result.id),
  );
}

function property(name: string, value: string): string {
  return `        <property name="${name}" value="${escapeMarkup(value)}"/>`;
}

function testCase({ result, requirements }: Case): string[] {
  const { file, line, title, durationMs, type, technique, seeds } = result;
  const where = `classname="${escapeMarkup(file)}" file="${escapeMarkup(file)}" line="${line}"`;
  const name = escapeMarkup(title);
  const outcome = { passed: [], failed: ['      <failure/>'], skipped: ['      <skipped/>'] };
  return [
    `    <testcase name="${name}" ${where} time="${(durationMs / 1000).toFixed(3)}">`,
    '      <properties>',
    // Several tests verify one requirement together: each alone verifies it partially.
    property('PartiallyVerifies', [...requirements].sort(byText).join(', ')),
    property('TestType', type),
    property('DerivationTechnique', technique),
    property('Description', title.replace(/\[[^\]]*\]\s*/g, '')),
    ...(seeds.length > 0 ? [property('Seed', seeds.join(' '))] : []),
    '      </properties>',
    ...outcome[result.result],
    '    </testcase>',
  ];
}

// [impl->req~trace.exports~1]
export function junitReport(trace: Trace): string {
  const cases = casesOf(trace);
  const suites = [...new Set(cases.map(({ result }) => result.suite))];
  const lines = suites.flatMap((suite) => {
    const own = cases.filter(({ result }) => result.suite === suite);
    const count = (outcome: string) => own.filter(({ result }) => result.result === outcome).length;
    const [failed, skipped] = [count('failed'), count('skipped')];
    const counts = `tests="${own.length}" failures="${failed}" skipped="${skipped}"`;
    return [
      `  <testsuite name="${escapeMarkup(suite)}" ${counts} errors="0">`,
      ...own.flatMap(testCase),
      '  </testsuite>',
    ];
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...lines,
    '</testsuites>',
    '',
  ].join('\n');
}
