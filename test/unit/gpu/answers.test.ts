/** Every command of a GPU device as a driver sees it: answers byte by byte, in both ring layouts. */
import { strict as assert } from 'node:assert';
import { edidBlock } from '../../../src/wire/edid.ts';
import {
  GpuCommand,
  GpuEdid,
  GpuHeader,
  GpuHeaderFlag,
  GpuResourceUuid,
  GpuResponse,
} from '../../../src/wire/virtio-gpu.ts';
import {
  assignUuid,
  attach,
  create2d,
  createBlob,
  detach,
  FENCED,
  flush,
  getDisplayInfo,
  getEdid,
  moveCursor,
  setScanout,
  setScanoutBlob,
  structure,
  transfer,
  unref,
  updateCursor,
  type Header,
} from '../../support/gpu-commands.ts';
import { ALL_FEATURES, GpuRig, type GpuPartition } from '../../support/gpu-rig.ts';
import type { GpuDouble } from '../../support/gpu-double.ts';

const BOTH: Readonly<Record<string, readonly string[]>> = {
  split: ALL_FEATURES,
  packed: [...ALL_FEATURES, 'VIRTIO_F_RING_PACKED'],
};

function partitions(offer: readonly string[]): Record<string, GpuPartition> {
  return { a: { gpu: { planes: ['low', 'high'], offer } } };
}

function u32(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
}

/** The header of an answer. */
function header(type: number, { flags = 0, fence = 0n, context = 0, ring = 0 }: Header = {}) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, fence, true);
  const fenceBytes = [...new Uint8Array(view.buffer)];
  return [...u32(type), ...u32(flags), ...fenceBytes, ...u32(context), ring, 0, 0, 0];
}

const SIDE = 64;
const BYTES = SIDE * SIDE * 4;

/** Every command that succeeds without anything else to say, in an order that makes each possible. */
function honest(
  guest: GpuDouble,
): readonly [name: string, command: (header: Header) => number[]][] {
  const entries = guest.memory([BYTES]);
  const whole = [0, 0, SIDE, SIDE] as const;
  const blob = { rect: whole, width: SIDE, height: SIDE };
  return [
    ['RESOURCE_CREATE_2D', (h) => create2d(1, SIDE, SIDE, 1, h)],
    ['RESOURCE_ATTACH_BACKING', (h) => attach(1, entries, 1, h)],
    ['SET_SCANOUT', (h) => setScanout(0, 1, whole, h)],
    ['TRANSFER_TO_HOST_2D', (h) => transfer(1, whole, 0, h)],
    ['RESOURCE_FLUSH', (h) => flush(1, whole, h)],
    ['RESOURCE_CREATE_BLOB', (h) => createBlob(2, BYTES, entries, { header: h })],
    ['SET_SCANOUT_BLOB', (h) => setScanoutBlob(2, { ...blob, scanout: 1 }, h)],
    ['RESOURCE_FLUSH of a blob', (h) => flush(2, whole, h)],
    ['SET_SCANOUT of nothing', (h) => setScanout(0, 0, [0, 0, 0, 0], h)],
    ['SET_SCANOUT of nothing, again', (h) => setScanout(0, 0, [0, 0, 0, 0], h)],
    ['SET_SCANOUT_BLOB of nothing', (h) => setScanoutBlob(0, { ...blob, scanout: 1 }, h)],
    ['RESOURCE_DETACH_BACKING', (h) => detach(1, h)],
    ['RESOURCE_DETACH_BACKING of a blob', (h) => detach(2, h)],
    ['RESOURCE_UNREF', (h) => unref(1, h)],
  ];
}

for (const [layout, offer] of Object.entries(BOTH)) {
  describe(`GPU commands on ${layout} rings`, () => {
    it('[utest->req~gpu.commands~1] each says OK with its fence, in a header and nothing more', () => {
      const rig = new GpuRig({ partitions: partitions(offer) });
      const guest = rig.guest('a');
      honest(guest).forEach(([name, command], n) => {
        const fenced = { flags: GpuHeaderFlag.FENCE, fence: 0x8000000000000000n + BigInt(n) };
        const answer = guest.run(command(fenced), { answer: 64 });
        assert.deepEqual(answer.bytes, header(GpuResponse.OK_NODATA, fenced), name);
        assert.equal(answer.usedLength, GpuHeader.SIZE, name);
      });
      assert.deepEqual(rig.faults('a'), {});
    });

    it('[utest->req~gpu.commands~1] cursor commands answer, and need no room for it', () => {
      const rig = new GpuRig({ partitions: partitions(offer) });
      const guest = rig.guest('a');
      guest.picture(1, SIDE, SIDE, 1);
      for (const command of [
        updateCursor({ id: 1, x: 5, y: 6 }, FENCED),
        moveCursor({ x: 7, y: 8 }, FENCED),
        updateCursor({ id: 0 }, FENCED),
      ]) {
        assert.deepEqual(guest.runCursor(command).bytes, header(GpuResponse.OK_NODATA, FENCED));
        assert.equal(guest.runCursor(command, { answer: 0 }).usedLength, 0);
      }
      assert.deepEqual(rig.faults('a'), {});
    });

    it('[utest->req~gpu.commands~1] commands and answers may lie in pieces of any length', () => {
      const rig = new GpuRig({ partitions: partitions(offer) });
      const guest = rig.guest('a');
      const command = getDisplayInfo(FENCED);
      const whole = guest.run(command, { answer: 408 });
      for (const pieces of [
        [1, 1, 21, 1],
        [23, 1],
        [0, 24, 0],
      ]) {
        const answer = guest.run(command, {
          answer: 408,
          pieces,
          answerPieces: [1, 22, 0, 2, 300],
        });
        assert.deepEqual(answer.bytes, whole.bytes);
        assert.equal(answer.usedLength, 408);
      }
    });
  });
}

describe('GPU commands that ask', () => {
  const rig = new GpuRig({ partitions: partitions(ALL_FEATURES) });
  const guest = rig.guest('a');

  it('[utest->req~gpu.commands~1] GET_DISPLAY_INFO says the size of each plane; other scanouts are off', () => {
    const { bytes, usedLength } = guest.run(getDisplayInfo(FENCED), { answer: 408 });
    const mode = (width: number, height: number) => [
      ...u32(0),
      ...u32(0),
      ...u32(width),
      ...u32(height),
      ...u32(1),
      ...u32(0),
    ];
    assert.deepEqual(bytes, [
      ...header(GpuResponse.OK_DISPLAY_INFO, FENCED),
      ...mode(160, 128),
      ...mode(80, 64),
      ...new Array<number>(14 * 24).fill(0),
    ]);
    assert.equal(usedLength, 408);
  });

  it('[utest->req~gpu.commands~1] GET_EDID gives the EDID of the plane, padded with zeros', () => {
    [
      { widthPx: 160, heightPx: 128, id: 'd.low' },
      { widthPx: 80, heightPx: 64, id: 'd.high' },
    ].forEach(({ id, ...size }, scanout) => {
      const { bytes } = guest.run(getEdid(scanout, FENCED), { answer: GpuEdid.SIZE });
      const edid = edidBlock({ ...size, refreshHz: 100 }, id, scanout + 1);
      assert.deepEqual(bytes, [
        ...header(GpuResponse.OK_EDID, FENCED),
        ...u32(128),
        ...u32(0),
        ...edid,
        ...new Array<number>(GpuEdid.EDID_BYTES - 128).fill(0),
      ]);
    });
  });

  it('[utest->req~gpu.commands~1] RESOURCE_ASSIGN_UUID: the same for the same resource, another for every other', () => {
    guest.ok(create2d(10, 1, 1));
    guest.ok(create2d(11, 1, 1));
    const uuidOf = (id: number) => {
      const { bytes, type } = guest.run(assignUuid(id, FENCED), { answer: GpuResourceUuid.SIZE });
      assert.equal(type, GpuResponse.OK_RESOURCE_UUID);
      assert.equal(bytes.length, GpuResourceUuid.SIZE);
      return bytes.slice(GpuResourceUuid.UUID);
    };
    const first = uuidOf(10);
    assert.deepEqual(uuidOf(10), first);
    const second = uuidOf(11);
    assert.notDeepEqual(second, first);
    // RFC 9562: version 8, variant 10.
    for (const uuid of [first, second]) {
      assert.equal(uuid[6]! >> 4, 8);
      assert.equal(uuid[8]! >> 6, 2);
    }
    guest.ok(unref(10));
    guest.ok(create2d(10, 1, 1));
    assert.notDeepEqual(uuidOf(10), first, 'a new resource has a new UUID');
  });

  it('[utest->req~gpu.commands~1] UUIDs of two devices differ', () => {
    const two = new GpuRig();
    const uuids = ['a', 'b'].map((id) => {
      two.guest(id).ok(create2d(1, 1, 1));
      return two.guest(id).run(assignUuid(1), { answer: 40 }).bytes.slice(24);
    });
    assert.notDeepEqual(uuids[0], uuids[1]);
  });

  it('[utest->req~gpu.commands~1] the fence, the context and the ring come back where the flags say so, and only there', () => {
    const cases: readonly [Header, Header][] = [
      [{ fence: 5n, context: 6, ring: 7 }, {}],
      [
        { flags: GpuHeaderFlag.FENCE, fence: 5n, context: 6, ring: 7 },
        { flags: GpuHeaderFlag.FENCE, fence: 5n, context: 6 },
      ],
      [
        { flags: GpuHeaderFlag.INFO_RING_IDX, ring: 7 },
        { flags: GpuHeaderFlag.INFO_RING_IDX, ring: 7 },
      ],
      [
        { flags: 0xffffffff, fence: 0xffffffffffffffffn, context: 1, ring: 255 },
        { flags: 3, fence: 0xffffffffffffffffn, context: 1, ring: 255 },
      ],
    ];
    for (const [asked, given] of cases) {
      const { bytes } = guest.run(create2d(20, 1, 1, 1, asked));
      assert.deepEqual(bytes, header(GpuResponse.OK_NODATA, given));
      guest.ok(unref(20));
    }
  });

  it('[utest->req~gpu.commands~1] an error keeps the fence and has a header only (case 55)', () => {
    const { bytes, usedLength } = guest.run(getEdid(2, FENCED), { answer: GpuEdid.SIZE });
    assert.deepEqual(bytes, header(GpuResponse.ERR_INVALID_SCANOUT_ID, FENCED));
    assert.equal(usedLength, GpuHeader.SIZE);
  });

  it('[utest->req~gpu.refuse~1] capability sets are refused with a zeroed answer (case 52)', () => {
    for (const [type, size] of [
      [GpuCommand.GET_CAPSET_INFO, 32],
      [GpuCommand.GET_CAPSET, 32],
    ] as const) {
      const answer = guest.run(structure(type, size, { 24: 0xffffffff }, FENCED), { answer: 1000 });
      assert.deepEqual(answer.bytes, header(GpuResponse.ERR_UNSPEC, FENCED));
    }
  });

  it('[utest->req~gpu.commands~1] commands of one queue are answered in order, each with its own fence', () => {
    const submissions = Array.from({ length: 20 }, (_, n) =>
      guest.submit(create2d(100 + n, 2, 2, 1, { flags: 1, fence: BigInt(n) })),
    );
    rig.frames();
    submissions.forEach((submission, n) => {
      const { type, fence } = guest.answerOf(submission);
      assert.equal(type, GpuResponse.OK_NODATA);
      assert.equal(fence, BigInt(n));
    });
  });
});

describe('GPU features', () => {
  const FEATURED: readonly [string, () => number[]][] = [
    ['VIRTIO_GPU_F_EDID', () => getEdid(0)],
    ['VIRTIO_GPU_F_RESOURCE_UUID', () => assignUuid(1)],
    ['VIRTIO_GPU_F_RESOURCE_BLOB', () => createBlob(2, 4, [])],
    [
      'VIRTIO_GPU_F_RESOURCE_BLOB',
      () => setScanoutBlob(0, { rect: [0, 0, 0, 0], width: 0, height: 0 }),
    ],
  ];
  for (const [feature, command] of FEATURED) {
    it(`[utest->req~gpu.refuse~1] 0x${command()[0]!.toString(16)} belongs to ${feature} (case 57)`, () => {
      const without = ALL_FEATURES.filter((name) => name !== feature);
      const rig = new GpuRig({ partitions: partitions(without) });
      const guest = rig.guest('a');
      guest.ok(create2d(1, 1, 1));
      const { bytes } = guest.run(command(), { answer: 1056 });
      assert.deepEqual(bytes, header(GpuResponse.ERR_UNSPEC));
      assert.deepEqual(rig.faults('a'), { 'gpu-command-refused': 1 });
      const able = new GpuRig({ partitions: partitions(ALL_FEATURES) }).guest('a');
      able.ok(create2d(1, 1, 1));
      assert.notEqual(able.run(command(), { answer: 1056 }).type, GpuResponse.ERR_UNSPEC);
    });
  }
});
