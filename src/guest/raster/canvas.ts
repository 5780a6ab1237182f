/** A picture in memory: rows of pixels B, G, R, X, and the ways to fill them. */

/** Opaque black as a pixel. */
const OPAQUE = 0xff000000;
/** Full coverage, and full opacity. */
export const FULL = 256;

/** 0xRRGGBB as a pixel of the order B, G, R, X. */
export function pixelOf(colour: number): number {
  return OPAQUE | colour | 0;
}

/** Between two pixels, `weight` of 256 towards `above`. */
export function mix(below: number, above: number, weight: number): number {
  const rest = FULL - weight;
  const odd = (Math.imul(above & 0xff00ff, weight) + Math.imul(below & 0xff00ff, rest)) >>> 8;
  const green = (Math.imul(above & 0x00ff00, weight) + Math.imul(below & 0x00ff00, rest)) >>> 8;
  return -0x1000000 | (odd & 0xff00ff) | (green & 0x00ff00);
}

/** A rectangle of whole pixels. */
export interface PixelArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export class Canvas {
  readonly pixels: Int32Array;
  readonly width: number;
  readonly height: number;
  /** Index of the first pixel; rows follow each other without gaps. */
  readonly start: number;

  /** `pixels`: any words, shared or not, of which the picture has those from `start` on. */
  constructor(pixels: Int32Array, start: number, width: number, height: number) {
    this.pixels = pixels;
    this.start = start;
    this.width = width;
    this.height = height;
  }

  static ofOwn(width: number, height: number): Canvas {
    return new Canvas(new Int32Array(width * height), 0, width, height);
  }

  /** Index of a pixel. */
  indexOf(x: number, y: number): number {
    return this.start + y * this.width + x;
  }

  fill({ x, y, width, height }: PixelArea, colour: number): void {
    const left = Math.max(0, x);
    const right = Math.min(this.width, x + width);
    const pixel = pixelOf(colour);
    for (let row = Math.max(0, y); row < Math.min(this.height, y + height); row++) {
      if (left < right) this.pixels.fill(pixel, this.indexOf(left, row), this.indexOf(right, row));
    }
  }

  /** From one colour at the top to another at the bottom. */
  fillGradient({ x, y, width, height }: PixelArea, top: number, bottom: number): void {
    for (let row = 0; row < height; row++) {
      const weight = Math.floor((row * FULL) / Math.max(1, height - 1));
      const colour = mix(top, bottom, weight) & 0xffffff;
      this.fill({ x, y: y + row, width, height: 1 }, colour);
    }
  }

  /** Lays light over a round area: `strength` of 256 in its middle, nothing at its rim. */
  glow(centreX: number, centreY: number, radius: number, colour: number, strength: number): void {
    const pixel = pixelOf(colour);
    const square = radius * radius;
    const bottom = Math.min(this.height, centreY + radius);
    for (let y = Math.max(0, centreY - radius); y < bottom; y++) {
      const right = Math.min(this.width, centreX + radius);
      for (let x = Math.max(0, centreX - radius); x < right; x++) {
        const distance = (x - centreX) * (x - centreX) + (y - centreY) * (y - centreY);
        if (distance >= square) continue;
        const fall = Math.floor(((square - distance) * FULL) / square);
        this.lay(this.indexOf(x, y), pixel, (fall * fall * strength) >> 16);
      }
    }
  }

  private lay(index: number, pixel: number, weight: number): void {
    this.pixels[index] = mix(this.pixels[index]!, pixel, weight);
  }

  /** Lays a colour over the pixels behind (x, y) by their coverages, from `first` to `end`. */
  layRow(
    x: number,
    y: number,
    coverage: Uint16Array,
    first: number,
    end: number,
    colour: number,
  ): void {
    const pixel = pixelOf(colour);
    const { pixels } = this;
    const index = this.indexOf(x, y);
    for (let n = first; n < end; n++) {
      const weight = coverage[n]!;
      if (weight === FULL) pixels[index + n] = pixel;
      else if (weight > 0) pixels[index + n] = mix(pixels[index + n]!, pixel, weight);
    }
  }

  /** Takes over a part of a picture of the same size. */
  restore(from: Canvas, { x, y, width, height }: PixelArea): void {
    for (let row = y; row < y + height; row++) {
      copyPixels(this, this.indexOf(x, row), from, from.indexOf(x, row), width);
    }
  }
}

/**
 * Copies pixels that follow each other; on shared memory this is several times as fast as the
 * copying of typed arrays.
 */
export function copyPixels(
  { pixels: to }: Canvas,
  toIndex: number,
  { pixels: from }: Canvas,
  fromIndex: number,
  count: number,
): void {
  for (let n = 0; n < count; n++) to[toIndex + n] = from[fromIndex + n]!;
}
