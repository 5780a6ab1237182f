/** Field lists of packed structures, and the offset tables that follow from them. */

export type Field = readonly [name: string, bytes: number];

/** Offsets of packed fields in order; names that begin with "_" are holes. */
export function offsetsOf(fields: readonly Field[]): Record<string, number> {
  let at = 0;
  const offsets: Record<string, number> = {};
  for (const [name, bytes] of fields) {
    if (!name.startsWith('_')) offsets[name] = at;
    at += bytes;
  }
  return { ...offsets, SIZE: at };
}
