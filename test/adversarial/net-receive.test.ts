/** Hostile receivers: the packet is lost to them alone, sender and neighbours go on, nothing old is shown. */
import { strict as assert } from 'node:assert';
import { NetHeaderFlag } from '../../src/wire/virtio-net.ts';
import { UDP, unfinished } from '../support/inet.ts';
import {
  arrivals,
  features,
  indexOfQueue,
  netHeader,
  packets,
  postQueueStart,
  supplyPieces,
} from '../support/net-guest.ts';
import { besideHonestPair, type Attack } from '../support/net-neighbours.ts';
import type { Rig } from '../support/rig.ts';

const MERGEABLE = { offer: features('MRG_RXBUF') };
const SECRET = 0x5a;
const FILL = 0xc3;
const FIFTY = new Array(50).fill(FILL);

const usedLengths = (rig: Rig) =>
  rig.guest('mallory').receive[0]!.usedElements.map(({ length }) => length);

/** Mallory's buffers are hostile; the victim sends one packet to them. */
function hostileReceiver(attack: Partial<Attack>, supply: (rig: Rig) => void, bytes = 200): Rig {
  return besideHonestPair({
    ...attack,
    run: (rig) => {
      supply(rig);
      rig.send('victim', rig.packet('victim', 'mallory', bytes));
    },
  });
}

/** The sender got its buffer back, did nothing wrong, and is served on. */
function assertSenderGoesOn(rig: Rig, reason: string): void {
  assert.deepEqual(rig.route('victim-mallory').drops, { [reason]: 1 });
  assert.deepEqual(rig.faults('victim'), {});
  assert.deepEqual(rig.guest('victim').transmit[0]!.usedElements, [{ id: 0, length: 0 }]);
  if (!rig.plane.queues[indexOfQueue(rig, 'mallory.net0.receiveq0')]!.ring.started) {
    postQueueStart(rig, 'mallory', indexOfQueue(rig, 'mallory.net0.receiveq0'));
    rig.frames();
  }
  const delivered = rig.route('victim-mallory').delivered;
  rig.supply('mallory', 1);
  rig.send('victim', rig.packet('victim', 'mallory'));
  rig.frames();
  assert.equal(rig.route('victim-mallory').delivered, delivered + 1);
}

describe('hostile receive buffers', () => {
  for (const [name, bytes] of [
    ['no byte', 0],
    ['1 byte', 1],
    ['a byte less than the header', 11],
  ] as const) {
    for (const [kind, mallory] of [
      ['alone', {}],
      ['merged', MERGEABLE],
    ] as const) {
      it(
        `[utest->req~net.receive-buffers~1] ` +
          `a buffer of ${name}, ${kind}: returned, the packet dropped (catalogue 38)`,
        () => {
          const rig = hostileReceiver({ mallory }, (attacked) =>
            supplyPieces(attacked, 'mallory', [bytes]),
          );
          const fault = bytes === 0 ? 'chain-empty' : 'receive-buffer-too-small';
          assert.deepEqual(rig.faults('mallory'), { [fault]: 1 });
          assert.deepEqual(usedLengths(rig), [0]);
          assertSenderGoesOn(rig, 'receiver-fault');
        },
      );
    }
  }

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'a buffer for the header alone, without merging, is too small (catalogue 38)',
    () => {
      const rig = hostileReceiver({}, (attacked) => supplyPieces(attacked, 'mallory', [12]));
      assert.deepEqual(rig.faults('mallory'), { 'receive-buffer-too-small': 1 });
      assertSenderGoesOn(rig, 'receiver-fault');
    },
  );

  it('[utest->req~queue.chain-checked~1] a device-readable receive buffer is refused (catalogue 13)', () => {
    const rig = hostileReceiver({}, (attacked) => {
      const { slice, receive } = attacked.guest('mallory');
      receive[0]!.submit([{ address: slice.allocate(2048), length: 2048 }]);
    });
    assert.deepEqual(rig.faults('mallory'), { 'wrong-direction': 1 });
    assertSenderGoesOn(rig, 'receiver-fault');
  });

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'too few merged buffers: none is taken, none is written (catalogue 37)',
    () => {
      let addresses: number[] = [];
      const rig = hostileReceiver({ mallory: MERGEABLE }, (attacked) => {
        addresses = [50, 50, 50].flatMap((length) => supplyPieces(attacked, 'mallory', [length]));
        for (const address of addresses) attacked.guest('mallory').slice.write(address, FIFTY);
      });
      for (const address of addresses)
        assert.deepEqual(rig.guest('mallory').slice.read(address, 50), FIFTY);
      assert.deepEqual(usedLengths(rig), []);
      assertSenderGoesOn(rig, 'no-receive-buffer');
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'a packet over ever smaller buffers ends at the limit of descriptors (catalogue 37)',
    () => {
      const rig = hostileReceiver({ mallory: MERGEABLE }, (attacked) => {
        for (let n = 0; n < 60; n++) supplyPieces(attacked, 'mallory', [n === 0 ? 12 : 1]);
      });
      assert.deepEqual(rig.faults('mallory'), { 'receive-buffer-too-small': 1 });
      assert.deepEqual(usedLengths(rig), new Array(20).fill(0));
      assert.deepEqual(rig.faults('victim'), {});
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'one buffer of many descriptors ends at the limit (catalogue 37)',
    () => {
      const pieces = new Array(60).fill(8);
      const rig = hostileReceiver({ mallory: MERGEABLE }, (attacked) =>
        supplyPieces(attacked, 'mallory', pieces),
      );
      assert.deepEqual(rig.faults('mallory'), { 'chain-too-long': 1 });
      assertSenderGoesOn(rig, 'receiver-fault');
    },
  );

  it(
    '[utest->req~queue.used-order~1] ' +
      'num_buffers is what was used, written before it is announced (catalogue 37)',
    () => {
      const rig = hostileReceiver({ mallory: MERGEABLE }, (attacked) => {
        for (let n = 0; n < 8; n++) supplyPieces(attacked, 'mallory', [64]);
      });
      const [arrival] = arrivals(rig, 'mallory');
      assert.deepEqual([arrival!.header.buffers, arrival!.lengths], [4, [64, 64, 64, 20]]);
      assert.deepEqual(arrival!.packet, rig.packet('victim', 'mallory', 200));
    },
  );

  it(
    '[utest->req~queue.chain-returned~1] ' +
      'a bad buffer among the merged ones sends all of them back (catalogue 37)',
    () => {
      const rig = hostileReceiver({ mallory: MERGEABLE }, (attacked) => {
        supplyPieces(attacked, 'mallory', [100]);
        attacked.guest('mallory').receive[0]!.submit([{ address: 2 ** 40, length: 100, flags: 2 }]);
      });
      assert.deepEqual(usedLengths(rig), [0, 0]);
      assert.deepEqual(rig.faults('mallory'), { 'address-out-of-range': 1 });
      assertSenderGoesOn(rig, 'receiver-fault');
    },
  );

  it(
    '[utest->req~queue.in-flight-once~1] ' +
      'the same head twice for one packet stops the ring (catalogue 6)',
    () => {
      const rig = hostileReceiver({ mallory: MERGEABLE }, (attacked) => {
        supplyPieces(attacked, 'mallory', [100]);
        attacked.guest('mallory').receive[0]!.repeat(0);
      });
      assert.deepEqual(rig.faults('mallory'), { 'head-in-flight': 1 });
      assert.deepEqual(usedLengths(rig), []);
      assertSenderGoesOn(rig, 'receiver-fault');
    },
  );

  it(
    '[utest->req~queue.index-plausible~1] ' +
      'what cannot have been made available stops the ring (catalogue 4)',
    () => {
      let fault = '';
      const rig = hostileReceiver({}, (attacked) => {
        fault = attacked.guest('mallory').receive[0]!.breakAtLook();
      });
      assert.deepEqual(rig.faults('mallory'), { [fault]: 1 });
      assertSenderGoesOn(rig, 'receiver-fault');
    },
  );

  for (const [bytes, arrives] of [
    [513, true],
    [514, true],
    [515, false],
  ] as const) {
    it(
      `[utest->req~net.length~1] ` +
        `${bytes} bytes for an MTU of 500 ${arrives ? 'arrive' : 'are dropped'} (catalogue 39)`,
      () => {
        const mallory = { mtu: 500 };
        const rig = hostileReceiver(
          { mallory },
          (attacked) => attacked.supply('mallory', 1),
          bytes,
        );
        assert.equal(packets(rig, 'mallory').length, arrives ? 1 : 0);
        if (!arrives) assertSenderGoesOn(rig, 'too-long-for-receiver');
      },
    );
  }
});

describe('old bytes', () => {
  it(
    '[utest->req~mem.zero-residue~1] ' +
      'a short packet behind long ones shows nothing of them (catalogue 43)',
    () => {
      let address = 0;
      const rig = besideHonestPair({
        victim: { offer: features('CSUM') },
        mallory: { mtu: 500 },
        run: (attacked) => {
          const macs = attacked.packet('victim', 'mallory').slice(0, 12);
          [address = 0] = attacked.supply('mallory', 1, 2048);
          attacked.guest('mallory').slice.write(address, new Array(2048).fill(FILL));
          attacked.send('victim', [...macs, 8, 6, ...new Array(1400).fill(SECRET)]);
          const udp = unfinished({
            version: 4,
            protocol: UDP,
            payload: new Array(1400).fill(SECRET),
            macs,
          });
          const { checksumStart, checksumOffset } = udp;
          attacked.send(
            'victim',
            udp.bytes,
            netHeader({ flags: NetHeaderFlag.NEEDS_CSUM, checksumStart, checksumOffset }),
          );
          attacked.send('victim', attacked.packet('victim', 'mallory', 14));
        },
      });
      assert.deepEqual(rig.route('victim-mallory').drops, { 'too-long-for-receiver': 2 });
      assert.deepEqual(rig.guest('mallory').slice.read(address, 2048), [
        ...netHeader({ buffers: 1 }),
        ...rig.packet('victim', 'mallory', 14),
        ...new Array(2022).fill(FILL),
      ]);
      const { slice } = rig.guest('mallory');
      const memory = Buffer.from(slice.arena.u8.slice(slice.sliceAt, slice.sliceAt + slice.size));
      assert.equal(memory.indexOf(Buffer.alloc(4, SECRET)), -1);
    },
  );

  for (const mallory of [{}, MERGEABLE]) {
    const kind = 'offer' in mallory ? 'merged' : 'single';
    it(
      `[utest->req~mem.zero-residue~1] ` +
        `the unused tail of a ${kind} buffer keeps its bytes (catalogue 43)`,
      () => {
        let address = 0;
        const rig = hostileReceiver(
          { mallory },
          (attacked) => {
            [address = 0] = attacked.supply('mallory', 1, 2048);
            attacked.guest('mallory').slice.write(address, new Array(2048).fill(FILL));
          },
          61,
        );
        const buffer = rig.guest('mallory').slice.read(address, 2048);
        assert.deepEqual(buffer.slice(12, 73), rig.packet('victim', 'mallory', 61));
        assert.deepEqual(buffer.slice(73), new Array(1975).fill(FILL));
      },
    );
  }

  it('[utest->req~mem.zero-residue~1] a buffer that is refused is returned as it was (catalogue 43)', () => {
    let addresses: number[] = [];
    const rig = hostileReceiver({}, (attacked) => {
      addresses = supplyPieces(attacked, 'mallory', [100, 50]);
      for (const address of addresses) attacked.guest('mallory').slice.write(address, FIFTY);
    });
    assert.deepEqual(rig.faults('mallory'), { 'receive-buffer-too-small': 1 });
    for (const address of addresses)
      assert.deepEqual(rig.guest('mallory').slice.read(address, 50), FIFTY);
  });
});
