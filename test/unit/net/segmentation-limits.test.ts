/** TCP packets that are not cut: because they cannot be, or because their receiver takes them whole. */
import { strict as assert } from 'node:assert';
import { GsoType, NetHeaderFlag } from '../../../src/wire/virtio-net.ts';
import { UDP, unfinished } from '../../support/inet.ts';
import {
  arrivals,
  features,
  netHeader,
  packets,
  readHeader,
  tagged,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';
import {
  SENDER,
  assertSegments,
  original,
  segmentsRig,
  sendOriginal,
} from '../../support/segments.ts';

const TAKES_GSO = { offer: features('GUEST_CSUM', 'GUEST_TSO4', 'GUEST_TSO6', 'MRG_RXBUF') };
const PLAIN_HEADER = readHeader(netHeader({ buffers: 1 }));

describe('TCP packets that cannot be cut', () => {
  /** Shows that a packet changed like this is dropped whole, and that the next one arrives. */
  function assertNotCut(change: (bytes: number[]) => number[], version: 4 | 6): void {
    const rig = segmentsRig();
    rig.supply('b', 8);
    const { bytes, headerLength, header } = original(rig, { version });
    const changed = change(bytes);
    const short = changed.length < headerLength;
    rig.send('a', changed, short ? original(rig, { version, header: SHORT }).header : header);
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), []);
    assert.deepEqual(rig.route('a-b').drops, { 'too-long-for-receiver': 1 });
    assert.equal(rig.guest('a').transmit[0]!.usedIndex, 1);
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [rig.packet('a', 'b')]);
  }
  /** Offsets inside any packet, so that only its headers are wrong. */
  const SHORT = { checksumStart: 14, checksumOffset: 0 };
  const put = (at: number, value: number) => (bytes: number[]) => bytes.with(at, value);
  const cut = (length: number) => (bytes: number[]) => bytes.slice(0, length);

  const BROKEN: [string, (bytes: number[]) => number[], 4 | 6][] = [
    ['neither IPv4 nor IPv6', put(13, 6), 4],
    ['an IPv4 header of four words', (bytes) => put(14 + 28, 0x50)(put(14, 0x44)(bytes)), 4],
    ['an IPv4 header of no words', (bytes) => put(14 + 12, 0x50)(put(14, 0x40)(bytes)), 4],
    ['another protocol over IPv4', put(23, UDP), 4],
    ['another next header over IPv6', put(20, 0), 6],
    [
      'an IPv4 header with more options than bytes',
      (bytes) => put(14, 0x4f)(bytes.slice(0, 74 + 19)),
      4,
    ],
    ['an IPv4 header cut short', cut(14 + 19), 4],
    ['a TCP header over IPv4 cut short', cut(34 + 19), 4],
    ['a TCP header of four words', put(14 + 20 + 12, 0x40), 4],
    [
      'a TCP header with more options than bytes',
      (bytes) => put(34 + 12, 0xf0)(bytes.slice(0, 34 + 60)),
      4,
    ],
    ['no payload at all', cut(54), 4],
    ['no payload at all over IPv6', cut(74), 6],
    ['an IPv6 header cut short', cut(14 + 39), 6],
    ['a TCP header over IPv6 cut short', cut(54 + 19), 6],
  ];
  for (const [name, change, version] of BROKEN) {
    it(`[utest->req~mem.bounds~1] dropped, not cut: ${name}`, () => assertNotCut(change, version));
  }

  it(
    '[utest->req~net.length~1] ' +
      'segments beyond the receiver’s MTU are dropped, and the packet counts as dropped',
    () => {
      const rig = segmentsRig({ receiver: { mtu: 1000 } });
      rig.supply('b', 8);
      sendOriginal(rig, { gsoSize: 961, payloadBytes: 2900 });
      rig.frames();
      assert.equal(rig.route('a-b').delivered, 0);
      assert.deepEqual(rig.route('a-b').drops, { 'too-long-for-receiver': 1 });
      const packet = sendOriginal(rig, { gsoSize: 960, payloadBytes: 1900 });
      rig.frames();
      assertSegments(packets(rig, 'b').slice(-2), packet);
    },
  );

  it(
    '[utest->req~diag.counters~1] ' +
      'the first segment that is lost gives the reason, and the packet counts once',
    () => {
      const rig = segmentsRig();
      rig.supply('b', 2);
      sendOriginal(rig);
      rig.frames();
      assert.deepEqual(
        [rig.route('a-b').delivered, rig.route('a-b').drops],
        [0, { 'no-receive-buffer': 1 }],
      );
      assert.equal(packets(rig, 'b').length, 2);
      assert.equal(rig.guest('a').transmit[0]!.usedIndex, 1);
    },
  );

  it(
    '[utest->req~net.offload-completion~1] ' +
      'a packet for two receivers is not cut: it is dropped where it would have to be',
    () => {
      const routes = [route('a', 'b'), route('a', 'c')];
      const rig = segmentsRig({ receiver: TAKES_GSO, routes });
      rig.supply('b', 4);
      rig.supply('c', 8);
      const packet = sendOriginal(rig);
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [packet.bytes]);
      assert.deepEqual(packets(rig, 'c'), []);
      assert.deepEqual(
        [rig.route('a-b').drops, rig.route('a-c').drops],
        [{}, { 'offload-fan-out': 1 }],
      );
    },
  );

  it(
    '[utest->req~net.offload-completion~1] ' +
      'a packet that only one of two routes carries is cut for it',
    () => {
      const rig = segmentsRig({ routes: [route('a', 'b'), route('a', 'c', { vlan: 5 })] });
      rig.supply('b', 8);
      const packet = sendOriginal(rig);
      rig.frames();
      assertSegments(packets(rig, 'b'), packet);
    },
  );
});

describe('TCP packets passed on whole', () => {
  const retagging = (vlanAction: 'insert' | 'remove') => [
    route('a', 'b', { vlan: 30, vlanAction }),
  ];

  for (const version of [4, 6] as const) {
    it(
      `[utest->req~net.offload-completion~1] ` +
        `with GUEST_TSO${version} packet and request arrive as they were sent`,
      () => {
        const rig = segmentsRig({ receiver: TAKES_GSO });
        rig.supply('b', 8);
        const packet = sendOriginal(rig, { version });
        rig.frames();
        const [arrival] = arrivals(rig, 'b');
        assert.deepEqual(arrival!.packet, packet.bytes);
        assert.deepEqual(arrival!.header, { ...readHeader(packet.header), buffers: 2 });
      },
    );

    it(
      `[utest->req~net.offload-completion~1] ` +
        `the other version’s offload alone does not take IPv${version} whole`,
      () => {
        const offer = features('GUEST_CSUM', version === 4 ? 'GUEST_TSO6' : 'GUEST_TSO4');
        const rig = segmentsRig({ receiver: { offer } });
        rig.supply('b', 8);
        const packet = sendOriginal(rig, { version });
        rig.frames();
        assertSegments(packets(rig, 'b'), packet);
      },
    );
  }

  for (const [action, sentTag, shift] of [
    ['insert', undefined, 4],
    ['remove', 30, -4],
  ] as const) {
    it(`[utest->req~net.vlan~1] csum_start and hdr_len move with the tag: ${action}`, () => {
      const rig = segmentsRig({ receiver: TAKES_GSO, routes: retagging(action) });
      rig.supply('b', 8);
      const packet = sendOriginal(rig, sentTag === undefined ? {} : { vlan: sentTag });
      rig.frames();
      const [arrival] = arrivals(rig, 'b');
      const sent = readHeader(packet.header);
      assert.deepEqual(
        arrival!.packet,
        action === 'insert' ? tagged(packet.bytes, 30) : packet.bytes,
      );
      assert.deepEqual(arrival!.header, {
        ...sent,
        buffers: 2,
        headerLength: sent.headerLength + shift,
        checksumStart: sent.checksumStart + shift,
      });
    });
  }

  it(
    '[utest->req~net.offload-completion~1] ' +
      'a header length that was not given stays so when a tag is inserted',
    () => {
      const rig = segmentsRig({ receiver: TAKES_GSO, routes: retagging('insert') });
      rig.supply('b', 8);
      sendOriginal(rig, { header: { headerLength: 0 } });
      rig.frames();
      assert.equal(arrivals(rig, 'b')[0]!.header.headerLength, 0);
    },
  );

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'without MRG_RXBUF a packet longer than its buffer is dropped, the buffer kept',
    () => {
      const rig = segmentsRig({ receiver: { offer: features('GUEST_CSUM', 'GUEST_TSO4') } });
      rig.supply('b', 1, 2048);
      sendOriginal(rig);
      rig.frames();
      assert.deepEqual(rig.route('a-b').drops, { 'too-long-for-receiver': 1 });
      rig.send('a', rig.packet('a', 'b'));
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [rig.packet('a', 'b')]);
    },
  );

  it(
    '[utest->req~net.length~1] ' +
      'the MTU of the receiver does not limit what it takes to segment itself',
    () => {
      const rig = segmentsRig({ receiver: { ...TAKES_GSO, mtu: 68 } });
      rig.supply('b', 8);
      const packet = sendOriginal(rig);
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [packet.bytes]);
    },
  );

  it(
    '[utest->req~net.header-valid~1] ' +
      'a packet of plain UDP in the same queue keeps no segmentation from the one before',
    () => {
      const rig = new Rig({
        devices: { a: netDevice(1, { offer: SENDER }), b: netDevice(2, TAKES_GSO) },
      });
      rig.supply('b', 8);
      sendOriginal(rig);
      const macs = rig.packet('a', 'b').slice(0, 12);
      const udp = unfinished({ version: 4, protocol: UDP, payload: [1], macs });
      const { bytes, checksumStart, checksumOffset } = udp;
      const flags = NetHeaderFlag.NEEDS_CSUM;
      rig.send('a', bytes);
      rig.send('a', bytes, netHeader({ flags, checksumStart, checksumOffset }));
      rig.frames();
      const [first, second, third] = arrivals(rig, 'b').map(({ header }) => header);
      assert.deepEqual([first!.gsoType, first!.flags], [GsoType.TCPV4, flags]);
      assert.deepEqual(second, PLAIN_HEADER);
      assert.deepEqual(third, { ...PLAIN_HEADER, flags, checksumStart, checksumOffset });
    },
  );
});
