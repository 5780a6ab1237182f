/** Layout of the arena, against offsets worked out by hand. */
import { strict as assert } from 'node:assert';
import {
  ARENA_PAGES_MAX,
  layOutArena,
  MailboxWord,
  Scratch,
  STAGING_BYTES,
  STATISTICS_BYTES,
  VECTORS_MAX,
  WASM_PAGE,
  type ArenaLayout,
  type LayoutRequest,
} from '../../../src/schedule/arena-layout.ts';

const MIB = 1024 * 1024;

const TWO: LayoutRequest = {
  partitions: [
    { memoryBytes: MIB, devices: 1 },
    { memoryBytes: MIB, devices: 1 },
  ],
  devices: [{ queuePairs: 1 }, { queuePairs: 1 }],
};

/** Every area of a layout as [start, end). */
function areas(layout: ArenaLayout): [number, number][] {
  const area = (start: number, bytes: number): [number, number] => [start, start + bytes];
  return [
    area(layout.scratchAt, Scratch.SIZE),
    ...layout.devices.flatMap((device) => [
      area(device.statusAt, 4),
      area(device.regionsAt, 512),
      ...device.stagingAt.map((at) => area(at, STAGING_BYTES)),
    ]),
    ...layout.partitions.flatMap((partition) => [
      area(partition.mailboxAt, MailboxWord.COUNT * 4),
      ...partition.vectorsAt.map((at) => area(at, VECTORS_MAX * 4)),
      area(partition.statisticsAt, STATISTICS_BYTES),
      area(partition.sliceAt, partition.sliceBytes),
    ]),
  ];
}

describe('arena layout', () => {
  it('[utest->req~mem.bounds~1] two partitions of 1 MiB lie where the sums say', () => {
    assert.deepEqual(layOutArena(TWO), {
      pages: 38,
      scratchAt: 4096,
      devices: [
        { statusAt: 12288, regionsAt: 12352, stagingAt: [16384], resourcesAt: 0 },
        { statusAt: 155648, regionsAt: 155712, stagingAt: [159744], resourcesAt: 0 },
      ],
      crcTablesAt: 0,
      displays: [],
      planes: [],
      partitions: [
        {
          mailboxAt: 299008,
          vectorsAt: [299072],
          statisticsAt: 299328,
          sliceAt: 6 * WASM_PAGE,
          sliceBytes: MIB,
        },
        {
          mailboxAt: 315712,
          vectorsAt: [315776],
          statisticsAt: 316032,
          sliceAt: 22 * WASM_PAGE,
          sliceBytes: MIB,
        },
      ],
    });
  });

  for (const [name, request] of [
    ['two partitions', TWO],
    [
      'many devices and queue pairs',
      {
        partitions: [
          { memoryBytes: MIB, devices: 3 },
          { memoryBytes: 5 * MIB, devices: 8 },
          { memoryBytes: MIB, devices: 1 },
        ],
        devices: Array.from({ length: 12 }, (_, n) => ({ queuePairs: 1 + (n % 8) })),
      },
    ],
    ['slices above 2 GiB', { ...TWO, slicesFrom: 2 ** 31 }],
  ] as const) {
    it(`[utest->req~mem.bounds~1] areas do not overlap, and lie inside the pages: ${name}`, () => {
      const layout = layOutArena(request);
      const ordered = areas(layout).sort((a, b) => a[0] - b[0]);
      ordered.forEach(([start, end], n) => {
        assert.ok(
          start >= (ordered[n - 1]?.[1] ?? 1),
          `area at ${start} begins before the one before it ends`,
        );
        assert.ok(end <= layout.pages * WASM_PAGE);
      });
    });
  }

  it('[utest->req~mem.bounds~1] offset 0 belongs to nobody', () => {
    assert.ok(areas(layOutArena(TWO)).every(([start]) => start > 0));
  });

  it('[utest->req~mem.bounds~1] slices begin at pages, staging at 4 KiB, words at cache lines', () => {
    const layout = layOutArena(TWO);
    for (const { sliceAt, mailboxAt, statisticsAt } of layout.partitions) {
      assert.deepEqual([sliceAt % WASM_PAGE, mailboxAt % 64, statisticsAt % 64], [0, 0, 0]);
    }
    for (const { statusAt, stagingAt } of layout.devices) {
      assert.deepEqual([statusAt % 64, stagingAt[0]! % 4096], [0, 0]);
    }
  });

  it('[utest->req~mem.bounds~1] a device has a staging buffer for every queue pair', () => {
    const layout = layOutArena({ partitions: [], devices: [{ queuePairs: 3 }] });
    assert.deepEqual(layout.devices[0]!.stagingAt, [16384, 16384 + 139264, 16384 + 2 * 139264]);
  });

  it('[utest->req~mem.bounds~1] a partition has interrupt words for each of its devices', () => {
    const layout = layOutArena({ partitions: [{ memoryBytes: MIB, devices: 2 }], devices: [] });
    assert.deepEqual(layout.partitions[0]!.vectorsAt, [12288 + 64, 12288 + 64 + 256]);
  });

  it(
    '[utest->req~mem.bounds~1] the first slice may be asked to lie higher, never' +
      " lower than the host's areas",
    () => {
      assert.equal(layOutArena({ ...TWO, slicesFrom: 2 ** 31 }).partitions[0]!.sliceAt, 2 ** 31);
      assert.equal(
        layOutArena({ ...TWO, slicesFrom: 2 ** 31 + 1 }).partitions[0]!.sliceAt,
        2 ** 31 + WASM_PAGE,
      );
      assert.equal(layOutArena({ ...TWO, slicesFrom: 1 }).partitions[0]!.sliceAt, 6 * WASM_PAGE);
    },
  );

  it('[utest->req~mem.bounds~1] memory of 4095 MiB fits below 4 GiB, its last end fits 32 bits', () => {
    const { pages } = layOutArena({
      partitions: [{ memoryBytes: 4095 * MIB, devices: 1 }],
      devices: [{ queuePairs: 1 }],
    });
    assert.ok(pages <= ARENA_PAGES_MAX, `${pages} pages`);
    assert.ok(ARENA_PAGES_MAX * WASM_PAGE <= 0xffffffff);
  });

  it('[utest->req~mem.bounds~1] what does not fit is laid out all the same, for the check to refuse', () => {
    const { pages } = layOutArena({
      partitions: [{ memoryBytes: 4096 * MIB, devices: 0 }],
      devices: [],
    });
    assert.ok(pages > ARENA_PAGES_MAX);
  });

  it('[utest->req~mem.bounds~1] the parts of the scratch area do not overlap', () => {
    assert.ok(Scratch.HEAD + Scratch.HEAD_BYTES <= Scratch.COMMAND);
    assert.ok(Scratch.COMMAND + Scratch.COMMAND_BYTES <= Scratch.DESC);
    assert.ok(Scratch.DESC < Scratch.SIZE);
  });
});
