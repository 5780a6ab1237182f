/** What a request costs and counts: quotas to the byte, counters, window bytes, latency, chain limits. */
import { strict as assert } from 'node:assert';
import { FlowCounter, QueueCounter, RouteCounter } from '../../../src/channel/counters.ts';
import { NetCtrl } from '../../../src/wire/virtio-net.ts';
import { EVERY_COMMAND, macTable } from '../../support/control-commands.ts';
import {
  ACK_UNTOUCHED,
  command,
  features,
  indexOfQueue,
  netHeader,
  packets,
  postCommand,
  sendPieces,
  split,
  supplyPieces,
  tagged,
  untagged,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';
import { SENDER, segmentsRig, sendOriginal, windowOfA } from '../../support/segments.ts';

const FLOW = {
  id: 'f',
  from: 'a.net0.transmitq0',
  route: 'a-b',
  arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
  bytesMax: 1514,
  deadlineUs: 20_000,
};

describe('quotas and counters', () => {
  it('[utest->req~net.rate~1] a packet as large as the whole quota waits, and is delivered', () => {
    const rig = new Rig({
      routes: [route('a', 'b', { bytesPerMajorFrame: 250, excess: 'defer' })],
    });
    rig.supply('b', 2);
    for (const bytes of [14, 250]) rig.send('a', rig.packet('a', 'b', bytes));
    rig.frames();
    assert.equal(packets(rig, 'b').length, 1);
    rig.frames();
    assert.equal(packets(rig, 'b').length, 2);
  });

  it('[utest->req~diag.counters~1] a refused request counts, as faulty too, but not its bytes', () => {
    const rig = new Rig();
    rig.send('a', []);
    rig.send('a', rig.packet('a', 'b', 1600));
    rig.frames();
    const queue = indexOfQueue(rig, 'a.net0.transmitq0');
    const { REQUESTS, BYTES, FAULTY, UNROUTED } = QueueCounter;
    const counts = [REQUESTS, BYTES, FAULTY, UNROUTED].map((n) => rig.counters.queue(queue, n));
    assert.deepEqual(counts, [2, 0, 2, 0]);
  });

  it('[utest->req~diag.counters~1] bytes of a route count what was delivered', () => {
    const rig = new Rig({ routes: [route('a', 'b', { packetsPerMajorFrame: 2 })] });
    rig.supply('b', 3);
    for (const bytes of [100, 61, 500]) rig.send('a', rig.packet('a', 'b', bytes));
    rig.frames();
    assert.equal(rig.counters.route(0, RouteCounter.BYTES), 161);
  });

  it('[utest->req~sched.work-bound~1] a refused request uses no bytes of its window', () => {
    const rig = segmentsRig({ windows: [windowOfA(0, 1600)] });
    rig.supply('b', 4);
    const sent = [rig.packet('a', 'b', 1000), rig.packet('a', 'b', 600)];
    rig.send('a', sent[0]!);
    for (let n = 0; n < 5; n++) rig.send('a', []);
    rig.send('a', sent[1]!);
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), sent);
  });
});

describe('bytes of a controlq in one window', () => {
  const FULL = macTable(64, 64);
  const { OK } = NetCtrl;

  function withBytes(bytesMax: number): Rig {
    const queue = { queue: 'net0.controlq', requestsMax: 16, requestsGuaranteed: 1, bytesMax };
    return new Rig({
      devices: { a: netDevice(1), b: netDevice(2, { offer: features(...EVERY_COMMAND) }) },
      schedule: { windows: [{ ...windowOfA(0, 0), partition: 'b', queues: [queue] }] },
    });
  }

  /** Posts commands; reads their ack bytes. */
  function post(rig: Rig, ...commands: number[][]): () => number[] {
    const acks = commands.map((bytes) => postCommand(rig, 'b', bytes));
    return () => acks.flatMap((at) => rig.guest('b').slice.read(at, 1));
  }

  it('[utest->req~sched.work-bound~1] a command that does not fit waits for the next window', () => {
    const rig = withBytes(3 * FULL.length - 1);
    const answers = post(rig, FULL, FULL, FULL);
    rig.frames();
    assert.deepEqual(answers(), [OK, OK, ACK_UNTOUCHED]);
    rig.frames();
    assert.deepEqual(answers(), [OK, OK, OK]);
  });

  it('[utest->req~sched.work-bound~1] they are used to the last one, and a fault uses none', () => {
    const rig = withBytes(2 * FULL.length);
    const answers = post(rig, FULL, [], FULL);
    rig.frames();
    assert.deepEqual(answers(), [OK, ACK_UNTOUCHED, OK]);
  });
});

describe('latency of a request', () => {
  it('[utest->req~sched.latency-measured~1] the time that publication takes is part of it', () => {
    const rig = new Rig({ flows: [FLOW] });
    rig.supply('b', 1);
    const { publications } = rig.plane;
    const publish = publications.publish.bind(publications);
    publications.publish = (sender) => {
      publish(sender);
      rig.time.nowNs += 50_000;
    };
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.ok(rig.counters.flowPublication(0).max >= 50_000);
  });

  it('[utest->req~sched.latency-measured~1] a drop behind a delivered request is not measured', () => {
    const rig = new Rig({ flows: [FLOW] });
    rig.supply('b', 1);
    for (let n = 0; n < 2; n++) rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(rig.route('a-b').drops, { 'no-receive-buffer': 1 });
    assert.equal(rig.counters.flow(0, FlowCounter.REQUESTS), 1);
  });

  it('[utest->req~sched.latency-measured~1] a packet that is cut is measured from its own arrival', () => {
    const rig = new Rig({
      flows: [FLOW],
      devices: { a: netDevice(1, { offer: SENDER }), b: netDevice(2) },
      schedule: { windows: [windowOfA(0, 100_000, 2)] },
    });
    rig.supply('b', 8);
    rig.frames();
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    sendOriginal(rig, { payloadBytes: 3000, gsoSize: 1000 });
    rig.frames(2);
    assert.equal(packets(rig, 'b').length, 4);
    const { count, max } = rig.counters.flowLatency(0);
    assert.equal(count, 2);
    assert.ok(max > 19_000_000 && max < 20_000_000, `from the look before it was seen: ${max}`);
  });
});

describe('limits of memory and chains', () => {
  it('[utest->req~mem.bounds~1] the ack of a command is written where it is, also above 2 GiB', () => {
    const rig = new Rig({
      devices: { a: netDevice(1), b: netDevice(2, { offer: features('CTRL_VQ') }) },
      slicesFrom: 2 ** 31 - 65536,
    });
    assert.equal(command(rig, 'b', NetCtrl.RX, NetCtrl.RX_PROMISC, 1), NetCtrl.ERR);
  });

  for (const vlanAction of ['keep', 'insert', 'remove'] as const) {
    it(`[utest->req~queue.bounded-walk~1] every descriptor may lie behind the head: ${vlanAction}`, () => {
      const most = 64;
      const wide = { queueSize: 128, descriptorsMax: most };
      const rig = new Rig({
        devices: { a: netDevice(1, wide), b: netDevice(2, wide) },
        routes: [route('a', 'b', { vlan: 7, vlanAction, receiveDescriptorsMax: most })],
      });
      const plain = rig.packet('a', 'b', 300);
      const sent = vlanAction === 'insert' ? plain : tagged(plain, 7);
      supplyPieces(rig, 'b', [...new Array(most - 1).fill(3), 1600]);
      sendPieces(rig, 'a', split([...netHeader(), ...sent], [100, ...new Array(most - 2).fill(1)]));
      rig.frames();
      const arrived = packets(rig, 'b');
      assert.deepEqual(vlanAction === 'remove' ? arrived : arrived.map(untagged), [plain]);
    });
  }
});
