/** What changed for requirements between two revisions of the project. */
import { asilOf, type Asil } from './asil.ts';
import { byText, type Item } from './item.ts';
import { linkItems, type LinkedItem } from './link.ts';
import { isTag, tagsOf } from './requirement-view.ts';
import { scanDocuments } from './scan-requirements.ts';
import { scanTags, taggedCode } from './scan-tags.ts';
import type { TraceInput } from './trace-input.ts';

export const CHANGES = [
  'added',
  'removed',
  'reworded',
  'revised',
  'asil-changed',
  'parents-changed',
  'coverage-lost',
  'coverage-gained',
  'code-changed',
  'tests-changed',
] as const;

export interface Change {
  readonly kind: (typeof CHANGES)[number];
  /** `type~name`, the same in both revisions. */
  readonly item: string;
  readonly asil: Asil | null;
  readonly before: string;
  readonly after: string;
}

type Sources = Pick<TraceInput, 'documents' | 'code' | 'tests'>;

function itemsOf({ documents, code, tests }: Sources): Map<string, LinkedItem> {
  const { items } = scanDocuments(documents);
  const linked = linkItems([...items, ...scanTags([...code, ...tests])]);
  const specified = linked.filter((one) => !isTag(one));
  return new Map(specified.map((one) => [`${one.item.type}~${one.item.name}`, one]));
}

/** What a change is told by, for one item in one revision. */
interface Facts {
  readonly revision: string;
  readonly text: string;
  readonly asil: string;
  readonly parents: string;
  readonly missing: string;
  readonly code: string;
  readonly tests: string;
  readonly symbols: string;
  readonly testCount: string;
}

function factsOf(linked: LinkedItem): Facts {
  const { item } = linked;
  const code = tagsOf(linked, false);
  const tests = tagsOf(linked, true);
  const sortedText = (parts: readonly string[]) => [...parts].sort(byText).join('\n');
  return {
    revision: String(item.revision),
    text: item.description,
    asil: asilOf(item.tags) ?? 'none',
    parents: sortedText(item.covers.map(({ id }) => id)),
    missing: linked.missing.join(', '),
    code: sortedText(
      code.map(
        (tag) =>
          `${tag.file}\n${taggedCode(tag)
            .map((line) => line.text)
            .join('\n')}`,
      ),
    ),
    tests: sortedText(tests.map(({ file, literal }) => `${file} ${literal}`)),
    symbols: sortedText(code.map(({ file, symbol }) => `${file} ${symbol?.name ?? ''}`)),
    testCount: `${tests.length} tests`,
  };
}

type Compared = readonly [Change['kind'], keyof Facts, keyof Facts];

/** A kind of change, the fact that tells it, and the fact that is shown. */
const COMPARED: readonly Compared[] = [
  ['reworded', 'text', 'text'],
  ['revised', 'revision', 'revision'],
  ['asil-changed', 'asil', 'asil'],
  ['parents-changed', 'parents', 'parents'],
  ['code-changed', 'code', 'symbols'],
  ['tests-changed', 'tests', 'testCount'],
];

function changesOf(key: string, before: LinkedItem, after: LinkedItem): Change[] {
  const [old, now] = [factsOf(before), factsOf(after)];
  const about = { item: key, asil: asilOf(after.item.tags) };
  const changes = COMPARED.filter(([, fact]) => old[fact] !== now[fact]).map(
    ([kind, , shown]): Change => ({ ...about, kind, before: old[shown], after: now[shown] }),
  );
  if (old.missing === now.missing) return changes;
  const lost = after.missing.some((type) => !before.missing.includes(type));
  const kind = lost ? 'coverage-lost' : 'coverage-gained';
  const text = (missing: string) => (missing ? `lacks ${missing}` : 'covered');
  return [...changes, { ...about, kind, before: text(old.missing), after: text(now.missing) }];
}

function alone(kind: 'added' | 'removed', key: string, { item }: { item: Item }): Change {
  const text = item.description;
  const [before, after] = kind === 'added' ? ['', text] : [text, ''];
  return { kind, item: key, asil: asilOf(item.tags), before, after };
}

// [impl->req~trace.diff~1]
export function diffTraces(before: Sources, after: Sources): Change[] {
  const [old, now] = [itemsOf(before), itemsOf(after)];
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort(byText);
  return keys.flatMap((key) => {
    const [left, right] = [old.get(key), now.get(key)];
    if (left && right) return changesOf(key, left, right);
    return left ? [alone('removed', key, left)] : [alone('added', key, right!)];
  });
}
