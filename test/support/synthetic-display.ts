/** A display without a device: its pixels lie in shared memory, and a test paints them. */
import type { DisplaySource } from '../../src/dashboard/display-source.ts';

export class SyntheticDisplay implements DisplaySource {
  readonly id = 'center';
  readonly widthPx: number;
  readonly heightPx: number;
  /** How often its pixels were asked for. */
  looks = 0;
  private readonly words: Uint32Array;
  private version = 1;

  constructor(widthPx: number, heightPx: number) {
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    // Behind other things, as in the arena.
    this.words = new Uint32Array(new SharedArrayBuffer(64 + widthPx * heightPx * 4), 64);
  }

  generation(): number {
    return this.version;
  }

  pixels(): Uint8Array {
    this.looks++;
    return new Uint8Array(this.words.buffer, this.words.byteOffset, this.words.byteLength);
  }

  /** A gradient, with something in the byte that is no colour. */
  paint(phase = 0): void {
    for (let y = 0; y < this.heightPx; y++)
      for (let x = 0; x < this.widthPx; x++)
        this.words[y * this.widthPx + x] =
          0xab00_0000 + (((x + phase) & 0xff) << 16) + ((y & 0xff) << 8) + ((x ^ y) & 0xff);
    this.announce();
  }

  /** One pixel, as 0xRRGGBB. */
  set(x: number, y: number, color: number): void {
    this.words[y * this.widthPx + x] = color;
    this.announce();
  }

  announce(): void {
    this.version++;
  }

  /** What a canvas has to show. */
  rgba(): Uint8ClampedArray {
    const rgba = new Uint8ClampedArray(this.words.length * 4);
    this.words.forEach((word, n) =>
      rgba.set([(word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff, 255], 4 * n),
    );
    return rgba;
  }
}
