/** A queue and its two rings: which one serves, what a start that cannot be does, how far a look goes. */
import { strict as assert } from 'node:assert';
import type { PlanQueue } from '../../../src/schedule/gateway-plan.ts';
import { PackedQueue } from '../../../src/data-plane/virtqueue/packed-queue.ts';
import { SplitQueue } from '../../../src/data-plane/virtqueue/split-queue.ts';
import { packets } from '../../support/net-guest.ts';
import { baseOf, PackedDouble } from '../../support/packed-double.ts';
import { recordStores } from '../../support/recorded-stores.ts';
import { netDevice, Rig, route, type RigOptions } from '../../support/rig.ts';
import { RingDouble } from '../../support/ring-double.ts';

const PACKED = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC', 'VIRTIO_F_RING_PACKED'];

function queueOf(rig: Rig, name: string): PlanQueue {
  return rig.plan.queues.find((queue) => queue.name === name)!;
}

function packedRig(options: RigOptions = {}): Rig {
  const devices = { a: netDevice(1, { offer: PACKED }), b: netDevice(2, { offer: PACKED }) };
  return new Rig({ devices, ...options });
}

/** Starts a ring anew, in the layout of its double. */
function restart(rig: Rig, name: string, double: RingDouble, base?: number): void {
  rig.startRing(queueOf(rig, name).index, double, [], base);
}

describe('the two rings of a queue', () => {
  it('[utest->req~queue.packed-lists~1] the service follows the layout of each start', () => {
    const rig = packedRig();
    const guest = rig.guest('a');
    const { slice } = guest;
    rig.supply('b', 20);
    const sent: number[][] = [];
    const rings = [
      guest.transmit[0]!,
      new RingDouble(slice, 8),
      new PackedDouble(slice, 7),
      new PackedDouble(slice, 5),
      new RingDouble(slice, 16),
    ];
    for (const [n, ring] of rings.entries()) {
      if (n > 0) restart(rig, 'a.net0.transmitq0', ring);
      guest.transmit[0] = ring;
      for (let m = 0; m < 3; m++) {
        const packet = rig.packet('a', 'b', 60 + 10 * n + m);
        rig.send('a', packet);
        sent.push(packet);
      }
      rig.frames();
      assert.equal(ring.usedIndex, 3, `ring ${n}`);
      const { ring: device } = rig.plane.queues[queueOf(rig, 'a.net0.transmitq0').index]!;
      assert.equal(device instanceof PackedQueue, ring.packed);
    }
    assert.deepEqual(packets(rig, 'b'), sent);
  });

  it('[utest->req~queue.reset~1] a start stops the ring of the other layout', () => {
    const rig = packedRig();
    const queue = rig.plane.queues[queueOf(rig, 'a.net0.transmitq0').index]!;
    const packed = queue.ring;
    restart(rig, 'a.net0.transmitq0', new RingDouble(rig.guest('a').slice, 8));
    assert.deepEqual([packed.started, queue.ring.started], [false, true]);
    assert.ok(queue.ring instanceof SplitQueue);
  });

  it('[utest->req~queue.setup-valid~1] a start outside of the ring is a fault once, and the ring is left alone', () => {
    const rig = packedRig();
    const ring = new PackedDouble(rig.guest('a').slice, 5);
    restart(rig, 'a.net0.transmitq0', ring, baseOf({ position: 5, wrap: 1 }));
    rig.guest('a').transmit[0] = ring;
    rig.send('a', rig.packet('a', 'b'));
    rig.frames(3);
    assert.deepEqual(rig.faults('a'), { 'queue-setup-invalid': 1 });
    assert.equal(ring.usedIndex, 0);
  });
});

describe('publication of packed rings', () => {
  it("[utest->req~queue.publish-receiver-first~1] the receiver's first descriptor is marked before the sender's", () => {
    const rig = packedRig();
    rig.supply('b', 3);
    for (let n = 0; n < 3; n++) rig.send('a', rig.packet('a', 'b'));
    const flagsOf = (id: string, role: 'transmit' | 'receive') => {
      const { slice, desc } = rig.guest(id)[role][0]!;
      return slice.at(desc) + 14;
    };
    const places = new Map([
      [flagsOf('a', 'transmit'), 'sender'],
      [flagsOf('b', 'receive'), 'receiver'],
    ]);
    const order = recordStores(rig.plane.arena, () => rig.frames())
      .filter(({ at }) => places.has(at))
      .map(({ at }) => places.get(at));
    assert.deepEqual(order, ['receiver', 'sender']);
  });
});

describe('how far a look at a packed receive ring goes', () => {
  const RESERVE = 100;

  /** Rig in which route b-c leaves so many of c's buffers to route a-c. */
  function reserving(): Rig {
    const receiver = netDevice(3, { offer: PACKED, queueSize: 256 });
    return new Rig({
      devices: { a: netDevice(1), b: netDevice(2), c: receiver },
      routes: [route('a', 'c', { receiveReserve: RESERVE }), route('b', 'c')],
    });
  }

  it('[utest->req~net.receive-buffers~1] behind a reserve of 100 the first packet finds the 101st buffer', () => {
    const rig = reserving();
    rig.supply('c', RESERVE + 1);
    for (let n = 0; n < 2; n++) rig.send('b', rig.packet('b', 'c'));
    rig.frames();
    const { delivered, drops } = rig.route('b-c');
    assert.deepEqual([delivered, drops], [1, { 'no-receive-buffer': 1 }]);
  });

  it('[utest->req~sched.work-bound~1] one packet costs a bounded number of looks, whatever its receiver writes', () => {
    const rig = reserving();
    const ring = rig.guest('c').receive[0] as PackedDouble;
    // Lists of 50: a hundred buffers would be 5,000 descriptors.
    for (let n = 0; n < 5; n++) {
      const piece = { address: rig.guest('c').slice.allocate(64), length: 64, flags: 2 };
      ring.submit(Array.from({ length: 50 }, () => piece));
    }
    const device = rig.plane.queues[queueOf(rig, 'c.net0.receiveq0').index]!.ring as PackedQueue;
    let looks = 0;
    const look = device.look.bind(device);
    device.look = () => {
      looks++;
      return look();
    };
    rig.send('b', rig.packet('b', 'c'));
    rig.frames();
    assert.equal(looks, 4, '250 descriptors, 64 a look');
    assert.deepEqual(rig.route('b-c').drops, { 'no-receive-buffer': 1 });
  });
});
