/** Random commands, many of them wrong: the device answers as a plain model of it, and never breaks. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { GpuResponse } from '../../src/wire/virtio-gpu.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import {
  assignUuid,
  attach,
  create2d,
  createBlob,
  detach,
  flush,
  getDisplayInfo,
  getEdid,
  moveCursor,
  setScanout,
  setScanoutBlob,
  transfer,
  unref,
  updateCursor,
  type Entry,
  type RectPx,
} from '../support/gpu-commands.ts';
import { GpuModel, type ModelCommand, type ModelEntry } from '../support/gpu-model.ts';
import { GpuRig, HEIGHT, WIDTH } from '../support/gpu-rig.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const MEMORY_BYTES = 4 * 1024 * 1024;
const RESOURCES = 5;
const ENTRIES = 12;

/** Small numbers, sizes that matter here, and numbers whose sums and products wrap. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(WIDTH + 2) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 64, HEIGHT, WIDTH, 512, 1024) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      0x3fffffff,
      0x40000000,
      0x7fffffff,
      0x80000000,
      0xfffffff0,
      0xffffffff,
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffffffff }) },
);
const id = fc.oneof({ weight: 9, arbitrary: fc.nat(6) }, fc.constantFrom(0x80000000, 0xffffffff));
const scanout = fc.oneof(
  { weight: 5, arbitrary: fc.nat(1) },
  fc.constantFrom(2, 15, 16, 0xffffffff),
);
const rect = fc.tuple(size, size, size, size) as fc.Arbitrary<RectPx>;
const format = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(1, 2, 3, 4, 67, 68, 121, 134) },
  fc.constantFrom(0, 5, 0xffffffff),
);
const side = fc.oneof({ weight: 2, arbitrary: fc.constant(64) }, size);

/** Where entries lie is up to {@link placed}; these say what the model must know of them. */
const entry: fc.Arbitrary<ModelEntry> = fc
  .record({
    length: fc.oneof({ weight: 5, arbitrary: fc.nat(20_000).map((n) => 4 * n) }, fc.nat(30)),
    reachable: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
    aligned: fc.constant(true),
  })
  .map((chosen) => ({ ...chosen, aligned: chosen.length % 4 === 0 }));
const entries = fc.array(entry, { maxLength: 6 });

const command: fc.Arbitrary<ModelCommand> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ is: fc.constant('create' as const), id, format, w: side, h: side }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('attach' as const), id, entries }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('blob' as const),
      id,
      bytes: fc.oneof(fc.nat(80_000), size),
      entries,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constantFrom('unref' as const, 'detach' as const, 'uuid' as const),
      id,
    }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('scanout' as const), scanout, id, rect }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('scanoutBlob' as const),
      scanout,
      id,
      rect,
      w: size,
      h: size,
      format,
      stride: fc.oneof(
        fc.nat(200).map((n) => 4 * n),
        size,
      ),
      offset: fc.oneof(
        fc.nat(100).map((n) => 4 * n),
        size,
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('flush' as const), id, rect }) },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('transfer' as const),
      id,
      rect,
      offset: fc.oneof(
        fc.nat(20_000),
        size,
        size.map((n) => n * 2 ** 32),
      ),
    }),
  },
  fc.record({ is: fc.constant('edid' as const), scanout }),
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('cursor' as const),
      scanout,
      id,
      hotX: size,
      hotY: size,
    }),
  },
  fc.record({ is: fc.constant('move' as const), scanout }),
);

/** Entries in memory that exists, or just behind its end; the model's lengths as they are. */
function placed(list: readonly ModelEntry[]): Entry[] {
  const end = EMBEDDED_GUEST_PHYSICAL + MEMORY_BYTES;
  return list.map(({ length, reachable }, n) => ({
    address: reachable
      ? end - 4 * 30_000 - 4 * n - (length > 100_000 ? length : 0)
      : end - length + 4,
    length,
  }));
}

function bytesOf(chosen: ModelCommand): readonly number[] {
  switch (chosen.is) {
    case 'create':
      return create2d(chosen.id, chosen.w, chosen.h, chosen.format);
    case 'blob':
      return createBlob(chosen.id, chosen.bytes, placed(chosen.entries));
    case 'attach':
      return attach(chosen.id, placed(chosen.entries));
    case 'unref':
      return unref(chosen.id);
    case 'detach':
      return detach(chosen.id);
    case 'uuid':
      return assignUuid(chosen.id);
    case 'scanout':
      return setScanout(chosen.scanout, chosen.id, chosen.rect);
    case 'scanoutBlob':
      return setScanoutBlob(chosen.id, { ...chosen, width: chosen.w, height: chosen.h });
    case 'flush':
      return flush(chosen.id, chosen.rect);
    case 'transfer':
      return transfer(chosen.id, chosen.rect, chosen.offset);
    case 'edid':
      return getEdid(chosen.scanout);
    case 'cursor':
      return updateCursor(chosen);
    default:
      return moveCursor(chosen);
  }
}

function newRig(): GpuRig {
  return new GpuRig({
    partitions: {
      a: { gpu: { planes: ['low', 'high'], resourcesMax: RESOURCES, backingEntriesMax: ENTRIES } },
    },
    windowUs: 1000,
  });
}

describe('GPU device against a model', () => {
  it('[utest->req~gpu.refuse~1] every command is answered as the model says, and resources and scanouts are the same', () => {
    const counts = new Map<number, number>();
    fc.assert(
      fc.property(fc.array(command, { minLength: 10, maxLength: 60 }), (commands) => {
        const rig = newRig();
        const guest = rig.guest('a');
        const model = new GpuModel({
          resources: RESOURCES,
          units: 256,
          entries: ENTRIES,
          planes: [
            [WIDTH, HEIGHT],
            [80, 64],
          ],
        });
        for (const chosen of commands) {
          const cursor = chosen.is === 'cursor' || chosen.is === 'move';
          const options = { answer: 1056 };
          const bytes = bytesOf(chosen);
          const { type } = cursor ? guest.runCursor(bytes, options) : guest.run(bytes, options);
          const expected = model.answer(chosen);
          assert.equal(type.toString(16), expected.toString(16), JSON.stringify(chosen));
          counts.set(expected, (counts.get(expected) ?? 0) + 1);
          const { scanouts, resources } = rig.device('a');
          assert.deepEqual(
            scanouts.map(({ resource }) => resource && resource.id >>> 0),
            model.shown,
          );
          for (let n = 0; n <= 6; n++) {
            const found = resources.find(n);
            const wanted = model.resources.get(n);
            assert.equal(found?.width, wanted?.w);
            assert.equal(found?.height, wanted?.h);
            assert.equal(found?.hasBacking, wanted && wanted.backing !== undefined);
          }
        }
        assert.equal(
          guest.run(getDisplayInfo(), { answer: 408 }).type,
          GpuResponse.OK_DISPLAY_INFO,
        );
      }),
      seededRuns(45, 150),
    );
    // The test must have tried every kind of answer.
    for (const type of [0x1100, 0x1104, 0x1105, 0x1201, 0x1202, 0x1203, 0x1205]) {
      assert.ok((counts.get(type) ?? 0) > 0, `answer 0x${type.toString(16)} was never tried`);
    }
  });

  it('[utest->req~gpu.arithmetic~1] rectangles and offsets at the limits of 32 bits are judged as numbers without bounds are', () => {
    const rig = newRig();
    const guest = rig.guest('a');
    const [width, height] = [33, 17];
    const bytes = width * height * 4;
    guest.picture(1, width, height);
    guest.ok(createBlob(2, bytes, guest.memory([bytes])));
    const model = new GpuModel({
      resources: RESOURCES,
      units: 256,
      entries: ENTRIES,
      planes: [
        [WIDTH, HEIGHT],
        [80, 64],
      ],
    });
    const whole: ModelEntry = { length: bytes, reachable: true, aligned: true };
    model.answer({ is: 'create', id: 1, format: 2, w: width, h: height });
    model.answer({ is: 'attach', id: 1, entries: [whole] });
    model.answer({ is: 'blob', id: 2, bytes, entries: [whole] });
    const extremes = [0, 1, 16, 17, 18, 32, 33, 34, 0x7fffffff, 0x80000000, 0xffffffdf, 0xffffffff];
    const number = fc.constantFrom(...extremes);
    const any = fc.tuple(number, number, number, number);
    const chosen: fc.Arbitrary<ModelCommand> = fc.oneof(
      fc.record({ is: fc.constant('flush' as const), id: fc.constantFrom(1, 2), rect: any }),
      fc.record({
        is: fc.constant('transfer' as const),
        id: fc.constant(1),
        rect: any,
        offset: fc.oneof(number, fc.constantFrom(4, bytes - 4, bytes, 2 ** 32, 2 ** 63)),
      }),
      fc.record({
        is: fc.constant('scanout' as const),
        scanout: fc.nat(1),
        id: fc.constant(1),
        rect: any,
      }),
      fc.record({
        is: fc.constant('scanoutBlob' as const),
        scanout: fc.nat(1),
        id: fc.constant(2),
        rect: any,
        w: number,
        h: number,
        format: fc.constant(1),
        stride: fc.constantFrom(0, 64, 132, 136, 0x7ffffffc, 0x80000000, 0xfffffffc),
        offset: fc.constantFrom(0, 4, 0x7ffffffc, 0x80000000, 0xfffffffc),
      }),
    );
    fc.assert(
      fc.property(chosen, (one) => {
        const { type } = guest.run(bytesOf(one));
        assert.equal(type.toString(16), model.answer(one).toString(16), JSON.stringify(one));
      }),
      seededRuns(46, 3000),
    );
  });
});
