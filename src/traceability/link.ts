/** Links items to the items they cover, with the states and the verdicts of OpenFastTrace. */
import { parseId, type Item, type Reference } from './item.ts';

export type OutgoingStatus =
  'covers' | 'predated' | 'outdated' | 'ambiguous' | 'unwanted' | 'orphaned';

export type IncomingStatus = 'covered' | 'unwanted' | 'predated' | 'outdated';

export interface OutgoingLink {
  readonly status: OutgoingStatus;
  readonly reference: Reference;
  /** The covered item; undefined for an orphan. */
  readonly target: LinkedItem | undefined;
}

export interface IncomingLink {
  readonly status: IncomingStatus;
  readonly reference: Reference;
  readonly source: LinkedItem;
}

export type DeepCoverage = 'covered' | 'uncovered' | 'cycle';

export class LinkedItem {
  readonly item: Item;
  readonly outgoing: OutgoingLink[] = [];
  readonly incoming: IncomingLink[] = [];
  readonly duplicates: LinkedItem[] = [];
  readonly coveredTypes = new Set<string>();
  deep: DeepCoverage = 'covered';

  constructor(item: Item) {
    this.item = item;
  }

  /** Each needed artifact type has at least one item that covers this one in its revision. */
  get shallow(): boolean {
    return this.item.needs.every((type) => this.coveredTypes.has(type));
  }

  /** Needed artifact types that nothing covers. */
  get missing(): string[] {
    return this.item.needs.filter((type) => !this.coveredTypes.has(type));
  }

  /** The verdict of OpenFastTrace on this item. */
  get defect(): boolean {
    if (this.duplicates.length > 0) return true;
    if (this.item.status === 'rejected') return false;
    return (
      this.outgoing.some(({ status }) => status !== 'covers') ||
      this.incoming.some(({ status }) => status !== 'covered') ||
      this.deep !== 'covered'
    );
  }
}

class Index {
  private readonly items: readonly LinkedItem[];
  private readonly byId = new Map<string, LinkedItem>();
  /** Made when the first link in another revision asks for it. */
  private byName: Map<string, LinkedItem[]> | undefined;

  constructor(items: readonly LinkedItem[]) {
    this.items = items;
    const twice = new Map<string, LinkedItem[]>();
    for (const linked of items) {
      const { id } = linked.item;
      const first = this.byId.get(id);
      if (!first) this.byId.set(id, linked);
      else if (twice.has(id)) twice.get(id)!.push(linked);
      else twice.set(id, [first, linked]);
    }
    for (const same of twice.values()) {
      for (const one of same) one.duplicates.push(...same.filter((other) => other !== one));
    }
  }

  exact(id: string): LinkedItem | undefined {
    return this.byId.get(id);
  }

  anyRevision(id: string): readonly LinkedItem[] {
    if (!this.byName) {
      this.byName = new Map();
      for (const linked of this.items) {
        add(this.byName, `${linked.item.type}~${linked.item.name}`, linked);
      }
    }
    const { type, name } = parseId(id) ?? { type: '', name: '' };
    return this.byName.get(`${type}~${name}`) ?? [];
  }
}

function add(index: Map<string, LinkedItem[]>, key: string, item: LinkedItem): void {
  const found = index.get(key);
  if (found) found.push(item);
  else index.set(key, [item]);
}

function linkTo(source: LinkedItem, reference: Reference, index: Index): void {
  const target = index.exact(reference.id);
  if (target) linkExactly(source, reference, target);
  else linkOtherRevision(source, reference, index.anyRevision(reference.id));
}

function linkExactly(source: LinkedItem, reference: Reference, target: LinkedItem): void {
  if (!target.item.needs.includes(source.item.type)) {
    source.outgoing.push({ status: 'unwanted', reference, target });
    target.incoming.push({ status: 'unwanted', reference, source });
  } else if (target.duplicates.length > 0) {
    source.outgoing.push({ status: 'ambiguous', reference, target });
  } else {
    source.outgoing.push({ status: 'covers', reference, target });
    target.incoming.push({ status: 'covered', reference, source });
    target.coveredTypes.add(source.item.type);
  }
}

/** The link is shown at both ends: the coverer's is old, and the covered item lacks it. */
function linkOtherRevision(
  source: LinkedItem,
  reference: Reference,
  others: readonly LinkedItem[],
): void {
  if (others.length === 0) {
    source.outgoing.push({ status: 'orphaned', reference, target: undefined });
  }
  const wanted = parseId(reference.id)?.revision ?? 0;
  for (const target of others) {
    const status = wanted < target.item.revision ? 'outdated' : 'predated';
    source.outgoing.push({ status, reference, target });
    target.incoming.push({ status, reference, source });
  }
}

/** Coverage all the way down; an item that reaches itself is a cycle. */
function deepen(linked: LinkedItem, open: Set<LinkedItem>, done: Set<LinkedItem>): DeepCoverage {
  if (done.has(linked)) return linked.deep;
  if (open.has(linked)) return 'cycle';
  open.add(linked);
  let worst: DeepCoverage = linked.shallow ? 'covered' : 'uncovered';
  for (const { source } of linked.incoming) {
    const below = deepen(source, open, done);
    if (below === 'cycle') worst = 'cycle';
    else if (below === 'uncovered' && worst === 'covered') worst = 'uncovered';
  }
  open.delete(linked);
  done.add(linked);
  linked.deep = worst;
  return worst;
}

// [impl->req~trace.link~1]
export function linkItems(items: readonly Item[]): LinkedItem[] {
  const linked = items.map((item) => new LinkedItem(item));
  const index = new Index(linked);
  for (const source of linked) {
    for (const reference of source.item.covers) linkTo(source, reference, index);
  }
  const open = new Set<LinkedItem>();
  const done = new Set<LinkedItem>();
  for (const one of linked) deepen(one, open, done);
  return linked;
}
