/** Partitions in the data plane: held ones are left alone, faults are counted always and reported once per frame. */
import { strict as assert } from 'node:assert';
import { NO_FAULT } from '../../../src/base/fault.ts';
import { QueueCounter } from '../../../src/channel/counters.ts';
import { EventKind } from '../../../src/channel/event-log.ts';
import { netDevice, Rig } from '../../support/rig.ts';

const EVENTS_MAX = 1024;

function spoofed(rig: Rig, count = 1): void {
  for (let n = 0; n < count; n++) rig.send('a', rig.packet('b', 'a'));
}

describe('partition: held', () => {
  it('[utest->req~fault.contain~1] a held partition is not served, and served again when it runs', () => {
    const rig = new Rig();
    rig.send('a', rig.packet('a', 'b'));
    rig.plane.partitions[0]!.running = false;
    rig.frames(2);
    assert.equal(rig.guest('a').transmit[0]!.usedIndex, 0);
    rig.plane.partitions[0]!.running = true;
    rig.frames();
    assert.equal(rig.guest('a').transmit[0]!.usedIndex, 1);
  });

  it('[utest->req~fault.contain~1] the control queue of a held partition is not served either', () => {
    const offer = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_CTRL_VQ', 'VIRTIO_NET_F_CTRL_RX'];
    const rig = new Rig({ devices: { a: netDevice(1, { offer }), b: netDevice(2) } });
    const { control, slice } = rig.guest('a');
    const address = slice.allocate(4);
    slice.write(address, [0, 0, 1, 0xff]);
    control!.submit([
      { address, length: 3 },
      { address: address + 3, length: 1, flags: 2 },
    ]);
    rig.plane.partitions[0]!.running = false;
    rig.frames();
    assert.equal(control!.usedIndex, 0);
    rig.plane.partitions[0]!.running = true;
    rig.frames();
    assert.deepEqual([control!.usedIndex, slice.read(address + 3, 1)], [1, [0]]);
  });

  it('[utest->req~fault.contain~1] nothing of a held partition is read: impossible rings stay unnoticed', () => {
    const rig = new Rig();
    rig.guest('a').transmit[0]!.setAvailIndex(60_000);
    rig.guest('a').receive[0]!.setAvailIndex(60_000);
    rig.plane.partitions[0]!.running = false;
    rig.send('b', rig.packet('b', 'a'));
    rig.frames(2);
    assert.deepEqual(rig.faults('a'), {});
    assert.deepEqual(rig.allEvents(), []);
  });

  it('[utest->req~fault.contain~1] nothing is delivered to a held partition; its sender is served all the same', () => {
    const rig = new Rig();
    const [address] = rig.supply('b', 1);
    rig.plane.partitions[1]!.running = false;
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(rig.route('a-b').drops, { 'receiver-not-ready': 1 });
    assert.equal(rig.guest('a').transmit[0]!.usedIndex, 1);
    assert.equal(rig.guest('b').receive[0]!.usedIndex, 0);
    assert.deepEqual(rig.guest('b').slice.read(address!, 2048), new Array(2048).fill(0));
  });
});

describe('partition: faults', () => {
  it('[utest->req~queue.index-plausible~1] a ring that breaks at a look is a fault once, and is left alone', () => {
    const rig = new Rig();
    rig.guest('a').transmit[0]!.setAvailIndex(65);
    rig.send('b', rig.packet('b', 'a'));
    rig.frames(2);
    assert.deepEqual(rig.faults('a'), { 'avail-index-out-of-range': 1 });
    assert.equal(rig.allEvents().length, 1);
    assert.equal(rig.guest('b').transmit[0]!.usedIndex, 1, 'its neighbour is served');
    rig.guest('a').transmit[0]!.setAvailIndex(0);
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.equal(rig.guest('a').transmit[0]!.usedIndex, 0);
  });

  it('[utest->req~diag.counters~1] every fault counts, for its partition and its queue', () => {
    const rig = new Rig();
    spoofed(rig, 5);
    rig.send('b', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(rig.faults('a'), { 'source-mac-spoofed': 5 });
    assert.deepEqual(rig.faults('b'), { 'source-mac-spoofed': 1 });
    const faulty = rig.plan.queues.map(({ index }) =>
      rig.counters.queue(index, QueueCounter.FAULTY),
    );
    assert.deepEqual(
      faulty,
      rig.plan.queues.map(
        ({ name }) =>
          (({ 'a.net0.transmitq0': 5, 'b.net0.transmitq0': 1 }) as Record<string, number>)[name] ??
          0,
      ),
    );
  });

  it('[utest->req~fault.contain~1] a flood of one kind is one event per major frame, with partition, queue and code', () => {
    const rig = new Rig();
    for (let frame = 1; frame <= 3; frame++) {
      spoofed(rig, 20);
      rig.frames();
      const events = rig.allEvents();
      assert.equal(events.length, 1, `frame ${frame}`);
      const { kind, subject, queue, code } = events[0]!;
      const { index } = rig.plan.queues.find(({ name }) => name === 'a.net0.transmitq0')!;
      assert.deepEqual(
        { kind, subject, queue },
        { kind: EventKind.FAULT, subject: 0, queue: index },
      );
      assert.equal(rig.counters.fault(0, code), 20 * frame);
    }
  });

  it('[utest->req~fault.contain~1] another kind, or another partition, is another event in the same frame', () => {
    const rig = new Rig();
    spoofed(rig, 3);
    rig.guest('a').transmit[0]!.submit([{ address: 0, length: 1 }]);
    spoofed(rig, 3);
    rig.send('b', rig.packet('a', 'b'));
    rig.frames();
    const subjects = rig.allEvents().map(({ subject }) => subject);
    assert.deepEqual(subjects, [0, 0, 1]);
  });

  it('[utest->req~fault.contain~1] an event tells the time at which the fault was found', () => {
    const rig = new Rig();
    spoofed(rig);
    const before = rig.time.nowNs;
    rig.frames();
    const [event] = rig.allEvents();
    assert.ok(event!.timeNs >= before && event!.timeNs <= rig.plane.time.frameStart[0]!);
  });

  it('[utest->req~fault.contain~1] "no fault" is neither counted nor reported', () => {
    const rig = new Rig();
    rig.plane.partitions[0]!.fault(NO_FAULT, 0);
    assert.equal(rig.counters.fault(0, NO_FAULT), 0);
    assert.deepEqual(rig.allEvents(), []);
  });

  it('[utest->req~diag.event-log~1] a full log loses events and counts them, and service goes on', () => {
    const rig = new Rig();
    const total = EVENTS_MAX + 76;
    for (let n = 0; n < total; n++) {
      spoofed(rig);
      rig.frames();
    }
    assert.equal(rig.events.lost, 76);
    assert.deepEqual(rig.faults('a'), { 'source-mac-spoofed': total });
    assert.equal(rig.guest('a').transmit[0]!.usedIndex, total);
    assert.equal(rig.allEvents().length, EVENTS_MAX);
    spoofed(rig);
    rig.frames();
    assert.equal(rig.allEvents().length, 1);
  });

  it('[utest->req~diag.event-log~1] times in the log are exact up to 104 days', () => {
    const rig = new Rig();
    for (const ns of [0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, 2 ** 53 - 1]) {
      rig.events.report(EventKind.STOPPED, 1, 2, 3, Float64Array.of(ns));
      assert.deepEqual(rig.events.next(), {
        kind: EventKind.STOPPED,
        subject: 1,
        queue: 2,
        code: 3,
        timeNs: ns,
      });
    }
  });
});
