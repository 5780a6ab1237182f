/** Default deny: a packet goes where a route leads, and nowhere else. */
import { networkOf } from '../../support/network.ts';
import { strict as assert } from 'node:assert';
import {
  features,
  indexOfQueue,
  packets,
  sendPieces,
  split,
  tagged,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

function threeDevices(routes = [route('a', 'b')]): Rig {
  const rig = new Rig({ devices: { a: netDevice(1), b: netDevice(2), c: netDevice(3) }, routes });
  for (const id of ['a', 'b', 'c']) rig.supply(id, 8);
  return rig;
}

describe('routes of the virtual switch', () => {
  it('[utest->req~net.static-route~1] a packet arrives byte for byte along its route, and only there', () => {
    const rig = threeDevices();
    const packet = rig.packet('a', 'b', 100);
    rig.send('a', packet);
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [packet]);
    assert.deepEqual(packets(rig, 'c'), []);
    assert.deepEqual(rig.route('a-b'), { sent: 1, delivered: 1, deferred: 0, drops: {} });
  });

  it(
    '[utest->req~net.static-route~1] ' +
      'a device without a route reaches nobody, and its packet is counted',
    () => {
      const rig = threeDevices();
      rig.send('c', rig.packet('c', 'a'));
      rig.send('c', [...BROADCAST, ...rig.packet('c', 'a').slice(6)]);
      rig.frames();
      assert.deepEqual(
        ['a', 'b', 'c'].flatMap((id) => packets(rig, id)),
        [],
      );
      assert.equal(rig.unrouted('c.net0.transmitq0'), 2);
      assert.deepEqual(
        rig.guest('c').transmit[0]!.usedElements.map(({ length }) => length),
        [0, 0],
      );
    },
  );

  it('[utest->req~net.static-route~1] a route is one direction', () => {
    const rig = threeDevices();
    rig.send('b', rig.packet('b', 'a'));
    rig.frames();
    assert.deepEqual(packets(rig, 'a'), []);
    assert.equal(rig.unrouted('b.net0.transmitq0'), 1);
  });

  it('[utest->req~net.static-route~1] a routed packet is not counted as unrouted', () => {
    const rig = threeDevices();
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.equal(rig.unrouted('a.net0.transmitq0'), 0);
  });

  it('[utest->req~net.static-route~1] a packet takes every route that leads from its device', () => {
    const rig = threeDevices([route('a', 'b'), route('a', 'c')]);
    const packet = [...BROADCAST, ...rig.packet('a', 'b').slice(6)];
    rig.send('a', packet);
    rig.frames();
    assert.deepEqual([packets(rig, 'b'), packets(rig, 'c')], [[packet], [packet]]);
  });

  it('[utest->req~net.no-loop~1] a broadcast does not come back over the opposite route', () => {
    const rig = threeDevices([route('a', 'b'), route('b', 'a')]);
    rig.send('a', [...BROADCAST, ...rig.packet('a', 'b').slice(6)]);
    rig.frames(3);
    assert.deepEqual(packets(rig, 'a'), []);
    assert.deepEqual(rig.route('b-a'), { sent: 0, delivered: 0, deferred: 0, drops: {} });
  });

  it('[utest->req~diag.counters~1] a receiver that has not started is a drop with that reason', () => {
    const rig = threeDevices();
    networkOf(rig.plane, 1).stop();
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(rig.route('a-b').drops, { 'receiver-not-ready': 1 });
    assert.deepEqual(packets(rig, 'b'), []);
  });

  it('[utest->req~fault.contain~1] a receiver that is held gets nothing', () => {
    const rig = threeDevices();
    rig.plane.partitions[1]!.running = false;
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(rig.route('a-b').drops, { 'receiver-not-ready': 1 });
  });

  it('[utest->req~queue.reset~1] a receive ring that is stopped gets nothing', () => {
    const rig = threeDevices();
    rig.plane.queues[indexOfQueue(rig, 'b.net0.receiveq0')]!.ring.stop();
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(rig.route('a-b').drops, { 'receiver-not-ready': 1 });
    assert.equal(rig.guest('b').receive[0]!.usedIndex, 0);
  });

  it('[utest->req~diag.counters~1] bytes of the queue count packets without their virtio-net header', () => {
    const rig = threeDevices();
    rig.send('a', rig.packet('a', 'b', 100));
    rig.send('a', rig.packet('a', 'b', 61));
    rig.frames();
    const queue = rig.plan.queues.find(({ name }) => name === 'a.net0.transmitq0')!;
    assert.deepEqual(
      [0, 1].map((counter) => rig.counters.queue(queue.index, counter)),
      [2, 161],
    );
  });

  it(
    '[utest->req~sched.work-bound~1] ' +
      'a packet beyond the bytes of its window waits for the next major frame',
    () => {
      const rig = new Rig({
        devices: { a: netDevice(1), b: netDevice(2) },
        schedule: {
          windows: [
            {
              id: 'w-a',
              partition: 'a',
              offsetUs: 0,
              durationUs: 4000,
              pollUs: 1000,
              queues: [
                {
                  queue: 'net0.transmitq0',
                  requestsMax: 100,
                  requestsGuaranteed: 1,
                  bytesMax: 1600,
                },
              ],
            },
          ],
        },
      });
      rig.supply('b', 4);
      const sent = [rig.packet('a', 'b', 1000), rig.packet('a', 'b', 601)];
      sent.forEach((packet) => rig.send('a', packet));
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), sent.slice(0, 1));
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), sent);
    },
  );
});

describe('VLANs on routes', () => {
  function oneRoute(options: Parameters<typeof route>[2], deviceOptions = {}): Rig {
    const rig = new Rig({
      devices: { a: netDevice(1, deviceOptions), b: netDevice(2) },
      routes: [route('a', 'b', options)],
    });
    rig.supply('b', 8);
    return rig;
  }

  it('[utest->req~net.vlan~1] a route for untagged packets carries no tagged one', () => {
    const rig = oneRoute({ vlan: null });
    for (const id of [0, 1, 10, 4095]) rig.send('a', tagged(rig.packet('a', 'b'), id));
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), []);
    assert.equal(rig.unrouted('a.net0.transmitq0'), 4);
  });

  it('[utest->req~net.vlan~1] a route for one VLAN carries this VLAN only, tag kept', () => {
    const rig = oneRoute({ vlan: 10 });
    const packet = tagged(rig.packet('a', 'b'), 10);
    rig.send('a', rig.packet('a', 'b'));
    for (const other of [11, 266]) rig.send('a', tagged(rig.packet('a', 'b'), other));
    rig.send('a', packet);
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [packet]);
    assert.equal(rig.unrouted('a.net0.transmitq0'), 3);
  });

  it('[utest->req~net.vlan~1] priority bits do not change the VLAN, and stay in a kept tag', () => {
    const rig = oneRoute({ vlan: 0x123 });
    const packet = tagged(rig.packet('a', 'b'), 0xe123);
    rig.send('a', packet);
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [packet]);
  });

  for (const bytes of [14, 40, 63, 64, 65, 70, 1514]) {
    it(`[utest->req~net.vlan~1] a tag is inserted into ${bytes} bytes, which stay the same`, () => {
      const rig = oneRoute({ vlan: 0x123, vlanAction: 'insert' });
      const packet = rig.packet('a', 'b', bytes);
      rig.send('a', packet);
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [tagged(packet, 0x123)]);
    });

    it(`[utest->req~net.vlan~1] a tag is removed from ${bytes + 4} bytes, which stay the same`, () => {
      const rig = oneRoute({ vlan: 0x123, vlanAction: 'remove' });
      const packet = rig.packet('a', 'b', bytes);
      rig.send('a', tagged(packet, 0x123));
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [packet]);
    });
  }

  for (const action of ['insert', 'remove'] as const) {
    it(`[utest->req~net.vlan~1] a packet in many pieces is whole after its tag: ${action}`, () => {
      const rig = oneRoute({ vlan: 7, vlanAction: action }, { descriptorsMax: 64 });
      const plain = rig.packet('a', 'b', 300);
      const sent = action === 'insert' ? plain : tagged(plain, 7);
      sendPieces(
        rig,
        'a',
        split([...new Array(12).fill(0), ...sent], [5, 9, 30, 17, 40, 1, 1, 60]),
      );
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [action === 'insert' ? tagged(plain, 7) : plain]);
    });
  }

  it('[utest->req~net.vlan~1] a route that inserts a tag carries no packet that has one', () => {
    const rig = oneRoute({ vlan: 10, vlanAction: 'insert' });
    rig.send('a', tagged(rig.packet('a', 'b'), 10));
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), []);
  });

  it('[utest->req~net.vlan~1] a route that removes a tag carries no packet without it', () => {
    const rig = oneRoute({ vlan: 10, vlanAction: 'remove' });
    rig.send('a', rig.packet('a', 'b'));
    rig.send('a', tagged(rig.packet('a', 'b'), 12));
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), []);
  });

  it('[utest->req~net.vlan~1] two routes to one device keep two VLANs apart', () => {
    const rig = new Rig({
      routes: [
        route('a', 'b', { id: 'v10', vlan: 10 }),
        route('a', 'b', { id: 'v20', vlan: 20, vlanAction: 'remove' }),
      ],
    });
    rig.supply('b', 4);
    const packet = rig.packet('a', 'b');
    rig.send('a', tagged(packet, 20));
    rig.send('a', tagged(packet, 10));
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [packet, tagged(packet, 10)]);
    assert.deepEqual([rig.route('v10').delivered, rig.route('v20').delivered], [1, 1]);
  });

  for (const [name, types] of [
    ['an 802.1Q tag behind one', [0x81, 0x00, 0, 10, 0x81, 0x00, 0, 20]],
    ['a service tag behind an 802.1Q tag', [0x81, 0x00, 0, 10, 0x88, 0xa8, 0, 20]],
    ['a service tag first', [0x88, 0xa8, 0, 10, 0x81, 0x00, 0, 20]],
  ] as const) {
    it(`[utest->req~net.vlan~1] stacked tags are refused: ${name}`, () => {
      const rig = oneRoute({ vlan: 10, vlanAction: 'remove' });
      const plain = rig.packet('a', 'b');
      rig.send('a', [...plain.slice(0, 12), ...types, ...plain.slice(12)]);
      rig.frames();
      assert.deepEqual(rig.faults('a'), { 'vlan-stacked': 1 });
      assert.deepEqual(packets(rig, 'b'), []);
    });
  }

  it('[utest->req~net.vlan~1] a tag that the packet is too short for is refused', () => {
    const rig = oneRoute({ vlan: 10 });
    const packet = tagged(rig.packet('a', 'b', 14), 10);
    rig.send('a', packet.slice(0, 17));
    rig.frames();
    assert.deepEqual(rig.faults('a'), { 'packet-too-short': 1 });
    rig.send('a', packet);
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [packet]);
  });

  it('[utest->req~net.receive-filter~1] the VLAN table judges the tag that the receiver sees', () => {
    const rig = new Rig({
      devices: { a: netDevice(1), b: netDevice(2, { offer: features('CTRL_VQ', 'CTRL_VLAN') }) },
      routes: [route('a', 'b', { vlan: 10, vlanAction: 'insert' })],
    });
    rig.supply('b', 2);
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.equal(rig.unrouted('a.net0.transmitq0'), 1);
    networkOf(rig.plane, 1).filter.setVlan(10, true);
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [tagged(rig.packet('a', 'b'), 10)]);
  });
});
