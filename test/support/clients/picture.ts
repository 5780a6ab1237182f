/** Pictures as a display shows them, and where two of them differ. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { readPng } from '../../../src/host/png.ts';

/** A portable pixmap's header: its form, its size, and the greatest value of a colour. */
const PPM = /^P6\n(\d+) (\d+)\n255\n/;
const HEADER_BYTES_MAX = 64;
const BYTES = 3;

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly rgb: Uint8Array;
}

export function readPpm(file: string): Picture {
  const bytes = readFileSync(file);
  const header = PPM.exec(bytes.toString('latin1', 0, HEADER_BYTES_MAX));
  assert.ok(header, `${file} is not a portable pixmap`);
  const [width, height] = [Number(header[1]), Number(header[2])];
  const rgb = bytes.subarray(header[0].length);
  assert.equal(rgb.length, width * height * BYTES, `${file} is not whole`);
  return { width, height, rgb };
}

/** What `run --screenshot` has written. */
export function readScreenshot(file: string): Picture {
  const { width, height, bytes } = readPng(file);
  return paint(width, height, (x, y) => {
    const at = (y * width + x) * 4;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  });
}

/** A picture from the colour 0xRRGGBB of each place. */
export function paint(
  width: number,
  height: number,
  colour: (x: number, y: number) => number,
): Picture {
  const rgb = new Uint8Array(width * height * BYTES);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = colour(x, y);
      rgb[at++] = value >>> 16;
      rgb[at++] = value >>> 8;
      rgb[at++] = value;
    }
  }
  return { width, height, rgb };
}

/** How many pixels differ, and the first of them; undefined when none does. */
export function difference(one: Picture, other: Picture): string | undefined {
  const size = ({ width, height }: Picture) => `${width}x${height}`;
  if (size(one) !== size(other)) return `${size(one)} is not ${size(other)}`;
  const colourAt = ({ rgb }: Picture, at: number) =>
    (rgb[at]! << 16) | (rgb[at + 1]! << 8) | rgb[at + 2]!;
  let count = 0;
  let first: number | undefined;
  for (let at = 0; at < one.rgb.length; at += BYTES) {
    if (colourAt(one, at) === colourAt(other, at)) continue;
    count++;
    first ??= at;
  }
  if (first === undefined) return undefined;
  const pixel = first / BYTES;
  const place = `${pixel % one.width},${Math.floor(pixel / one.width)}`;
  const colours = [one, other].map((of) => colourAt(of, first).toString(16).padStart(6, '0'));
  const total = one.rgb.length / BYTES;
  return `${count} of ${total} pixels, first at ${place}: ${colours.join(' is not ')}`;
}

/** How many pixels are not black. */
export function litPixels({ rgb }: Picture): number {
  let count = 0;
  for (let at = 0; at < rgb.length; at += BYTES)
    if (rgb[at] !== 0 || rgb[at + 1] !== 0 || rgb[at + 2] !== 0) count++;
  return count;
}
