/** Receive buffers that break a rule, packets too long for a receiver, and what a receiver never sees. */
import { strict as assert } from 'node:assert';
import {
  arrivals,
  features,
  indexOfQueue,
  netHeader,
  packets,
  sendPieces,
  split,
  supplyPieces,
  tagged,
} from '../../support/net-guest.ts';
import { FILL, assertDropped, oneWay, sendOne, supplyEach } from '../../support/one-way.ts';
import { Rig, netDevice, route, type DeviceOptions } from '../../support/rig.ts';

const MERGEABLE: DeviceOptions = { offer: features('MRG_RXBUF') };

describe('receive buffers that break a rule', () => {
  it('[utest->req~queue.chain-checked~1] a device-readable receive buffer is its driver’s fault', () => {
    const rig = oneWay();
    const { slice, receive } = rig.guest('b');
    receive[0]!.submit([{ address: slice.allocate(2048), length: 2048 }]);
    sendOne(rig, 64);
    assertDropped(rig, 'receiver-fault', { 'wrong-direction': 1 }, [0]);
  });

  it('[utest->req~queue.chain-checked~1] a receive buffer without bytes is its driver’s fault', () => {
    const rig = oneWay();
    supplyPieces(rig, 'b', [0, 0]);
    sendOne(rig, 64);
    assertDropped(rig, 'receiver-fault', { 'chain-empty': 1 }, [0]);
  });

  it(
    '[utest->req~queue.chain-returned~1] ' +
      'a faulty buffer takes those before it back with it, none of them written',
    () => {
      const rig = oneWay(MERGEABLE);
      const [first] = supplyEach(rig, 40);
      rig.guest('b').receive[0]!.submit([{ address: 1, length: 2048, flags: 2 }]);
      supplyEach(rig, 2048);
      sendOne(rig, 100);
      assertDropped(rig, 'receiver-fault', { 'address-out-of-range': 1 }, [0, 0]);
      assert.deepEqual(rig.guest('b').slice.read(first!, 40), new Array(40).fill(FILL));
      const packet = sendOne(rig, 100);
      assert.deepEqual(arrivals(rig, 'b').at(-1)!.packet, packet);
    },
  );

  it(
    '[utest->req~queue.in-flight-once~1] ' +
      'a receive ring that breaks at a head stops, and the sender goes on',
    () => {
      const rig = oneWay(MERGEABLE);
      supplyEach(rig, 40);
      rig.guest('b').receive[0]!.repeat(0);
      sendOne(rig, 100);
      assertDropped(rig, 'receiver-fault', { 'head-in-flight': 1 }, []);
      sendOne(rig, 64);
      assert.deepEqual(rig.route('a-b').drops, { 'receiver-fault': 2 });
    },
  );

  it(
    '[utest->req~queue.index-plausible~1] ' +
      'a receive ring that breaks at its index stops, and reports once',
    () => {
      const rig = oneWay();
      const fault = rig.guest('b').receive[0]!.breakAtLook();
      sendOne(rig, 64);
      assertDropped(rig, 'receiver-fault', { [fault]: 1 }, []);
    },
  );

  it(
    '[utest->req~queue.index-plausible~1] ' +
      'a receive ring that breaks between two buffers of a packet writes neither',
    () => {
      const rig = oneWay(MERGEABLE);
      const [first] = supplyEach(rig, 40);
      rig.plane.queues[indexOfQueue(rig, 'b.net0.receiveq0')]!.look();
      const fault = rig.guest('b').receive[0]!.breakAtLook();
      sendOne(rig, 100);
      assertDropped(rig, 'receiver-fault', { [fault]: 1 }, []);
      assert.deepEqual(rig.guest('b').slice.read(first!, 40), new Array(40).fill(FILL));
    },
  );
});

describe('length limit of a receiver', () => {
  for (const [name, tag, most] of [
    ['untagged', undefined, 1014],
    ['tagged', 9, 1018],
  ] as const) {
    it(
      `[utest->req~net.length~1] ` +
        `MTU 1000 takes ${most} bytes ${name}, and one more is dropped with its reason`,
      () => {
        const rig = new Rig({
          devices: { a: netDevice(1), b: netDevice(2, { mtu: 1000 }) },
          routes: [route('a', 'b', { vlan: tag ?? null })],
        });
        supplyEach(rig, 2048, 2048);
        const packet = (bytes: number) => {
          const plain = rig.packet('a', 'b', tag === undefined ? bytes : bytes - 4);
          return tag === undefined ? plain : tagged(plain, tag);
        };
        rig.send('a', packet(most + 1));
        rig.send('a', packet(most));
        rig.frames();
        assert.deepEqual(packets(rig, 'b'), [packet(most)]);
        assert.deepEqual(rig.route('a-b').drops, { 'too-long-for-receiver': 1 });
        assert.deepEqual(rig.faults('b'), {});
      },
    );
  }

  it('[utest->req~net.length~1] the limit is that of the packet as the receiver gets it', () => {
    const rig = new Rig({
      devices: { a: netDevice(1), b: netDevice(2, { mtu: 1000 }) },
      routes: [route('a', 'b', { vlan: 9, vlanAction: 'remove' })],
    });
    supplyEach(rig, 2048);
    rig.send('a', tagged(rig.packet('a', 'b', 1015), 9));
    rig.frames();
    assert.deepEqual(rig.route('a-b').drops, { 'too-long-for-receiver': 1 });
  });
});

describe('bytes behind a packet', () => {
  it('[utest->req~mem.zero-residue~1] pieces of an earlier packet do not follow a shorter one', () => {
    const rig = oneWay(MERGEABLE);
    supplyPieces(rig, 'b', [2048]);
    const header = netHeader();
    sendPieces(
      rig,
      'a',
      split([...header, ...rig.packet('a', 'b', 900)], [76, 100, 100, 100, 100]),
    );
    const pieces = [30, 30, 1000];
    const addresses = supplyPieces(rig, 'b', pieces);
    addresses.forEach((address, n) =>
      rig.guest('b').slice.write(address, new Array(pieces[n]!).fill(FILL)),
    );
    sendPieces(rig, 'a', split([...header, ...rig.packet('a', 'b', 100)], [76]));
    rig.frames();
    const bytes = addresses.flatMap((address, n) => rig.guest('b').slice.read(address, pieces[n]!));
    assert.deepEqual(bytes.slice(12, 112), rig.packet('a', 'b', 100));
    assert.deepEqual(bytes.slice(112), new Array(1060 - 112).fill(FILL));
  });
});

describe('header at the receiver', () => {
  it(
    '[utest->req~mem.zero-residue~1] ' +
      'nothing of the sender’s header reaches a receiver without offloads',
    () => {
      const rig = oneWay();
      const [address] = supplyEach(rig, 2048);
      rig.send('a', rig.packet('a', 'b'), [0xf8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      rig.frames();
      assert.deepEqual(rig.guest('b').slice.read(address!, 12), netHeader({ buffers: 1 }));
    },
  );
});
