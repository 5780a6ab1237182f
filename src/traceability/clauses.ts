/** The map from the statements of the standards to requirements, and what is wrong with it. */
import type { Finding } from './finding.ts';
import { byText } from './item.ts';

export const CLAUSE_STATUSES = ['implemented', 'front-end', 'not-offered', 'exception'] as const;
export type ClauseStatus = (typeof CLAUSE_STATUSES)[number];

export interface Clause {
  /** `clause#n`, its n-th statement about a device; `vhost-user:topic#n` for that document. */
  readonly id: string;
  /** In our words. */
  readonly statement: string;
  readonly status: ClauseStatus;
  /** Ids of requirements, for `implemented`. */
  readonly requirements?: readonly string[];
  /** Files of tests that are about this statement in particular. */
  readonly tests?: readonly string[];
  /** The feature that is not offered, for `not-offered`. */
  readonly feature?: string;
  /** Why it is not ours, or not done. */
  readonly reason?: string;
}

export interface ClauseMap {
  readonly standard: string;
  /** Number of statements by clause: what has to be mapped. */
  readonly inventory: Readonly<Record<string, number>>;
  readonly clauses: readonly Clause[];
}

export interface ClauseCheck {
  readonly map: ClauseMap;
  /** Where the map is, and its text: findings name the line. */
  readonly file: string;
  readonly text: string;
  readonly requirements: ReadonlySet<string>;
  /** For each test file the requirements that its tags name. */
  readonly testFiles: ReadonlyMap<string, ReadonlySet<string>>;
}

/** `2.7.8.2#1` is a statement of clause `2.7.8.2`. */
export function clauseOf(id: string): string {
  return id.split('#')[0]!;
}

/** Clauses in the order of the standard, statements in theirs. */
export function byClause(a: string, b: string): number {
  const [left, right] = [a, b].map((id) => id.split(/[.#]/));
  for (let n = 0; n < Math.max(left!.length, right!.length); n++) {
    const [x = '', y = ''] = [left![n], right![n]];
    const order = Number(x) - Number(y);
    const step = Number.isNaN(order) ? byText(x, y) : order;
    if (step !== 0) return step;
  }
  return 0;
}

function wrongs(clause: Clause, { requirements, testFiles }: ClauseCheck): string[] {
  const { status, requirements: ids = [], tests = [], feature, reason } = clause;
  const known = CLAUSE_STATUSES.includes(status);
  return [
    ...(known ? [] : [`"${String(status)}" is none of ${CLAUSE_STATUSES.join(', ')}`]),
    ...(clause.statement ? [] : ['it says nothing']),
    ...(status === 'implemented' && ids.length === 0 ? ['no requirement implements it'] : []),
    ...(status !== 'implemented' && !reason && !feature ? ['it gives no reason'] : []),
    ...(status === 'not-offered' && !feature ? ['it names no feature'] : []),
    ...ids.filter((id) => !requirements.has(id)).map((id) => `there is no ${id}`),
    ...tests.flatMap((file) => {
      const named = testFiles.get(file);
      if (!named) return [`there is no test in ${file}`];
      return ids.some((id) => named.has(id))
        ? []
        : [`no test in ${file} is about ${ids.join(', ')}`];
    }),
  ];
}

// [impl->req~trace.clauses~1]
export function clauseFindings(check: ClauseCheck): Finding[] {
  const { map, file, text } = check;
  const lines = text.split('\n');
  const lineOf = (id: string) => Math.max(1, lines.findIndex((l) => l.includes(`"${id}"`)) + 1);
  const at = (id: string) => ({ file, line: lineOf(id), column: 1, item: id, asil: null });
  const mapped = new Map<string, number>();
  for (const { id } of map.clauses) mapped.set(id, (mapped.get(id) ?? 0) + 1);
  const wanted = Object.entries(map.inventory).flatMap(([clause, count]) =>
    Array.from({ length: count }, (_, n) => `${clause}#${n + 1}`),
  );
  const missing = wanted.filter((id) => !mapped.has(id));
  const strange = [...mapped.keys()].filter((id) => !wanted.includes(id));
  const twice = [...mapped].filter(([, count]) => count > 1).map(([id]) => id);
  return [
    ...missing.map((id) => ({
      ...{ ...at(clauseOf(id)), item: id, state: 'clause-unmapped' as const },
      message: `${map.standard}: statement ${id} is not mapped`,
    })),
    ...[
      ...strange.map((id) => [id, 'the inventory does not have it'] as const),
      ...twice.map((id) => [id, 'it is mapped more than once'] as const),
      ...map.clauses.flatMap((one) => wrongs(one, check).map((what) => [one.id, what] as const)),
    ].map(([id, what]) => ({
      ...{ ...at(id), state: 'clause-wrong' as const },
      message: `statement ${id}: ${what}`,
    })),
  ];
}
