/** EDID base blocks, read back by a decoder that was written from the standard's field list. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import {
  EDID_BLOCK_BYTES,
  edidBlock,
  edidProblems,
  type DisplayMode,
} from '../../../src/wire/edid.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const mode = (widthPx: number, heightPx: number, refreshHz: number): DisplayMode => ({
  widthPx,
  heightPx,
  refreshHz,
});

/** The first detailed timing (E-EDID 3.10.2), with what Linux's DRM makes of it. */
function timingOf(block: Uint8Array) {
  const at = (n: number) => block[54 + n]!;
  const two = (low: number, high: number) => low | (high << 8);
  const across = { active: two(at(2), at(4) >> 4), blank: two(at(3), at(4) & 15) };
  const down = { active: two(at(5), at(7) >> 4), blank: two(at(6), at(7) & 15) };
  const clockHz = two(at(0), at(1)) * 10_000;
  return {
    across: { ...across, front: two(at(8), at(11) >> 6), sync: two(at(9), (at(11) >> 4) & 3) },
    down: {
      ...down,
      front: (at(10) >> 4) | (((at(11) >> 2) & 3) << 4),
      sync: (at(10) & 15) | ((at(11) & 3) << 4),
    },
    millimetres: [two(at(12), at(14) >> 4), two(at(13), at(14) & 15)],
    clockHz,
    refreshHz: clockHz / ((across.active + across.blank) * (down.active + down.blank)),
    flags: at(17),
    borders: [at(15), at(16)],
  };
}

function descriptor(block: Uint8Array, n: number): Uint8Array {
  return block.subarray(54 + 18 * n, 72 + 18 * n);
}

function checkBlock(wanted: DisplayMode, block: Uint8Array): void {
  assert.equal(block.length, EDID_BLOCK_BYTES);
  assert.equal(block.reduce((sum, byte) => sum + byte, 0) % 256, 0, 'checksum');
  const timing = timingOf(block);
  assert.deepEqual([timing.across.active, timing.down.active], [wanted.widthPx, wanted.heightPx]);
  assert.ok(Math.abs(timing.refreshHz / wanted.refreshHz - 1) <= 0.0005, `${timing.refreshHz} Hz`);
  for (const { blank, front, sync } of [timing.across, timing.down]) {
    assert.ok(front > 0 && sync > 0 && front + sync < blank, 'porches around the sync');
  }
  const lineUs = ((timing.across.active + timing.across.blank) * 1e6) / timing.clockHz;
  assert.ok(timing.down.blank * lineUs >= 455, 'CVT leaves 460 us, less what rounding takes');
  assert.ok(timing.clockHz >= 10e6 && timing.clockHz <= 655.35e6);
  assert.deepEqual([timing.flags, timing.borders], [0x1a, [0, 0]]);
}

describe('wire/edid', () => {
  it('[utest->req~gpu.edid-valid~1] 1280x800 at 60 Hz, byte by byte', () => {
    const block = edidBlock(mode(1280, 800, 60), 'center', 0x01020304);
    assert.deepEqual([...block.subarray(0, 8)], [0, 255, 255, 255, 255, 255, 255, 0]);
    assert.deepEqual([...block.subarray(8, 18)], [0x58, 0xf7, 1, 0, 4, 3, 2, 1, 0xff, 36]);
    assert.deepEqual([block[18], block[19]], [1, 4], 'version 1.4');
    assert.deepEqual([...block.subarray(20, 25)], [0xa0, 34, 21, 120, 6]);
    assert.deepEqual([...block.subarray(35, 38)], [0, 0, 0], 'no established timings');
    assert.deepEqual([...block.subarray(38, 54)], new Array(16).fill(1), 'no standard timings');
    assert.deepEqual(timingOf(block), {
      across: { active: 1280, blank: 160, front: 48, sync: 32 },
      down: { active: 800, blank: 23, front: 3, sync: 6 },
      millimetres: [339, 212],
      clockHz: 71_110_000,
      refreshHz: 71_110_000 / (1440 * 823),
      flags: 0x1a,
      borders: [0, 0],
    });
    assert.equal(block[126], 0, 'no extension');
  });

  for (const [wanted, sync] of [
    [mode(640, 480, 60), 4],
    [mode(1920, 1080, 60), 5],
    [mode(1280, 800, 60), 6],
    [mode(1280, 1024, 60), 7],
    [mode(800, 480, 60), 7],
    [mode(640, 200, 60), 10],
    [mode(1920, 720, 60), 10],
    [mode(64, 64, 60), 10],
    [mode(4095, 2160, 60), 10],
    [mode(4095, 4095, 30), 10],
    [mode(1280, 800, 23.976), 6],
  ] as const) {
    const { widthPx, heightPx, refreshHz } = wanted;
    it(`[utest->req~gpu.edid-valid~1] ${widthPx}x${heightPx} at ${refreshHz} Hz: ${sync} lines of sync say its aspect`, () => {
      const block = edidBlock(wanted, 'x', 0);
      checkBlock(wanted, block);
      assert.equal(timingOf(block).down.sync, sync);
    });
  }

  it('[utest->req~gpu.edid-valid~1] what has no problems has a block that says it, all else has none', () => {
    const side = fc.integer({ min: 1, max: 5000 });
    const rate = fc.oneof(
      fc.integer({ min: 1, max: 480 }),
      fc.double({ min: 0.5, max: 3000, noNaN: true }),
    );
    let blocks = 0;
    fc.assert(
      fc.property(side, side, rate, (widthPx, heightPx, refreshHz) => {
        const wanted = mode(widthPx, heightPx, refreshHz);
        if (edidProblems(wanted).length > 0) {
          assert.throws(() => edidBlock(wanted, 'x', 0));
          return;
        }
        blocks++;
        checkBlock(wanted, edidBlock(wanted, 'x', 0));
      }),
      seededRuns(128, 3000),
    );
    assert.ok(blocks > 300, `${blocks} blocks`);
  });

  it('[utest->req~gpu.edid-valid~1] names of up to 13 characters are whole, longer ones cut', () => {
    const nameIn = (name: string) => {
      const bytes = descriptor(edidBlock(mode(640, 480, 60), name, 0), 1);
      assert.deepEqual([...bytes.subarray(0, 5)], [0, 0, 0, 0xfc, 0]);
      return new TextDecoder().decode(bytes.subarray(5));
    };
    assert.equal(nameIn('center'), 'center\n      ');
    assert.equal(nameIn('twelve-chars'), 'twelve-chars\n');
    assert.equal(nameIn('thirteen-char'), 'thirteen-char');
    assert.equal(nameIn('instrument-cluster'), 'instrument-cl');
    assert.equal(nameIn(''), '\n            ');
    for (const n of [2, 3]) {
      const unused = [...descriptor(edidBlock(mode(640, 480, 60), 'x', 0), n)];
      assert.deepEqual(unused, [0, 0, 0, 0x10, ...new Array(14).fill(0)]);
    }
  });

  for (const [wanted, problems] of [
    [mode(64, 64, 60), []],
    [mode(63, 64, 60), ['widthPx: 63 is not a whole number from 64 to 4095']],
    [mode(4096, 64, 60), ['widthPx: 4096 is not a whole number from 64 to 4095']],
    [mode(640.5, 480, 60), ['widthPx: 640.5 is not a whole number from 64 to 4095']],
    [
      mode(0, 5000, 60),
      [
        'widthPx: 0 is not a whole number from 64 to 4095',
        'heightPx: 5000 is not a whole number from 64 to 4095',
      ],
    ],
    [mode(1280, 800, 0), ['refreshHz: 0 is not more than 0']],
    [mode(1280, 800, NaN), ['refreshHz: NaN is not more than 0']],
    [mode(1280, 800, 3000), ['refreshHz: 3000 leaves no time for 800 lines and the blank ones']],
    [mode(1280, 800, 2000), ['refreshHz: 2000 leaves no time for 800 lines and the blank ones']],
    [
      mode(4095, 4095, 60),
      ['refreshHz: 60 needs a pixel clock of 1075.32 MHz; an EDID has 10 to 655.35'],
    ],
    [mode(64, 64, 1), ['refreshHz: 1 needs a pixel clock of 0.93 MHz; an EDID has 10 to 655.35']],
  ] as const) {
    const { widthPx, heightPx, refreshHz } = wanted;
    it(`[utest->req~gpu.edid-valid~1] ${widthPx}x${heightPx} at ${refreshHz} Hz: ${problems.length || 'no'} problems`, () => {
      assert.deepEqual(
        edidProblems(wanted).map(({ field, message }) => `${field}: ${message}`),
        problems,
      );
    });
  }
});
