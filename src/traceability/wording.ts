/** How a requirement is worded: one sentence, one shall, a reason, a level, a method. */
import { asilOf, atLeast } from './asil.ts';
import type { Finding } from './finding.ts';
import type { Item } from './item.ts';
import type { LinkedItem } from './link.ts';

/** Words that a requirement cannot be judged by. */
const WEAK = /\b(just|really|thing|absolutely|appropriate|adequate|etc)\b/i;
const OPEN = /\b(TBD|TBC)\b/;

export type Method = 'test' | 'analysis' | 'inspection' | 'derived' | 'none';

/** `derived`: the items below this one are verified. Others say it by a tag or by needing tests. */
export function methodOf({ needs, tags }: Item): Method {
  if (needs.some((type) => /test$/.test(type))) return 'test';
  if (tags.includes('by_analysis')) return 'analysis';
  if (tags.includes('by_inspection')) return 'inspection';
  return needs.length > 0 ? 'derived' : 'none';
}

function problems(item: Item): string[] {
  const shalls = item.description.match(/\bshall\b/g)?.length ?? 0;
  const weak = WEAK.exec(item.description)?.[1];
  const unverified = methodOf(item) === 'none' && item.status === 'approved';
  const open = OPEN.exec(`${item.title} ${item.description} ${item.rationale}`)?.[1];
  return [
    ...(item.title === '' ? ['it has no title'] : []),
    ...(/\bshall\b/.test(item.title) ? ['its title says "shall"'] : []),
    ...(shalls === 1 ? [] : [`it says "shall" ${shalls} times, not once`]),
    ...(weak ? [`"${weak}" cannot be judged`] : []),
    ...(open ? [`"${open}" is open`] : []),
    ...(asilOf(item.tags) ? [] : ['no tag names its integrity level']),
    ...(unverified ? ['no method of verification'] : []),
  ];
}

// [impl->req~trace.rules~1]
export function wordingFindings({ item }: LinkedItem): Finding[] {
  const { file, line, column, id } = item;
  return problems(item).map((problem) => ({
    ...{ file, line, column, item: id, asil: asilOf(item.tags) },
    state: 'wording',
    message: `${id}: ${problem}`,
  }));
}

/** A child may not be below its parent's level, unless a decomposition is declared. */
export function asilFindings({ item, outgoing }: LinkedItem): Finding[] {
  const own = asilOf(item.tags);
  return outgoing.flatMap(({ target, reference }) => {
    const wanted = target && asilOf(target.item.tags);
    if (!wanted || !own || atLeast(own, wanted) || item.tags.includes('decomposed')) return [];
    const [low, high] = [levelText(own), levelText(wanted)];
    const message = `${item.id} is ${low}, below ${target.item.id}, which is ${high}`;
    const { file, line, column } = reference;
    return [
      { file, line, column, state: 'asil-inconsistent', item: item.id, asil: wanted, message },
    ];
  });
}

function levelText(level: string): string {
  return level === 'QM' ? level : `ASIL ${level}`;
}
