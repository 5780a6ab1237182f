/** What has happened lately: bounded, and the same thing again only raises its count. */
import type { Happening } from './page/message.ts';

/** The oldest go first. */
const ENTRIES_MAX = 100;

/** A place in the order of what happened; 0 is before everything. */
export type HappeningMark = number;

interface Entry {
  readonly happening: Happening;
  readonly mark: HappeningMark;
}

export class Happenings {
  /** By what makes two of them the same, the one that happened last at the end. */
  private readonly entries = new Map<string, Entry>();
  private nextId = 1;
  private marked: HappeningMark = 0;

  /** Everything that was noted so far lies at or before this mark. */
  get mark(): HappeningMark {
    return this.marked;
  }

  // [impl->req~dash.bounded~1]
  note(kind: Happening['kind'], subject: string, text: string, sinceStartNs: number): void {
    const key = `${kind} ${subject} ${text}`;
    const before = this.entries.get(key)?.happening;
    this.entries.delete(key);
    const id = before?.id ?? this.nextId++;
    const happening = { id, kind, subject, text, count: (before?.count ?? 0) + 1, sinceStartNs };
    this.entries.set(key, { happening, mark: ++this.marked });
    if (this.entries.size > ENTRIES_MAX) this.entries.delete(this.entries.keys().next().value!);
  }

  /** What was noted behind a mark, in the order in which it happened last. */
  since(mark: HappeningMark): Happening[] {
    return [...this.entries.values()]
      .filter((entry) => entry.mark > mark)
      .map(({ happening }) => happening);
  }
}
