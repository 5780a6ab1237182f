/** Receive buffers: what a packet takes, in which form, and what happens when they do not do. */
import { strict as assert } from 'node:assert';
import {
  arrivals,
  features,
  netHeader,
  packets,
  supplyPieces,
  tagged,
} from '../../support/net-guest.ts';
import {
  FILL,
  assertDropped,
  oneWay,
  sendOne,
  supplyEach,
  usedLengths,
} from '../../support/one-way.ts';
import { Rig, netDevice, route, type DeviceOptions } from '../../support/rig.ts';

const MERGEABLE: DeviceOptions = { offer: features('MRG_RXBUF') };

describe('one receive buffer per packet', () => {
  it('[utest->req~net.receive-buffers~1] the used length is header and packet, and num_buffers is 1', () => {
    const rig = oneWay();
    supplyEach(rig, 2048, 2048);
    const packet = sendOne(rig, 77);
    const [arrival] = arrivals(rig, 'b');
    assert.deepEqual(
      [arrival!.packet, arrival!.lengths, arrival!.header.buffers],
      [packet, [89], 1],
    );
    assert.equal(usedLengths(rig).length, 1);
  });

  for (const bytes of [14, 63, 64, 65, 1514]) {
    it(`[utest->req~mem.zero-residue~1] behind ${bytes} bytes the buffer stays as its driver left it`, () => {
      const rig = oneWay();
      const [address] = supplyEach(rig, 2048);
      const packet = sendOne(rig, bytes);
      const buffer = rig.guest('b').slice.read(address!, 2048);
      assert.deepEqual(buffer.slice(0, 12), netHeader({ buffers: 1 }));
      assert.deepEqual(buffer.slice(12, 12 + bytes), packet);
      assert.deepEqual(buffer.slice(12 + bytes), new Array(2036 - bytes).fill(FILL));
    });
  }

  it('[utest->req~net.receive-buffers~1] a buffer that fits exactly is used up', () => {
    const rig = oneWay();
    supplyEach(rig, 112);
    const packet = sendOne(rig, 100);
    assert.deepEqual(packets(rig, 'b'), [packet]);
  });

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'a buffer one byte below the least and the packet is the receiver’s fault',
    () => {
      const rig = oneWay();
      supplyEach(rig, 1525);
      sendOne(rig, 1514);
      assertDropped(rig, 'receiver-fault', { 'receive-buffer-too-small': 1 }, [0]);
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'a buffer of the least length that is short for a tag is kept for another packet',
    () => {
      const rig = new Rig({
        routes: [route('a', 'b', { vlan: 3 }), route('a', 'b', { id: 'plain' })],
      });
      supplyPieces(rig, 'b', [1526]);
      rig.send('a', tagged(rig.packet('a', 'b', 1514), 3));
      rig.frames();
      assertDropped(rig, 'too-long-for-receiver', {}, []);
      const packet = sendOne(rig, 1514);
      assert.deepEqual(packets(rig, 'b'), [packet]);
    },
  );

  it('[utest->req~net.receive-buffers~1] without MRG_RXBUF no second buffer is taken (5.1.9.3.2)', () => {
    const rig = oneWay();
    supplyEach(rig, 100, 2048);
    sendOne(rig, 200);
    assertDropped(rig, 'receiver-fault', { 'receive-buffer-too-small': 1 }, [0]);
  });

  it('[utest->req~net.receive-buffers~1] no buffer: the packet is dropped and the sender goes on', () => {
    const rig = oneWay();
    sendOne(rig, 64);
    assertDropped(rig, 'no-receive-buffer', {}, []);
    supplyEach(rig, 2048);
    const packet = sendOne(rig, 65);
    assert.deepEqual(packets(rig, 'b'), [packet]);
  });

  for (const [bytes, max, delivered] of [
    [100, 4, true],
    [100, 3, false],
  ] as const) {
    it(
      `[utest->req~net.receive-buffers~1] ` +
        `a buffer of 4 descriptors with at most ${max}: ${delivered ? 'used' : 'refused'}`,
      () => {
        const rig = oneWay({}, max);
        supplyPieces(rig, 'b', [12, 50, 1, 2000]);
        const packet = sendOne(rig, bytes);
        if (delivered) assert.deepEqual(packets(rig, 'b'), [packet]);
        else assertDropped(rig, 'receiver-fault', { 'chain-too-long': 1 }, [0]);
      },
    );
  }

  it('[utest->req~net.receive-buffers~1] each route has its own limit of descriptors at one receiver', () => {
    const rig = new Rig({
      routes: [
        route('a', 'b', { id: 'few', receiveDescriptorsMax: 2 }),
        route('a', 'b', { id: 'many', vlan: 3, vlanAction: 'remove', receiveDescriptorsMax: 3 }),
      ],
    });
    for (let n = 0; n < 2; n++) supplyPieces(rig, 'b', [12, 20, 2000]);
    rig.send('a', rig.packet('a', 'b'));
    rig.send('a', tagged(rig.packet('a', 'b'), 3));
    rig.frames();
    assert.deepEqual(
      [rig.route('few').drops, rig.route('many').drops],
      [{ 'receiver-fault': 1 }, {}],
    );
    assert.deepEqual(arrivals(rig, 'b')[1]!.packet, rig.packet('a', 'b'));
  });
});

describe('receive buffers that are merged', () => {
  it(
    '[utest->req~net.receive-buffers~1] ' +
      'all buffers but the last are full, and num_buffers counts them (5.1.9.4.1)',
    () => {
      const rig = oneWay(MERGEABLE);
      const buffers = supplyEach(rig, 40, 25, 13, 50, 64);
      const packet = sendOne(rig, 100);
      const [arrival] = arrivals(rig, 'b');
      assert.deepEqual(arrival!.packet, packet);
      assert.deepEqual(arrival!.lengths, [40, 25, 13, 34]);
      assert.equal(arrival!.header.buffers, 4);
      assert.deepEqual(rig.guest('b').slice.read(buffers[3]! + 34, 16), new Array(16).fill(FILL));
      assert.deepEqual(rig.guest('b').slice.read(buffers[4]!, 64), new Array(64).fill(FILL));
    },
  );

  it('[utest->req~net.receive-buffers~1] a packet that ends with a buffer takes no further one', () => {
    const rig = oneWay(MERGEABLE);
    supplyEach(rig, 56, 56, 56);
    sendOne(rig, 100);
    assert.deepEqual(usedLengths(rig), [56, 56]);
  });

  it('[utest->req~net.receive-buffers~1] the first buffer may hold the header alone', () => {
    const rig = oneWay(MERGEABLE);
    supplyEach(rig, 12, 100);
    const packet = sendOne(rig, 64);
    assert.deepEqual(arrivals(rig, 'b')[0]!.lengths, [12, 64]);
    assert.deepEqual(packets(rig, 'b'), [packet]);
  });

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'a first buffer without room for the header is the receiver’s fault',
    () => {
      const rig = oneWay(MERGEABLE);
      supplyEach(rig, 11, 2048);
      sendOne(rig, 64);
      assertDropped(rig, 'receiver-fault', { 'receive-buffer-too-small': 1 }, [0]);
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'too few buffers: none is written, all stay for the next packet',
    () => {
      const rig = oneWay(MERGEABLE);
      const buffers = supplyEach(rig, 40, 40);
      sendOne(rig, 100);
      assertDropped(rig, 'no-receive-buffer', {}, []);
      for (const address of buffers) {
        assert.deepEqual(rig.guest('b').slice.read(address, 40), new Array(40).fill(FILL));
      }
      supplyEach(rig, 60);
      const packet = sendOne(rig, 101);
      assert.deepEqual(packets(rig, 'b'), [packet]);
      assert.deepEqual(usedLengths(rig), [40, 40, 33]);
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'a packet over exactly the descriptors of its route is delivered',
    () => {
      const rig = oneWay(MERGEABLE, 5);
      supplyEach(rig, 20, 20, 20, 20, 20);
      const packet = sendOne(rig, 88);
      assert.deepEqual(packets(rig, 'b'), [packet]);
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'one descriptor more is the receiver’s fault, and all its buffers go back',
    () => {
      const rig = oneWay(MERGEABLE, 5);
      supplyEach(rig, 20, 20, 20, 20, 20, 20);
      sendOne(rig, 89);
      assertDropped(rig, 'receiver-fault', { 'receive-buffer-too-small': 1 }, [0, 0, 0, 0, 0]);
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'the limit of a route holds below that of another to the same device',
    () => {
      const rig = new Rig({
        devices: { a: netDevice(1), b: netDevice(2, MERGEABLE) },
        routes: [
          route('a', 'b', { receiveDescriptorsMax: 3 }),
          route('a', 'b', { id: 'many', vlan: 3, receiveDescriptorsMax: 9 }),
        ],
      });
      supplyEach(rig, 20, 20, 20, 20);
      sendOne(rig, 68);
      assertDropped(rig, 'receiver-fault', { 'chain-too-long': 1 }, [0, 0, 0, 0]);
    },
  );

  it('[utest->req~queue.used-order~1] buffers of one packet become visible together', () => {
    const rig = oneWay(MERGEABLE);
    supplyEach(rig, 40, 40, 40);
    const ring = rig.guest('b').receive[0]!;
    const seen: number[] = [];
    const { publications } = rig.plane;
    const publish = publications.publish.bind(publications);
    publications.publish = (sender) => {
      seen.push(ring.usedIndex);
      publish(sender);
      seen.push(ring.usedIndex);
    };
    sendOne(rig, 100);
    assert.deepEqual(seen.slice(0, 2), [0, 3]);
  });
});

describe('buffers reserved for a route', () => {
  function threeDevices(b: DeviceOptions = {}): Rig {
    return new Rig({
      devices: { a: netDevice(1), b: netDevice(2, b), c: netDevice(3) },
      routes: [route('a', 'b', { receiveReserve: 2 }), route('c', 'b')],
    });
  }

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'another route leaves the reserve, and the reserving route may use it',
    () => {
      const rig = threeDevices();
      supplyEach(rig, 2048, 2048, 2048);
      for (let n = 0; n < 3; n++) rig.send('c', rig.packet('c', 'b'));
      rig.frames();
      assert.deepEqual(
        [rig.route('c-b').delivered, rig.route('c-b').drops],
        [1, { 'no-receive-buffer': 2 }],
      );
      for (let n = 0; n < 3; n++) rig.send('a', rig.packet('a', 'b'));
      rig.frames();
      assert.deepEqual(
        [rig.route('a-b').delivered, rig.route('a-b').drops],
        [2, { 'no-receive-buffer': 1 }],
      );
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'the second buffer of a merged packet does not come from the reserve',
    () => {
      const rig = threeDevices(MERGEABLE);
      supplyEach(rig, 100, 100, 100);
      rig.send('c', rig.packet('c', 'b', 150));
      rig.frames();
      assert.deepEqual(rig.route('c-b').drops, { 'no-receive-buffer': 1 });
      assert.equal(rig.guest('b').receive[0]!.usedIndex, 0);
      supplyEach(rig, 100);
      rig.send('c', rig.packet('c', 'b', 150));
      rig.frames();
      assert.equal(rig.route('c-b').delivered, 1);
    },
  );
});
