/** What the two threads of the litmus tests share: one arena, one ring, one interrupt word, one verdict. */
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';

export const ARENA_PAGES = 4;
export const SLICE_AT = 65536;
export const SLICE_BYTES = 65536;
export const SCRATCH_AT = 1024;

export const BUFFER_WORDS = 16;
export const BUFFER_BYTES = 4 * BUFFER_WORDS;

/** Indices of 32-bit words in the arena's first page. */
export const Word = { INTERRUPT: 64, STOP: 80, KICKS: 96 } as const;

/** A driver that waits longer than this for a used buffer has missed its notification. */
export const WATCHDOG_MS = 8000;

export interface LitmusData {
  readonly memory: WebAssembly.Memory;
  /** Buffers, and descriptors of a split ring. */
  readonly size: number;
  readonly steps: number;
  readonly eventIdx: boolean;
  readonly packed: boolean;
  readonly seed: number;
  /** Ring parts, as the driver laid them out. */
  readonly ring?: { readonly desc: number; readonly avail: number; readonly used: number };
}

export interface Verdict {
  readonly thread: 'driver' | 'device';
  readonly error?: string;
  /** Times the driver went to sleep, and times the device notified. */
  readonly waits?: number;
  readonly notifications?: number;
}

/** Buffers alternate: even ones carry words to the device, odd ones bring words back. */
export function deviceWrites(sequence: number): boolean {
  return (sequence & 1) === 1;
}

export function wordOf(sequence: number, n: number): number {
  return Math.imul(sequence + 1, 2 * n + 1) | 0;
}

export function fill(words: Int32Array, at: number, sequence: number): void {
  for (let n = 0; n < BUFFER_WORDS; n++) words[(at >>> 2) + n] = wordOf(sequence, n);
}

/** First wrong word of a buffer as a sentence, or undefined. */
export function mismatch(words: Int32Array, at: number, sequence: number): string | undefined {
  for (let n = 0; n < BUFFER_WORDS; n++) {
    const found = words[(at >>> 2) + n]!;
    if (found !== wordOf(sequence, n)) {
      return `buffer ${sequence}, word ${n}: ${found} instead of ${wordOf(sequence, n)}`;
    }
  }
  return undefined;
}

/** The driver's memory: a bump allocator over the slice, in guest-physical addresses. */
export class SliceMemory {
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  private next = 0;

  constructor(memory: WebAssembly.Memory) {
    this.u16 = new Uint16Array(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
  }

  allocate(bytes: number, align: number): number {
    this.next = Math.ceil(this.next / align) * align;
    const address = EMBEDDED_GUEST_PHYSICAL + this.next;
    this.next += bytes;
    return address;
  }

  at(address: number): number {
    return SLICE_AT + (address - EMBEDDED_GUEST_PHYSICAL);
  }
}
