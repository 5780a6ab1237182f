/** Planes whose owner is lost: the last picture, black, or a warning, until it draws again. */
import { strict as assert } from 'node:assert';
import { ScanoutWord } from '../../../src/channel/scanout-state.ts';
import type { PlaneConfig } from '../../../src/schedule/gateway-config.ts';
import { flush, setScanout, transfer, updateCursor } from '../../support/gpu-commands.ts';
import { assertPicture, BLACK, part, paste, pattern, seen } from '../../support/gpu-pictures.ts';
import { GpuRig, HEIGHT, WIDTH } from '../../support/gpu-rig.ts';

const PLANE = [0, 0, 80, 64] as const;
const PIXELS = 80 * 64;
const WARNING = pattern(PIXELS, 77).map((byte, n) => (n % 4 === 3 ? 255 : byte));

type Lost = NonNullable<PlaneConfig['ownerLost']>;

function rigWith(ownerLost: Lost): GpuRig {
  const rig = new GpuRig({
    display: {
      planes: [
        { id: 'low', z: 0, rectPx: [0, 0, WIDTH, HEIGHT], asil: 'QM' },
        {
          id: 'high',
          z: 1,
          rectPx: [64, 32, 80, 64],
          asil: 'B',
          ownerLost,
          ...(ownerLost === 'warning' && { warningPicture: 'w.png' }),
        },
      ],
    },
  });
  const { warningAt } = rig.plan.layout.planes[1]!;
  if (warningAt !== 0) rig.plane.arena.u8.set(WARNING, warningAt);
  return rig;
}

/** What the display shows on the plane of b. */
function shown(rig: GpuRig): number[] {
  return part(rig.display(), WIDTH, [64, 32, 80, 64]);
}

function draw(rig: GpuRig, seed: number): number[] {
  const b = rig.guest('b');
  const bytes = pattern(PIXELS, seed);
  b.fill(b.picture(1, 80, 64), bytes);
  b.present(1, 80, 64);
  rig.frames(3);
  return [...seen(bytes)];
}

const INSTEAD: Readonly<Record<Lost, (last: number[]) => number[]>> = {
  keep: (last) => last,
  blank: () => new Array<number>(PIXELS).fill(BLACK),
  warning: () => [...seen(WARNING)],
};

for (const ownerLost of ['keep', 'blank', 'warning'] as const) {
  describe(`GPU plane of a lost owner: ${ownerLost}`, () => {
    it('[utest->req~gpu.owner-lost~1] before its owner has drawn', () => {
      const rig = rigWith(ownerLost);
      rig.frames(3);
      assert.deepEqual(shown(rig), INSTEAD[ownerLost](new Array<number>(PIXELS).fill(0)));
      assert.equal(rig.planeCounts('high').replaced, ownerLost === 'keep' ? 0 : 1);
    });

    it('[utest->req~gpu.owner-lost~1] while its owner is not served, and no longer', () => {
      const rig = rigWith(ownerLost);
      const picture = draw(rig, 1);
      assert.deepEqual(shown(rig), picture);
      const { replaced } = rig.planeCounts('high');
      rig.plane.partitions[1]!.running = false;
      rig.frames(3);
      assert.deepEqual(shown(rig), INSTEAD[ownerLost](picture));
      assert.equal(rig.planeCounts('high').replaced - replaced, ownerLost === 'keep' ? 0 : 1);
      rig.plane.partitions[1]!.running = true;
      rig.frames(3);
      assert.deepEqual(shown(rig), picture);
    });

    it('[utest->req~gpu.owner-lost~1] the planes of others are as they were', () => {
      const rig = rigWith(ownerLost);
      const a = rig.guest('a');
      const bytes = pattern(WIDTH * HEIGHT, 4);
      a.fill(a.picture(1, WIDTH, HEIGHT), bytes);
      a.present(1, WIDTH, HEIGHT);
      const picture = draw(rig, 1);
      rig.plane.partitions[1]!.running = false;
      rig.frames(3);
      const expected = seen(bytes);
      const instead = Uint32Array.from(INSTEAD[ownerLost](picture));
      paste(expected, WIDTH, [64, 32], instead, 80, PLANE);
      assertPicture(rig.display(), expected, WIDTH);
    });

    it('[utest->req~gpu.owner-lost~1] its cursor is not laid over what is shown instead', () => {
      const rig = rigWith(ownerLost);
      const picture = draw(rig, 1);
      const b = rig.guest('b');
      b.fill(b.picture(2, 64, 64, 1), pattern(4096));
      b.ok(transfer(2, [0, 0, 64, 64]));
      b.okCursor(updateCursor({ id: 2, x: 4, y: 4 }));
      rig.frames(3);
      const withCursor = shown(rig);
      rig.plane.partitions[1]!.running = false;
      rig.frames(3);
      assert.deepEqual(shown(rig), ownerLost === 'keep' ? withCursor : INSTEAD[ownerLost](picture));
    });

    it('[utest->req~gpu.owner-lost~1] from the start of a new driver to its first flush', () => {
      const rig = rigWith(ownerLost);
      const picture = draw(rig, 1);
      rig.startDriver('b');
      rig.frames(3);
      assert.deepEqual(shown(rig), INSTEAD[ownerLost](picture));
      const b = rig.guest('b');
      b.picture(1, 80, 64);
      b.ok(setScanout(0, 1, PLANE));
      rig.frames(3);
      assert.deepEqual(shown(rig), INSTEAD[ownerLost](picture), 'nothing is flushed yet');
    });

    it('[utest->req~gpu.no-residue~1] a new driver that flushes a part shows nothing of its predecessor beside, unless that is kept', () => {
      const rig = rigWith(ownerLost);
      const picture = draw(rig, 1);
      rig.startDriver('b');
      const b = rig.guest('b');
      const bytes = pattern(PIXELS, 2);
      b.fill(b.picture(1, 80, 64), bytes);
      b.ok(setScanout(0, 1, PLANE));
      b.ok(transfer(1, PLANE));
      b.ok(flush(1, [8, 8, 16, 16]));
      rig.frames(3);
      const expected = Uint32Array.from(
        ownerLost === 'keep' ? picture : new Array<number>(PIXELS).fill(BLACK),
      );
      paste(expected, 80, [8, 8], seen(bytes), 80, [8, 8, 16, 16]);
      assert.deepEqual(shown(rig), [...expected]);
    });

    it('[utest->req~gpu.owner-lost~1] protected regions are not held against an owner that is lost', () => {
      const rig = rigWith(ownerLost);
      draw(rig, 1);
      rig.plane.partitions[1]!.running = false;
      rig.frames(3);
      assert.deepEqual(rig.faults('b'), {});
    });
  });
}

describe('GPU plane without owner', () => {
  it("[utest->req~gpu.owner-lost~1] shows what a lost owner's would, and is nobody's fault", () => {
    const rig = new GpuRig({
      partitions: { a: { gpu: { planes: ['low'] } } },
      display: {
        planes: [
          { id: 'low', z: 0, rectPx: [0, 0, WIDTH, HEIGHT], asil: 'QM' },
          { id: 'high', z: 1, rectPx: [64, 32, 80, 64], asil: 'B', ownerLost: 'blank' },
        ],
        protectedRegions: [{ id: 'r', plane: 'high', rectPx: [0, 0, 8, 8], frozenAfterUs: 20_000 }],
      },
    });
    rig.frames(20);
    assert.deepEqual(shown(rig), INSTEAD.blank([]));
    assert.deepEqual(rig.regionCounts(), { checks: 0, mismatches: 0, frozen: 0 });
    assert.deepEqual(rig.faults('a'), {});
  });
});

describe('GPU scanout for the control plane', () => {
  it('[utest->req~gpu.commands~1] its size and what has changed since it was taken over', () => {
    const rig = rigWith('keep');
    const b = rig.guest('b');
    const view = rig.scanout('high');
    const changes = () => {
      assert.equal(view.read(), true);
      const { copy } = view;
      const area = ['LEFT', 'TOP', 'RIGHT', 'BOTTOM'] as const;
      return {
        size: [copy[ScanoutWord.WIDTH], copy[ScanoutWord.HEIGHT]],
        area: area.map((word) => copy[ScanoutWord[word]]),
      };
    };
    b.picture(1, 80, 64);
    b.ok(setScanout(0, 1, [0, 0, 70, 60]));
    assert.deepEqual(changes(), { size: [70, 60], area: [0, 0, 70, 60] });
    view.acknowledge();
    b.ok(flush(1, [10, 11, 5, 6]));
    b.ok(flush(1, [2, 14, 5, 6]));
    assert.deepEqual(changes().area, [2, 11, 15, 20]);
    view.acknowledge();
    b.ok(flush(1, [60, 50, 20, 14]));
    assert.deepEqual(changes().area, [60, 50, 70, 60]);
    rig.startDriver('b');
    rig.frames();
    assert.deepEqual(changes().size, [0, 0]);
  });

  it('[utest->req~gpu.commands~1] a state that changes all the time is not read in parts', () => {
    const rig = rigWith('keep');
    const { stateAt } = rig.plan.layout.planes[1]!;
    const view = rig.scanout('high');
    const words = rig.plane.arena.i32;
    Atomics.add(words, stateAt >>> 2, 1);
    assert.equal(view.read(), false);
    Atomics.add(words, stateAt >>> 2, 1);
    assert.equal(view.read(), true);
  });
});
