/** Pictures as PNG files: the composed display for a person, a warning picture for the display. */
// [impl->req~host.picture-file~1]
import { PNG } from 'pngjs';
import { assert } from '../base/assert.ts';
import { FileProblem, readFileBytes, writeFileBytes } from './files.ts';
import { pngProblem } from './png-check.ts';

/** Rows from the top, without gaps, of pixels with the bytes B, G, R, X. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

const FILE_BYTES_MAX = 64 * 1024 * 1024;
const PIXEL_BYTES = 4;

/** @throws FileProblem when it cannot be written */
export function writePng(file: string, { width, height, bytes }: Picture): void {
  assert(bytes.length === width * height * PIXEL_BYTES, 'a picture has all of its pixels');
  const png = new PNG({ width, height });
  for (let at = 0; at < bytes.length; at += PIXEL_BYTES) {
    png.data[at] = bytes[at + 2]!;
    png.data[at + 1] = bytes[at + 1]!;
    png.data[at + 2] = bytes[at]!;
    png.data[at + 3] = 0xff;
  }
  writeFileBytes(file, PNG.sync.write(png, { colorType: 2, deflateLevel: 6 }));
}

/**
 * The picture of a file; what is transparent in it lies over black.
 * @throws FileProblem when there is none that can be shown whole
 */
export function readPng(file: string): Picture {
  const content = Buffer.from(readFileBytes(file, FILE_BYTES_MAX, 'a picture'));
  const problem = pngProblem(content);
  if (problem !== undefined) throw new FileProblem(`${file}: ${problem}`);
  const { width, height, data } = decode(file, content);
  const bytes = new Uint8Array(width * height * PIXEL_BYTES);
  for (let at = 0; at < bytes.length; at += PIXEL_BYTES) {
    const alpha = data[at + 3]! / 255;
    bytes[at] = Math.round(data[at + 2]! * alpha);
    bytes[at + 1] = Math.round(data[at + 1]! * alpha);
    bytes[at + 2] = Math.round(data[at]! * alpha);
    bytes[at + 3] = 0xff;
  }
  return { width, height, bytes };
}

function decode(file: string, content: Buffer): PNG {
  try {
    return PNG.sync.read(content);
  } catch (error) {
    throw new FileProblem(`${file}: a damaged PNG file: ${(error as Error).message}`);
  }
}
