/** Text of one size and weight: each letter is drawn once as coverages, then only laid down. */
import { FULL, type Canvas } from './canvas.ts';
import { Coverage, STEPS } from './coverage.ts';
import { contourOf, curvePoints, strokeOf, type Outline } from './outline.ts';
import { LETTERS } from './letters.ts';

/** Units of the letters from the top of a capital to the base line. */
const CAPITAL_UNITS = 20;
/** Below the base line, for the longest letter. */
const DESCENT_UNITS = 7;
const CURVE_POINTS = 8;
const COMMANDS = /([MLQZ])([^MLQZ]*)/g;

interface Glyph {
  /** From the letter's left edge to its mask's. */
  readonly left: number;
  readonly width: number;
  readonly height: number;
  readonly mask: Uint16Array;
  /** To the next letter, in fixed-point steps. */
  readonly advance: number;
}

export class Typeface {
  /** Height of a capital, in pixels. */
  readonly size: number;
  private readonly weight: number;
  private readonly spacing: number;
  private readonly glyphs = new Map<string, Glyph>();
  private readonly row: Uint16Array;

  /** `size`: height of a capital; `weight`: width of its strokes; both in pixels. */
  constructor(size: number, weight: number) {
    this.size = size;
    this.weight = Math.round(weight * STEPS);
    this.spacing = Math.round((STEPS * size * 4) / CAPITAL_UNITS) + this.weight;
    this.row = new Uint16Array(Math.ceil(size * 2) + 16);
  }

  /** Width of a line of text, in pixels. */
  widthOf(text: string): number {
    let steps = 0;
    for (const letter of text) steps += this.glyphOf(letter).advance;
    return Math.ceil(Math.max(0, steps - this.spacing + this.weight) / STEPS);
  }

  /** Writes a line whose capitals begin at `top`; `x` is its left end. */
  write(
    canvas: Canvas,
    text: string,
    x: number,
    top: number,
    colour: number,
    opacity = FULL,
  ): void {
    let at = Math.round(x * STEPS) + (this.weight >> 1);
    for (const letter of text) {
      const glyph = this.glyphOf(letter);
      this.lay(
        canvas,
        glyph,
        Math.round(at / STEPS) + glyph.left,
        Math.round(top),
        colour,
        opacity,
      );
      at += glyph.advance;
    }
  }

  writeCentred(canvas: Canvas, text: string, x: number, top: number, colour: number): void {
    this.write(canvas, text, Math.round(x - this.widthOf(text) / 2), top, colour);
  }

  writeRight(canvas: Canvas, text: string, x: number, top: number, colour: number): void {
    this.write(canvas, text, Math.round(x - this.widthOf(text)), top, colour);
  }

  private lay(
    canvas: Canvas,
    glyph: Glyph,
    x: number,
    top: number,
    colour: number,
    opacity: number,
  ): void {
    const first = Math.max(0, -x);
    const count = Math.min(glyph.width, canvas.width - x) - first;
    const up = this.margin;
    for (let line = 0; line < glyph.height && count > 0; line++) {
      const y = top + line - up;
      if (y < 0 || y >= canvas.height) continue;
      const from = line * glyph.width + first;
      for (let n = 0; n < count; n++) this.row[n] = (glyph.mask[from + n]! * opacity) >> 8;
      canvas.layRow(x + first, y, this.row, 0, count, colour);
    }
  }

  /** Rows of a mask above the top of a capital, and columns left of a letter. */
  private get margin(): number {
    return Math.ceil(this.weight / 2 / STEPS) + 1 + Math.ceil(this.size / CAPITAL_UNITS);
  }

  private glyphOf(letter: string): Glyph {
    const known = this.glyphs.get(letter);
    if (known) return known;
    const made = this.make(letter);
    this.glyphs.set(letter, made);
    return made;
  }

  private make(letter: string): Glyph {
    const { width: units, path } = LETTERS[letter] ?? LETTERS[' ']!;
    const scale = (STEPS * this.size) / CAPITAL_UNITS;
    const { margin } = this;
    const width = Math.ceil((units * scale) / STEPS) + 2 * margin;
    const height =
      Math.ceil((this.size * (CAPITAL_UNITS + DESCENT_UNITS)) / CAPITAL_UNITS) + 2 * margin;
    const coverage = new Coverage(width, height);
    const mask = new Uint16Array(width * height);
    for (const outlines of this.strokes(path, scale, margin * STEPS)) {
      coverage.begin(0, 0, width, height);
      for (const outline of outlines) coverage.outline(outline);
      // Strokes of one letter overlap; where they do the darker one counts.
      for (let line = 0; line < height; line++) {
        coverage.sumRow(line, FULL);
        for (let n = coverage.first; n < coverage.end; n++) {
          const at = line * width + n;
          mask[at] = Math.max(mask[at]!, coverage.row[n]!);
        }
      }
    }
    return {
      left: -margin,
      width,
      height,
      mask,
      advance: Math.round(units * scale) + this.spacing,
    };
  }

  /** The outlines of each stroke of a path. */
  private strokes(path: string, scale: number, shift: number): Outline[][] {
    const found: Outline[][] = [];
    let points: number[] = [];
    const end = (): void => {
      if (points.length >= 4) found.push(strokeOf(points, this.weight));
      points = [];
    };
    for (const [, command, text] of path.matchAll(COMMANDS)) {
      const numbers = text!
        .trim()
        .split(/\s+/)
        .filter(Boolean)
        .map((word) => Math.round(Number(word) * scale + shift));
      if (command === 'M') end();
      if (command === 'Z') {
        const isRepeated = points.at(-2) === points[0] && points.at(-1) === points[1];
        found.push(contourOf(isRepeated ? points.slice(0, -2) : points, this.weight));
        points = [];
      } else if (command === 'Q') {
        const [cx, cy, x, y] = numbers as [number, number, number, number];
        const from = [points.at(-2)!, points.at(-1)!] as const;
        points.push(...curvePoints(from, [cx, cy], [x, y], CURVE_POINTS));
      } else points.push(...numbers);
    }
    end();
    return found;
  }
}
