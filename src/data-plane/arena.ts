/**
 * The one shared memory: guests' slices and the host areas that devices copy to and from.
 *
 * An *offset* is passed as the signed 32-bit pattern of the unsigned arena offset, because a Number
 * from 2^31 on is a heap object wherever V8 has to box it, and a signed pattern never is. Index a
 * view with `offset >>> shift`. Offset 0 belongs to nobody and means "no address".
 */
import { assert } from '../base/assert.ts';
import { ARENA_PAGES_MAX } from '../schedule/arena-layout.ts';

interface Kernel {
  copy(to: number, from: number, length: number): void;
  join(to: number, head: number, headLength: number, rest: number, restLength: number): void;
  sum16(at: number, length: number, sum: number): number;
}

export class Arena {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  /** Copies bytes inside the arena; ranges are the caller's to check. */
  readonly copy: Kernel['copy'];
  /** Writes a head and then the rest of a packet to one place. */
  readonly join: Kernel['join'];
  /** Folded ones' complement sum of little-endian 16-bit words, on top of `sum`. */
  readonly sum16: Kernel['sum16'];

  constructor(memory: WebAssembly.Memory, kernel: WebAssembly.Module) {
    const { buffer } = memory;
    assert(buffer.byteLength <= ARENA_PAGES_MAX * 65536, 'the arena ends below 4 GiB');
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    const { exports } = new WebAssembly.Instance(kernel, { arena: { memory } });
    const { copy, join, sum16 } = exports as unknown as Kernel;
    this.copy = copy;
    this.join = join;
    this.sum16 = sum16;
  }

  /** Shared, and at its final size: growing would detach every view. */
  static memory(pages: number): WebAssembly.Memory {
    assert(pages > 0 && pages <= ARENA_PAGES_MAX, 'the configuration check bounds the arena');
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  }
}

/** Big-endian 16-bit field at any alignment, from host scratch. */
export function loadBe16(u8: Uint8Array, at: number): number {
  return (u8[at >>> 0]! << 8) | u8[(at + 1) >>> 0]!;
}

export function storeBe16(u8: Uint8Array, at: number, value: number): void {
  u8[at >>> 0] = value >>> 8;
  u8[(at + 1) >>> 0] = value;
}
