/** Every wrong command of a GPU device: its own error, a counted fault, and nothing changed (cases 44 to 57). */
import { strict as assert } from 'node:assert';
import type { FaultName } from '../../../src/base/fault.ts';
import { GpuHeader, GpuResponse } from '../../../src/wire/virtio-gpu.ts';
import {
  attach,
  assignUuid,
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
  type RectPx,
} from '../../support/gpu-commands.ts';
import type { GpuDouble } from '../../support/gpu-double.ts';
import { pattern } from '../../support/gpu-pictures.ts';
import { ALL_FEATURES, GpuRig } from '../../support/gpu-rig.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../../src/schedule/arena-layout.ts';

const { ERR_UNSPEC, ERR_OUT_OF_MEMORY, ERR_INVALID_SCANOUT_ID } = GpuResponse;
const { ERR_INVALID_RESOURCE_ID: NO_RESOURCE, ERR_INVALID_PARAMETER: WRONG } = GpuResponse;

const WIDTH = 40;
const HEIGHT = 30;
const BYTES = WIDTH * HEIGHT * 4;
const MAX = 0xffffffff;
const MEMORY_BYTES = 4 * 1024 * 1024;

/** Resources: 1 shown picture with backing, 2 without, 3 a blob, 4 a cursor. */
class Bench {
  readonly rig = new GpuRig({
    partitions: {
      a: { gpu: { planes: ['low', 'high'], resourcesMax: 8, backingEntriesMax: 64 } },
    },
  });
  readonly guest: GpuDouble = this.rig.guest('a');
  readonly entry = this.guest.memory([BYTES])[0]!;

  constructor() {
    const { guest, entry } = this;
    const backing = guest.picture(1, WIDTH, HEIGHT);
    guest.fill(backing, pattern(WIDTH * HEIGHT));
    guest.present(1, WIDTH, HEIGHT);
    guest.ok(create2d(2, 16, 16));
    guest.ok(createBlob(3, BYTES, [entry]));
    guest.ok(create2d(4, 64, 64));
    this.rig.frames(2);
  }

  /** Everything that a command could change, but for the clock. */
  state(): unknown {
    const { resources, scanouts } = this.rig.device('a');
    return structuredClone({
      resources: (resources as unknown as { resources: object[] }).resources.map((each) => ({
        ...each,
      })),
      scanouts: scanouts.map(({ resource, plane, ...rest }) => ({
        shows: resource?.id,
        cursor: [plane.cursorVisible, plane.cursorX, plane.cursorY],
        place: [rest.x, rest.y, rest.width, rest.height, rest.format, rest.stride],
        offset: [...rest.offset],
      })),
      picture: this.rig.picture('low'),
      display: this.rig.display(),
    });
  }
}

interface Refusal {
  readonly name: string;
  readonly command: (bench: Bench) => readonly number[];
  readonly error: number;
  readonly fault?: FaultName;
  readonly cursor?: boolean;
  readonly answer?: number;
}

const refused = (
  name: string,
  error: number,
  command: Refusal['command'],
  more: Partial<Refusal> = {},
): Refusal => ({ name, error, command, ...more });

const quota = { fault: 'gpu-quota-exceeded' } as const;

/** Rectangles that are not in a picture of 40 x 30, some of them only by numbers that wrap. */
const OUTSIDE: readonly RectPx[] = [
  [1, 0, WIDTH, HEIGHT],
  [0, 1, WIDTH, HEIGHT],
  [0, 0, WIDTH + 1, HEIGHT],
  [0, 0, WIDTH, HEIGHT + 1],
  [MAX, 0, 2, 1],
  [0, MAX, 1, 2],
  [MAX, MAX, 1, 1],
  [1, 0, MAX, 1],
  [0, 1, 1, MAX],
  [0, 0, MAX, MAX],
  [0x80000000, 0, 0x80000000, 1],
  [WIDTH + 1, 0, 0, 1],
];

const CREATING: readonly Refusal[] = [
  refused('id 0', NO_RESOURCE, () => create2d(0, 4, 4)),
  refused('an id that is in use', NO_RESOURCE, () => create2d(2, 4, 4)),
  refused('the id of a blob', NO_RESOURCE, () => create2d(3, 4, 4)),
  refused('width 0', WRONG, () => create2d(9, 0, 4)),
  refused('height 0', WRONG, () => create2d(9, 4, 0)),
  ...[0, 5, 66, 69, 120, 122, 133, 135, 0x80000001, MAX].map((format) =>
    refused(`format ${format}`, WRONG, () => create2d(9, 4, 4, format)),
  ),
  refused('65535 x 65535', ERR_OUT_OF_MEMORY, () => create2d(9, 65535, 65535), quota),
  refused(
    '65536 x 65536, whose bytes wrap to 0',
    ERR_OUT_OF_MEMORY,
    () => create2d(9, 65536, 65536),
    quota,
  ),
  refused('32768 x 32768', ERR_OUT_OF_MEMORY, () => create2d(9, 32768, 32768), quota),
  refused(
    '0x40000001 x 1, whose bytes wrap to 4',
    ERR_OUT_OF_MEMORY,
    () => create2d(9, 0x40000001, 1),
    quota,
  ),
  refused('1 x 0xffffffff', ERR_OUT_OF_MEMORY, () => create2d(9, 1, MAX), quota),
  refused('more pixels than the device has', ERR_OUT_OF_MEMORY, () => create2d(9, 512, 512), quota),
];

const BLOBS: readonly Refusal[] = [
  refused('id 0', NO_RESOURCE, ({ entry }) => createBlob(0, 4, [entry])),
  refused('an id that is in use', NO_RESOURCE, ({ entry }) => createBlob(1, 4, [entry])),
  ...[0, 2, 3, 4, MAX].map((memory) =>
    refused(`memory of kind ${memory}`, WRONG, ({ entry }) =>
      createBlob(9, 4, [entry], { memory }),
    ),
  ),
  refused('no bytes', WRONG, ({ entry }) => createBlob(9, 0, [entry])),
  refused('2 GiB', WRONG, ({ entry }) => createBlob(9, 2 ** 31, [entry])),
  refused('2^32 bytes', WRONG, ({ entry }) => createBlob(9, 2 ** 32, [entry])),
  refused('2^32 + 4 bytes', WRONG, ({ entry }) => createBlob(9, 2 ** 32 + 4, [entry])),
  refused('no entries', WRONG, () => createBlob(9, 4, [])),
  refused('entries behind the command', WRONG, ({ entry }) =>
    createBlob(9, 4, [entry], { count: 2 }),
  ),
  refused('2^32 - 1 entries', WRONG, ({ entry }) => createBlob(9, 4, [entry], { count: MAX })),
  refused('less memory than it has bytes', WRONG, ({ entry }) => createBlob(9, BYTES + 1, [entry])),
  refused('an entry off by a byte', WRONG, ({ entry }) =>
    createBlob(9, 4, [{ ...entry, address: entry.address + 1 }]),
  ),
  refused('an entry of half a pixel', WRONG, ({ entry }) =>
    createBlob(9, 4, [{ ...entry, length: 6 }]),
  ),
  refused('an entry outside of the memory', WRONG, () =>
    createBlob(9, 4, [{ address: 0, length: 64 }]),
  ),
  refused(
    'more entries than the device may have',
    ERR_OUT_OF_MEMORY,
    ({ entry }) => createBlob(9, 4, new Array(63).fill({ ...entry, length: 4 })),
    quota,
  ),
];

const BACKING: readonly Refusal[] = [
  refused('id 0', NO_RESOURCE, ({ entry }) => attach(0, [entry])),
  refused('an unknown id', NO_RESOURCE, ({ entry }) => attach(9, [entry])),
  refused('a second time', WRONG, ({ entry }) => attach(1, [entry])),
  refused('to a blob', WRONG, ({ entry }) => attach(3, [entry])),
  refused('no entries', WRONG, () => attach(2, [])),
  refused('one entry more than the command has', WRONG, ({ entry }) => attach(2, [entry], 2)),
  refused('half an entry', WRONG, ({ entry }) => attach(2, [entry]).slice(0, 40)),
  refused('2^28 entries, whose bytes wrap to 0', WRONG, ({ entry }) => attach(2, [entry], 2 ** 28)),
  refused('2^32 - 1 entries', WRONG, ({ entry }) => attach(2, [entry], MAX)),
  refused('an entry without bytes', WRONG, ({ entry }) =>
    attach(2, [entry, { ...entry, length: 0 }]),
  ),
  refused('an entry outside of the memory', WRONG, ({ entry }) =>
    attach(2, [entry, { address: 0x1000, length: 64 }]),
  ),
  refused('an entry that ends behind the memory', WRONG, () =>
    attach(2, [{ address: EMBEDDED_GUEST_PHYSICAL + MEMORY_BYTES - 64, length: 65 }]),
  ),
  refused('an entry of 4 GiB less one', WRONG, ({ entry }) =>
    attach(2, [{ ...entry, length: MAX }]),
  ),
  refused('an entry that wraps 64 bits', WRONG, () =>
    attach(2, [{ address: 2 ** 64 - 2 ** 12, length: 8192 }]),
  ),
  refused(
    'more entries than the device may have',
    ERR_OUT_OF_MEMORY,
    ({ entry }) => attach(2, new Array(63).fill(entry)),
    quota,
  ),
];

const NAMING: readonly Refusal[] = [
  refused('RESOURCE_UNREF of 0', NO_RESOURCE, () => unref(0)),
  refused('RESOURCE_UNREF of an unknown id', NO_RESOURCE, () => unref(9)),
  refused('RESOURCE_DETACH_BACKING of 0', NO_RESOURCE, () => detach(0)),
  refused('RESOURCE_DETACH_BACKING of an unknown id', NO_RESOURCE, () => detach(9)),
  refused('RESOURCE_DETACH_BACKING without backing', WRONG, () => detach(2)),
  refused('RESOURCE_ASSIGN_UUID of 0', NO_RESOURCE, () => assignUuid(0), { answer: 40 }),
  refused('RESOURCE_ASSIGN_UUID of an unknown id', NO_RESOURCE, () => assignUuid(9), {
    answer: 40,
  }),
  ...[2, 16, 0x80000000, MAX].map((scanout) =>
    refused(`GET_EDID of scanout ${scanout}`, ERR_INVALID_SCANOUT_ID, () => getEdid(scanout), {
      answer: 1056,
    }),
  ),
];

const SCANOUTS: readonly Refusal[] = [
  ...[2, 16, 0x80000000, MAX].map((scanout) =>
    refused(`scanout ${scanout}`, ERR_INVALID_SCANOUT_ID, () =>
      setScanout(scanout, 1, [0, 0, 4, 4]),
    ),
  ),
  refused('a scanout that is not there, to nothing', ERR_INVALID_SCANOUT_ID, () =>
    setScanout(2, 0, [0, 0, 0, 0]),
  ),
  refused('an unknown resource', NO_RESOURCE, () => setScanout(0, 9, [0, 0, 4, 4])),
  refused('a blob', WRONG, () => setScanout(0, 3, [0, 0, 4, 4])),
  ...OUTSIDE.map((rect) => refused(`[${rect.join(', ')}]`, WRONG, () => setScanout(1, 1, rect))),
  refused('no columns', WRONG, () => setScanout(0, 1, [0, 0, 0, 4])),
  refused('no rows', WRONG, () => setScanout(0, 1, [0, 0, 4, 0])),
];

const blobScanout = (changes: Partial<Parameters<typeof setScanoutBlob>[1]>, id = 3) =>
  setScanoutBlob(id, { rect: [0, 0, WIDTH, HEIGHT], width: WIDTH, height: HEIGHT, ...changes });

const BLOB_SCANOUTS: readonly Refusal[] = [
  ...[2, MAX].map((scanout) =>
    refused(`scanout ${scanout}`, ERR_INVALID_SCANOUT_ID, () => blobScanout({ scanout })),
  ),
  refused('an unknown resource', NO_RESOURCE, () => blobScanout({}, 9)),
  refused('a picture', WRONG, () => blobScanout({}, 1)),
  refused('format 0', WRONG, () => blobScanout({ format: 0 })),
  refused('a stride below a row', WRONG, () => blobScanout({ stride: 4 * WIDTH - 4 })),
  refused('a stride of half pixels', WRONG, () =>
    blobScanout({ stride: 4 * WIDTH + 2, height: 2, rect: [0, 0, 4, 2] }),
  ),
  refused('an offset of half pixels', WRONG, () =>
    blobScanout({ offset: 2, height: 2, rect: [0, 0, 4, 2] }),
  ),
  refused('an end behind the blob', WRONG, () => blobScanout({ offset: 4 })),
  refused('an end that wraps by the offset', WRONG, () => blobScanout({ offset: MAX - 3 })),
  refused('an end that wraps by the stride', WRONG, () =>
    blobScanout({ stride: 0x80000000, height: 3, rect: [0, 0, 4, 3] }),
  ),
  refused('a height of 2^32 - 1', WRONG, () => blobScanout({ height: MAX })),
  refused('a height of 0', WRONG, () => blobScanout({ height: 0, rect: [0, 0, 4, 0] })),
  refused('a width whose bytes wrap to 0', WRONG, () =>
    blobScanout({ width: 0x40000000, stride: 0, rect: [0, 0, 4, 1], height: 1 }),
  ),
  ...OUTSIDE.map((rect) => refused(`[${rect.join(', ')}]`, WRONG, () => blobScanout({ rect }))),
  refused('no columns', WRONG, () => blobScanout({ rect: [0, 0, 0, 4] })),
];

const MOVING: readonly Refusal[] = [
  refused('TRANSFER of an unknown id', NO_RESOURCE, () => transfer(9, [0, 0, 4, 4])),
  refused('TRANSFER to a blob', WRONG, () => transfer(3, [0, 0, 4, 4])),
  refused('TRANSFER without backing', WRONG, () => transfer(2, [0, 0, 4, 4])),
  ...OUTSIDE.map((rect) =>
    refused(`TRANSFER of [${rect.join(', ')}]`, WRONG, () => transfer(1, rect)),
  ),
  refused('TRANSFER of no columns', WRONG, () => transfer(1, [0, 0, 0, 4])),
  refused('TRANSFER of no rows', WRONG, () => transfer(1, [0, 0, 4, 0])),
  refused('TRANSFER from behind the backing', WRONG, () => transfer(1, [0, 0, 4, 1], BYTES - 12)),
  refused('TRANSFER from 2^32 - 4, which wraps', WRONG, () => transfer(1, [0, 0, 4, 4], MAX - 3)),
  refused('TRANSFER from 2^32', WRONG, () => transfer(1, [0, 0, 4, 4], 2 ** 32)),
  refused('TRANSFER from 2^64 - 4096', WRONG, () => transfer(1, [0, 0, 4, 4], 2 ** 64 - 4096)),
  refused('FLUSH of an unknown id', NO_RESOURCE, () => flush(9, [0, 0, 4, 4])),
  ...OUTSIDE.map((rect) => refused(`FLUSH of [${rect.join(', ')}]`, WRONG, () => flush(1, rect))),
  refused('FLUSH of a blob, outside of any', WRONG, () => flush(3, [0, 0, 16385, 1])),
  refused('FLUSH of a blob, wrapping', WRONG, () => flush(3, [MAX, 0, 2, 1])),
];

const cursor = { cursor: true } as const;
const CURSORS: readonly Refusal[] = [
  ...[2, 16, MAX].flatMap((scanout) => [
    refused(
      `UPDATE of scanout ${scanout}`,
      ERR_INVALID_SCANOUT_ID,
      () => updateCursor({ scanout, id: 4 }),
      cursor,
    ),
    refused(
      `MOVE of scanout ${scanout}`,
      ERR_INVALID_SCANOUT_ID,
      () => moveCursor({ scanout }),
      cursor,
    ),
  ]),
  refused('UPDATE with an unknown id', NO_RESOURCE, () => updateCursor({ id: 9, x: 5 }), cursor),
  refused('UPDATE with 40 x 30', WRONG, () => updateCursor({ id: 1, x: 5 }), cursor),
  refused('UPDATE with a blob', WRONG, () => updateCursor({ id: 3, x: 5 }), cursor),
  refused('UPDATE with a hot spot beside', WRONG, () => updateCursor({ id: 4, hotX: 64 }), cursor),
  refused('UPDATE with a hot spot below', WRONG, () => updateCursor({ id: 4, hotY: MAX }), cursor),
];

const TYPES: readonly Refusal[] = [
  ...[0, 0xff, 0x10e, 0x1ff, 0x200, 0x208, 0x302, 0x1100, 0x10001, MAX].map((type) =>
    refused(`0x${type.toString(16)}`, ERR_UNSPEC, () => structure(type, 64, {})),
  ),
  refused('UPDATE_CURSOR on controlq', ERR_UNSPEC, () => updateCursor({ id: 0 })),
  refused('MOVE_CURSOR on controlq', ERR_UNSPEC, () => moveCursor({})),
  ...[getDisplayInfo(), unref(1), setScanout(0, 0, [0, 0, 0, 0])].map((command) =>
    refused(`0x1${command[0]!.toString(16)} on cursorq`, ERR_UNSPEC, () => command, cursor),
  ),
];

const GROUPS: Readonly<Record<string, readonly Refusal[]>> = {
  'RESOURCE_CREATE_2D (cases 45, 46, 47)': CREATING,
  'RESOURCE_CREATE_BLOB (case 57)': BLOBS,
  'RESOURCE_ATTACH_BACKING (case 48)': BACKING,
  'resources and scanouts by their numbers (cases 46, 56)': NAMING,
  'SET_SCANOUT (cases 44, 50)': SCANOUTS,
  'SET_SCANOUT_BLOB (cases 44, 57)': BLOB_SCANOUTS,
  'TRANSFER_TO_HOST_2D and RESOURCE_FLUSH (cases 49, 50)': MOVING,
  'the cursor (case 53)': CURSORS,
  'types (case 54)': TYPES,
};

for (const [group, refusals] of Object.entries(GROUPS)) {
  describe(`GPU refusals: ${group}`, () => {
    const bench = new Bench();
    for (const { name, command, error, fault = 'gpu-command-refused', ...how } of refusals) {
      it(`[utest->req~gpu.refuse~1] ${name}`, () => {
        const { rig, guest } = bench;
        const before = bench.state();
        const faults = rig.faults('a')[fault] ?? 0;
        const submit = how.cursor ? guest.submitCursor : guest.submit;
        const options = { answer: how.answer ?? 24 };
        const answer = guest.finish(submit.call(guest, command(bench), options));
        assert.equal(answer.type.toString(16), error.toString(16));
        assert.equal(answer.usedLength, GpuHeader.SIZE);
        assert.equal(rig.faults('a')[fault], faults + 1);
        rig.frames(2);
        assert.deepEqual(bench.state(), before, 'nothing has changed');
      });
    }

    it('[utest->req~gpu.refuse~1] the driver goes on afterwards', () => {
      const { guest } = bench;
      guest.ok(create2d(20, 8, 8));
      guest.ok(attach(20, [{ ...bench.entry, length: 256 }]));
      guest.ok(transfer(20, [0, 0, 8, 8]));
      guest.ok(unref(20));
    });
  });
}

describe('GPU refusals: lengths and rooms (case 54)', () => {
  const SHORT: readonly [string, readonly number[]][] = [
    ['RESOURCE_CREATE_2D', create2d(9, 4, 4)],
    ['RESOURCE_UNREF', unref(1)],
    ['SET_SCANOUT', setScanout(0, 0, [0, 0, 0, 0])],
    ['RESOURCE_FLUSH', flush(1, [0, 0, 1, 1])],
    ['TRANSFER_TO_HOST_2D', transfer(1, [0, 0, 1, 1])],
    ['RESOURCE_ATTACH_BACKING', attach(2, [])],
    ['RESOURCE_DETACH_BACKING', detach(1)],
    ['RESOURCE_CREATE_BLOB', createBlob(9, 4, [])],
    ['SET_SCANOUT_BLOB', setScanoutBlob(0, { rect: [0, 0, 0, 0], width: 0, height: 0 })],
  ];
  for (const [name, command] of SHORT) {
    it(`[utest->req~gpu.refuse~1] ${name} that is a byte too short is malformed, and keeps its fence`, () => {
      const bench = new Bench();
      const before = bench.state();
      const fenced = [
        ...command.slice(0, 4),
        ...getDisplayInfo(FENCED).slice(4, 24),
        ...command.slice(24, -1),
      ];
      const { type, fence, usedLength } = bench.guest.run(fenced);
      assert.equal(type, ERR_UNSPEC);
      assert.equal(fence, FENCED.fence);
      assert.equal(usedLength, GpuHeader.SIZE);
      assert.deepEqual(bench.rig.faults('a'), { 'gpu-command-malformed': 1 });
      assert.deepEqual(bench.state(), before);
    });
  }

  it('[utest->req~gpu.refuse~1] what is not a header comes back with length 0', () => {
    const bench = new Bench();
    [[], [0], getDisplayInfo().slice(0, 23)].forEach((command, n) => {
      const { usedLength, bytes } = bench.guest.run(command, { answer: 408 });
      assert.equal(usedLength, 0);
      assert.deepEqual(bytes, []);
      assert.deepEqual(bench.rig.faults('a'), { 'gpu-command-malformed': n + 1 });
    });
  });

  it('[utest->req~gpu.refuse~1] without room for a header the answer has length 0, and nothing is carried out', () => {
    const bench = new Bench();
    const before = bench.state();
    for (const answer of [0, 1, 23]) {
      assert.equal(bench.guest.run(unref(1), { answer }).usedLength, 0);
    }
    assert.deepEqual(bench.rig.faults('a'), { 'gpu-command-malformed': 3 });
    assert.deepEqual(bench.state(), before);
  });

  it('[utest->req~gpu.refuse~1] without room for a long answer there is an error in a header', () => {
    const bench = new Bench();
    for (const [command, bytes] of [
      [getDisplayInfo(FENCED), 408],
      [getEdid(0, FENCED), 1056],
      [assignUuid(1, FENCED), 40],
    ] as const) {
      const { type, usedLength, fence } = bench.guest.run(command, { answer: bytes - 1 });
      assert.equal(type, ERR_UNSPEC);
      assert.equal(usedLength, GpuHeader.SIZE);
      assert.equal(fence, FENCED.fence);
    }
    assert.equal(bench.rig.device('a').uuids, 0);
  });

  it('[utest->req~gpu.refuse~1] a cursor command without any room is carried out, with too little not', () => {
    const bench = new Bench();
    assert.equal(bench.guest.runCursor(updateCursor({ id: 4, x: 9 }), { answer: 0 }).usedLength, 0);
    assert.equal(bench.rig.device('a').scanouts[0]!.plane.cursorX, 9);
    assert.equal(bench.guest.runCursor(moveCursor({ x: 10 }), { answer: 23 }).usedLength, 0);
    assert.equal(bench.rig.device('a').scanouts[0]!.plane.cursorX, 9);
    assert.deepEqual(bench.rig.faults('a'), { 'gpu-command-malformed': 1 });
  });

  it('[utest->req~gpu.refuse~1] a chain that is no chain is reported by its own fault', () => {
    const bench = new Bench();
    const { control } = bench.guest;
    const before = control.usedIndex;
    control.submit([{ address: 0x10, length: 24 }]);
    bench.rig.frames();
    assert.equal(control.usedElement(before).length, 0);
    assert.deepEqual(bench.rig.faults('a'), { 'address-out-of-range': 1 });
  });

  it('[utest->req~gpu.refuse~1] a ring that breaks is reported, and nothing is served any more', () => {
    const bench = new Bench();
    const { control } = bench.guest;
    const fault = control.breakAtLook();
    bench.rig.frames(3);
    assert.deepEqual(bench.rig.faults('a'), { [fault]: 1 });
  });

  it('[utest->req~gpu.refuse~1] a head that cannot be breaks the ring', () => {
    const rig = new GpuRig({
      partitions: { a: { gpu: { planes: ['low', 'high'], offer: ALL_FEATURES } } },
    });
    const { control } = rig.guest('a');
    if (control.packed) return;
    control.expose(64);
    rig.frames(2);
    assert.deepEqual(rig.faults('a'), { 'head-out-of-range': 1 });
  });
});
