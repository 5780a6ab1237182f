/** Mappings of the process, by plain addresses. A failed call is -1. */
import { addressOf, cFunction } from './libc.ts';

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MADV_POPULATE_WRITE = 23;

const cMmap = cFunction(
  'intptr_t mmap(intptr_t at, intptr_t length, int protection, int flags, int fd, int64_t offset)',
);
const cMremap = cFunction(
  'intptr_t mremap(intptr_t at, intptr_t length, intptr_t newLength, int flags, intptr_t newAt)',
);
const cMunmap = cFunction('int munmap(intptr_t at, intptr_t length)');
const cMadvise = cFunction('int madvise(intptr_t at, intptr_t length, int advice)');
const cMlock = cFunction('int mlock(intptr_t at, intptr_t length)');
const cGetpagesize = cFunction('int getpagesize()');

export const PAGE_BYTES = cGetpagesize();

/** Address of the first byte; what the kernel gives out unasked ends below 2^47 or 2^48. */
export function baseOf(bytes: Uint8Array): number {
  return Number(addressOf(bytes));
}

/** Maps a file where the kernel likes, shared with whoever else maps it. */
export function mapShared(descriptor: number, fileOffset: number, bytes: number): number {
  return cMmap(0, bytes, PROT_READ_WRITE, MAP_SHARED, descriptor, fileOffset);
}

/** Moves a mapping onto `to`; what was mapped there is gone, even when this fails. */
export function moveMapping(from: number, bytes: number, to: number): boolean {
  return cMremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) === to;
}

export function unmap(at: number, bytes: number): void {
  cMunmap(at, bytes);
}

/** Overlays a range with private zeros that cost nothing until they are written. */
export function mapZeros(at: number, bytes: number): boolean {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  return cMmap(at, bytes, PROT_READ_WRITE, flags, -1, 0) === at;
}

/** Faults every page in, for writing; false, and no signal, where there is no memory for it. */
export function populate(at: number, bytes: number): boolean {
  return cMadvise(at, bytes, MADV_POPULATE_WRITE) === 0;
}

/** Faults every page in and keeps it there; false when the host does not grant so much. */
export function lockPages(at: number, bytes: number): boolean {
  return cMlock(at, bytes) === 0;
}
