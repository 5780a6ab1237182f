/** Integrity levels, as tags of items name them. */

export const ASILS = ['QM', 'A', 'B', 'C', 'D'] as const;
export type Asil = (typeof ASILS)[number];

const TAG = /^(?:QM|ASIL[_-]([ABCD]))$/;

/** The level that the tags of an item name, or null. */
export function asilOf(tags: readonly string[]): Asil | null {
  for (const tag of tags) {
    const match = TAG.exec(tag);
    if (match) return (match[1] as Asil | undefined) ?? 'QM';
  }
  return null;
}

/** Whether `level` is at least `limit`; nothing is below QM. */
export function atLeast(level: Asil | null, limit: Asil): boolean {
  return ASILS.indexOf(level ?? 'QM') >= ASILS.indexOf(limit);
}
