/** Descriptors as raw words: what a hostile driver writes that an honest one cannot even say. */
import { VirtqDesc, VirtqDescFlag } from '../../src/wire/virtqueue.ts';
import type { RingDouble } from './ring-double.ts';

export const { NEXT, WRITE, INDIRECT } = VirtqDescFlag;
const TWO_32 = 0x1_0000_0000;

/** One descriptor; the address as two words, so that all 64 bits can be set. */
export interface RawDesc {
  readonly low: number;
  readonly high: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

/** A descriptor for a guest-physical address below 2^53. */
export function raw(address: number, length: number, flags = 0, next = 0): RawDesc {
  return { low: address % TWO_32, high: Math.floor(address / TWO_32), length, flags, next };
}

/** Writes a descriptor at `table`, a guest-physical address that need not be aligned. */
export function writeRaw(ring: RingDouble, index: number, desc: RawDesc, table = ring.desc): void {
  ring.slice.write(table + index * VirtqDesc.SIZE, ring.encode(desc));
}

/** Writes descriptors one behind the other from `first` on, exactly as given. */
export function writeTable(
  ring: RingDouble,
  descs: readonly RawDesc[],
  first = 0,
  table = ring.desc,
): void {
  descs.forEach((desc, n) => writeRaw(ring, first + n, desc, table));
}

/** The same descriptors with NEXT and next filled in, so that they form one chain from `first` on. */
export function linked(descs: readonly RawDesc[], first = 0): RawDesc[] {
  return descs.map((desc, n) =>
    n === descs.length - 1 ? desc : { ...desc, flags: desc.flags | NEXT, next: first + n + 1 },
  );
}

/** An indirect table in fresh guest memory, aligned to `align` and no better; the descriptor that names it. */
export function tableOf(
  ring: RingDouble,
  descs: readonly RawDesc[],
  align = 16,
  flags: number = INDIRECT,
): RawDesc {
  const bytes = descs.length * VirtqDesc.SIZE;
  const table = ring.slice.allocate(bytes + 16, 16) + ((16 - align) % 16);
  writeTable(ring, descs, 0, table);
  return raw(table, bytes, flags);
}
