/** The kernel's work on pixels against plain models: every format, any alignment, nothing beside it. */
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { CRC32_TABLES_BYTES, crc32Tables } from '../../../src/base/crc32.ts';
import { Arena } from '../../../src/data-plane/arena.ts';
import { PixelOrder, pixelOrderOf } from '../../../src/wire/pixel-order.ts';
import { GpuFormat } from '../../../src/wire/virtio-gpu.ts';
import { kernel } from '../../support/rig.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const GUARD = 64;
const PIXELS_MAX = 200;
const ROOM = 4 * PIXELS_MAX + 2 * GUARD + 16;
const TABLES_AT = 65536;
/** Low, over the border of the signed offsets, and at the very end of the arena. */
const PAGES = 0x8002;
const PLACES = [0x4000, 0x8000_0000 - 512, PAGES * 65536 - 2 * ROOM];

const arena = new Arena(Arena.memory(PAGES), kernel());
arena.i32.set(crc32Tables(), TABLES_AT / 4);

interface Ranges {
  readonly place: number;
  readonly toShift: number;
  readonly fromShift: number;
  readonly above: Uint8Array;
  readonly below: Uint8Array;
}

/** Two byte ranges of whole pixels at a place of the arena, each off by 0 to 15 bytes. */
const ranges: fc.Arbitrary<Ranges> = fc
  .record({
    place: fc.constantFrom(...PLACES),
    toShift: fc.nat(15),
    fromShift: fc.nat(15),
    pixels: fc.nat(PIXELS_MAX),
  })
  .chain(({ pixels, ...place }) => {
    const bytes = fc.uint8Array({ minLength: 4 * pixels, maxLength: 4 * pixels });
    return fc.record({ above: bytes, below: bytes }).map((content) => ({ ...place, ...content }));
  });

/** Runs `work` on the ranges; gives what lies at `to` then, and proves that nothing else changed. */
function worked(
  { place, toShift, fromShift, above, below }: Ranges,
  work: (to: number, from: number, count: number) => void,
): Uint8Array {
  const to = place + GUARD + toShift;
  const from = place + ROOM + GUARD + fromShift;
  arena.u8.fill(0xa5, place, place + 2 * ROOM);
  arena.u8.set(below, to);
  arena.u8.set(above, from);
  const before = arena.u8.slice(place, place + 2 * ROOM);
  work(to | 0, from | 0, above.length / 4);
  const result = arena.u8.slice(to, to + below.length);
  before.set(result, to - place);
  assert.deepEqual(arena.u8.slice(place, place + 2 * ROOM), before, 'nothing beside it changed');
  return result;
}

/** The bytes of a pixel by the letters of its format's name. */
function bgrx(format: string, pixel: Uint8Array): number[] {
  const letters = [...format.matchAll(/[RGBAX](?=8)/g)].map(([letter]) => letter);
  return [...['B', 'G', 'R'].map((letter) => pixel[letters.indexOf(letter)]!), 0xff];
}

function eachPixel(count: number, of: (at: number) => number[]): Uint8Array {
  return Uint8Array.from(Array.from({ length: count }, (_, n) => of(4 * n)).flat());
}

const over = (above: number, below: number, alpha: number) =>
  Math.min(255, above + Math.round((below * (255 - alpha)) / 255));

function blended(above: Uint8Array, below: Uint8Array): Uint8Array {
  return eachPixel(above.length / 4, (at) => [
    ...[0, 1, 2].map((n) => over(above[at + n]!, below[at + n]!, above[at + 3]!)),
    0xff,
  ]);
}

describe('arena: pixels', () => {
  for (const [format, number] of Object.entries(GpuFormat)) {
    it(`[utest->req~gpu.pixels-exact~1] ${format} becomes B, G, R, X by the letters of its name`, () => {
      fc.assert(
        fc.property(ranges, (given) => {
          const result = worked(given, (to, from, count) =>
            arena.pixels(to, from, count, pixelOrderOf(number)),
          );
          const expected = eachPixel(given.above.length / 4, (at) =>
            bgrx(format, given.above.subarray(at, at + 4)),
          );
          assert.deepEqual(result, expected);
        }),
        seededRuns(number, 300),
      );
    });
  }

  it('[utest->req~gpu.pixels-exact~1] every count from 0 to 200 is exact, in each order', () => {
    const above = Uint8Array.from({ length: 4 * PIXELS_MAX }, (_, n) => n * 7);
    for (const [name, order] of Object.entries(PixelOrder)) {
      const format = [...name].map((letter) => `${letter}8`).join('');
      for (let count = 0; count <= PIXELS_MAX; count++) {
        const some = above.subarray(0, 4 * count);
        const given = { place: PLACES[0]!, toShift: 1, fromShift: 3, above: some, below: some };
        assert.deepEqual(
          worked(given, (to, from, n) => arena.pixels(to, from, n, order)),
          eachPixel(count, (at) => bgrx(format, some.subarray(at, at + 4))),
        );
      }
    }
  });

  it('[utest->req~gpu.pixels-exact~1] a range may be permuted where it lies', () => {
    const at = PLACES[0]!;
    arena.u8.set([1, 2, 3, 4, 5, 6, 7, 8], at);
    arena.pixels(at, at, 2, PixelOrder.XRGB);
    assert.deepEqual([...arena.u8.slice(at, at + 8)], [4, 3, 2, 255, 8, 7, 6, 255]);
  });

  it('[utest->req~gpu.pixels-exact~1] a number that is no format has no order', () => {
    const formats = new Set<number>(Object.values(GpuFormat));
    for (const number of [
      -1,
      ...Array.from({ length: 256 }, (_, n) => n),
      0x8000_0001,
      2 ** 32 - 1,
    ]) {
      assert.equal(pixelOrderOf(number) >= 0, formats.has(number), `${number}`);
    }
  });
});

describe('arena: cursors', () => {
  it('[utest->req~gpu.cursor-blend~1] premultiplied colours lie over others, rounded to the nearest', () => {
    fc.assert(
      fc.property(ranges, (given) => {
        assert.deepEqual(worked(given, arena.blend), blended(given.above, given.below));
      }),
      seededRuns(64, 500),
    );
  });

  it('[utest->req~gpu.cursor-blend~1] every value below under every alpha is the exact quotient', () => {
    const below = Uint8Array.from({ length: 256 * 4 }, (_, n) => n >> 2);
    const [to, from] = [PLACES[0]!, PLACES[0]! + 4096];
    for (let alpha = 0; alpha <= 255; alpha++) {
      const above = Uint8Array.from({ length: 256 * 4 }, (_, n) => (n % 4 === 3 ? alpha : 0));
      arena.u8.set(below, to);
      arena.u8.set(above, from);
      arena.blend(to, from, 256);
      assert.deepEqual(arena.u8.slice(to, to + 1024), blended(above, below), `alpha ${alpha}`);
    }
  });

  it('[utest->req~gpu.cursor-blend~1] clear pixels change nothing, opaque ones replace, too bright ones stop at 255', () => {
    const [to, from] = [PLACES[0]!, PLACES[0]! + 64];
    arena.u8.set([10, 20, 30, 0, 10, 20, 30, 0, 200, 200, 200, 0], to);
    arena.u8.set([0, 0, 0, 0, 1, 2, 3, 255, 200, 200, 200, 0], from);
    arena.blend(to, from, 3);
    assert.deepEqual(
      [...arena.u8.slice(to, to + 12)],
      [10, 20, 30, 255, 1, 2, 3, 255, 255, 255, 255, 255],
    );
  });
});

describe('arena: fill32 and crc32', () => {
  it('[utest->req~gpu.pixels-exact~1] a colour fills whole pixels and nothing else', () => {
    fc.assert(
      fc.property(ranges, fc.integer(), (given, colour) => {
        const bytes = new Uint8Array(Int32Array.of(colour).buffer);
        assert.deepEqual(
          worked(given, (to, _, count) => arena.fill32(to, count, colour)),
          eachPixel(given.below.length / 4, () => [...bytes]),
        );
      }),
      seededRuns(32, 300),
    );
  });

  it("[utest->req~gpu.crc-exact~1] the sum is zlib's for every length from 0 to 200 at every alignment", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => (n * 167) ^ (n >> 3));
    for (const place of PLACES) {
      arena.u8.set(bytes, place);
      for (let shift = 0; shift < 16; shift++) {
        for (let length = 0; length <= 200; length++) {
          const sum = arena.crc32((place + shift) | 0, length, 0, TABLES_AT);
          assert.equal(sum >>> 0, crc32(bytes.subarray(shift, shift + length)));
        }
      }
    }
  });

  it('[utest->req~gpu.crc-exact~1] pieces sum up to the whole, wherever it is cut', () => {
    const whole = fc.uint8Array({ maxLength: 2000 });
    fc.assert(
      fc.property(whole, fc.array(fc.nat(2000), { maxLength: 6 }), (bytes, cuts) => {
        const at = PLACES[1]!;
        arena.u8.set(bytes, at);
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
        let [sum, start] = [0, 0];
        for (const end of ends.toSorted((a, b) => a - b)) {
          sum = arena.crc32((at + start) | 0, end - start, sum, TABLES_AT);
          start = end;
        }
        assert.equal(sum >>> 0, crc32(bytes));
      }),
      seededRuns(802, 300),
    );
  });

  it('[utest->req~gpu.crc-exact~1] the check value of the standard, and the tables it comes from', () => {
    arena.u8.set(new TextEncoder().encode('123456789'), PLACES[0]!);
    assert.equal(arena.crc32(PLACES[0]!, 9, 0, TABLES_AT) >>> 0, 0xcbf43926);
    const tables = crc32Tables();
    assert.equal(tables.byteLength, CRC32_TABLES_BYTES);
    for (const [n, word] of tables.entries()) {
      const message = new Uint8Array(1 + (n >> 8));
      message[0] = n & 0xff;
      const effect = crc32(message) ^ crc32(new Uint8Array(message.length));
      assert.equal(word, effect, `word ${n}`);
    }
  });
});
