/** Random planes, random flushes: the display is what a plain model of it says, pixel by pixel. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { DisplayConfig } from '../../src/schedule/gateway-config.ts';
import {
  flush,
  moveCursor,
  setScanout,
  transfer,
  updateCursor,
  type RectPx,
} from '../support/gpu-commands.ts';
import { assertPicture, blended, paste, pattern, seen } from '../support/gpu-pictures.ts';
import { GpuRig, type GpuPartition } from '../support/gpu-rig.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const WIDTH = 90;
const HEIGHT = 70;
const SIDE = 64;
const FEATURES = ['VIRTIO_F_VERSION_1'];

interface PlaneChoice {
  readonly rect: RectPx;
  readonly z: number;
}

type Step =
  | {
      readonly kind: 'flush';
      readonly plane: number;
      readonly at: readonly number[];
      readonly seed: number;
    }
  | {
      readonly kind: 'cursor';
      readonly plane: number;
      readonly x: number;
      readonly y: number;
      readonly seed: number;
    }
  | { readonly kind: 'frames'; readonly count: number };

const rectangle: fc.Arbitrary<RectPx> = fc
  .tuple(fc.nat(WIDTH - 1), fc.nat(HEIGHT - 1), fc.nat(), fc.nat())
  .map(([x, y, w, h]) => [x, y, 1 + (w % (WIDTH - x)), 1 + (h % (HEIGHT - y))] as const);

const planes: fc.Arbitrary<PlaneChoice[]> = fc
  .tuple(
    fc.array(rectangle, { minLength: 1, maxLength: 4 }),
    fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
  )
  .map(([rects, heights]) => rects.map((rect, n) => ({ rect, z: heights[n]! })));

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('flush' as const),
    plane: fc.nat(3),
    at: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
    seed: fc.nat(1000),
  }),
  fc.record({
    kind: fc.constant('cursor' as const),
    plane: fc.nat(3),
    x: fc.integer({ min: -70, max: WIDTH + 10 }),
    y: fc.integer({ min: -70, max: HEIGHT + 10 }),
    seed: fc.nat(5),
  }),
  fc.record({ kind: fc.constant('frames' as const), count: fc.integer({ min: 1, max: 2 }) }),
);

/** Each plane's picture and cursor, and the display that follows from them. */
class Model {
  readonly pictures: Uint32Array[];
  readonly cursors: ({ x: number; y: number; bytes: Uint8Array } | undefined)[];
  private readonly choices: readonly PlaneChoice[];

  constructor(choices: readonly PlaneChoice[]) {
    this.choices = choices;
    this.pictures = choices.map(({ rect: [, , w, h] }) => new Uint32Array(w * h));
    this.cursors = choices.map(() => undefined);
  }

  /** The plane that can be seen at a pixel of the display, or -1. */
  planeAt(x: number, y: number): number {
    let top = -1;
    this.choices.forEach(({ rect: [left, up, w, h], z }, n) => {
      const inside = x >= left && y >= up && x < left + w && y < up + h;
      if (inside && (top < 0 || z > this.choices[top]!.z)) top = n;
    });
    return top;
  }

  display(): Uint32Array {
    return Uint32Array.from({ length: WIDTH * HEIGHT }, (_, n) => {
      const x = n % WIDTH;
      const y = Math.floor(n / WIDTH);
      const plane = this.planeAt(x, y);
      return plane < 0 ? 0 : this.pixel(plane, x, y);
    });
  }

  private pixel(plane: number, x: number, y: number): number {
    const [left, up, w] = this.choices[plane]!.rect;
    const below = this.pictures[plane]![(y - up) * w + x - left]!;
    const cursor = this.cursors[plane];
    if (!cursor) return below;
    const column = x - left - cursor.x;
    const row = y - up - cursor.y;
    if (column < 0 || row < 0 || column >= SIDE || row >= SIDE) return below;
    const at = (row * SIDE + column) * 4;
    return blended(below, cursor.bytes.subarray(at, at + 4));
  }
}

function build(choices: readonly PlaneChoice[]): GpuRig {
  const display: Partial<DisplayConfig> = {
    widthPx: WIDTH,
    heightPx: HEIGHT,
    refreshHz: 240,
    planes: choices.map(({ rect, z }, n) => ({
      id: `p${n}`,
      z,
      rectPx: rect,
      asil: 'QM' as const,
    })),
  };
  const partitions: Record<string, GpuPartition> = Object.fromEntries(
    choices.map((_, n) => [`g${n}`, { gpu: { planes: [`p${n}`], offer: FEATURES } }]),
  );
  const rig = new GpuRig({ partitions, display, windowUs: 1000, compositorUs: 1000, memoryMiB: 2 });
  choices.forEach(({ rect: [, , w, h] }, n) => {
    const guest = rig.guest(`g${n}`);
    guest.picture(1, w, h);
    guest.picture(2, SIDE, SIDE, 1);
    guest.ok(setScanout(0, 1, [0, 0, w, h]));
  });
  return rig;
}

/** Carries a step out on both; what it does is complete when this returns. */
function play(rig: GpuRig, model: Model, choices: readonly PlaneChoice[], done: Step): void {
  if (done.kind === 'frames') {
    rig.frames(done.count);
    return;
  }
  const plane = done.plane % choices.length;
  const guest = rig.guest(`g${plane}`);
  const [, , w, h] = choices[plane]!.rect;
  if (done.kind === 'flush') {
    const [x, y] = [done.at[0]! % w, done.at[1]! % h];
    const rect = [x, y, 1 + (done.at[2]! % (w - x)), 1 + (done.at[3]! % (h - y))] as const;
    const bytes = pattern(w * h, done.seed + plane);
    guest.fill(guest.backings.get(1)!, bytes);
    guest.ok(transfer(1, rect, (y * w + x) * 4));
    guest.ok(flush(1, rect));
    paste(model.pictures[plane]!, w, [x, y], seen(bytes), w, rect);
    return;
  }
  if (done.seed === 0) {
    guest.okCursor(updateCursor({ id: 0 }));
    model.cursors[plane] = undefined;
  } else if (done.seed === 1 && model.cursors[plane]) {
    guest.okCursor(moveCursor({ x: done.x, y: done.y }));
    model.cursors[plane] = { ...model.cursors[plane], x: done.x, y: done.y };
  } else {
    const bytes = pattern(SIDE * SIDE, done.seed);
    guest.fill(guest.backings.get(2)!, bytes);
    guest.ok(transfer(2, [0, 0, SIDE, SIDE]));
    guest.okCursor(updateCursor({ id: 2, x: done.x, y: done.y }));
    model.cursors[plane] = { x: done.x, y: done.y, bytes };
  }
}

describe('GPU compositor against a model', () => {
  it('[utest->req~gpu.compositor-windows~1] the display shows each plane where it can be seen, and its cursor', () => {
    fc.assert(
      fc.property(planes, fc.array(step, { maxLength: 14 }), (choices, steps) => {
        const rig = build(choices);
        const model = new Model(choices);
        for (const done of steps) play(rig, model, choices, done);
        rig.frames(4);
        assertPicture(rig.display(), model.display(), WIDTH, 'display');
        choices.forEach(({ rect: [, , w] }, n) => {
          assertPicture(rig.picture(`p${n}`), model.pictures[n]!, w, `plane ${n}`);
        });
      }),
      seededRuns(44, 60),
    );
  });

  it('[utest->req~gpu.plane-owner~1] no pixel ever shows another plane than the one that can be seen there', () => {
    fc.assert(
      fc.property(
        planes,
        fc.array(fc.tuple(fc.nat(3), fc.array(fc.nat(), { minLength: 4, maxLength: 4 })), {
          minLength: 1,
          maxLength: 12,
        }),
        (choices, flushes) => {
          const rig = build(choices);
          const model = new Model(choices);
          const owner = Array.from({ length: WIDTH * HEIGHT }, (_, n) =>
            model.planeAt(n % WIDTH, Math.floor(n / WIDTH)),
          );
          // Every pixel of plane n has blue n + 1.
          choices.forEach(({ rect: [, , w, h] }, n) => {
            const guest = rig.guest(`g${n}`);
            const bytes = pattern(w * h, n).map((byte, at) => (at % 4 === 0 ? n + 1 : byte));
            guest.fill(guest.backings.get(1)!, bytes);
            guest.ok(transfer(1, [0, 0, w, h]));
          });
          for (const [plane, at] of flushes) {
            const n = plane % choices.length;
            const [, , w, h] = choices[n]!.rect;
            const [x, y] = [at[0]! % w, at[1]! % h];
            const rect = [x, y, 1 + (at[2]! % (w - x)), 1 + (at[3]! % (h - y))] as const;
            rig.guest(`g${n}`).submit(flush(1, rect));
            rig.frames();
            rig.display().forEach((pixel, place) => {
              if (pixel !== 0 && (pixel & 0xff) !== owner[place]! + 1) {
                assert.fail(
                  `pixel ${place} is plane ${(pixel & 0xff) - 1}'s, not ${owner[place]}'s`,
                );
              }
            });
          }
        },
      ),
      seededRuns(44, 60),
    );
  });
});
