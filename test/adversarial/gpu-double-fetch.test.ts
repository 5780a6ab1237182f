/**
 * A guest that changes its memory between two reads of its GPU device (catalogue 20, 21).
 *
 * For each command: no guest byte is read twice in one decision; and flipping what was read, after
 * the n-th read for every n, changes nothing of what comes out.
 */
import { strict as assert } from 'node:assert';
import { usedRingBytes } from '../../src/wire/virtqueue.ts';
import { FetchDecisions, type Flip, type Watch } from '../support/fetch-decisions.ts';
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
  transfer,
  unref,
  updateCursor,
  type Entry,
} from '../support/gpu-commands.ts';
import type { GpuDouble } from '../support/gpu-double.ts';
import { pattern } from '../support/gpu-pictures.ts';
import { ALL_FEATURES, GpuRig } from '../support/gpu-rig.ts';

const SIDE = 8;
const PIXELS = SIDE * SIDE;
const BYTES = PIXELS * 4;
const WHOLE = [0, 0, SIDE, SIDE] as const;
const MASKS = [0xff, 0x01, 0x80];
const SCOPES = ['last read', 'all reads of the decision'] as const;

interface Scenario {
  readonly title: string;
  readonly before?: (guest: GpuDouble, memory: readonly Entry[]) => void;
  readonly command: (memory: readonly Entry[]) => readonly number[];
  readonly cursor?: boolean;
  readonly answer?: number;
}

const created = (guest: GpuDouble) => guest.ok(create2d(1, SIDE, SIDE));
const backed = (guest: GpuDouble, memory: readonly Entry[]) => {
  created(guest);
  guest.ok(attach(1, memory));
};
const shown = (guest: GpuDouble, memory: readonly Entry[]) => {
  backed(guest, memory);
  guest.ok(setScanout(0, 1, WHOLE));
};
const blob = (guest: GpuDouble, memory: readonly Entry[]) => guest.ok(createBlob(1, BYTES, memory));
const BLOB = { rect: WHOLE, width: SIDE, height: SIDE };

const SCENARIOS: readonly Scenario[] = [
  { title: 'GET_DISPLAY_INFO', command: () => getDisplayInfo(FENCED), answer: 408 },
  { title: 'GET_EDID', command: () => getEdid(0, FENCED), answer: 1056 },
  { title: 'RESOURCE_CREATE_2D', command: () => create2d(1, SIDE, SIDE, 1, FENCED) },
  { title: 'RESOURCE_UNREF', before: shown, command: () => unref(1, FENCED) },
  { title: 'SET_SCANOUT', before: backed, command: () => setScanout(0, 1, WHOLE, FENCED) },
  {
    title: 'RESOURCE_ATTACH_BACKING',
    before: created,
    command: (memory) => attach(1, memory, 4, FENCED),
  },
  { title: 'RESOURCE_DETACH_BACKING', before: backed, command: () => detach(1, FENCED) },
  {
    title: 'TRANSFER_TO_HOST_2D',
    before: backed,
    command: () => transfer(1, [1, 1, 5, 5], 36, FENCED),
  },
  { title: 'RESOURCE_FLUSH', before: shown, command: () => flush(1, WHOLE, FENCED) },
  {
    title: 'RESOURCE_ASSIGN_UUID',
    before: created,
    command: () => assignUuid(1, FENCED),
    answer: 40,
  },
  {
    title: 'RESOURCE_CREATE_BLOB',
    command: (memory) => createBlob(1, BYTES, memory, { header: FENCED }),
  },
  { title: 'SET_SCANOUT_BLOB', before: blob, command: () => setScanoutBlob(1, BLOB, FENCED) },
  {
    title: 'RESOURCE_FLUSH of a blob',
    before: (guest, memory) => {
      blob(guest, memory);
      guest.ok(setScanoutBlob(1, BLOB));
    },
    command: () => flush(1, WHOLE, FENCED),
  },
  {
    title: 'UPDATE_CURSOR',
    before: (guest) => guest.ok(create2d(1, 64, 64)),
    command: () => updateCursor({ id: 1, x: 3, y: 4, hotX: 5, hotY: 6 }, FENCED),
    cursor: true,
  },
  { title: 'MOVE_CURSOR', command: () => moveCursor({ x: 3, y: 4 }, FENCED), cursor: true },
  { title: 'a command that is refused', command: () => unref(7, FENCED) },
  { title: 'a command that is too short', command: () => unref(1, FENCED).slice(0, 30) },
];

interface Played {
  readonly outcome: unknown;
  readonly watch: Watch;
  readonly answer: { readonly at: number; readonly bytes: number };
}

class Player {
  readonly rig: GpuRig;
  private readonly decisions: FetchDecisions;
  private readonly scenario: Scenario;
  private readonly memory: readonly Entry[];

  constructor(scenario: Scenario, offer: readonly string[]) {
    this.scenario = scenario;
    this.rig = new GpuRig({
      partitions: { a: { gpu: { planes: ['low', 'high'], offer } } },
      windowUs: 500,
    });
    this.decisions = new FetchDecisions(this.rig);
    this.memory = this.rig.guest('a').memory([40, 4, 100, BYTES - 144]);
  }

  play(flip?: Flip): Played {
    const { rig, scenario, memory } = this;
    const guest = rig.guest('a');
    guest.fill(memory, pattern(PIXELS));
    scenario.before?.(guest, memory);
    const uuids = rig.device('a').uuids;
    const options = { answer: scenario.answer ?? 24, pieces: [5, 21], answerPieces: [3] };
    const command = scenario.command(memory);
    const submission = scenario.cursor
      ? guest.submitCursor(command, options)
      : guest.submit(command, options);
    const watch = this.decisions.majorFrame(flip);
    const { bytes, usedLength } = guest.answerOf(submission);
    // A new UUID each time is right: what differs is taken out.
    const answer = rig.device('a').uuids > uuids ? bytes.slice(0, 36) : bytes;
    const { scanouts, resources } = rig.device('a');
    const found = resources.find(1);
    const outcome = {
      answer,
      usedLength,
      resource: found && { ...found, uuid: 0 },
      scanout: [
        scanouts[0]!.resource?.id,
        scanouts[0]!.width,
        scanouts[0]!.height,
        scanouts[0]!.stride,
      ],
      cursor: [
        scanouts[0]!.plane.cursorVisible,
        scanouts[0]!.plane.cursorX,
        scanouts[0]!.plane.cursorY,
      ],
      picture: [...rig.picture('low').slice(0, SIDE * 160)],
    };
    this.cleanUp(guest);
    return {
      outcome,
      watch,
      answer: { at: guest.slice.at(submission.answerAt), bytes: usedLength },
    };
  }

  private cleanUp(guest: GpuDouble): void {
    if (this.rig.device('a').resources.find(1)) guest.ok(unref(1));
    guest.okCursor(updateCursor({ id: 0 }));
    this.rig.frames();
  }
}

for (const [layout, offer] of [
  ['split', ALL_FEATURES],
  ['packed', [...ALL_FEATURES, 'VIRTIO_F_RING_PACKED']],
] as const) {
  for (const scenario of SCENARIOS) {
    describe(`${scenario.title} on a ${layout} ring, while its guest changes it`, () => {
      it('[utest->req~mem.single-fetch~1] no byte is read twice in one decision (catalogue 20, 21)', () => {
        const { watch } = new Player(scenario, offer).play();
        assert.deepEqual([...watch.repeated], [], 'guest bytes that were read twice');
        assert.deepEqual(
          [...watch.stray],
          [],
          'guest bytes that were read outside of any decision',
        );
        assert.ok(watch.reads > 0);
      });

      it('[utest->req~mem.single-fetch~1] what was read is not asked for again, wherever it changes (catalogue 20, 21)', () => {
        const player = new Player(scenario, offer);
        player.play();
        const { outcome, watch } = player.play();
        for (const mask of MASKS) {
          for (const scope of SCOPES) {
            for (let after = 1; after <= watch.reads; after++) {
              assert.deepEqual(
                player.play({ after, mask, scope }).outcome,
                outcome,
                `${scope} ^ 0x${mask.toString(16)} after read ${after} of ${watch.reads}`,
              );
            }
          }
        }
      });

      it('[utest->req~mem.zero-residue~1] only the ring and the answer are written, by its used length', () => {
        const player = new Player(scenario, offer);
        const { watch, answer } = player.play();
        const { control, cursor } = player.rig.guest('a');
        const parts = [control, cursor].flatMap(({ slice, used, desc, size, packed }) => [
          { at: slice.at(used), bytes: packed ? 8 : usedRingBytes(size) },
          ...(packed ? [{ at: slice.at(desc), bytes: 16 * size }] : []),
        ]);
        const allowed = [...parts, answer];
        const strange = [...watch.written].filter(
          (offset) => !allowed.some(({ at, bytes }) => offset >= at && offset < at + bytes),
        );
        assert.deepEqual(strange, []);
        assert.deepEqual(
          [...watch.read].filter((offset) => offset >= answer.at && offset < answer.at + 1056),
          [],
          'nothing of the answer is read',
        );
      });
    });
  }
}
