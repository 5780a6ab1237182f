/** Pictures as plain data: what a driver writes, and what must be seen of it. */
import { strict as assert } from 'node:assert';
import { GpuFormat } from '../../src/wire/virtio-gpu.ts';
import type { RectPx } from './gpu-commands.ts';

/** Opaque black, as a picture shows it. */
export const BLACK = 0xff000000;

/** Bytes that differ from pixel to pixel and from seed to seed. */
export function pattern(pixels: number, seed = 1): Uint8Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Uint8Array.from({ length: pixels * 4 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

/** Where the bytes of red, green and blue stand in a pixel. */
const PLACES: Readonly<Record<number, readonly [red: number, green: number, blue: number]>> = {
  [GpuFormat.B8G8R8A8_UNORM]: [2, 1, 0],
  [GpuFormat.B8G8R8X8_UNORM]: [2, 1, 0],
  [GpuFormat.A8R8G8B8_UNORM]: [1, 2, 3],
  [GpuFormat.X8R8G8B8_UNORM]: [1, 2, 3],
  [GpuFormat.R8G8B8A8_UNORM]: [0, 1, 2],
  [GpuFormat.X8B8G8R8_UNORM]: [3, 2, 1],
  [GpuFormat.A8B8G8R8_UNORM]: [3, 2, 1],
  [GpuFormat.R8G8B8X8_UNORM]: [0, 1, 2],
};

/** The pixels that these bytes are in a format, each as 0xffRRGGBB. */
export function seen(bytes: Uint8Array, format: number = GpuFormat.B8G8R8X8_UNORM): Uint32Array {
  const [red, green, blue] = PLACES[format]!;
  return Uint32Array.from({ length: bytes.length / 4 }, (_, n) => {
    const at = n * 4;
    const colours = (bytes[at + red]! << 16) | (bytes[at + green]! << 8) | bytes[at + blue]!;
    return (0xff000000 | colours) >>> 0;
  });
}

/** The pixels of a rectangle of a picture of this width. */
export function part(pixels: Uint32Array, width: number, [x, y, w, h]: RectPx): number[] {
  return Array.from({ length: w * h }, (_, n) => {
    const row = y + Math.floor(n / w);
    return pixels[row * width + x + (n % w)]!;
  });
}

/** Copies a rectangle of one picture to a place of another. */
export function paste(
  to: Uint32Array,
  toWidth: number,
  [toX, toY]: readonly [number, number],
  from: Uint32Array,
  fromWidth: number,
  [x, y, width, height]: RectPx,
): void {
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (toY + row) * toWidth + toX + column;
      to[at] = from[(y + row) * fromWidth + x + column]!;
    }
  }
}

/** Both pictures are equal, or the first place where they are not is named. */
export function assertPicture(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  width: number,
  what = 'picture',
): void {
  assert.equal(actual.length, expected.length, `${what}: number of pixels`);
  for (let n = 0; n < expected.length; n++) {
    if (actual[n] === expected[n]) continue;
    assert.fail(
      `${what}: pixel ${n % width}, ${Math.floor(n / width)} is ${actual[n]!.toString(16)}, ` +
        `not ${expected[n]!.toString(16)}`,
    );
  }
}

/** A pixel 0xXXRRGGBB under a premultiplied one of bytes B, G, R, A. */
export function blended(below: number, above: Uint8Array): number {
  const colour = (shift: number, byte: number) => {
    const kept = Math.round((((below >>> shift) & 0xff) * (255 - above[3]!)) / 255);
    return Math.min(255, above[byte]! + kept) << shift;
  };
  return (0xff000000 | colour(16, 2) | colour(8, 1) | colour(0, 0)) >>> 0;
}
