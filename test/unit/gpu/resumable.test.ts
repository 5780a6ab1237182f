/** Long commands in pieces: within the bytes and the time of each window, in order, and each byte once. */
import { strict as assert } from 'node:assert';
import { QueueCounter, WindowCounter } from '../../../src/channel/counters.ts';
import { GPU_PIECE_BYTES, GPU_PIECE_RUNS } from '../../../src/schedule/cost-model.ts';
import { GpuFormat, GpuResponse } from '../../../src/wire/virtio-gpu.ts';
import {
  attach,
  create2d,
  createBlob,
  flush,
  getDisplayInfo,
  moveCursor,
  setScanout,
  setScanoutBlob,
  transfer,
  unref,
  type Entry,
} from '../../support/gpu-commands.ts';
import type { GpuDouble, Submission } from '../../support/gpu-double.ts';
import { assertPicture, BLACK, pattern, seen } from '../../support/gpu-pictures.ts';
import { ALL_FEATURES, GpuRig, HEIGHT, WIDTH, type GpuRigOptions } from '../../support/gpu-rig.ts';
import { observing } from '../../support/observed-arena.ts';

const PIXELS = WIDTH * HEIGHT;
const BYTES = PIXELS * 4;
const WHOLE = [0, 0, WIDTH, HEIGHT] as const;

/** One piece of at most so many bytes in each window. */
function onePieceAWindow(bytesMax: number, options: GpuRigOptions = {}): GpuRig {
  return new GpuRig({ ...options, caps: { requestsMax: 1, bytesMax } });
}

/** Bytes that the queue has moved. */
function moved(rig: GpuRig, queue = 'a.gpu0.controlq'): number {
  return rig.counters.queue(rig.queue(queue).index, QueueCounter.BYTES);
}

/** Major frames until the command is done. */
function framesOf(rig: GpuRig, guest: GpuDouble, submission: Submission): number {
  for (let n = 1; n < 3000; n++) {
    rig.frames();
    if (guest.isDone(submission)) return n;
  }
  throw new Error('not done in time');
}

function shownPicture(rig: GpuRig, id: number): { guest: GpuDouble; entries: Entry[] } {
  const guest = rig.guest('a');
  const entries = guest.picture(id, WIDTH, HEIGHT);
  guest.ok(setScanout(0, id, WHOLE));
  return { guest, entries };
}

describe('GPU commands in pieces', () => {
  for (const bytesMax of [256, 1000, 4096, GPU_PIECE_BYTES, 100_000]) {
    it(`[utest->req~gpu.resumable~1] transfer and flush move at most ${bytesMax} bytes a window, each once, and are right`, () => {
      const rig = onePieceAWindow(bytesMax);
      const { guest, entries } = shownPicture(rig, 1);
      const bytes = pattern(PIXELS);
      guest.fill(entries, bytes);
      const piece = Math.min(bytesMax, GPU_PIECE_BYTES);
      for (const command of [transfer(1, WHOLE), flush(1, WHOLE)]) {
        const before = moved(rig);
        const submission = guest.submit(command);
        let last = before;
        for (let n = 0; !guest.isDone(submission); n++) {
          rig.frames();
          assert.ok(moved(rig) - last <= piece, `piece ${n} of ${moved(rig) - last} bytes`);
          assert.ok(moved(rig) > last, `piece ${n} moves something`);
          last = moved(rig);
        }
        assert.equal(last - before, BYTES, 'each byte once');
        assert.equal(guest.answerOf(submission).type, GpuResponse.OK_NODATA);
      }
      assertPicture(rig.picture('low'), seen(bytes), WIDTH);
    });
  }

  it('[utest->req~gpu.resumable~1] no answer is written and nothing is used before the last piece', () => {
    const rig = onePieceAWindow(4096);
    const { guest } = shownPicture(rig, 1);
    const submission = guest.submit(transfer(1, WHOLE));
    const before = guest.control.usedIndex;
    rig.frames(BYTES / 4096 - 1);
    assert.equal(guest.control.usedIndex, before);
    assert.deepEqual(guest.slice.read(submission.answerAt, 24), new Array(24).fill(0xee));
    rig.frames();
    assert.equal(guest.answerOf(submission).type, GpuResponse.OK_NODATA);
  });

  it('[utest->req~gpu.resumable~1] what is behind a long command waits for it, another queue does not', () => {
    const rig = onePieceAWindow(4096);
    const { guest } = shownPicture(rig, 1);
    const long = guest.submit(transfer(1, WHOLE));
    const behind = guest.submit(getDisplayInfo(), { answer: 408 });
    const beside = guest.submitCursor(moveCursor({ x: 3 }));
    rig.frames();
    assert.ok(guest.isDone(beside), 'cursorq');
    assert.ok(!guest.isDone(long) && !guest.isDone(behind), 'controlq');
    guest.finish(long);
    assert.ok(!guest.isDone(behind), 'in order');
    assert.equal(guest.finish(behind).type, GpuResponse.OK_DISPLAY_INFO);
  });

  it("[utest->req~gpu.resumable~1] an answer is its own command's, whatever other queues answered meanwhile", () => {
    const rig = onePieceAWindow(4096);
    const { guest } = shownPicture(rig, 1);
    const other = rig.guest('b');
    const long = guest.submit(transfer(1, WHOLE, 0, { flags: 1, fence: 77n, context: 5 }));
    while (!guest.isDone(long)) {
      other.run(getDisplayInfo({ flags: 3, fence: 99n, context: 9, ring: 4 }), { answer: 408 });
    }
    const { bytes, ...answer } = guest.answerOf(long);
    assert.deepEqual(answer, {
      type: GpuResponse.OK_NODATA,
      flags: 1,
      fence: 77n,
      context: 5,
      ring: 0,
      usedLength: 24,
    });
    assert.equal(bytes.length, 24);
  });

  it('[utest->req~gpu.resumable~1] in a window with time a command takes all of its pieces at once', () => {
    const rig = new GpuRig();
    const { guest } = shownPicture(rig, 1);
    const submission = guest.submit(transfer(1, WHOLE));
    rig.frames();
    assert.ok(guest.isDone(submission));
  });

  it('[utest->req~gpu.resumable~1] a piece starts only where its cost still fits the window', () => {
    // Three pieces of 20 µs fit a window of 65 µs.
    const rig = new GpuRig({
      windowUs: 65,
      costs: {
        gpuTransfer: { baseNs: 20_000, perKibNs: 0, perDescriptorNs: 0 },
        windowSwitchNs: 0,
      },
      caps: { requestsGuaranteed: 0 },
    });
    const guest = rig.guest('a');
    guest.picture(1, 256, 128);
    const { arena } = rig.plane;
    const { copy } = arena;
    Object.assign(arena, {
      copy: (to: number, from: number, bytes: number) => {
        if (bytes === GPU_PIECE_BYTES) rig.time.nowNs += 19_000;
        copy(to, from, bytes);
      },
    });
    const before = moved(rig);
    const submission = guest.submit(transfer(1, [0, 0, 256, 128]));
    rig.frames();
    assert.ok(!guest.isDone(submission));
    assert.equal(moved(rig) - before, 3 * GPU_PIECE_BYTES);
    rig.frames();
    assert.ok(guest.isDone(submission));
    for (const { index } of rig.plan.windows) {
      assert.equal(rig.counters.window(index, WindowCounter.OVERRUNS_COST), 0);
    }
  });

  it('[utest->req~gpu.resumable~1] a window with fewer bytes left than a piece is worth waits for the next one', () => {
    const rig = new GpuRig({ caps: { bytesMax: GPU_PIECE_BYTES + 255 } });
    const { guest } = shownPicture(rig, 1);
    const before = moved(rig);
    guest.submit(transfer(1, WHOLE));
    rig.frames();
    assert.equal(moved(rig) - before, GPU_PIECE_BYTES);
  });
});

describe('GPU pieces of many runs', () => {
  it(`[utest->req~gpu.resumable~1] a piece has at most ${GPU_PIECE_RUNS} runs of backing memory`, () => {
    const rig = onePieceAWindow(GPU_PIECE_BYTES);
    const guest = rig.guest('a');
    // A pixel each, none behind the other.
    const pieces = new Array<number>(1000).fill(4);
    const entries = guest.picture(1, 100, 10, GpuFormat.B8G8R8X8_UNORM, pieces);
    const bytes = pattern(1000);
    guest.fill(entries, bytes);
    guest.ok(setScanout(0, 1, [0, 0, 100, 10]));
    const before = moved(rig);
    const submission = guest.submit(transfer(1, [0, 0, 100, 10]));
    rig.frames();
    assert.equal(moved(rig) - before, 4 * GPU_PIECE_RUNS);
    assert.equal(framesOf(rig, guest, submission), Math.ceil(1000 / GPU_PIECE_RUNS) - 1);
    guest.ok(flush(1, [0, 0, 100, 10]));
    assert.deepEqual([...rig.picture('low').slice(0, 100)], [...seen(bytes).slice(0, 100)]);
  });

  it('[utest->req~gpu.resumable~1] rows of one pixel are runs of their own', () => {
    const rig = onePieceAWindow(GPU_PIECE_BYTES);
    const guest = rig.guest('a');
    guest.picture(1, 8, 300);
    const before = moved(rig);
    const submission = guest.submit(transfer(1, [3, 0, 1, 300], 12));
    rig.frames();
    assert.equal(moved(rig) - before, 4 * GPU_PIECE_RUNS);
    assert.equal(framesOf(rig, guest, submission), 2);
  });

  it('[utest->req~gpu.resumable~1] a flush of a blob in pixels moves as many runs a piece', () => {
    const rig = onePieceAWindow(GPU_PIECE_BYTES);
    const guest = rig.guest('a');
    const entries = guest.memory(new Array<number>(1000).fill(4));
    const bytes = pattern(1000);
    guest.fill(entries, bytes);
    guest.ok(createBlob(1, 4000, entries));
    guest.ok(setScanoutBlob(1, { rect: [0, 0, 100, 10], width: 100, height: 10 }));
    const before = moved(rig);
    const submission = guest.submit(flush(1, [0, 0, 100, 10]));
    rig.frames();
    assert.equal(moved(rig) - before, 4 * GPU_PIECE_RUNS);
    guest.finish(submission);
    const picture = rig.picture('low');
    for (let row = 0; row < 10; row++) {
      const expected = seen(bytes).slice(100 * row, 100 * (row + 1));
      assert.deepEqual(picture.slice(WIDTH * row, WIDTH * row + 100), expected);
    }
  });

  it('[utest->req~gpu.resumable~1] a long list of entries is read within the bytes of the window, each entry once', () => {
    for (const bytesMax of [256, 1000, GPU_PIECE_BYTES]) {
      const rig = onePieceAWindow(bytesMax);
      const guest = rig.guest('a');
      guest.ok(create2d(1, 100, 10));
      const entries = guest.memory(new Array<number>(500).fill(8));
      const before = moved(rig);
      const submission = guest.submit(attach(1, entries));
      const reads = new Map<number, number>();
      const from = guest.slice.at(0x1_0000_0000);
      observing(
        rig.plane.arena,
        ({ kind, at, bytes }) => {
          if (kind === 'write' || at < from || bytes === 2) return;
          for (let n = 0; n < bytes; n++) reads.set(at + n, (reads.get(at + n) ?? 0) + 1);
        },
        () => {
          let last = before;
          while (!guest.isDone(submission)) {
            rig.frames();
            assert.ok(moved(rig) - last <= Math.min(bytesMax, 2048));
            last = moved(rig);
          }
          assert.equal(last - before, 500 * 16);
        },
      );
      assert.equal(guest.answerOf(submission).type, GpuResponse.OK_NODATA);
      // The 8032 bytes of the command lie together; what was read twice is the rings' alone.
      const command = [...reads].filter(([, times]) => times > 1).map(([at]) => at);
      const lies = (at: number) =>
        [guest.control.desc, guest.control.avail, guest.control.used, guest.cursor.avail].some(
          (area) => at >= guest.slice.at(area) && at < guest.slice.at(area) + 1024,
        );
      assert.deepEqual(
        command.filter((at) => !lies(at)),
        [],
      );
    }
  });
});

describe('GPU commands that are interrupted', () => {
  const QUEUE = 'a.gpu0.controlq';

  /** Stops the ring after `pieces` windows, starts it where it was, and finishes the command. */
  function interrupted(rig: GpuRig, guest: GpuDouble, command: readonly number[], pieces = 3) {
    const submission = guest.submit(command);
    rig.frames(pieces);
    assert.ok(!guest.isDone(submission), 'the command is under way');
    const base = rig.stopRing(QUEUE);
    rig.frames(2);
    rig.startRing(rig.queue(QUEUE).index, guest.control, base);
    return guest.finish(submission);
  }

  it('[utest->req~gpu.resumable~1] a transfer and a flush begin anew when the ring goes on', () => {
    const rig = onePieceAWindow(4096);
    const { guest, entries } = shownPicture(rig, 1);
    const bytes = pattern(PIXELS, 3);
    guest.fill(entries, bytes);
    assert.equal(interrupted(rig, guest, transfer(1, WHOLE)).type, GpuResponse.OK_NODATA);
    assert.equal(interrupted(rig, guest, flush(1, WHOLE)).type, GpuResponse.OK_NODATA);
    assertPicture(rig.picture('low'), seen(bytes), WIDTH);
    assert.deepEqual(rig.faults('a'), {});
  });

  it('[utest->req~gpu.resumable~1] a flush that was given up is no flush under way', () => {
    const rig = onePieceAWindow(4096);
    const { guest } = shownPicture(rig, 1);
    guest.submit(flush(1, WHOLE));
    rig.frames(3);
    const { plane } = rig.device('a').scanouts[0]!;
    assert.equal(plane.flushing, true);
    rig.stopRing(QUEUE);
    assert.equal(plane.flushing, false);
  });

  it('[utest->req~gpu.resumable~1] a list of entries that was read in part is read anew', () => {
    const rig = onePieceAWindow(256, {
      partitions: {
        a: { gpu: { planes: ['low'], backingEntriesMax: 100 } },
        b: { gpu: { planes: ['high'] } },
      },
    });
    const guest = rig.guest('a');
    guest.ok(create2d(1, 10, 10));
    const entries = guest.memory(new Array<number>(100).fill(4));
    const bytes = pattern(100);
    guest.fill(entries, bytes);
    assert.equal(interrupted(rig, guest, attach(1, entries)).type, GpuResponse.OK_NODATA);
    guest.ok(setScanout(0, 1, [0, 0, 10, 10]));
    guest.ok(transfer(1, [0, 0, 10, 10]));
    guest.ok(flush(1, [0, 0, 10, 10]));
    assert.deepEqual([...rig.picture('low').slice(0, 10)], [...seen(bytes).slice(0, 10)]);
  });

  it('[utest->req~gpu.resumable~1] a blob that was created in part is created anew', () => {
    const rig = onePieceAWindow(256, {
      partitions: {
        a: { gpu: { planes: ['low'], backingEntriesMax: 100 } },
        b: { gpu: { planes: ['high'] } },
      },
    });
    const guest = rig.guest('a');
    const entries = guest.memory(new Array<number>(100).fill(4));
    assert.equal(interrupted(rig, guest, createBlob(1, 400, entries)).type, GpuResponse.OK_NODATA);
    guest.ok(unref(1));
  });

  it('[utest->req~gpu.resumable~1] a picture that was removed, or hidden, in part is so in the end', () => {
    for (const command of [unref(1), setScanout(0, 0, [0, 0, 0, 0])]) {
      const rig = onePieceAWindow(4096);
      const { guest } = shownPicture(rig, 1);
      guest.ok(flush(1, WHOLE));
      assert.equal(interrupted(rig, guest, command).type, GpuResponse.OK_NODATA);
      assertPicture(rig.picture('low'), new Uint32Array(PIXELS).fill(BLACK), WIDTH);
      assert.equal(rig.device('a').scanouts[0]!.resource, undefined);
      assert.deepEqual(rig.faults('a'), {});
    }
  });

  it('[utest->req~gpu.resumable~1] a smaller picture is shown on black, although it was interrupted', () => {
    const rig = onePieceAWindow(4096);
    const { guest, entries } = shownPicture(rig, 1);
    guest.fill(entries, pattern(PIXELS));
    guest.show(1, WIDTH, WHOLE);
    interrupted(rig, guest, setScanout(0, 1, [0, 0, 8, 8]));
    assertPicture(rig.picture('low'), new Uint32Array(PIXELS).fill(BLACK), WIDTH);
    assert.equal(rig.device('a').scanouts[0]!.width, 8);
  });

  it('[utest->req~gpu.resumable~1] while its partition is held a command waits, and goes on then', () => {
    const rig = onePieceAWindow(4096);
    const { guest } = shownPicture(rig, 1);
    const submission = guest.submit(transfer(1, WHOLE));
    rig.frames(2);
    rig.plane.partitions[0]!.running = false;
    const held = moved(rig);
    rig.frames(5);
    assert.equal(moved(rig), held);
    rig.plane.partitions[0]!.running = true;
    assert.equal(guest.finish(submission).type, GpuResponse.OK_NODATA);
    assert.equal(moved(rig) - held, BYTES - 2 * 4096);
  });

  it('[utest->req~gpu.resumable~1] a ring that is disabled, or a device that is stopped, is not served', () => {
    const rig = new GpuRig();
    const guest = rig.guest('a');
    const queue = rig.plane.queues[rig.queue(QUEUE).index]!;
    queue.enabled = false;
    const submission = guest.submit(create2d(1, 1, 1));
    rig.frames(2);
    assert.ok(!guest.isDone(submission));
    queue.enabled = true;
    rig.device('a').stop();
    rig.frames(2);
    assert.ok(!guest.isDone(submission));
    const { offered } = rig.plan.devices[0]!;
    rig.device('a').start(offered.low, offered.high);
    rig.frames(1);
    assert.ok(guest.isDone(submission));
  });

  it('[utest->req~gpu.resumable~1] a driver that was paused finds its resources, a new one none', () => {
    for (const offer of [ALL_FEATURES, [...ALL_FEATURES, 'VIRTIO_F_RING_PACKED']]) {
      const rig = new GpuRig({
        partitions: { a: { gpu: { planes: ['low'], offer } }, b: { gpu: { planes: ['high'] } } },
      });
      const guest = rig.guest('a');
      guest.picture(1, 16, 16);
      guest.present(1, 16, 16);
      const base = rig.stopRing(QUEUE);
      rig.device('a').stop();
      rig.frames();
      rig.startRing(rig.queue(QUEUE).index, guest.control, base);
      const { low, high } = rig.plan.devices[0]!.offered;
      rig.device('a').start(low, high);
      guest.show(1, 16, [0, 0, 16, 16]);
      rig.startDriver('a');
      const renewed = rig.guest('a');
      assert.equal(renewed.run(unref(1)).type, GpuResponse.ERR_INVALID_RESOURCE_ID);
      renewed.ok(create2d(1, 16, 16));
    }
  });
});
