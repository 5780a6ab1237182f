/** A guest that attacks through its GPU device (catalogue 44 to 58), beside an honest cluster and its network. */
import { strict as assert } from 'node:assert';
import type { FaultName } from '../../src/base/fault.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import { GpuCommand, GpuResponse } from '../../src/wire/virtio-gpu.ts';
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
  structure,
  transfer,
  unref,
  updateCursor,
} from '../support/gpu-commands.ts';
import type { GpuDouble, Submission } from '../support/gpu-double.ts';
import { besideGpuNeighbours, type GpuScenario } from '../support/gpu-neighbours.ts';
import { pattern } from '../support/gpu-pictures.ts';
import { ALL_FEATURES, HEIGHT, WIDTH, type GpuRig } from '../support/gpu-rig.ts';

const MAX = 0xffffffff;
const WHOLE = [0, 0, WIDTH, HEIGHT] as const;
const BYTES = WIDTH * HEIGHT * 4;
const {
  OK_NODATA,
  ERR_UNSPEC: UNSPEC,
  ERR_OUT_OF_MEMORY: NO_ROOM,
  ERR_INVALID_SCANOUT_ID: NO_SCANOUT,
  ERR_INVALID_RESOURCE_ID: NO_RESOURCE,
  ERR_INVALID_PARAMETER: WRONG,
} = GpuResponse;

type Sent = readonly [command: readonly number[], answer: number];

/** Commands that are all made available at once, with the answers they must get. */
function commands(
  list: (a: GpuDouble) => readonly Sent[],
  more: Partial<GpuScenario> = {},
): GpuScenario {
  let submissions: Submission[] = [];
  let answers: number[] = [];
  return {
    attack: (_rig, a) => {
      const sent = list(a);
      answers = sent.map(([, answer]) => answer);
      submissions = sent.map(([command]) => {
        const cursor = command[1] === 3;
        return cursor ? a.submitCursor(command) : a.submit(command, { answer: 1056 });
      });
    },
    then: (_rig, a) => {
      assert.deepEqual(
        submissions.map((submission) => a.answerOf(submission).type.toString(16)),
        answers.map((answer) => answer.toString(16)),
      );
    },
    ...more,
  };
}

/** Memory of the guest for a backing, and ranges that are not its own. */
const own = (a: GpuDouble) => a.memory([BYTES])[0]!;
const BEHIND = { address: EMBEDDED_GUEST_PHYSICAL + 4 * 1024 * 1024 - 8, length: 16 };

const CASES: Readonly<Record<string, GpuScenario>> = {
  '44: SET_SCANOUT of scanouts that are not there': commands(() =>
    [1, 2, 15, 16, 0x7fffffff, 0x80000000, MAX].map(
      (n) => [setScanout(n, 1, WHOLE), NO_SCANOUT] as const,
    ),
  ),
  '45: RESOURCE_CREATE_2D of no size, of sizes that wrap, of unknown formats': commands(() => [
    [create2d(9, 0, 5), WRONG],
    [create2d(9, 5, 0), WRONG],
    [create2d(9, 65535, 65535), NO_ROOM],
    [create2d(9, 65536, 65536), NO_ROOM],
    [create2d(9, 0x8000, 0x20000), NO_ROOM],
    [create2d(9, 0x40000000, 1), NO_ROOM],
    [create2d(9, MAX, MAX), NO_ROOM],
    [create2d(9, 4, 4, 0), WRONG],
    [create2d(9, 4, 4, 5), WRONG],
    [create2d(9, 4, 4, MAX), WRONG],
  ]),
  '46: ids 0, in use and unknown': commands((a) => [
    [create2d(0, 4, 4), NO_RESOURCE],
    [create2d(1, 4, 4), NO_RESOURCE],
    [createBlob(0, 4, [own(a)]), NO_RESOURCE],
    [createBlob(1, 4, [own(a)]), NO_RESOURCE],
    [unref(0), NO_RESOURCE],
    [unref(77), NO_RESOURCE],
    [flush(77, WHOLE), NO_RESOURCE],
    [transfer(77, WHOLE), NO_RESOURCE],
    [attach(77, [own(a)]), NO_RESOURCE],
    [detach(77), NO_RESOURCE],
    [setScanout(0, 77, WHOLE), NO_RESOURCE],
    [assignUuid(77), NO_RESOURCE],
    [updateCursor({ id: 77 }), NO_RESOURCE],
  ]),
  '47: create until nothing is left': commands(
    () =>
      Array.from({ length: 30 }, (_, n) => [
        create2d(100 + n, 200, 200),
        n < 5 ? OK_NODATA : NO_ROOM,
      ]) as Sent[],
  ),
  '47: create and remove': commands(() =>
    Array.from(
      { length: 15 },
      () =>
        [
          [create2d(9, 300, 300), OK_NODATA],
          [unref(9), OK_NODATA],
        ] as const,
    ).flat(),
  ),
  '48: backings that are too long, too many, doubled, unreachable or empty': commands((a) => [
    [create2d(9, 8, 8), OK_NODATA],
    [attach(9, [own(a)], 2), WRONG],
    [attach(9, [own(a)], MAX), WRONG],
    [attach(9, [own(a)], 2 ** 28), WRONG],
    [attach(9, [own(a), BEHIND]), WRONG],
    [attach(9, [{ address: 0, length: 4096 }]), WRONG],
    [attach(9, [{ address: 2 ** 64 - 2 ** 12, length: 2 ** 13 }]), WRONG],
    [attach(9, [{ ...own(a), length: 0 }]), WRONG],
    [attach(9, [{ ...own(a), length: MAX }]), WRONG],
    [attach(9, []), WRONG],
    [attach(9, [own(a)]), OK_NODATA],
    [attach(9, [own(a)]), WRONG],
  ]),
  '49: transfers outside of the picture, of the backing, and without one': commands(() => [
    [transfer(1, [1, 0, WIDTH, HEIGHT]), WRONG],
    [transfer(1, [MAX, 0, 2, 1]), WRONG],
    [transfer(1, [0, 0x80000000, 1, 0x80000000]), WRONG],
    [transfer(1, WHOLE, 4), WRONG],
    [transfer(1, WHOLE, MAX - 3), WRONG],
    [transfer(1, WHOLE, 2 ** 63), WRONG],
    [transfer(1, [0, 0, 0, 1]), WRONG],
    [create2d(9, 8, 8), OK_NODATA],
    [transfer(9, [0, 0, 8, 8]), WRONG],
  ]),
  '50: flushes and scanouts outside of the resource': commands(() => [
    [flush(1, [1, 1, WIDTH, HEIGHT]), WRONG],
    [flush(1, [MAX, MAX, 2, 2]), WRONG],
    [flush(1, [0, 0, MAX, 1]), WRONG],
    [setScanout(0, 1, [1, 0, WIDTH, HEIGHT]), WRONG],
    [setScanout(0, 1, [MAX, 0, 2, 1]), WRONG],
    [setScanout(0, 1, [0, 0, WIDTH + 1, HEIGHT]), WRONG],
  ]),
  '51: UNREF of what is shown, then FLUSH': commands(() => [
    [unref(1), OK_NODATA],
    [flush(1, WHOLE), NO_RESOURCE],
    [transfer(1, WHOLE), NO_RESOURCE],
    [create2d(1, WIDTH, HEIGHT), OK_NODATA],
    [flush(1, WHOLE), OK_NODATA],
  ]),
  '51: DETACH of what is shown, then TRANSFER and FLUSH': commands(() => [
    [detach(1), OK_NODATA],
    [transfer(1, WHOLE), WRONG],
    [flush(1, WHOLE), OK_NODATA],
    [detach(1), WRONG],
  ]),
  '51: DETACH and UNREF behind a transfer that takes many windows': {
    caps: { requestsMax: 4, bytesMax: 32768 },
    attack: (_rig, a) => {
      for (const command of [
        transfer(1, WHOLE),
        detach(1),
        flush(1, WHOLE),
        unref(1),
        flush(1, WHOLE),
      ]) {
        a.submit(command);
      }
    },
  },
  '52: capability sets': commands(() => [
    [structure(GpuCommand.GET_CAPSET_INFO, 32, { 24: 0 }), UNSPEC],
    [structure(GpuCommand.GET_CAPSET_INFO, 32, { 24: MAX }), UNSPEC],
    [structure(GpuCommand.GET_CAPSET, 32, { 24: 1, 28: MAX }), UNSPEC],
  ]),
  '53: cursors of the wrong size, far outside, again and again': commands(() => [
    [create2d(9, 64, 64, 1), OK_NODATA],
    [create2d(10, 65, 64, 1), OK_NODATA],
    [create2d(11, 64, 63, 1), OK_NODATA],
    ...[10, 11, 1].map((id) => [updateCursor({ id }), WRONG] as const),
    [updateCursor({ id: 0, x: -0x80000000, y: 0x7fffffff }), OK_NODATA],
    [moveCursor({ x: MAX, y: MAX }), OK_NODATA],
    ...Array.from({ length: 15 }, (_, n) => [moveCursor({ x: 40 + n, y: 20 }), OK_NODATA] as const),
  ]),
  '54: types that nobody knows, contexts that are not there': commands(() => [
    ...[0, 0x10e, 0x200, 0x208, 0x1100, MAX].map(
      (type) => [structure(type, 64, {}), UNSPEC] as const,
    ),
    [getDisplayInfo({ context: 7 }), GpuResponse.OK_DISPLAY_INFO],
    [create2d(9, 4, 4, 1, { flags: MAX, context: MAX, fence: 2n ** 64n - 1n }), OK_NODATA],
  ]),
  '55: fences in any order, all at once': commands(
    () =>
      Array.from({ length: 30 }, (_, n) => [
        transfer(1, [0, 0, 8, 8], 0, { flags: 1, fence: n % 2 === 0 ? 0n : 2n ** 64n - BigInt(n) }),
        OK_NODATA,
      ]) as Sent[],
  ),
  '56: EDIDs of scanouts that are not there': commands(() =>
    [1, 16, 0x80000000, MAX].map((scanout) => [getEdid(scanout), NO_SCANOUT] as const),
  ),
  '57: blobs and 3D without the features': commands(
    (a) => [
      [createBlob(9, 4096, [own(a)]), UNSPEC],
      [setScanoutBlob(1, { rect: WHOLE, width: WIDTH, height: HEIGHT }), UNSPEC],
      [assignUuid(1), UNSPEC],
      [getEdid(0), UNSPEC],
      ...[0x200, 0x201, 0x204, 0x207, 0x208].map(
        (type) => [structure(type, 128, {}), UNSPEC] as const,
      ),
    ],
    { gpu: { offer: ['VIRTIO_F_VERSION_1'] } },
  ),
  "57: blobs of memory that is not the guest's, and that wrap": commands((a) => [
    [createBlob(9, 4096, [own(a)], { memory: 2 }), WRONG],
    [createBlob(9, 4096, [own(a)], { memory: 3 }), WRONG],
    [createBlob(9, 2 ** 63, [own(a)]), WRONG],
    [createBlob(9, 4096, [BEHIND]), WRONG],
    [createBlob(9, 4096, [own(a)]), OK_NODATA],
    [setScanoutBlob(9, { rect: [0, 0, 4, 4], width: 4, height: 4, offset: MAX - 3 }), WRONG],
    [setScanoutBlob(9, { rect: [0, 0, 4, 4], width: 4, height: MAX, stride: 0x80000000 }), WRONG],
    [setScanoutBlob(9, { rect: [0, 0, 4, 4], width: MAX, height: 1 }), WRONG],
  ]),
  "58: another partition's scanouts, resources and memory": commands((a) => [
    // b has its resource 1 and scanout 0; its plane is d.high. Its memory begins where a's ends.
    [setScanout(1, 1, [0, 0, 80, 64]), NO_SCANOUT],
    [setScanoutBlob(1, { scanout: 1, rect: [0, 0, 80, 64], width: 80, height: 64 }), NO_SCANOUT],
    [updateCursor({ scanout: 1, id: 1 }), NO_SCANOUT],
    [create2d(9, 8, 8), OK_NODATA],
    [attach(9, [{ address: EMBEDDED_GUEST_PHYSICAL + 4 * 1024 * 1024, length: 4096 }]), WRONG],
    [attach(9, [BEHIND]), WRONG],
    [attach(9, [own(a)]), OK_NODATA],
  ]),
};

/** Chains instead of commands: what the appendix names beside the cases. */
const CHAINS: Readonly<
  Record<string, readonly [GpuScenario['attack'], Partial<Record<FaultName, number>>]>
> = {
  'commands that are shorter than a header': [
    (_rig, a) => {
      for (let bytes = 0; bytes < 24; bytes++) a.submit(getDisplayInfo().slice(0, bytes));
    },
    { 'gpu-command-malformed': 24 },
  ],
  'answers without room': [
    (_rig, a) => {
      for (let room = 0; room < 24; room++) a.submit(unref(1), { answer: room });
    },
    { 'gpu-command-malformed': 24 },
  ],
  'answers in read-only memory, commands in write-only memory': [
    (_rig, a) => {
      const address = a.slice.allocate(512);
      a.slice.write(address, getDisplayInfo());
      a.control.submit([{ address, length: 24 }]);
      a.control.submit([{ address, length: 432, flags: 2 }]);
      a.control.submit([
        { address: address + 24, length: 408, flags: 2 },
        { address, length: 24 },
      ]);
    },
    { 'gpu-command-malformed': 2, 'readable-after-writable': 1 },
  ],
  'addresses outside of the memory': [
    (_rig, a) => {
      for (const address of [
        0,
        1,
        EMBEDDED_GUEST_PHYSICAL - 1,
        EMBEDDED_GUEST_PHYSICAL + 4 * 1024 * 1024,
      ]) {
        a.control.submit([{ address, length: 24 }]);
        a.cursor.submit([{ address, length: 56 }]);
      }
    },
    { 'address-out-of-range': 8 },
  ],
  'a head that cannot be': [
    (_rig, a) => {
      if (!a.control.packed) a.control.expose(1000);
    },
    {},
  ],
};

/** Floods: commands without end, as fast as the ring takes them. */
function flood(next: (n: number, rig: GpuRig) => readonly number[], cursor = false): GpuScenario {
  let n = 0;
  let open = 0;
  let base = 0;
  return {
    attack: (_rig, a) => {
      n = 0;
      base = (cursor ? a.cursor : a.control).usedIndex;
      open = base;
    },
    meanwhile: (rig, a) => {
      const ring = cursor ? a.cursor : a.control;
      // Two descriptors each, and never more under way than the double has places for.
      while (open - ring.usedIndex < 24) {
        if (cursor) a.submitCursor(next(n++, rig));
        else a.submit(next(n++, rig));
        open++;
      }
    },
    then: (_rig, a) => {
      const served = (cursor ? a.cursor : a.control).usedIndex - base;
      assert.ok(served > 20, `the flood was served, ${served} commands of it`);
    },
  };
}

const FLOODS: Readonly<Record<string, GpuScenario>> = {
  'transfers and flushes of the whole display': flood((n) =>
    n % 2 === 0 ? transfer(1, WHOLE) : flush(1, WHOLE),
  ),
  'flushes alone': flood(() => flush(1, WHOLE)),
  'resources that come and go': flood((n) => (n % 2 === 0 ? create2d(9, 400, 400) : unref(9))),
  'scanouts that come and go': flood((n) =>
    setScanout(0, n % 2, n % 2 === 0 ? [0, 0, 0, 0] : WHOLE),
  ),
  refusals: flood((n) => (n % 3 === 0 ? unref(MAX) : structure(n, 24, {}))),
  cursors: flood((n) => moveCursor({ x: n % 200, y: (n * 7) % 150 }), true),
};

for (const [title, scenario] of Object.entries(CASES)) {
  describe(`GPU attack, case ${title}`, () => {
    it('[utest->req~gpu.refuse~1] is answered as it should be, and the neighbours notice nothing', () => {
      besideGpuNeighbours(scenario);
    });
  });
}

for (const [title, [attack, faults]] of Object.entries(CHAINS)) {
  describe(`GPU attack by chains: ${title}`, () => {
    it('[utest->req~gpu.refuse~1] is counted, and the neighbours notice nothing', () => {
      besideGpuNeighbours({
        attack,
        then: (rig) => {
          if (Object.keys(faults).length > 0) assert.deepEqual(rig.faults('a'), faults);
        },
      });
    });
  });
}

for (const [title, scenario] of Object.entries(FLOODS)) {
  describe(`GPU flood of ${title}`, () => {
    for (const caps of [{}, { requestsMax: 3, bytesMax: 40_000 }]) {
      it(`[utest->req~gpu.plane-owner~1] neither delays nor changes what the neighbours see: caps ${JSON.stringify(caps)}`, () => {
        const fewer = 'requestsMax' in caps;
        besideGpuNeighbours({
          ...scenario,
          ...(fewer && { then: () => {} }),
          caps,
        });
      });
    }
  });
}

describe('GPU attack on memory under way', () => {
  it('[utest->req~gpu.plane-owner~1] a guest that rewrites what is being copied spoils its own plane only', () => {
    let seed = 0;
    besideGpuNeighbours({
      caps: { requestsMax: 2, bytesMax: 32768 },
      attack: (_rig, a) => {
        a.submit(transfer(1, WHOLE));
        a.submit(flush(1, WHOLE));
      },
      meanwhile: (_rig, a) => a.fill(a.backings.get(1)!, pattern(64, ++seed)),
    });
  });

  it('[utest->req~gpu.refuse~1] a guest that changes its command while it is under way gains nothing', () => {
    besideGpuNeighbours({
      caps: { requestsMax: 2, bytesMax: 32768 },
      attack: (_rig, a) => {
        const submission = a.submit(transfer(1, WHOLE));
        a.submit(flush(1, WHOLE));
        // The command lies right below the room for its answer.
        Object.assign(a, { hostileAt: submission.answerAt - 4096 });
      },
      meanwhile: (_rig, a) => {
        const { hostileAt } = a as unknown as { hostileAt: number };
        a.slice.write(hostileAt, transfer(MAX, [MAX, MAX, MAX, MAX], 2 ** 63));
      },
    });
  });

  it('[utest->req~gpu.refuse~1] a ring that is stopped in the middle of everything leaves nothing behind', () => {
    besideGpuNeighbours({
      caps: { requestsMax: 1, bytesMax: 32768 },
      gpu: { offer: ALL_FEATURES },
      attack: (rig, a) => {
        for (const command of [transfer(1, WHOLE), flush(1, WHOLE), unref(1)]) {
          a.submit(command);
          rig.stopRing('a.gpu0.controlq');
        }
      },
    });
  });
});
