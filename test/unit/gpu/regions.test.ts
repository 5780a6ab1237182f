/** Protected regions: what is seen is what the owner flushed, is allowed, and is updated in time. */
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import type { ProtectedRegionConfig } from '../../../src/schedule/gateway-config.ts';
import { GpuFormat } from '../../../src/wire/virtio-gpu.ts';
import {
  flush,
  moveCursor,
  setScanout,
  transfer,
  updateCursor,
} from '../../support/gpu-commands.ts';
import { part, pattern, seen } from '../../support/gpu-pictures.ts';
import { GpuRig, WIDTH, type GpuRigOptions } from '../../support/gpu-rig.ts';

const REGION = [10, 20, 16, 8] as const;
const PLANE = [0, 0, 80, 64] as const;
const AT_DISPLAY = [64 + 10, 32 + 20] as const;

/** The CRC-32 of a region of a picture, as a configuration writes it. */
function crcOf(
  bytes: Uint8Array,
  rect: readonly [number, number, number, number] = REGION,
): string {
  const pixels = Uint32Array.from(part(seen(bytes), 80, rect));
  return crc32(new Uint8Array(pixels.buffer)).toString(16).padStart(8, '0');
}

/** Partition b has drawn its plane, which has a protected region. */
function withRegion(
  region: Partial<ProtectedRegionConfig> = {},
  options: GpuRigOptions = {},
  more: readonly ProtectedRegionConfig[] = [],
) {
  const regions = [{ id: 'r', plane: 'high', rectPx: REGION, ...region }, ...more];
  const rig = new GpuRig({
    ...options,
    display: { protectedRegions: regions, ...options.display },
  });
  const b = rig.guest('b');
  const bytes = pattern(80 * 64);
  const entries = b.picture(1, 80, 64);
  b.fill(entries, bytes);
  b.present(1, 80, 64);
  rig.frames(3);
  return { rig, b, bytes, entries };
}

/** Writes one pixel of the display, as no code of ours may. */
function tamper(rig: GpuRig, x: number, y: number): void {
  const { pixelsAt } = rig.plan.layout.displays[0]!;
  rig.plane.arena.i32[(pixelsAt >>> 2) + y * WIDTH + x]! ^= 1;
}

describe('GPU protected regions', () => {
  it('[utest->req~gpu.region-crc~1] a region that was composed as it was flushed is checked and right', () => {
    const { rig, b } = withRegion();
    assert.deepEqual(rig.regionCounts(), { checks: 1, mismatches: 0, frozen: 0 });
    b.ok(flush(1, [12, 22, 1, 1]));
    rig.frames(2);
    assert.deepEqual(rig.regionCounts(), { checks: 2, mismatches: 0, frozen: 0 });
    assert.deepEqual(rig.faults('b'), {});
  });

  it('[utest->req~gpu.region-crc~1] a flush beside it is no reason to check it', () => {
    const { rig, b } = withRegion();
    for (const rect of [
      [0, 0, 80, 20],
      [0, 28, 80, 36],
      [0, 0, 10, 64],
      [26, 0, 54, 64],
    ] as const) {
      b.ok(flush(1, rect));
      rig.frames(2);
    }
    assert.equal(rig.regionCounts().checks, 1);
  });

  it('[utest->req~gpu.region-crc~1] one wrong pixel of it on the display is found and reported at its owner', () => {
    for (const [x, y] of [AT_DISPLAY, [AT_DISPLAY[0] + 15, AT_DISPLAY[1] + 7]] as const) {
      const { rig, b } = withRegion();
      tamper(rig, x, y);
      // Another part of it is flushed: the pixel that is wrong is not composed again.
      b.ok(flush(1, [13, 23, 1, 1]));
      rig.frames(2);
      assert.deepEqual(rig.regionCounts(), { checks: 2, mismatches: 1, frozen: 0 });
      assert.deepEqual(rig.faults('b'), { 'region-crc-mismatch': 1 });
      assert.deepEqual(rig.faults('a'), {});
      // All of it is composed again, and right.
      b.ok(flush(1, PLANE));
      rig.frames(2);
      assert.deepEqual(rig.regionCounts(), { checks: 3, mismatches: 1, frozen: 0 });
    }
  });

  it('[utest->req~gpu.region-crc~1] a wrong pixel just outside of it is not its matter', () => {
    const { rig, b } = withRegion();
    tamper(rig, AT_DISPLAY[0] - 1, AT_DISPLAY[1]);
    tamper(rig, AT_DISPLAY[0] + 16, AT_DISPLAY[1] + 7);
    b.ok(flush(1, [13, 23, 1, 1]));
    rig.frames(2);
    assert.equal(rig.regionCounts().mismatches, 0);
  });

  it('[utest->req~gpu.region-crc~1] pixels of the plane that its owner did not flush are found', () => {
    const { rig, b } = withRegion();
    const { plane } = rig.device('b').scanouts[0]!;
    rig.plane.arena.i32[plane.pixelAt(11, 21) >>> 2]! ^= 0x100;
    b.ok(flush(1, [0, 0, 80, 20]));
    plane.damageAll();
    rig.frames(2);
    assert.equal(rig.regionCounts().mismatches, 1);
  });

  it('[utest->req~gpu.region-crc~1] only pictures that the configuration allows may be shown', () => {
    const [one, two, other] = [1, 2, 3].map((seed) => pattern(80 * 64, seed)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const { rig, b, entries } = withRegion({ crcs: [crcOf(one), crcOf(two)] });
    assert.deepEqual(rig.faults('b'), {});
    for (const [bytes, mismatches] of [
      [two, 0],
      [other, 1],
      [one, 1],
    ] as const) {
      b.fill(entries, bytes);
      b.show(1, 80, PLANE);
      rig.frames(2);
      assert.equal(rig.regionCounts().mismatches, mismatches);
    }
    assert.deepEqual(rig.faults('b'), { 'region-crc-mismatch': 1 });
  });

  it('[utest->req~gpu.region-crc~1] the sum is that of the pixels as they are seen, whatever format the driver has', () => {
    const bytes = pattern(80 * 64);
    const { rig } = withRegion({ crcs: [crcOf(bytes)] });
    assert.equal(rig.regionCounts().mismatches, 0);
    const turned = new GpuRig({
      display: {
        protectedRegions: [{ id: 'r', plane: 'high', rectPx: REGION, crcs: [crcOf(bytes)] }],
      },
    });
    const b = turned.guest('b');
    const rgb = bytes.slice();
    for (let n = 0; n < rgb.length; n += 4) [rgb[n], rgb[n + 2]] = [rgb[n + 2]!, rgb[n]!];
    b.fill(b.picture(1, 80, 64, GpuFormat.R8G8B8X8_UNORM), rgb);
    b.present(1, 80, 64);
    turned.frames(3);
    assert.deepEqual(turned.regionCounts(), { checks: 1, mismatches: 0, frozen: 0 });
  });

  it("[utest->req~gpu.region-crc~1] the owner's own cursor over it is a mismatch, too", () => {
    const { rig, b } = withRegion();
    b.fill(b.picture(2, 64, 64, GpuFormat.B8G8R8A8_UNORM), pattern(4096, 8));
    b.ok(transfer(2, [0, 0, 64, 64]));
    b.okCursor(updateCursor({ id: 2, x: 27, y: 20 }));
    rig.frames(2);
    assert.equal(rig.regionCounts().mismatches, 0, 'beside it');
    b.okCursor(moveCursor({ x: 25, y: 20 }));
    rig.frames(2);
    assert.equal(rig.regionCounts().mismatches, 1);
  });

  it('[utest->req~gpu.region-crc~1] nothing is judged while a flush is under way', () => {
    const { rig, b } = withRegion(
      {},
      { caps: { requestsMax: 1, bytesMax: 4096 }, display: { refreshHz: 240 } },
    );
    const { checks } = rig.regionCounts();
    for (let n = 0; n < 10; n++) {
      b.fill([{ address: b.slice.allocate(4), length: 4 }], [n, n, n, n]);
      const submission = b.submit(flush(1, PLANE));
      rig.frames();
      rig.device('b').scanouts[0]!.plane.damageAll();
      b.finish(submission);
    }
    rig.frames(5);
    assert.equal(rig.regionCounts().mismatches, 0);
    assert.ok(rig.regionCounts().checks > checks);
  });

  it('[utest->req~gpu.region-crc~1] a flush that is complete between composition and check is not held against its owner', () => {
    // One band a window: the copy, then the sums in windows of their own.
    const { rig, b, entries } = withRegion(
      { rectPx: [0, 0, 80, 64] },
      {
        compositorUs: 30,
        costs: { gpuCompose: { baseNs: 20_000, perKibNs: 0 }, windowSwitchNs: 0 },
      },
    );
    const { arena } = rig.plane;
    const { copy, crc32: sum } = arena;
    Object.assign(arena, {
      copy: (to: number, from: number, bytes: number) => {
        rig.time.nowNs += bytes;
        copy(to, from, bytes);
      },
      crc32: (at: number, bytes: number, crc: number, tables: number) => {
        rig.time.nowNs += bytes;
        return sum(at, bytes, crc, tables);
      },
    });
    for (let n = 0; n < 30; n++) {
      b.fill(entries, pattern(80 * 64, n));
      b.submit(transfer(1, PLANE));
      b.submit(flush(1, PLANE));
      rig.frames();
    }
    rig.frames(10);
    assert.equal(rig.regionCounts().mismatches, 0);
    assert.ok(rig.regionCounts().checks > 0);
  });

  it('[utest->req~gpu.region-crc~1] many regions are summed one in a piece, each for itself', () => {
    const more = Array.from({ length: 4 }, (_, n) => ({
      id: `r${n}`,
      plane: 'high',
      rectPx: [n * 20, 30, 20, 30] as const,
    }));
    const { rig, b } = withRegion({}, {}, more);
    b.ok(flush(1, [15, 25, 10, 10]));
    rig.frames(3);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((n) => rig.regionCounts(n).checks),
      [2, 2, 2, 1, 1],
    );
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((n) => rig.regionCounts(n).mismatches),
      [0, 0, 0, 0, 0],
    );
  });

  it('[utest->req~gpu.region-crc~1] a region of a black plane is that of a black picture', () => {
    const { rig, b } = withRegion({ crcs: [crcOf(pattern(80 * 64))] });
    b.ok(setScanout(0, 0, [0, 0, 0, 0]));
    rig.frames(3);
    assert.equal(
      rig.regionCounts().mismatches,
      1,
      'black is not among the pictures that are allowed',
    );
  });
});

describe('GPU frozen planes', () => {
  const FROZEN_US = 100_000;
  const frozen = (options?: GpuRigOptions) => withRegion({ frozenAfterUs: FROZEN_US }, options);
  /** Major frames for so many microseconds. */
  const pass = (rig: GpuRig, us: number) =>
    rig.frames(Math.ceil((us * 1000) / rig.plan.majorFrameNs));

  it('[utest->req~gpu.frozen-plane~1] an owner that does not update its region in time is reported, once', () => {
    const { rig, b } = frozen();
    pass(rig, 0.8 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 0);
    pass(rig, 0.5 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 1);
    assert.deepEqual(rig.faults('b'), { 'frozen-plane': 1 });
    pass(rig, 5 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 1);
    b.ok(flush(1, PLANE));
    pass(rig, 0.8 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 1);
    pass(rig, 0.5 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 2, 'and reported again when it is late again');
  });

  it('[utest->req~gpu.frozen-plane~1] updates in time are enough, although nothing in the picture changes', () => {
    const { rig, b } = frozen();
    for (let n = 0; n < 10; n++) {
      b.ok(flush(1, [10, 20, 1, 1]));
      pass(rig, 0.5 * FROZEN_US);
    }
    assert.equal(rig.regionCounts().frozen, 0);
  });

  it('[utest->req~gpu.frozen-plane~1] updates beside the region, and a cursor that passes, are none of it', () => {
    const { rig, b } = frozen();
    b.fill(b.picture(2, 64, 64, GpuFormat.B8G8R8A8_UNORM), new Uint8Array(4 * 64 * 64));
    b.ok(transfer(2, [0, 0, 64, 64]));
    for (let n = 0; n < 6; n++) {
      // A cursor without colours: what it covers looks as before.
      b.okCursor(updateCursor({ id: 2, x: n, y: n }));
      b.ok(flush(1, [40, 40, 8, 8]));
      pass(rig, 0.3 * FROZEN_US);
    }
    assert.deepEqual(rig.regionCounts().mismatches, 0);
    assert.equal(rig.regionCounts().frozen, 1);
  });

  it('[utest->req~gpu.frozen-plane~1] an update that is not shown rightly is none', () => {
    const { rig, b } = withRegion({ frozenAfterUs: FROZEN_US, crcs: ['00000000'] });
    for (let n = 0; n < 6; n++) {
      b.ok(flush(1, PLANE));
      pass(rig, 0.3 * FROZEN_US);
    }
    assert.equal(rig.regionCounts().frozen, 1);
  });

  it('[utest->req~gpu.frozen-plane~1] an owner that has never drawn is late, too', () => {
    const rig = new GpuRig({
      display: {
        protectedRegions: [{ id: 'r', plane: 'high', rectPx: REGION, frozenAfterUs: FROZEN_US }],
      },
    });
    pass(rig, 0.9 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 0);
    pass(rig, 0.3 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 1);
  });

  it('[utest->req~gpu.frozen-plane~1] while its owner is not served it is not late, and has all of its time then', () => {
    const { rig } = frozen();
    const partition = rig.plane.partitions[1]!;
    partition.running = false;
    pass(rig, 3 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 0);
    partition.running = true;
    pass(rig, 0.8 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 0);
    pass(rig, 0.5 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 1);
  });

  it('[utest->req~gpu.frozen-plane~1] a new driver has all of its time', () => {
    const { rig } = frozen();
    pass(rig, 0.7 * FROZEN_US);
    rig.startDriver('b');
    pass(rig, 0.8 * FROZEN_US);
    assert.equal(rig.regionCounts().frozen, 0);
  });
});
