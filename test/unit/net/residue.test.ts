/** Whatever the gateway does with a packet, it writes the packet into a buffer and nothing behind. */
import { strict as assert } from 'node:assert';
import { NetHeaderFlag } from '../../../src/wire/virtio-net.ts';
import { TCP, unfinished } from '../../support/inet.ts';
import {
  arrivals,
  features,
  netHeader,
  packets,
  sendPieces,
  split,
  tagged,
  untagged,
} from '../../support/net-guest.ts';
import { FILL, supplyEach } from '../../support/one-way.ts';
import { route, type Rig } from '../../support/rig.ts';
import { assertSegments, segmentsRig, sendOriginal } from '../../support/segments.ts';

const BUFFER = 2048;
const TAG = 99;
const LAYOUTS = [[50, 90, 90, 90], [90, 90], [90], []];

function supplyFilled(rig: Rig, count: number): number[] {
  return supplyEach(rig, ...new Array<number>(count).fill(BUFFER));
}

/** Every used buffer still has the fill behind its used length. */
function assertFillBehind(rig: Rig, buffers: readonly number[]): void {
  const lengths = arrivals(rig, 'b').flatMap((arrival) => arrival.lengths);
  assert.equal(lengths.length, buffers.length);
  lengths.forEach((length, n) => {
    const behind = rig.guest('b').slice.read(buffers[n]! + length, BUFFER - length);
    assert.deepEqual(behind, new Array(BUFFER - length).fill(FILL), `behind buffer ${n}`);
  });
}

describe('bytes behind a packet', () => {
  for (const vlanAction of ['keep', 'insert', 'remove'] as const) {
    const sentTag = vlanAction !== 'insert';
    const asSent = (packet: number[]) => (sentTag ? tagged(packet, TAG) : packet);
    const plainOf = (packet: number[]) => (vlanAction === 'remove' ? packet : untagged(packet));
    const routes = [route('a', 'b', { vlan: TAG, vlanAction })];

    it(`[utest->req~mem.zero-residue~1] packets of ever fewer bytes and pieces: ${vlanAction}`, () => {
      const rig = segmentsRig({ routes });
      const buffers = supplyFilled(rig, 4);
      const plain = [900, 300, 100, 64].map((bytes, n) =>
        rig.packet('a', 'b', bytes).fill(n + 1, 20),
      );
      plain.forEach((packet, n) => {
        sendPieces(rig, 'a', split([...netHeader(), ...asSent(packet)], LAYOUTS[n]!));
      });
      rig.frames();
      assert.deepEqual(packets(rig, 'b').map(plainOf), plain);
      assertFillBehind(rig, buffers);
    });

    it(`[utest->req~mem.zero-residue~1] packets with completed checksums: ${vlanAction}`, () => {
      const rig = segmentsRig({ receiver: { offer: features() }, routes });
      const lengths = [1000, 200, 10];
      const buffers = supplyFilled(rig, lengths.length);
      const macs = rig.packet('a', 'b').slice(0, 12);
      for (const length of lengths) {
        const payload = new Array(length).fill(length & 0xff);
        const packet = unfinished({ version: 4, protocol: TCP, payload, macs });
        const checksumStart = packet.checksumStart + (sentTag ? 4 : 0);
        const { checksumOffset } = packet;
        const flags = NetHeaderFlag.NEEDS_CSUM;
        rig.send('a', asSent(packet.bytes), netHeader({ flags, checksumStart, checksumOffset }));
      }
      rig.frames();
      assert.deepEqual(
        packets(rig, 'b').map((packet) => plainOf(packet).length - 54),
        lengths,
      );
      assertFillBehind(rig, buffers);
    });

    it(`[utest->req~mem.zero-residue~1] segments: ${vlanAction}`, () => {
      const rig = segmentsRig({ routes });
      const buffers = supplyFilled(rig, 4);
      const packet = sendOriginal(rig, sentTag ? { vlan: TAG } : {});
      rig.frames();
      assertSegments(packets(rig, 'b').map(plainOf), packet);
      assertFillBehind(rig, buffers);
    });
  }
});
