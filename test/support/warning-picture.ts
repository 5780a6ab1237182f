/**
 * Draws config/cluster-warning.png: what the cluster's plane shows when its owner is lost. Run it to write the
 * file.
 */
import path from 'node:path';
import { Canvas } from '../../src/guest/raster/canvas.ts';
import { Typeface } from '../../src/guest/raster/typeface.ts';
import { Palette } from '../../src/guest/scenes/palette.ts';
import { Sketch } from '../../src/guest/scenes/sketch.ts';
import { writePng, type Picture } from '../../src/host/png.ts';

const WIDTH = 1280;
const HEIGHT = 320;
const MIDDLE = WIDTH / 2;

/** The picture in the size of the cluster's plane. */
export function warningPicture(): Picture {
  const canvas = Canvas.ofOwn(WIDTH, HEIGHT);
  const sketch = new Sketch(canvas, 1);
  const all = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
  canvas.fillGradient(all, 0x1c0c0c, Palette.NIGHT);
  canvas.glow(MIDDLE, 120, 300, 0x70201a, 110);
  const triangle = [MIDDLE, 44, MIDDLE + 76, 174, MIDDLE - 76, 174];
  sketch.loop(triangle, 11, Palette.RED);
  sketch.line([MIDDLE, 92, MIDDLE, 134], 11, Palette.RED);
  sketch.disc(MIDDLE, 154, 6.5, Palette.RED);
  new Typeface(26, 3.2).writeCentred(
    canvas,
    'Instruments not available',
    MIDDLE,
    212,
    Palette.TEXT,
  );
  new Typeface(15, 2).writeCentred(canvas, 'Stop safely', MIDDLE, 264, Palette.AMBER);
  return { width: WIDTH, height: HEIGHT, bytes: new Uint8Array(canvas.pixels.buffer) };
}

if (require.main === module) {
  writePng(path.resolve(__dirname, '../../../config/cluster-warning.png'), warningPicture());
}
