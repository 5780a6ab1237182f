/** Pictures of a display: what arrives is what was drawn, only what changed is sent, the newest wins. */
import { strict as assert } from 'node:assert';
import { deflateSync, inflateSync } from 'node:zlib';
import type { DisplaySource } from '../../../src/dashboard/display-source.ts';
import {
  bodyBytesMax,
  displayOfPicture,
  PICTURE_HEADER_BYTES,
  tileGridOf,
  tilesOf,
} from '../../../src/dashboard/page/picture.ts';
import { PictureStream, type Compress } from '../../../src/dashboard/picture-stream.ts';
import type { Viewer } from '../../../src/dashboard/viewer.ts';
import { SyntheticDisplay } from '../../support/synthetic-display.ts';

const TICK_MS = 100;
const INDEX = 3;

/** A page that draws what it gets on a canvas of its own, when it is told to. */
class Painter {
  readonly tiles: number[] = [];
  readonly canvas: Uint8ClampedArray;
  keepsUp = true;
  private readonly source: DisplaySource;
  private pending: Uint8Array[] = [];

  constructor(source: DisplaySource) {
    this.source = source;
    this.canvas = new Uint8ClampedArray(source.widthPx * source.heightPx * 4);
  }

  wantsPicture(): boolean {
    return this.keepsUp && this.pending.length === 0;
  }

  sendPicture(display: number, picture: Uint8Array): void {
    assert.equal(display, INDEX);
    this.pending.push(picture);
  }

  /** Draws the picture that waits; how many tiles it had, or 0 without one. */
  draw(): number {
    const picture = this.pending.pop();
    if (!picture) return 0;
    assert.equal(displayOfPicture(picture), INDEX);
    const grid = tileGridOf(this.source);
    const body = inflateSync(picture.subarray(PICTURE_HEADER_BYTES));
    let count = 0;
    for (const { x, y, width, height, rgba } of tilesOf(body, grid)) {
      for (let row = 0; row < height; row++) {
        const line = rgba.subarray(row * width * 4, (row + 1) * width * 4);
        this.canvas.set(line, ((y + row) * grid.widthPx + x) * 4);
      }
      count++;
    }
    this.tiles.push(count);
    return count;
  }

  get viewer(): Viewer {
    return this as unknown as Viewer;
  }
}

function streamOf(source: DisplaySource, compress?: Compress, workMs = 0) {
  let nowNs = 0;
  const clock = {
    readInto: (cell: Float64Array) => {
      cell[0] = nowNs;
      nowNs += workMs * 1e6;
    },
  };
  return new PictureStream({
    source,
    index: INDEX,
    compress: compress ?? ((bytes) => Promise.resolve(deflateSync(bytes))),
    clock,
    tickMs: TICK_MS,
  });
}

async function tick(stream: PictureStream, ...painters: readonly Painter[]): Promise<void> {
  stream.tick(painters.map(({ viewer }) => viewer));
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('dashboard: pictures', () => {
  it('[utest->req~dash.display~1] the first picture is whole, in the colours of the display', async () => {
    const source = new SyntheticDisplay(200, 130);
    source.paint();
    const painter = new Painter(source);
    await tick(streamOf(source), painter);
    assert.equal(painter.draw(), 4 * 3);
    assert.deepEqual(painter.canvas, source.rgba());
  });

  it('[utest->req~dash.display~1] then only tiles that have changed, at the edges too', async () => {
    const source = new SyntheticDisplay(200, 130);
    source.paint();
    const painter = new Painter(source);
    const stream = streamOf(source);
    await tick(stream, painter);
    painter.draw();
    for (const [x, y] of [
      [0, 0],
      [63, 63],
      [64, 64],
      [199, 129],
      [130, 10],
    ] as const) {
      source.set(x, y, 0x00c0ffee);
      await tick(stream, painter);
      assert.equal(painter.draw(), 1, `${x}, ${y}`);
      assert.deepEqual(painter.canvas, source.rgba());
    }
  });

  it('[utest->req~dash.display~1] without a change nothing is sent, be it announced or not', async () => {
    const source = new SyntheticDisplay(100, 100);
    source.paint();
    const painter = new Painter(source);
    const stream = streamOf(source);
    await tick(stream, painter);
    painter.draw();
    await tick(stream, painter);
    source.announce();
    await tick(stream, painter);
    assert.deepEqual(painter.tiles, [4]);
    assert.equal(painter.draw(), 0);
  });

  it('[utest->req~dash.display~1] a page that draws slowly gets the newest picture, not each', async () => {
    const source = new SyntheticDisplay(128, 64);
    const painter = new Painter(source);
    const stream = streamOf(source);
    await tick(stream, painter);
    for (let n = 1; n <= 5; n++) {
      source.set(n, n, n);
      source.set(64 + n, n, n);
      await tick(stream, painter);
    }
    painter.draw();
    await tick(stream, painter);
    assert.equal(painter.draw(), 2);
    assert.deepEqual(painter.canvas, source.rgba());
    assert.deepEqual(painter.tiles, [2, 2]);
  });

  it('[utest->req~dash.display~1] one compression serves pages that are differently far', async () => {
    const source = new SyntheticDisplay(256, 64);
    let compressions = 0;
    const stream = streamOf(source, (bytes) => {
      compressions++;
      return Promise.resolve(deflateSync(bytes));
    });
    const [early, late] = [new Painter(source), new Painter(source)];
    await tick(stream, early);
    early.draw();
    source.set(0, 0, 1);
    await tick(stream, early, late);
    assert.deepEqual([early.draw(), late.draw(), compressions], [4, 4, 2]);
    source.set(0, 0, 2);
    await tick(stream, early, late);
    assert.deepEqual([early.draw(), late.draw(), compressions], [1, 1, 3]);
    assert.deepEqual([early.canvas, late.canvas], [source.rgba(), source.rgba()]);
  });

  it('[utest->req~dash.display~1] a page that falls behind while a picture is compressed is not sent it, and is not forgotten', async () => {
    const source = new SyntheticDisplay(64, 64);
    const painter = new Painter(source);
    const stream = streamOf(source);
    stream.tick([painter.viewer]);
    painter.keepsUp = false;
    await tick(stream, painter);
    painter.keepsUp = true;
    assert.equal(painter.draw(), 0);
    await tick(stream, painter);
    assert.equal(painter.draw(), 1);
  });

  it('[utest->req~dash.display~1] one picture at a time: while one is compressed nothing is begun', async () => {
    const source = new SyntheticDisplay(64, 64);
    const finish: (() => void)[] = [];
    const stream = streamOf(
      source,
      (bytes) => new Promise((resolve) => finish.push(() => resolve(deflateSync(bytes)))),
    );
    const painter = new Painter(source);
    for (let n = 0; n < 5; n++) {
      source.set(0, 0, n + 1);
      await tick(stream, painter);
    }
    assert.equal(finish.length, 1);
    finish[0]!();
    await tick(stream, painter);
    assert.equal(painter.draw(), 1);
    await tick(stream, painter);
    finish[1]!();
    await tick(stream, painter);
    painter.draw();
    assert.deepEqual(painter.canvas, source.rgba());
  });

  it('[utest->req~dash.contained~1] what fails while a picture is made is told at the next tick', async () => {
    const source = new SyntheticDisplay(64, 64);
    const stream = streamOf(source, () => Promise.reject(new Error('no room')));
    await tick(stream, new Painter(source));
    assert.throws(() => stream.tick([]), /no room/);
  });

  it('[utest->req~dash.no-interference~1] compression rests three times as long as it worked', async () => {
    const source = new SyntheticDisplay(64, 64);
    const painter = new Painter(source);
    const stream = streamOf(source, undefined, 100);
    let pictures = 0;
    for (let n = 0; n < 40; n++) {
      source.set(0, 0, n + 1);
      await tick(stream, painter);
      pictures += painter.draw();
    }
    assert.ok(pictures >= 9 && pictures <= 14, `${pictures} pictures in 40 ticks`);
  });

  it('[utest->req~dash.no-interference~1] where nobody looks nothing is read', async () => {
    const source = new SyntheticDisplay(64, 64);
    const stream = streamOf(source);
    const painter = new Painter(source);
    painter.keepsUp = false;
    await tick(stream);
    await tick(stream, painter);
    assert.equal(source.looks, 0);
  });

  it('[utest->req~dash.bounded~1] a picture is never larger than its display and the list of its tiles', () => {
    for (const [widthPx, heightPx] of [
      [1, 1],
      [64, 64],
      [65, 63],
      [1280, 800],
    ] as const) {
      const grid = tileGridOf({ widthPx, heightPx });
      assert.equal(grid.tiles, Math.ceil(widthPx / 64) * Math.ceil(heightPx / 64));
      assert.ok(bodyBytesMax(grid) <= widthPx * heightPx * 4 + 2 * grid.tiles + 4);
      assert.equal(bodyBytesMax(grid) % 4, 0);
    }
  });

  it('[utest->req~dash.display~1] what is no picture in this form is not taken for one', () => {
    assert.equal(displayOfPicture(Uint8Array.of()), -1);
    assert.equal(displayOfPicture(Uint8Array.of(1, 2, 64)), -1);
    assert.equal(displayOfPicture(Uint8Array.of(2, 2, 64, 0)), -1);
    assert.equal(displayOfPicture(Uint8Array.of(1, 2, 32, 0)), -1);
    assert.equal(displayOfPicture(Uint8Array.of(1, 2, 64, 0)), 2);
  });
});
