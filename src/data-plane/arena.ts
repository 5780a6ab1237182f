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
  pixels(to: number, from: number, count: number, order: number): void;
  blend(to: number, from: number, count: number): void;
  fill32(to: number, count: number, value: number): void;
  crc32(at: number, length: number, crc: number, tablesAt: number): number;
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
  /**
   * Copies `count` pixels of 4 bytes from an order of wire/pixel-order.ts to B, G, R, X, with X set
   * to 0xff. The two ranges lie apart or are the same; neither needs an alignment.
   */
  // [impl->req~gpu.pixels-exact~1]
  readonly pixels: Kernel['pixels'];
  /**
   * Lays `count` pixels B, G, R, A over as many B, G, R, X. Colours of the upper ones are
   * premultiplied, as Linux draws cursors: sum = upper + round(lower * (255 - A) / 255), at most
   * 255; X becomes 0xff. These are the numbers of pixman's OVER.
   */
  // [impl->req~gpu.cursor-blend~1]
  readonly blend: Kernel['blend'];
  /** Writes the same 32 bits `count` times, at any alignment. */
  readonly fill32: Kernel['fill32'];
  /**
   * CRC-32 of IEEE 802.3 over `length` bytes, continued from `crc` (0 at the start), as a signed
   * pattern. `tablesAt`: where the words of base/crc32.ts lie in the arena.
   */
  // [impl->req~gpu.crc-exact~1]
  readonly crc32: Kernel['crc32'];

  constructor(memory: WebAssembly.Memory, kernel: WebAssembly.Module) {
    const { buffer } = memory;
    assert(buffer.byteLength <= ARENA_PAGES_MAX * 65536, 'the arena ends below 4 GiB');
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    const { exports } = new WebAssembly.Instance(kernel, { arena: { memory } });
    const { copy, join, sum16, pixels, blend, fill32, crc32 } = exports as unknown as Kernel;
    this.copy = copy;
    this.join = join;
    this.sum16 = sum16;
    this.pixels = pixels;
    this.blend = blend;
    this.fill32 = fill32;
    this.crc32 = crc32;
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
