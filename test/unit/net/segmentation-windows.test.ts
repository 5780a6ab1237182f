/** Segmentation in pieces: over windows and major frames, beside other queues, and ended by a reset. */
import { strict as assert } from 'node:assert';
import { QueueCounter } from '../../../src/channel/counters.ts';
import {
  command,
  features,
  indexOfQueue,
  le16,
  packets,
  postQueueStart,
  postReset,
  postStart,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';
import {
  SENDER,
  assertSegments,
  segmentsRig,
  sendOriginal,
  windowOfA,
} from '../../support/segments.ts';

const SEGMENT = 1054;
const PACKET = 5054;
const FIVE = { payloadBytes: 5000, gsoSize: 1000 };
const CONTROL = { id: 'control', kind: 'control' as const, offsetUs: 9500, durationUs: 400 };

const returned = (rig: Rig) => rig.guest('a').transmit[0]!.usedElements;
const arrived = (rig: Rig) => packets(rig, 'b').length;

/** After each of so many major frames: packets at b, buffers back at a. */
function progress(rig: Rig, majorFrames: number): [number, number][] {
  return Array.from({ length: majorFrames }, () => {
    rig.frames();
    return [arrived(rig), returned(rig).length];
  });
}

describe('segmentation over windows', () => {
  it(
    '[utest->req~sched.work-bound~1] ' +
      'the packet and each segment are pieces of their own for the bytes of a window',
    () => {
      const rig = segmentsRig({ windows: [windowOfA(0, PACKET)] });
      rig.supply('b', 8);
      const packet = sendOriginal(rig, FIVE);
      assert.deepEqual(progress(rig, 4), [
        [0, 0],
        [4, 0],
        [5, 1],
        [5, 1],
      ]);
      assertSegments(packets(rig, 'b'), packet);
    },
  );

  it('[utest->req~sched.work-bound~1] bytes that are left take as many segments as fit, to the byte', () => {
    for (const [spare, segments] of [
      [3 * SEGMENT - 1, 2],
      [3 * SEGMENT, 3],
      [5 * SEGMENT, 5],
    ] as const) {
      const rig = segmentsRig({ windows: [windowOfA(0, PACKET + spare)] });
      rig.supply('b', 8);
      sendOriginal(rig, FIVE);
      rig.frames();
      assert.equal(arrived(rig), segments);
    }
  });

  it('[utest->req~sched.work-bound~1] each piece counts as a request of the window', () => {
    const rig = segmentsRig({ windows: [windowOfA(0, 100_000, 2)] });
    rig.supply('b', 8);
    const packet = sendOriginal(rig, FIVE);
    assert.deepEqual(progress(rig, 4), [
      [1, 0],
      [3, 0],
      [5, 1],
      [5, 1],
    ]);
    assertSegments(packets(rig, 'b'), packet);
  });

  it(
    '[utest->req~sched.budget-before-start~1] ' +
      'a window that is too short for a further piece leaves it to the next',
    () => {
      const rig = new Rig({
        devices: { a: netDevice(1, { offer: SENDER }), b: netDevice(2) },
        schedule: { windows: [{ ...windowOfA(0, 100_000), durationUs: 50 }] },
        costs: {
          netForward: { baseNs: 20_000, perKibNs: 0, perDescriptorNs: 0 },
          netChecksum: { baseNs: 0, perKibNs: 0 },
        },
      });
      rig.supply('b', 8);
      rig.time.perReadNs = 14_000;
      sendOriginal(rig, FIVE);
      assert.deepEqual(progress(rig, 3), [
        [1, 0],
        [3, 0],
        [5, 1],
      ]);
    },
  );

  it(
    '[utest->req~queue.chain-returned~1] ' +
      'the head comes back once, after the last segment, and counts as one request',
    () => {
      const rig = segmentsRig({ windows: [windowOfA(0, 100_000, 2)] });
      rig.supply('b', 8);
      sendOriginal(rig, FIVE);
      rig.frames(5);
      assert.deepEqual(returned(rig), [{ id: 0, length: 0 }]);
      const queue = indexOfQueue(rig, 'a.net0.transmitq0');
      const count = (counter: number) => rig.counters.queue(queue, counter);
      assert.deepEqual([count(QueueCounter.REQUESTS), count(QueueCounter.BYTES)], [1, PACKET]);
      assert.deepEqual(rig.route('a-b'), { sent: 1, delivered: 1, deferred: 0, drops: {} });
    },
  );

  it('[utest->req~queue.used-order~1] packets behind it keep their order', () => {
    const rig = segmentsRig({ windows: [windowOfA(0, 100_000, 3)] });
    rig.supply('b', 16);
    const first = sendOriginal(rig, FIVE);
    const short = rig.send('a', rig.packet('a', 'b', 64));
    const second = sendOriginal(rig, { payloadBytes: 1500, gsoSize: 1000, sequence: 5000 });
    const last = rig.send('a', rig.packet('a', 'b', 65));
    rig.frames(5);
    const all = packets(rig, 'b');
    assertSegments(all.slice(0, 5), first);
    assert.equal(all[5]!.length, 64);
    assertSegments(all.slice(6, 8), second);
    assert.equal(all[8]!.length, 65);
    const heads = returned(rig).map(({ id }) => id);
    assert.deepEqual([heads[0], heads[1], heads[3], heads.length], [0, short, last, 4]);
  });

  it(
    '[utest->req~net.offload-completion~1] ' +
      'what the driver does with its buffer after the first piece does not show',
    () => {
      const rig = segmentsRig({ windows: [windowOfA(0, 100_000, 2)] });
      rig.supply('b', 8);
      const { slice } = rig.guest('a');
      const marker = slice.allocate(0);
      const packet = sendOriginal(rig, FIVE);
      rig.frames();
      slice.write(marker, new Array(PACKET + 12).fill(0xaa));
      rig.frames(3);
      assertSegments(packets(rig, 'b'), packet);
    },
  );

  it('[utest->req~net.rate~1] a packet is cut as far as the quota goes, and further in the next major frame', () => {
    const rig = segmentsRig({
      routes: [route('a', 'b', { bytesPerMajorFrame: 6000, excess: 'defer' })],
    });
    rig.supply('b', 8);
    rig.send('a', rig.packet('a', 'b', 1000));
    const packet = sendOriginal(rig, FIVE);
    assert.deepEqual(progress(rig, 2), [
      [5, 1],
      [6, 2],
    ]);
    assertSegments(packets(rig, 'b').slice(1), packet);
  });

  it('[utest->req~net.offload-completion~1] two pairs cut their packets at the same time', () => {
    const rig = new Rig({
      memoryMiB: 2,
      devices: {
        a: netDevice(1, { offer: [...SENDER, ...features('CTRL_VQ', 'MQ')], queuePairs: 2 }),
        b: netDevice(2),
      },
      schedule: {
        windows: [
          {
            ...windowOfA(0, 0),
            queues: [
              ...[0, 1].map((pair) => ({
                queue: `net0.transmitq${pair}`,
                requestsMax: 2,
                requestsGuaranteed: 1,
                bytesMax: 100_000,
              })),
              { queue: 'net0.controlq', requestsMax: 1, requestsGuaranteed: 1, bytesMax: 4096 },
            ],
          },
          CONTROL,
        ],
      },
    });
    rig.supply('b', 16);
    assert.equal(command(rig, 'a', 4, 0, ...le16(2)), 0);
    const first = sendOriginal(rig, { ...FIVE, sequence: 0 });
    const { slice, transmit } = rig.guest('a');
    const address = slice.allocate(first.sent.length + 12);
    const otherPorts = first.sent.with(14 + 20 + 1, 81);
    slice.write(address, [...first.header, ...otherPorts]);
    transmit[1]!.submit([{ address, length: first.sent.length + 12 }]);
    rig.frames(6);
    const ports = (port: number) =>
      packets(rig, 'b').filter((packet) => packet[14 + 20 + 1] === port);
    assertSegments(ports(80), first);
    assertSegments(ports(81), { ...first, bytes: otherPorts });
  });
});

describe('segmentation that ends early', () => {
  function inTheMiddle(): Rig {
    const rig = segmentsRig({ windows: [windowOfA(0, 100_000, 3), CONTROL] });
    rig.supply('b', 16);
    sendOriginal(rig, FIVE);
    rig.frames();
    assert.deepEqual([arrived(rig), returned(rig).length], [2, 0]);
    return rig;
  }

  it(
    '[utest->req~queue.reset~1] ' +
      'a device reset ends it: no further segment, no head returned, memory left alone',
    () => {
      const rig = inTheMiddle();
      postReset(rig, 'a');
      for (let n = 0; n < 3; n++) rig.plane.commands.runOne();
      const { slice } = rig.guest('a');
      const memory = () =>
        Buffer.from(slice.arena.u8.slice(slice.sliceAt, slice.sliceAt + slice.size));
      const before = memory();
      rig.frames(3);
      assert.equal(arrived(rig), 2);
      assert.ok(memory().equals(before));
    },
  );

  it(
    '[utest->req~fault.recover~1] ' +
      'after the reset the device begins anew, with nothing of the old packet',
    () => {
      const rig = inTheMiddle();
      postReset(rig, 'a');
      for (let n = 0; n < 3; n++) rig.plane.commands.runOne();
      postStart(rig, 'a');
      for (let n = 0; n < 3; n++) rig.plane.commands.runOne();
      rig.frames(2);
      assert.deepEqual([arrived(rig), returned(rig).length], [2, 0]);
      const packet = sendOriginal(rig, { payloadBytes: 2100, gsoSize: 900 });
      rig.frames(3);
      assertSegments(packets(rig, 'b').slice(2), packet);
      assert.deepEqual(returned(rig), [{ id: 0, length: 0 }]);
    },
  );

  it('[utest->req~queue.reset~1] a queue that restarts begins anew', () => {
    const rig = inTheMiddle();
    postQueueStart(rig, 'a', indexOfQueue(rig, 'a.net0.transmitq0'));
    rig.plane.commands.runOne();
    rig.frames(3);
    assert.deepEqual([arrived(rig), returned(rig).length], [2, 0]);
  });

  it('[utest->req~queue.index-plausible~1] a ring that breaks meanwhile is served no more', () => {
    const rig = inTheMiddle();
    const fault = rig.guest('a').transmit[0]!.breakAtLook();
    rig.frames(2);
    assert.deepEqual(rig.faults('a'), { [fault]: 1 });
    assert.equal(arrived(rig), 2);
  });

  it('[utest->req~fault.contain~1] a sender that is held goes on where it was when it runs again', () => {
    const rig = inTheMiddle();
    rig.plane.partitions[0]!.running = false;
    rig.frames(2);
    assert.equal(arrived(rig), 2);
    rig.plane.partitions[0]!.running = true;
    rig.frames(2);
    assert.deepEqual([arrived(rig), returned(rig).length], [5, 1]);
  });

  it(
    '[utest->req~diag.counters~1] ' +
      'a receiver that is reset meanwhile loses the rest, and the sender gets its head back',
    () => {
      const rig = inTheMiddle();
      postReset(rig, 'b');
      for (let n = 0; n < 3; n++) rig.plane.commands.runOne();
      rig.frames(2);
      assert.equal(returned(rig).length, 1);
      assert.deepEqual(
        [rig.route('a-b').delivered, rig.route('a-b').drops],
        [0, { 'receiver-not-ready': 1 }],
      );
    },
  );
});
