/** The composition of a display: what has changed and can be seen, band by band, in its own windows. */
import { strict as assert } from 'node:assert';
import { WindowCounter } from '../../../src/channel/counters.ts';
import { GPU_PIECE_BYTES, GPU_PIECE_RUNS } from '../../../src/schedule/cost-model.ts';
import {
  flush,
  moveCursor,
  setScanout,
  transfer,
  updateCursor,
} from '../../support/gpu-commands.ts';
import { assertPicture, paste, pattern, seen } from '../../support/gpu-pictures.ts';
import { GpuRig, HEIGHT, WIDTH, type GpuRigOptions } from '../../support/gpu-rig.ts';

const WHOLE = [0, 0, WIDTH, HEIGHT] as const;
const PIXELS = WIDTH * HEIGHT;

/** Both planes drawn and composed. */
function drawn(options: GpuRigOptions = {}) {
  const rig = new GpuRig(options);
  const low = pattern(PIXELS, 1);
  const high = pattern(80 * 64, 2);
  rig.guest('a').fill(rig.guest('a').picture(1, WIDTH, HEIGHT), low);
  rig.guest('a').present(1, WIDTH, HEIGHT);
  rig.guest('b').fill(rig.guest('b').picture(1, 80, 64), high);
  rig.guest('b').present(1, 80, 64);
  rig.frames(3);
  const expected = seen(low);
  paste(expected, WIDTH, [64, 32], seen(high), 80, [0, 0, 80, 64]);
  return { rig, a: rig.guest('a'), b: rig.guest('b'), expected };
}

/** Bytes that the compositor copies because of this. */
function composedBytes(rig: GpuRig, change: () => void): number {
  rig.frames(3);
  const before = rig.displayCounts().bytes;
  change();
  rig.frames(3);
  return rig.displayCounts().bytes - before;
}

describe('GPU compositor', () => {
  it('[utest->req~gpu.compositor-windows~1] every pixel is that of the highest plane there', () => {
    const { rig, expected } = drawn();
    assertPicture(rig.display(), expected, WIDTH);
  });

  it('[utest->req~gpu.compositor-windows~1] copies what was flushed as far as it can be seen, and nothing else', () => {
    const { rig, a, b } = drawn();
    const cases = [
      // Wholly visible, half under the other plane, wholly under it, all of it, of the upper plane.
      [() => a.ok(flush(1, [0, 0, 10, 20])), 200],
      [() => a.ok(flush(1, [60, 40, 8, 10])), 40],
      [() => a.ok(flush(1, [70, 40, 8, 10])), 0],
      [() => a.ok(flush(1, WHOLE)), PIXELS - 80 * 64],
      [() => b.ok(flush(1, [0, 0, 80, 64])), 80 * 64],
      [() => a.ok(transfer(1, WHOLE)), 0],
      [() => b.ok(flush(1, [5, 5, 0, 0])), 0],
    ] as const;
    for (const [change, pixels] of cases) {
      assert.equal(composedBytes(rig, change), 4 * pixels);
    }
  });

  it('[utest->req~gpu.compositor-windows~1] nothing that has not changed is composed', () => {
    const { rig } = drawn();
    const before = rig.displayCounts();
    rig.frames(20);
    const after = rig.displayCounts();
    assert.equal(after.composed, before.composed);
    assert.equal(after.bytes, before.bytes);
    assert.ok(after.refreshes > before.refreshes);
  });

  it('[utest->req~gpu.compositor-windows~1] composes at most once per refresh, whatever the major frame', () => {
    const { rig, a } = drawn({ display: { refreshHz: 20 } });
    const { plan } = rig;
    const before = rig.displayCounts();
    const frames = 40;
    for (let n = 0; n < frames; n++) {
      a.submit(flush(1, [0, 0, 4, 4]));
      rig.frames();
    }
    const refreshes = (frames * plan.majorFrameNs) / plan.displays[0]!.refreshNs;
    const { composed, refreshes: looked } = rig.displayCounts();
    assert.ok(Math.abs(looked - before.refreshes - refreshes) <= 1);
    assert.ok(composed - before.composed <= refreshes + 1);
    assert.ok(composed - before.composed >= refreshes - 2);
  });

  it('[utest->req~gpu.compositor-windows~1] a window that is too short for all goes on in the next one, band by band', () => {
    // Two bands fit a window; each takes the time that it is declared to take.
    const bandNs = 20_000;
    const short = new GpuRig({
      compositorUs: 45,
      costs: { gpuCompose: { baseNs: bandNs, perKibNs: 0 }, windowSwitchNs: 0 },
    });
    const { arena } = short.plane;
    const { copy } = arena;
    const bytes = pattern(PIXELS);
    const guest = short.guest('a');
    guest.fill(guest.picture(1, WIDTH, HEIGHT), bytes);
    guest.ok(setScanout(0, 1, WHOLE));
    guest.ok(transfer(1, WHOLE));
    short.frames(10);
    guest.ok(flush(1, WHOLE));
    Object.assign(arena, {
      copy: (to: number, from: number, length: number) => {
        // 640 bytes are a row of the display, and 51 rows a band.
        short.time.nowNs += Math.floor((length / GPU_PIECE_BYTES) * bandNs);
        copy(to, from, length);
      },
    });
    const perFrame: number[] = [];
    for (let n = 0; n < 12; n++) {
      const before = short.displayCounts().bytes;
      short.frames();
      perFrame.push(short.displayCounts().bytes - before);
    }
    assert.ok(Math.max(...perFrame) <= 2 * GPU_PIECE_BYTES, `bytes per window: ${perFrame.join()}`);
    const window = short.plan.windows.find(({ kind }) => kind === 'compositor')!;
    assert.equal(short.counters.window(window.index, WindowCounter.OVERRUNS_COST), 0);
    const whole = seen(bytes);
    paste(whole, WIDTH, [64, 32], new Uint32Array(80 * 64), 80, [0, 0, 80, 64]);
    assertPicture(short.display(), whole, WIDTH);
  });

  it(`[utest->req~gpu.compositor-windows~1] a band has at most ${GPU_PIECE_RUNS} rows, however short they are`, () => {
    const { rig } = drawn({
      display: {
        heightPx: 512,
        planes: [
          { id: 'low', z: 0, rectPx: [0, 0, WIDTH, 512], asil: 'QM' },
          { id: 'high', z: 1, rectPx: [64, 32, 80, 64], asil: 'B' },
        ],
      },
    });
    const a = rig.guest('a');
    a.picture(2, WIDTH, 512);
    a.ok(setScanout(0, 2, [0, 0, WIDTH, 512]));
    rig.frames(2);
    const compositor = rig.plan.windows.find(({ kind }) => kind === 'compositor')!;
    const before = rig.counters.window(compositor.index, WindowCounter.REQUESTS);
    a.ok(flush(2, [0, 0, 1, 512]));
    rig.frames(2);
    const bands = rig.counters.window(compositor.index, WindowCounter.REQUESTS) - before;
    assert.equal(bands, 512 / GPU_PIECE_RUNS);
  });

  it('[utest->req~gpu.compositor-windows~1] a plane whose flush is under way is passed over once, then shown as it is', () => {
    const { rig, a } = drawn({
      caps: { requestsMax: 1, bytesMax: 4096 },
      display: { refreshHz: 240 },
    });
    const before = rig.planeCounts('low');
    a.submit(flush(1, WHOLE));
    rig.frames(2);
    // Something of the plane has to be composed anew, while the flush goes on.
    a.submitCursor(moveCursor({ x: 1, y: 1 }));
    a.submit(flush(1, [0, 0, 1, 1]));
    rig.device('a').scanouts[0]!.plane.damageAll();
    rig.frames(1);
    const passed = rig.planeCounts('low');
    assert.equal(passed.passedOver, before.passedOver + 1);
    assert.equal(passed.composed, before.composed);
    rig.frames(2);
    const torn = rig.planeCounts('low');
    assert.equal(torn.torn, before.torn + 1);
    assert.equal(torn.composed, before.composed + 1);
    rig.frames(30);
    assert.equal(rig.planeCounts('low').torn, before.torn + 1);
  });

  it('[utest->req~gpu.compositor-windows~1] another plane is composed while one is passed over', () => {
    const { rig, a, b } = drawn({
      caps: { requestsMax: 1, bytesMax: 4096 },
      display: { refreshHz: 240 },
    });
    const before = rig.planeCounts('high').composed;
    a.submit(flush(1, WHOLE));
    rig.frames();
    rig.device('a').scanouts[0]!.plane.damageAll();
    b.submit(flush(1, [0, 0, 8, 8]));
    rig.frames();
    assert.equal(rig.planeCounts('high').composed, before + 1);
  });

  it('[utest->req~gpu.compositor-windows~1] the time from a flush to its composition is measured', () => {
    const { rig, a } = drawn();
    const histogram = rig.counters.planeLatency(rig.planePlan('low').index);
    const before = histogram.count;
    a.ok(flush(1, [0, 0, 4, 4]));
    rig.frames(3);
    assert.equal(histogram.count, before + 1);
    assert.ok(histogram.max > 0 && histogram.max < 4 * rig.plan.majorFrameNs);
  });

  it('[utest->req~gpu.compositor-windows~1] a cursor that moves costs its two places', () => {
    const { rig, a } = drawn();
    a.picture(2, 64, 64, 1);
    a.okCursor(updateCursor({ id: 2, x: 0, y: 0 }));
    const bytes = composedBytes(rig, () => {
      a.okCursor(moveCursor({ x: 0, y: 8 }));
    });
    // Rows 0 to 71 of the 64 columns that lie left of the other plane.
    assert.equal(bytes, 4 * 64 * 72);
  });

  it('[utest->req~gpu.asil-first~1] a plane of a higher level is composed first, and does not wait for one that is under way', () => {
    // Ten bands for the lower plane in windows of two; the upper plane has one of the two each time.
    const bandNs = 20_000;
    const { rig, a, b } = drawn({
      compositorUs: 45,
      costs: { gpuCompose: { baseNs: bandNs, perKibNs: 0 }, windowSwitchNs: 0 },
      display: {
        refreshHz: 240,
        heightPx: 2048,
        planes: [
          { id: 'low', z: 0, rectPx: [0, 0, WIDTH, 2048], asil: 'QM' },
          { id: 'high', z: 1, rectPx: [64, 32, 80, 64], asil: 'B' },
        ],
      },
      partitions: {
        a: { gpu: { planes: ['low'], resourceMiB: 2 } },
        b: { gpu: { planes: ['high'] }, asil: 'B' },
      },
    });
    a.ok(setScanout(0, 0, [0, 0, 0, 0]));
    rig.frames(100);
    const { arena } = rig.plane;
    const { copy } = arena;
    Object.assign(arena, {
      copy: (to: number, from: number, length: number) => {
        rig.time.nowNs += Math.ceil((length / GPU_PIECE_BYTES) * bandNs);
        copy(to, from, length);
      },
    });
    const low = rig.device('a').scanouts[0]!.plane;
    const before = rig.planeCounts('low').composed;
    low.damageAll();
    for (let n = 0; n < 10; n++) {
      b.submit(flush(1, [0, 0, 80, 64]));
      const { composed } = rig.planeCounts('high');
      rig.frames();
      assert.equal(rig.planeCounts('high').composed, composed + 1, `major frame ${n}`);
      if (n < 5)
        assert.equal(rig.planeCounts('low').composed, before, 'the lower plane is under way');
    }
    rig.frames(60);
    assert.equal(rig.planeCounts('low').composed, before + 1, 'the lower plane is not forgotten');
  });
});
