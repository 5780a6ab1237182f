/** Where a cursor is seen on the composed display, and what is told of it. */
import { strict as assert } from 'node:assert';
import { ScanoutWord } from '../../../src/channel/scanout-state.ts';
import { GPU_CURSOR_SIDE } from '../../../src/wire/virtio-gpu.ts';
import { moveCursor, transfer, updateCursor } from '../../support/gpu-commands.ts';
import { DISPLAY, GpuRig, HEIGHT, WIDTH } from '../../support/gpu-rig.ts';

const BLACK = 0;
const CURSOR = 9;
const SIDE = GPU_CURSOR_SIDE;
const OPAQUE = 0xff000000;

/** Each pixel of the cursor is opaque and tells its place. */
const colour = (x: number, y: number) => ((x << 8) | y | 0x10000) >>> 0;

function bytesOf(pixels: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(pixels).buffer);
}

describe('a cursor on a display', () => {
  let rig: GpuRig;

  beforeEach(() => {
    rig = new GpuRig({
      partitions: { a: { gpu: { planes: ['low'] } } },
      display: { planes: DISPLAY.planes.slice(0, 1) },
    });
    const guest = rig.guest('a');
    guest.picture(1, WIDTH, HEIGHT);
    guest.present(1, WIDTH, HEIGHT);
    const pixels = Array.from({ length: SIDE * SIDE }, (_, n) => {
      return (OPAQUE | colour(n % SIDE, Math.floor(n / SIDE))) >>> 0;
    });
    guest.fill(guest.picture(CURSOR, SIDE, SIDE), bytesOf(pixels));
    guest.ok(transfer(CURSOR, [0, 0, SIDE, SIDE]));
  });

  /** The display shows the cursor with its corner here, cut at the edges, and black elsewhere. */
  const assertCursorAt = (left: number, top: number): void => {
    rig.frames(4);
    const wanted = Array.from({ length: WIDTH * HEIGHT }, (_, n) => {
      const [x, y] = [(n % WIDTH) - left, Math.floor(n / WIDTH) - top];
      return x >= 0 && x < SIDE && y >= 0 && y < SIDE ? colour(x, y) : BLACK;
    });
    const shown = Array.from(rig.display(), (pixel) => pixel & 0xffffff);
    const first = shown.findIndex((pixel, n) => pixel !== wanted[n]);
    assert.equal(first, -1, `${first % WIDTH},${Math.floor(first / WIDTH)}`);
  };

  it('[utest->req~gpu.cursor-place~1] its upper left corner is at its position, wherever its hot spot is', () => {
    const guest = rig.guest('a');
    guest.okCursor(updateCursor({ id: CURSOR, x: 40, y: 30, hotX: 7, hotY: 11 }));
    assertCursorAt(40, 30);
    guest.okCursor(moveCursor({ x: 90, y: 50 }));
    assertCursorAt(90, 50);
    guest.okCursor(updateCursor({ id: CURSOR, x: 90, y: 50, hotX: 63, hotY: 0 }));
    assertCursorAt(90, 50);
  });

  it('[utest->req~gpu.cursor-place~1] at the edges it is cut', () => {
    const guest = rig.guest('a');
    for (const [x, y] of [
      [-20, -30],
      [WIDTH - 10, HEIGHT - 1],
      [-SIDE, 0],
      [WIDTH, HEIGHT],
      [-(2 ** 31), 2 ** 31 - 1],
    ] as const) {
      guest.okCursor(updateCursor({ id: CURSOR, x, y, hotX: 3, hotY: 5 }));
      assertCursorAt(x, y);
    }
  });

  it('[utest->req~gpu.cursor-place~1] whoever passes it on is told of position and hot spot', () => {
    const guest = rig.guest('a');
    guest.okCursor(updateCursor({ id: CURSOR, x: 40, y: 30, hotX: 7, hotY: 11 }));
    const scanout = rig.scanout('low');
    assert.ok(scanout.read());
    const { CURSOR_X, CURSOR_Y, CURSOR_HOT_X, CURSOR_HOT_Y } = ScanoutWord;
    const told = [CURSOR_X, CURSOR_Y, CURSOR_HOT_X, CURSOR_HOT_Y].map((n) => scanout.copy[n]);
    assert.deepEqual(told, [40, 30, 7, 11]);
  });
});
