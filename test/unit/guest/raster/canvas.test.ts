/** Filling, mixing and copying pixels, and what is written in them. */
import { strict as assert } from 'node:assert';
import { Canvas, copyPixels, FULL, mix, pixelOf } from '../../../../src/guest/raster/canvas.ts';
import { LETTERS } from '../../../../src/guest/raster/letters.ts';
import { disc, fixed, roundedBox } from '../../../../src/guest/raster/outline.ts';
import { Painter } from '../../../../src/guest/raster/painter.ts';
import { Typeface } from '../../../../src/guest/raster/typeface.ts';

const BLACK = pixelOf(0);
const WHITE = pixelOf(0xffffff);

function ink(canvas: Canvas): number {
  return canvas.pixels.reduce((sum, pixel) => sum + ((pixel & 0xff) > 0 ? 1 : 0), 0);
}

function black(width: number, height: number): Canvas {
  const canvas = Canvas.ofOwn(width, height);
  canvas.fill({ x: 0, y: 0, width, height }, 0);
  return canvas;
}

describe('canvas', () => {
  it('[utest->req~guest.raster-exact~1] every pixel is opaque, whatever is laid over it', () => {
    const canvas = black(20, 20);
    canvas.fillGradient({ x: 0, y: 0, width: 20, height: 20 }, 0x102030, 0xf0e0d0);
    canvas.glow(10, 10, 8, 0xffffff, 200);
    new Painter(canvas).fill([disc(fixed(9), fixed(11), fixed(6))], 0x336699, 77);
    assert.ok(canvas.pixels.every((pixel) => pixel >>> 24 === 0xff));
  });

  it('[utest->req~guest.raster-exact~1] mixing is exact at both ends and between them', () => {
    for (const [above, below] of [
      [WHITE, BLACK],
      [pixelOf(0x123456), pixelOf(0xfedcba)],
    ] as const) {
      assert.equal(mix(below, above, FULL), above);
      assert.equal(mix(below, above, 0), below);
    }
    assert.equal(mix(BLACK, WHITE, 128), pixelOf(0x7f7f7f));
    assert.equal(mix(pixelOf(0xff0000), pixelOf(0x00ff00), 64), pixelOf(0xbf3f00));
  });

  it('[utest->req~guest.raster-exact~1] what is filled or glows outside of the picture is cut off', () => {
    const canvas = black(8, 4);
    canvas.fill({ x: -3, y: 2, width: 5, height: 9 }, 0xffffff);
    assert.equal(ink(canvas), 4);
    canvas.fill({ x: 20, y: 0, width: 5, height: 9 }, 0xffffff);
    assert.equal(ink(canvas), 4);
    canvas.glow(0, 0, 50, 0xffffff, 255);
    new Painter(canvas).fill([disc(fixed(-40), fixed(2), fixed(10))], 0xffffff);
  });

  it('[utest->req~guest.raster-exact~1] a part of a picture is taken over, and nothing beside it', () => {
    const from = black(6, 6);
    from.fill({ x: 0, y: 0, width: 6, height: 6 }, 0xffffff);
    const to = black(6, 6);
    to.restore(from, { x: 1, y: 2, width: 3, height: 2 });
    assert.equal(ink(to), 6);
    assert.deepEqual([to.pixels[2 * 6], to.pixels[2 * 6 + 1]], [BLACK, WHITE]);
    copyPixels(to, to.indexOf(0, 0), from, 0, 6);
    assert.equal(ink(to), 12);
  });
});

describe('painter', () => {
  it('[utest->req~guest.raster-exact~1] a disc has the area of a circle, and a contour leaves its middle free', () => {
    const canvas = black(64, 64);
    const painter = new Painter(canvas);
    painter.fill([disc(fixed(32), fixed(32), fixed(20))], 0xffffff);
    const lit = canvas.pixels.reduce((sum, pixel) => sum + (pixel & 0xff), 0) / 255;
    assert.ok(Math.abs(lit - Math.PI * 400) < 8, `${lit}`);
    const ring = black(64, 64);
    const outline = roundedBox(fixed(10), fixed(10), fixed(40), fixed(30), fixed(6));
    new Painter(ring).contour(outline, 2, 0xffffff);
    assert.equal(ring.pixels[25 * 64 + 30], BLACK);
    assert.equal(ring.pixels[10 * 64 + 30], WHITE);
  });

  it('[utest->req~guest.raster-exact~1] a line has its width and round ends, also along a sharp corner', () => {
    const canvas = black(60, 40);
    const points = [10, 20, 50, 20].map(fixed);
    new Painter(canvas).stroke(points, 6, 0xffffff);
    const column = Array.from({ length: 40 }, (_, y) => canvas.pixels[y * 60 + 30]! & 0xff);
    assert.equal(column.reduce((sum, value) => sum + value, 0) / 255, 6);
    assert.equal(canvas.pixels[20 * 60 + 6], BLACK);
    assert.ok((canvas.pixels[20 * 60 + 8]! & 0xff) > 200);
    const corner = black(60, 40);
    new Painter(corner).stroke([5, 5, 50, 7, 5, 9].map(fixed), 3, 0xffffff);
    assert.ok(corner.pixels.slice(0, 2 * 60).every((pixel) => pixel === BLACK));
    // The point of the corner is cut off instead of reaching far out.
    assert.equal(corner.pixels[7 * 60 + 56], BLACK);
  });
});

describe('typeface', () => {
  it('[utest->req~guest.raster-exact~1] every letter but the space leaves ink inside of its line', () => {
    const face = new Typeface(20, 2.5);
    for (const letter of Object.keys(LETTERS)) {
      const canvas = black(60, 60);
      face.write(canvas, letter, 10, 15, 0xffffff);
      assert.equal(ink(canvas) > 0, letter !== ' ', letter);
      const rows = Array.from(canvas.pixels).flatMap((pixel, n) =>
        pixel !== BLACK ? [Math.floor(n / 60)] : [],
      );
      assert.ok(
        rows.every((row) => row >= 12 && row <= 45),
        letter,
      );
    }
  });

  it('[utest->req~guest.raster-exact~1] digits are equally wide, so that a number does not tremble', () => {
    const face = new Typeface(31, 4);
    const widths = [...'0123456789'].map((digit) => face.widthOf(digit));
    assert.equal(new Set(widths).size, 1);
    assert.ok(face.widthOf('10') > face.widthOf('1'));
    assert.equal(face.widthOf(''), 0);
  });

  it('[utest->req~guest.raster-exact~1] a letter that nobody drew is a space, and letters at an edge are cut off', () => {
    const face = new Typeface(12, 2);
    assert.equal(face.widthOf('ä'), face.widthOf(' '));
    const canvas = black(10, 6);
    face.write(canvas, 'MM', -6, -3, 0xffffff, 128);
    face.writeCentred(canvas, 'WWW', 5, 2, 0xffffff);
    face.writeRight(canvas, 'W', 40, 20, 0xffffff);
    assert.ok(ink(canvas) > 0);
  });
});
