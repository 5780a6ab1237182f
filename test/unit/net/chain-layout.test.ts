/** Where driver and device cut a packet into descriptors does not change the packet. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import {
  arrivals,
  features,
  netHeader,
  packets,
  sendPieces,
  split,
  supplyPieces,
  tagged,
  untagged,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';

const seed = Number(process.env['TEST_SEED'] ?? 20_250_117);
const numRuns = Number(process.env['TEST_RUNS'] ?? 150);
const DESCRIPTORS = 64;
const VLAN = 77;
const HEADER = netHeader();
const PLAIN = features();
const MERGEABLE = features('MRG_RXBUF');

type Action = 'keep' | 'insert' | 'remove';

function rigOf(mergeable: boolean, action: Action, slicesFrom = 0): Rig {
  const wide = { queueSize: 128, descriptorsMax: DESCRIPTORS };
  return new Rig({
    slicesFrom,
    devices: {
      a: netDevice(1, wide),
      b: netDevice(2, { ...wide, offer: mergeable ? MERGEABLE : PLAIN }),
    },
    routes: [
      route('a', 'b', {
        receiveDescriptorsMax: DESCRIPTORS,
        vlan: action === 'keep' ? null : VLAN,
        vlanAction: action,
      }),
    ],
  });
}

/** What the sender sends and the receiver must get. */
function forms(rig: Rig, action: Action, bytes: number): { sent: number[]; expected: number[] } {
  const plain = rig.packet('a', 'b', bytes);
  const withTag = tagged(plain, VLAN);
  if (action === 'insert') return { sent: plain, expected: withTag };
  if (action === 'remove') return { sent: withTag, expected: untagged(withTag) };
  return { sent: plain, expected: plain };
}

/** The used lengths that 5.1.9.4.1 asks for: full, full, …, rest. */
function filled(total: number, buffers: readonly (readonly number[])[]): number[] {
  const lengths: number[] = [];
  let left = total;
  for (const pieces of buffers) {
    if (left === 0) break;
    const used = Math.min(
      left,
      pieces.reduce((sum, length) => sum + length, 0),
    );
    lengths.push(used);
    left -= used;
  }
  return lengths;
}

const length = fc.oneof(fc.integer({ min: 14, max: 90 }), fc.integer({ min: 14, max: 1510 }));
const piece = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 30 }),
  fc.integer({ min: 1, max: 800 }),
);
const cuts = fc.array(piece, { maxLength: 40 });
const buffers = fc.array(
  fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
  { maxLength: 8 },
);
const firstBuffer = fc.integer({ min: 12, max: 60 });
const action = fc.constantFrom<Action>('keep', 'insert', 'remove');

describe('layout of descriptor chains', () => {
  for (const pieces of [
    new Array(40).fill(1),
    [4, 4, 4],
    [1, 11],
    [11, 1],
    [11, 2],
    [12],
    [13],
    [12, 6, 6, 2],
    [12, 64],
    [12, 63, 1],
    [76],
    [75, 1],
    [12, 13],
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  ]) {
    it(
      `[utest->req~mem.bounds~1] ` +
        `a packet sent in pieces of ${pieces.join(' ')} and the rest arrives the same`,
      () => {
        const rig = rigOf(false, 'keep');
        const packet = rig.packet('a', 'b', 90);
        rig.supply('b', 1);
        sendPieces(rig, 'a', split([...HEADER, ...packet], pieces));
        rig.frames();
        assert.deepEqual(packets(rig, 'b'), [packet]);
      },
    );

    it(
      `[utest->req~net.receive-buffers~1] ` +
        `a packet received in pieces of ${pieces.join(' ')} and the rest is the same`,
      () => {
        const rig = rigOf(false, 'keep');
        const packet = rig.packet('a', 'b', 90);
        supplyPieces(rig, 'b', [...pieces, 1600]);
        rig.send('a', packet);
        rig.frames();
        assert.deepEqual(packets(rig, 'b'), [packet]);
      },
    );
  }

  it(
    '[utest->req~queue.bounded-walk~1] ' +
      'a packet in as many descriptors as the device admits arrives, one more is refused',
    () => {
      const rig = rigOf(false, 'keep');
      const packet = rig.packet('a', 'b', 90);
      rig.supply('b', 2);
      for (const descriptors of [DESCRIPTORS, DESCRIPTORS + 1]) {
        sendPieces(rig, 'a', split([...HEADER, ...packet], new Array(descriptors - 1).fill(1)));
        rig.frames();
      }
      assert.deepEqual(packets(rig, 'b'), [packet]);
      assert.deepEqual(rig.faults('a'), { 'chain-too-long': 1 });
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'any split of a packet into any pieces of one buffer arrives the same',
    () => {
      fc.assert(
        fc.property(length, cuts, cuts, action, (bytes, sendCuts, receiveCuts, way) => {
          const rig = rigOf(false, way);
          const { sent, expected } = forms(rig, way, bytes);
          supplyPieces(rig, 'b', [...receiveCuts, 1600]);
          sendPieces(rig, 'a', split([...HEADER, ...sent], sendCuts));
          rig.frames();
          const [arrival] = arrivals(rig, 'b');
          assert.deepEqual(arrival!.packet, expected);
          assert.deepEqual(arrival!.lengths, [12 + expected.length]);
          assert.deepEqual(arrival!.header.buffers, 1);
        }),
        { seed, numRuns },
      );
    },
  );

  it('[utest->req~net.receive-buffers~1] any split over merged buffers fills them in order, exactly', () => {
    const layout = fc.tuple(cuts, firstBuffer, buffers);
    fc.assert(
      fc.property(length, action, layout, (bytes, way, [sendCuts, first, more]) => {
        const rig = rigOf(true, way);
        const { sent, expected } = forms(rig, way, bytes);
        const supplied = [[first], ...more, [1600]];
        supplied.forEach((pieces) => supplyPieces(rig, 'b', pieces));
        sendPieces(rig, 'a', split([...HEADER, ...sent], sendCuts));
        rig.frames();
        const [arrival] = arrivals(rig, 'b');
        assert.deepEqual(arrival!.packet, expected);
        assert.deepEqual(arrival!.lengths, filled(12 + expected.length, supplied));
        assert.equal(arrival!.header.buffers, arrival!.lengths.length);
      }),
      { seed, numRuns },
    );
  });
});

describe('layout above 2 GiB', () => {
  it('[utest->req~mem.bounds~1] packets whose arena offsets have the sign bit set arrive the same', () => {
    for (const way of ['keep', 'insert', 'remove'] as const) {
      const rig = rigOf(false, way, 2 ** 31 - 65536);
      const { sent, expected } = forms(rig, way, 500);
      supplyPieces(rig, 'b', [12, 1, 70, 1600]);
      sendPieces(rig, 'a', split([...HEADER, ...sent], [5, 100, 9]));
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [expected]);
    }
  });
});
