/** What a driver flushes is what its plane shows: formats, parts, blobs, scanouts that change and vanish. */
import { strict as assert } from 'node:assert';
import { GpuFormat, GpuResponse } from '../../../src/wire/virtio-gpu.ts';
import {
  attach,
  create2d,
  createBlob,
  detach,
  flush,
  setScanout,
  setScanoutBlob,
  transfer,
  unref,
  type RectPx,
} from '../../support/gpu-commands.ts';
import { assertPicture, BLACK, paste, part, pattern, seen } from '../../support/gpu-pictures.ts';
import { GpuRig, HEIGHT, WIDTH } from '../../support/gpu-rig.ts';

const WHOLE = [0, 0, WIDTH, HEIGHT] as const;
const PIXELS = WIDTH * HEIGHT;
const black = () => new Uint32Array(PIXELS).fill(BLACK);

describe('GPU pictures', () => {
  for (const [name, format] of Object.entries(GpuFormat)) {
    it(`[utest->req~gpu.pixels-exact~1] ${name}: a picture and a blob show the colours that the driver wrote`, () => {
      const rig = new GpuRig();
      const guest = rig.guest('a');
      const bytes = pattern(PIXELS, format);
      const entries = guest.picture(1, WIDTH, HEIGHT, format);
      guest.fill(entries, bytes);
      guest.present(1, WIDTH, HEIGHT);
      assertPicture(rig.picture('low'), seen(bytes, format), WIDTH);
      const blob = pattern(PIXELS, format + 1);
      guest.fill(entries, blob);
      guest.ok(createBlob(2, PIXELS * 4, entries));
      guest.ok(setScanoutBlob(2, { rect: WHOLE, width: WIDTH, height: HEIGHT, format }));
      guest.ok(flush(2, WHOLE));
      assertPicture(rig.picture('low'), seen(blob, format), WIDTH);
      rig.frames(2);
      const shown = part(rig.display(), WIDTH, [0, 0, WIDTH, 32]);
      assert.deepEqual(shown, part(seen(blob, format), WIDTH, [0, 0, WIDTH, 32]));
    });
  }

  it('[utest->req~gpu.commands~1] a transfer takes the rows of its rectangle from the offset on, at the stride of the picture', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const entries = guest.picture(1, 50, 40, undefined, [1000, 3000, 8, 4, 3988]);
    const bytes = pattern(2000);
    guest.fill(entries, bytes);
    guest.ok(setScanout(0, 1, [0, 0, 50, 40]));
    guest.ok(transfer(1, [10, 5, 7, 9], 400));
    guest.ok(flush(1, [0, 0, 50, 40]));
    const picture = rig.picture('low');
    const source = seen(bytes);
    for (let row = 0; row < 9; row++) {
      const from = 100 + row * 50;
      const at = (5 + row) * WIDTH + 10;
      assert.deepEqual(picture.slice(at, at + 7), source.slice(from, from + 7), `row ${row}`);
    }
    assert.equal(picture[5 * WIDTH + 9], BLACK, 'beside it nothing');
    assert.equal(picture[5 * WIDTH + 17], BLACK);
  });

  it('[utest->req~gpu.no-residue~1] a new resource is black, whatever its memory held before', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    guest.fill(guest.picture(1, WIDTH, HEIGHT), pattern(PIXELS));
    guest.present(1, WIDTH, HEIGHT);
    guest.ok(unref(1));
    guest.ok(create2d(2, WIDTH, HEIGHT));
    guest.ok(setScanout(0, 2, WHOLE));
    guest.ok(flush(2, WHOLE));
    assertPicture(rig.picture('low'), black(), WIDTH);
  });

  it('[utest->req~gpu.plane-owner~1] a flush changes its rectangle, cut to what the scanout shows, and nothing else', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const bytes = pattern(100 * 100);
    guest.fill(guest.picture(1, 100, 100), bytes);
    // Pixel 20, 30 of the resource is at 0, 0 of the plane.
    guest.ok(setScanout(0, 1, [20, 30, 60, 50]));
    guest.ok(transfer(1, [0, 0, 100, 100]));
    const expected = rig.picture('low');
    for (const rect of [
      [0, 0, 20, 100],
      [80, 0, 20, 100],
      [0, 0, 0, 0],
      [100, 100, 0, 0],
    ] as const) {
      guest.ok(flush(1, rect));
      assertPicture(rig.picture('low'), expected, WIDTH, `flush of [${rect.join(', ')}]`);
    }
    guest.ok(flush(1, [10, 40, 20, 10]));
    paste(expected, WIDTH, [0, 10], seen(bytes), 100, [20, 40, 10, 10]);
    assertPicture(rig.picture('low'), expected, WIDTH);
    guest.ok(flush(1, [0, 0, 100, 100]));
    paste(expected, WIDTH, [0, 0], seen(bytes), 100, [20, 30, 60, 50]);
    assertPicture(rig.picture('low'), expected, WIDTH);
  });

  it('[utest->req~gpu.commands~1] a flush of a resource that no scanout shows changes nothing', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const before = rig.picture('low');
    guest.fill(guest.picture(1, 16, 16), pattern(256));
    guest.show(1, 16, [0, 0, 16, 16]);
    assertPicture(rig.picture('low'), before, WIDTH);
  });

  it('[utest->req~gpu.commands~1] one resource on two scanouts is flushed to both', () => {
    const rig = new GpuRig({ partitions: { a: { gpu: { planes: ['low', 'high'] } } } });
    const guest = rig.guest('a');
    const bytes = pattern(80 * 64);
    guest.fill(guest.picture(1, 80, 64), bytes);
    guest.ok(setScanout(0, 1, [0, 0, 80, 64]));
    guest.ok(setScanout(1, 1, [8, 8, 72, 56]));
    guest.show(1, 80, [0, 0, 80, 64]);
    assert.deepEqual(part(rig.picture('low'), WIDTH, [0, 0, 80, 64]), [...seen(bytes)]);
    assert.deepEqual(
      part(rig.picture('high'), 80, [0, 0, 72, 56]),
      part(seen(bytes), 80, [8, 8, 72, 56]),
    );
    guest.ok(unref(1));
    assert.deepEqual(part(rig.picture('high'), 80, [0, 0, 80, 64]), new Array(5120).fill(BLACK));
  });
});

describe('GPU blobs', () => {
  it('[utest->req~gpu.commands~1] a blob is shown from its offset, at its stride, without a transfer', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    // Rows of 30 pixels in 36, behind 5; in pieces that no row ends with.
    const bytes = pattern(5 + 36 * 20);
    const entries = guest.memory([404, 1000, 4, bytes.length - 1408]);
    guest.fill(entries, bytes);
    guest.ok(createBlob(1, bytes.length, entries));
    const rect: RectPx = [3, 2, 25, 17];
    guest.ok(setScanoutBlob(1, { rect, width: 30, height: 20, stride: 144, offset: 20 }));
    guest.ok(flush(1, [0, 0, 30, 20]));
    const source = seen(bytes);
    for (let row = 0; row < 17; row++) {
      const from = 5 + (2 + row) * 36 + 3;
      const at = row * WIDTH;
      assert.deepEqual(rig.picture('low').slice(at, at + 25), source.slice(from, from + 25));
    }
  });

  it('[utest->req~gpu.commands~1] what the driver writes later is shown by the next flush, not before', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const entries = guest.memory([PIXELS * 4]);
    guest.ok(createBlob(1, PIXELS * 4, entries));
    guest.ok(setScanoutBlob(1, { rect: WHOLE, width: WIDTH, height: HEIGHT }));
    for (const seed of [1, 2]) {
      const before = rig.picture('low');
      const bytes = pattern(PIXELS, seed);
      guest.fill(entries, bytes);
      rig.frames(3);
      assertPicture(rig.picture('low'), before, WIDTH);
      guest.ok(flush(1, WHOLE));
      assertPicture(rig.picture('low'), seen(bytes), WIDTH);
    }
  });

  it('[utest->req~gpu.commands~1] a blob may lie below its memory, and end with its last row', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const entries = guest.memory([4096]);
    // The last row is shorter than the stride.
    const bytes = 3 * 100 + 4 * 10;
    guest.ok(createBlob(1, bytes, entries));
    guest.ok(setScanoutBlob(1, { rect: [0, 0, 10, 4], width: 10, height: 4, stride: 100 }));
    guest.ok(flush(1, [0, 0, 16384, 16384]));
  });

  it('[utest->req~gpu.commands~1] a blob whose memory was taken away is hidden (case 51)', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const entries = guest.memory([PIXELS * 4]);
    guest.fill(entries, pattern(PIXELS));
    guest.ok(createBlob(1, PIXELS * 4, entries));
    const show = setScanoutBlob(1, { rect: WHOLE, width: WIDTH, height: HEIGHT });
    guest.ok(show);
    guest.ok(flush(1, WHOLE));
    const before = rig.picture('low');
    guest.ok(detach(1));
    guest.ok(flush(1, WHOLE));
    assertPicture(rig.picture('low'), before, WIDTH);
    assert.equal(guest.run(show).type, GpuResponse.ERR_INVALID_PARAMETER);
  });

  it('[utest->req~mem.wrap~1] an entry may lie across a border of 4 GiB', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const { sliceAt } = rig.plan.layout.partitions[0]!;
    const [border, upperAt] = [0x2_0000_0000, sliceAt + 3 * 1024 * 1024];
    rig.device('a').memory.setRegions([
      { guestPhysical: 0x1_0000_0000, size: 2 * 1024 * 1024, arenaAt: sliceAt },
      { guestPhysical: border - 4096, size: 8192, arenaAt: upperAt },
    ]);
    const bytes = pattern(256);
    rig.plane.arena.u8.set(bytes, upperAt + 4096 - 100);
    guest.ok(create2d(1, 16, 16));
    guest.ok(attach(1, [{ address: border - 100, length: 1024 }]));
    guest.ok(setScanout(0, 1, [0, 0, 16, 16]));
    for (let row = 0; row < 16; row++) guest.ok(transfer(1, [0, row, 16, 1], row * 64));
    guest.ok(flush(1, [0, 0, 16, 16]));
    assert.deepEqual(part(rig.picture('low'), WIDTH, [0, 0, 16, 16]), [...seen(bytes)]);
  });

  it('[utest->req~mem.bounds~1] a backing that its partition cannot reach any more ends the command, and only that', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const entries = guest.memory([PIXELS * 4]);
    guest.ok(createBlob(1, PIXELS * 4, entries));
    guest.ok(create2d(2, WIDTH, HEIGHT));
    guest.ok(attach(2, entries));
    guest.ok(setScanoutBlob(1, { rect: WHOLE, width: WIDTH, height: HEIGHT }));
    const { memory } = rig.device('a');
    const { sliceAt } = rig.plan.layout.partitions[0]!;
    const region = (size: number) =>
      memory.setRegions([{ guestPhysical: 0x1_0000_0000, size, arenaAt: sliceAt }]);
    // The rings lie below; the last entry of memory does not.
    region(guest.slice.at(entries[0]!.address) - sliceAt + 64);
    for (const command of [flush(1, WHOLE), transfer(2, WHOLE)]) {
      assert.equal(guest.run(command).type, GpuResponse.ERR_UNSPEC);
    }
    assert.deepEqual(rig.faults('a'), { 'gpu-command-refused': 2 });
    assert.equal(rig.device('a').scanouts[0]!.plane.flushing, false);
    region(4 * 1024 * 1024);
    guest.ok(flush(1, WHOLE));
  });
});

describe('GPU scanouts that change', () => {
  it('[utest->req~gpu.commands~1] a scanout that becomes smaller is black where it showed more', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const bytes = pattern(PIXELS);
    guest.fill(guest.picture(1, WIDTH, HEIGHT), bytes);
    guest.present(1, WIDTH, HEIGHT);
    for (const [width, height] of [
      [WIDTH - 1, HEIGHT],
      [WIDTH - 1, HEIGHT - 1],
    ] as const) {
      guest.ok(setScanout(0, 1, [0, 0, width, height]));
      assertPicture(rig.picture('low'), black(), WIDTH);
      guest.ok(flush(1, WHOLE));
      const expected = black();
      paste(expected, WIDTH, [0, 0], seen(bytes), WIDTH, [0, 0, width, height]);
      assertPicture(rig.picture('low'), expected, WIDTH);
    }
    // A larger one keeps what is there until it is flushed.
    const before = rig.picture('low');
    guest.ok(setScanout(0, 1, WHOLE));
    assertPicture(rig.picture('low'), before, WIDTH);
  });

  it('[utest->req~gpu.commands~1] a scanout of nothing is black and stays so', () => {
    for (const disable of [
      setScanout(0, 0, [0, 0, 0, 0]),
      setScanoutBlob(0, { rect: [1, 2, 3, 4], width: 0, height: 0 }),
    ]) {
      const rig = new GpuRig();
      const guest = rig.guest('a');
      guest.fill(guest.picture(1, WIDTH, HEIGHT), pattern(PIXELS));
      guest.present(1, WIDTH, HEIGHT);
      guest.ok(disable);
      guest.ok(flush(1, WHOLE));
      assertPicture(rig.picture('low'), black(), WIDTH);
      rig.frames(2);
      assert.equal(rig.display()[0], BLACK);
    }
  });

  it('[utest->req~gpu.commands~1] a resource that is shown and removed leaves black, and its id to another (case 51)', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    guest.fill(guest.picture(1, WIDTH, HEIGHT), pattern(PIXELS));
    guest.present(1, WIDTH, HEIGHT);
    guest.ok(unref(1));
    assertPicture(rig.picture('low'), black(), WIDTH);
    assert.equal(guest.run(flush(1, WHOLE)).type, GpuResponse.ERR_INVALID_RESOURCE_ID);
    const bytes = pattern(PIXELS, 2);
    guest.fill(guest.picture(1, WIDTH, HEIGHT), bytes);
    guest.show(1, WIDTH, WHOLE);
    assertPicture(rig.picture('low'), black(), WIDTH, 'no scanout shows the new one');
    guest.present(1, WIDTH, HEIGHT);
    assertPicture(rig.picture('low'), seen(bytes), WIDTH);
  });

  it('[utest->req~gpu.commands~1] pages are flipped: each scanout shows what it was set to last', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const pages = [1, 2].map((id) => {
      const bytes = pattern(PIXELS, id);
      guest.fill(guest.picture(id, WIDTH, HEIGHT), bytes);
      guest.ok(transfer(id, WHOLE));
      return seen(bytes);
    });
    for (const id of [1, 2, 1, 2]) {
      guest.ok(setScanout(0, id, WHOLE));
      guest.ok(flush(id, WHOLE));
      guest.ok(flush(3 - id, WHOLE));
      assertPicture(rig.picture('low'), pages[id - 1]!, WIDTH);
    }
    guest.ok(unref(1));
    assertPicture(rig.picture('low'), pages[1]!, WIDTH, 'another resource was removed');
  });

  it('[utest->req~gpu.commands~1] a backing may be detached and another attached; the picture stays', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const bytes = pattern(PIXELS);
    guest.fill(guest.picture(1, WIDTH, HEIGHT), bytes);
    guest.present(1, WIDTH, HEIGHT);
    guest.ok(detach(1));
    assert.equal(guest.run(transfer(1, WHOLE)).type, GpuResponse.ERR_INVALID_PARAMETER);
    guest.ok(flush(1, WHOLE));
    assertPicture(rig.picture('low'), seen(bytes), WIDTH);
    const other = guest.memory([PIXELS * 4]);
    guest.fill(other, pattern(PIXELS, 2));
    guest.ok(attach(1, other));
    guest.show(1, WIDTH, WHOLE);
    assertPicture(rig.picture('low'), seen(pattern(PIXELS, 2)), WIDTH);
  });
});

describe('GPU quotas (case 47)', () => {
  it('[utest->req~gpu.quota~1] create and remove, again and again, leaves nothing behind', () => {
    const rig = new GpuRig({
      partitions: {
        a: { gpu: { planes: ['low', 'high'], resourcesMax: 4, backingEntriesMax: 6 } },
      },
    });
    const guest = rig.guest('a');
    const entries = guest.memory([64, 64]);
    for (let round = 0; round < 200; round++) {
      for (let id = 1; id <= 4; id++) {
        guest.ok(create2d(round * 4 + id, 256, 200));
        if (id <= 3) guest.ok(attach(round * 4 + id, entries));
      }
      const full = guest.run(create2d(-1, 1, 1));
      assert.equal(full.type, GpuResponse.ERR_OUT_OF_MEMORY);
      const more = guest.run(attach(round * 4 + 4, entries));
      assert.equal(more.type, GpuResponse.ERR_OUT_OF_MEMORY);
      for (const id of [2, 4, 1, 3]) guest.ok(unref(round * 4 + id));
    }
    assert.deepEqual(rig.faults('a'), { 'gpu-quota-exceeded': 400 });
  });

  it('[utest->req~gpu.quota~1] the pixels of all resources fit what the device has, to the last 4 KiB', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    // 256 units of 1024 pixels.
    guest.ok(create2d(1, 1024, 255));
    guest.ok(create2d(2, 1024, 1));
    assert.equal(guest.run(create2d(3, 1, 1)).type, GpuResponse.ERR_OUT_OF_MEMORY);
    guest.ok(unref(2));
    guest.ok(create2d(3, 1, 1));
    guest.ok(unref(1));
    assert.equal(guest.run(create2d(4, 1024, 256)).type, GpuResponse.ERR_OUT_OF_MEMORY);
    guest.ok(unref(3));
    guest.ok(create2d(4, 1024, 256));
  });

  it('[utest->req~gpu.quota~1] blobs count as resources, and their entries as entries', () => {
    const rig = new GpuRig({
      partitions: {
        a: { gpu: { planes: ['low', 'high'], resourcesMax: 2, backingEntriesMax: 3 } },
      },
    });
    const guest = rig.guest('a');
    const entries = guest.memory([64, 64]);
    guest.ok(createBlob(1, 128, entries));
    assert.equal(guest.run(createBlob(2, 128, entries)).type, GpuResponse.ERR_OUT_OF_MEMORY);
    guest.ok(createBlob(2, 64, entries.slice(0, 1)));
    assert.equal(guest.run(createBlob(3, 64, entries)).type, GpuResponse.ERR_OUT_OF_MEMORY);
    assert.equal(guest.run(create2d(3, 1, 1)).type, GpuResponse.ERR_OUT_OF_MEMORY);
    guest.ok(unref(1));
    guest.ok(create2d(3, 1, 1));
  });
});
