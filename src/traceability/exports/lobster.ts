/** The three input files of LOBSTER: requirements, implementation, activities. */
import type { Place } from '../item.ts';
import type { RequirementView } from '../requirement-view.ts';
import { outcomeOf } from '../test-results.ts';
import type { Trace } from '../trace.ts';

const GENERATOR = 'virtio-gateway';

function envelope(schema: string, version: number, data: readonly object[]): string {
  return `${JSON.stringify({ data, generator: GENERATOR, schema, version }, null, 1)}\n`;
}

/** `req name@revision`. */
function tagOf(id: string): string {
  const [type, name, revision] = id.split('~');
  return `${type} ${name}@${revision}`;
}

function location({ file, line, column }: Place): object {
  return { kind: 'file', file, line, column };
}

function common(tag: string, place: Place, name: string, refs: readonly string[]): object {
  const justifications = { just_up: [], just_down: [], just_global: [] };
  return { tag, location: location(place), name, messages: [], ...justifications, refs };
}

const KINDS: Readonly<Record<string, string>> = {
  goal: 'safety goal',
  fsr: 'functional safety requirement',
  tsr: 'technical safety requirement',
  req: 'software safety requirement',
  aou: 'assumption of use',
};

// [impl->req~trace.exports~1]
export function lobsterRequirements({ requirements }: Trace): string {
  const data = requirements.map((view) => ({
    ...common(
      tagOf(view.id),
      view,
      view.title,
      view.parents.map(({ id }) => tagOf(id)),
    ),
    framework: 'OpenFastTrace',
    kind: KINDS[view.type] ?? view.type,
    text: view.text,
    status: view.status,
  }));
  return envelope('lobster-req-trace', 4, data);
}

/** One item for each tagged place, however many requirements it names. */
function byPlaceOf<One extends Place>(
  requirements: readonly RequirementView[],
  pick: (view: RequirementView) => readonly One[],
  key: (one: One) => string,
): { one: One; refs: string[] }[] {
  const places = new Map<string, { one: One; refs: string[] }>();
  for (const view of requirements) {
    for (const one of pick(view)) {
      const found = places.get(key(one)) ?? { one, refs: [] };
      if (!found.refs.includes(tagOf(view.id))) found.refs.push(tagOf(view.id));
      places.set(key(one), found);
    }
  }
  return [...places.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place);
}

export function lobsterImplementations({ requirements }: Trace): string {
  const places = byPlaceOf(
    requirements,
    (view) => view.implementations,
    ({ file, symbol }) => `${file}#${symbol}`,
  );
  const data = places.map(({ one, refs }) => ({
    ...common(`typescript ${one.file}#${one.symbol}`, one, one.symbol, refs),
    language: 'TypeScript',
    kind: 'symbol',
  }));
  return envelope('lobster-imp-trace', 3, data);
}

const STATUS = { passed: 'ok', failed: 'fail', skipped: 'not run', 'not run': 'not run' } as const;

export function lobsterActivities({ requirements }: Trace): string {
  const places = byPlaceOf(
    requirements,
    (view) => view.tests,
    ({ file, line }) => `${file}:${String(line).padStart(6, '0')}`,
  );
  const data = places.map(({ one, refs }) => ({
    ...common(`mocha ${one.file}:${one.line}`, one, one.title, refs),
    framework: 'mocha',
    kind: 'test',
    status: STATUS[outcomeOf(one.results)],
  }));
  return envelope('lobster-act-trace', 3, data);
}
