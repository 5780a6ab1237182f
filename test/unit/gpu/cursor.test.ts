/** The cursor of a scanout: blended over its own plane, cut at the edges. */
import { strict as assert } from 'node:assert';
import { ScanoutWord } from '../../../src/channel/scanout-state.ts';
import { GpuFormat, GpuResponse } from '../../../src/wire/virtio-gpu.ts';
import { moveCursor, transfer, unref, updateCursor } from '../../support/gpu-commands.ts';
import { assertPicture, blended, pattern, seen } from '../../support/gpu-pictures.ts';
import { GpuRig, HEIGHT, WIDTH } from '../../support/gpu-rig.ts';

const SIDE = 64;
const PIXELS = WIDTH * HEIGHT;
const { B8G8R8A8_UNORM, B8G8R8X8_UNORM } = GpuFormat;

/** Partition a alone on the display, with a picture on it and a cursor as resource 2. */
function withCursor(format: number = B8G8R8A8_UNORM) {
  const rig = new GpuRig({
    partitions: { a: { gpu: { planes: ['low'] } } },
    display: { planes: [{ id: 'low', z: 0, rectPx: [0, 0, WIDTH, HEIGHT], asil: 'QM' }] },
  });
  const guest = rig.guest('a');
  const below = pattern(PIXELS);
  guest.fill(guest.picture(1, WIDTH, HEIGHT), below);
  guest.present(1, WIDTH, HEIGHT);
  const above = pattern(SIDE * SIDE, 9);
  const entries = guest.picture(2, SIDE, SIDE, format);
  guest.fill(entries, above);
  guest.ok(transfer(2, [0, 0, SIDE, SIDE]));
  rig.frames(2);
  return { rig, guest, below: seen(below), above, entries };
}

/** The picture with a cursor whose upper left corner is at (left, top). */
function expected(below: Uint32Array, above: Uint8Array, left: number, top: number): Uint32Array {
  const picture = below.slice();
  for (let n = 0; n < SIDE * SIDE; n++) {
    const x = left + (n % SIDE);
    const y = top + Math.floor(n / SIDE);
    if (x < 0 || y < 0 || x >= WIDTH || y >= HEIGHT) continue;
    const at = y * WIDTH + x;
    picture[at] = blended(picture[at]!, above.subarray(n * 4, n * 4 + 4));
  }
  return picture;
}

describe('GPU cursor', () => {
  it('[utest->req~gpu.cursor-blend~1] is blended by its alpha at its place, and moves without a trace', () => {
    const { rig, guest, below, above } = withCursor();
    guest.okCursor(updateCursor({ id: 2, x: 20, y: 30 }));
    rig.frames(2);
    assertPicture(rig.display(), expected(below, above, 20, 30), WIDTH);
    for (const [x, y] of [
      [21, 30],
      [0, 0],
      [100, 70],
    ] as const) {
      guest.okCursor(moveCursor({ x, y }));
      rig.frames(2);
      assertPicture(rig.display(), expected(below, above, x, y), WIDTH, `cursor at ${x}, ${y}`);
    }
    guest.okCursor(updateCursor({ id: 0, x: 100, y: 70 }));
    rig.frames(2);
    assertPicture(rig.display(), below, WIDTH, 'without cursor');
  });

  it('[utest->req~gpu.commands~1] is cut at every edge, and seen nowhere when it is outside (case 53)', () => {
    const { rig, guest, below, above } = withCursor();
    guest.okCursor(updateCursor({ id: 2 }));
    for (const [x, y] of [
      [-63, -63],
      [-64, 0],
      [WIDTH - 1, HEIGHT - 1],
      [WIDTH, 5],
      [-1, 70],
      [-0x80000000, -0x80000000],
      [0x7fffffff, 0x7fffffff],
      [0x7fffffff, -0x80000000],
    ] as const) {
      guest.okCursor(moveCursor({ x, y }));
      rig.frames(2);
      assertPicture(rig.display(), expected(below, above, x, y), WIDTH, `cursor at ${x}, ${y}`);
    }
  });

  it('[utest->req~gpu.commands~1] keeps its picture when its resource changes or goes, until it is updated', () => {
    const { rig, guest, below, above, entries } = withCursor();
    guest.okCursor(updateCursor({ id: 2, x: 9, y: 9 }));
    const other = pattern(SIDE * SIDE, 10);
    guest.fill(entries, other);
    guest.ok(transfer(2, [0, 0, SIDE, SIDE]));
    rig.frames(2);
    assertPicture(rig.display(), expected(below, above, 9, 9), WIDTH);
    guest.okCursor(updateCursor({ id: 2, x: 9, y: 9 }));
    rig.frames(2);
    assertPicture(rig.display(), expected(below, other, 9, 9), WIDTH);
    guest.ok(unref(2));
    rig.frames(2);
    assertPicture(rig.display(), expected(below, other, 9, 9), WIDTH);
  });

  it('[utest->req~gpu.commands~1] its fourth byte is alpha whatever the format calls it, and other orders of bytes are refused', () => {
    const { rig, guest, below, above } = withCursor(B8G8R8X8_UNORM);
    guest.okCursor(updateCursor({ id: 2, x: 3, y: 4 }));
    rig.frames(2);
    assertPicture(rig.display(), expected(below, above, 3, 4), WIDTH);
    for (const [name, format] of Object.entries(GpuFormat)) {
      if (format === B8G8R8A8_UNORM || format === B8G8R8X8_UNORM) continue;
      guest.ok(unref(2));
      guest.picture(2, SIDE, SIDE, format);
      const { type } = guest.runCursor(updateCursor({ id: 2 }));
      assert.equal(type, GpuResponse.ERR_INVALID_PARAMETER, name);
    }
  });

  it('[utest->req~gpu.commands~1] a hidden cursor that moves is not seen', () => {
    const { rig, guest, below } = withCursor();
    guest.okCursor(moveCursor({ x: 5, y: 5 }));
    rig.frames(2);
    assertPicture(rig.display(), below, WIDTH);
  });

  it('[utest->req~gpu.plane-owner~1] is seen on its own plane only', () => {
    const rig = new GpuRig();
    const [a, b] = [rig.guest('a'), rig.guest('b')];
    for (const [guest, width, height] of [
      [a, WIDTH, HEIGHT],
      [b, 80, 64],
    ] as const) {
      guest.fill(guest.picture(1, width, height), pattern(width * height));
      guest.present(1, width, height);
      guest.fill(guest.picture(2, SIDE, SIDE, B8G8R8A8_UNORM), pattern(SIDE * SIDE, 5));
      guest.ok(transfer(2, [0, 0, SIDE, SIDE]));
    }
    rig.frames(2);
    const before = rig.display();
    // The plane of b is at 64, 32 and has 80 x 64 pixels.
    const inB = (n: number) => {
      const x = n % WIDTH;
      const y = Math.floor(n / WIDTH);
      return x >= 64 && x < 144 && y >= 32 && y < 96;
    };
    const changed = () => {
      const now = rig.display();
      return [...now.keys()].filter((n) => now[n] !== before[n]);
    };
    a.okCursor(updateCursor({ id: 2, x: 40, y: 20 }));
    rig.frames(2);
    const ofA = changed();
    assert.ok(ofA.length > 0 && !ofA.some(inB));
    a.okCursor(updateCursor({ id: 0 }));
    b.okCursor(updateCursor({ id: 2, x: -20, y: 40 }));
    rig.frames(2);
    const ofB = changed();
    assert.ok(ofB.length > 0 && ofB.every(inB));
  });

  it('[utest->req~gpu.commands~1] its place and its picture are told to the control plane', () => {
    const { rig, guest } = withCursor();
    const view = rig.scanout('low');
    assert.equal(view.read(), true);
    assert.equal(view.copy[ScanoutWord.CURSOR_VISIBLE], 0);
    guest.okCursor(updateCursor({ id: 2, x: 7, y: -8, hotX: 1, hotY: 2 }));
    view.read();
    const words = [
      'CURSOR_PICTURE',
      'CURSOR_VISIBLE',
      'CURSOR_X',
      'CURSOR_Y',
      'CURSOR_HOT_X',
      'CURSOR_HOT_Y',
    ] as const;
    assert.deepEqual(
      words.map((word) => view.copy[ScanoutWord[word]]),
      [1, 1, 7, -8, 1, 2],
    );
  });
});
