/** Ways in which an honest driver can lay out one buffer in descriptors (VIRTIO 2.7.4.2, 2.7.5.3). */
import { linked, NEXT, tableOf, writeTable, type RawDesc } from './hostile-ring.ts';
import { PackedDouble } from './packed-double.ts';
import type { RingDouble } from './ring-double.ts';

/** How a driver lays out the bytes of one buffer: the descriptors of its table, head first. */
export type Layout = (ring: RingDouble, whole: RawDesc) => RawDesc[];

/** Cuts a descriptor at these lengths; the last piece takes the rest. */
function cut({ low, high, length, flags }: RawDesc, lengths: readonly number[]): RawDesc[] {
  const bounds = lengths.reduce<number[]>((sums, next) => [...sums, sums.at(-1)! + next], [0]);
  return bounds.map((from, n) => ({
    low: low + from,
    high,
    length: (bounds[n + 1] ?? length) - from,
    flags,
    next: 0,
  }));
}

/** Pieces of these lengths in direct descriptors, and the rest in one more. */
export function cutAt(lengths: readonly number[]): Layout {
  return (_ring, whole) => linked(cut(whole, lengths));
}

const HEADER_BYTES = new Array<number>(12).fill(1);

const TABLE_BEHIND = 'in a direct descriptor and a table';

export const LAYOUTS: Record<string, Layout> = {
  'in one descriptor': (_ring, whole) => [whole],
  'in three descriptors': cutAt([12, 20]),
  'with its header in single bytes': cutAt([...HEADER_BYTES, 3, 4]),
  'in an indirect table': (ring, whole) => [tableOf(ring, linked(cut(whole, [12, 20])))],
  'in an indirect table at an odd address': (ring, whole) => [
    tableOf(ring, linked(cut(whole, [12, 20])), 1),
  ],
  [TABLE_BEHIND]: (ring, whole) => {
    const [first, ...rest] = cut(whole, [12, 20]);
    return linked([first!, tableOf(ring, linked(rest))]);
  },
};

/** 2.8.19: in a packed ring no list has a table. */
export function layoutsOf(packed: boolean): [string, Layout][] {
  return Object.entries(LAYOUTS).filter(([where]) => !packed || where !== TABLE_BEHIND);
}

/** Writes a buffer in this layout behind what the ring has, and exposes it; what the used element names. */
export function place(ring: RingDouble, first: number, descs: readonly RawDesc[]): number {
  if (ring instanceof PackedDouble) return ring.submitRaw(descs);
  const moved = descs.map((desc) =>
    (desc.flags & NEXT) !== 0 ? { ...desc, next: desc.next + first } : desc,
  );
  writeTable(ring, moved, first);
  ring.expose(first);
  return first;
}
