/** What a transmitq refuses before anything is decided: direction, length, source address, header. */
import { strict as assert } from 'node:assert';
import { GsoType, NetHeaderFlag } from '../../../src/wire/virtio-net.ts';
import {
  arrivals,
  features,
  netHeader,
  packets,
  sendPieces,
  tagged,
  type HeaderFields,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route, type DeviceOptions } from '../../support/rig.ts';

const PLAIN = netHeader();
const NEEDS_CSUM = NetHeaderFlag.NEEDS_CSUM;
const OFFLOADS = features('CSUM', 'HOST_TSO4', 'HOST_TSO6');
const TAKES_ALL = features('GUEST_CSUM', 'GUEST_TSO4', 'GUEST_TSO6', 'MRG_RXBUF');

function rigOf(a: DeviceOptions = {}, b: DeviceOptions = {}): Rig {
  const rig = new Rig({ devices: { a: netDevice(1, a), b: netDevice(2, b) } });
  rig.supply('b', 8);
  return rig;
}

/** Nothing arrived, the sender's buffer came back with length 0, and the fault is the sender's. */
function assertRefused(rig: Rig, fault: string): void {
  rig.frames();
  assert.deepEqual(rig.faults('a'), { [fault]: 1 });
  assert.deepEqual(rig.faults('b'), {});
  assert.deepEqual(packets(rig, 'b'), []);
  assert.deepEqual(
    rig.guest('a').transmit[0]!.usedElements.map(({ length }) => length),
    [0],
  );
}

function assertArrives(rig: Rig, packet: readonly number[]): void {
  rig.frames();
  assert.deepEqual(rig.faults('a'), {});
  assert.deepEqual(packets(rig, 'b'), [packet]);
}

function assertArrivesOnly(rig: Rig, count: number): void {
  rig.frames();
  assert.equal(packets(rig, 'b').length, count);
  assert.equal(rig.guest('a').transmit[0]!.usedIndex, count);
}

describe('direction and source of a transmitted packet', () => {
  it('[utest->req~queue.chain-checked~1] a chain of a transmitq has no device-writable part', () => {
    const rig = rigOf();
    const { slice, transmit } = rig.guest('a');
    const address = slice.allocate(100);
    slice.write(address, [...PLAIN, ...rig.packet('a', 'b')]);
    transmit[0]!.submit([
      { address, length: 76 },
      { address, length: 1, flags: 2 },
    ]);
    assertRefused(rig, 'wrong-direction');
  });

  it('[utest->req~queue.chain-checked~1] a chain of a transmitq has a device-readable part', () => {
    const rig = rigOf();
    const { slice, transmit } = rig.guest('a');
    transmit[0]!.submit([{ address: slice.allocate(100), length: 0 }]);
    assertRefused(rig, 'wrong-direction');
  });

  it(
    '[utest->req~queue.chain-returned~1] ' +
      'a chain that breaks a rule comes back, and the next packet is served',
    () => {
      const rig = rigOf();
      rig.guest('a').transmit[0]!.submit([{ address: 0, length: 100 }]);
      assertRefused(rig, 'address-out-of-range');
      rig.send('a', rig.packet('a', 'b'));
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [rig.packet('a', 'b')]);
    },
  );

  it('[utest->req~queue.in-flight-once~1] a transmitq that breaks serves what came before, and stops', () => {
    const rig = rigOf();
    rig.guest('a').transmit[0]!.repeat(rig.send('a', rig.packet('a', 'b')));
    rig.send('a', rig.packet('a', 'b'));
    assertArrivesOnly(rig, 1);
    assert.deepEqual(rig.faults('a'), { 'head-in-flight': 1 });
    rig.frames(2);
    assertArrivesOnly(rig, 1);
    assert.deepEqual(rig.faults('a'), { 'head-in-flight': 1 });
  });

  for (let octet = 0; octet < 6; octet++) {
    it(`[utest->req~net.source-guard~1] a source address that differs in octet ${octet} is refused`, () => {
      const rig = rigOf();
      const packet = rig.packet('a', 'b');
      packet[6 + octet]! ^= 0x80;
      rig.send('a', packet);
      assertRefused(rig, 'source-mac-spoofed');
    });
  }

  it('[utest->req~net.source-guard~1] the guard compares all bits of an address with high bits set', () => {
    const rig = rigOf({ mac: 'fe:dc:ba:98:f6:e5' });
    const packet = rig.packet('a', 'b');
    rig.send('a', packet);
    assertArrives(rig, packet);
    packet[11] = 0x65;
    rig.send('a', packet);
    rig.frames();
    assert.deepEqual(rig.faults('a'), { 'source-mac-spoofed': 1 });
  });
});

describe('lengths of a transmitted packet', () => {
  for (const bytes of [0, 1, 13]) {
    it(`[utest->req~net.length~1] ${bytes} bytes behind the header are no Ethernet packet`, () => {
      const rig = rigOf();
      rig.send('a', rig.packet('a', 'b', 14).slice(0, bytes));
      assertRefused(rig, 'packet-too-short');
    });
  }

  it('[utest->req~net.length~1] the shortest packet is an Ethernet header', () => {
    const rig = rigOf();
    const packet = rig.packet('a', 'b', 14);
    rig.send('a', packet);
    assertArrives(rig, packet);
  });

  it('[utest->req~net.length~1] a chain shorter than the virtio-net header is refused', () => {
    const rig = rigOf();
    sendPieces(rig, 'a', [PLAIN.slice(0, 11)]);
    assertRefused(rig, 'packet-too-short');
  });

  for (const mtu of [68, 1500, 9000]) {
    it(`[utest->req~net.length~1] MTU ${mtu}: its own length passes, one byte more does not`, () => {
      const rig = rigOf({ mtu }, { mtu: 9000, offer: features('MRG_RXBUF') });
      const packet = rig.packet('a', 'b', mtu + 14);
      rig.send('a', packet);
      assertArrives(rig, packet);
      rig.send('a', [...packet, 0]);
      rig.frames();
      assert.deepEqual(rig.faults('a'), { 'packet-too-long': 1 });
    });

    it(`[utest->req~net.length~1] MTU ${mtu} with a tag: four bytes more pass, five do not`, () => {
      const rig = new Rig({
        devices: {
          a: netDevice(1, { mtu }),
          b: netDevice(2, { mtu: 9000, offer: features('MRG_RXBUF') }),
        },
        routes: [route('a', 'b', { vlan: 5 })],
      });
      rig.supply('b', 8);
      const packet = tagged(rig.packet('a', 'b', mtu + 14), 5);
      rig.send('a', packet);
      assertArrives(rig, packet);
      rig.send('a', [...packet, 0]);
      rig.frames();
      assert.deepEqual(rig.faults('a'), { 'packet-too-long': 1 });
    });
  }

  it(
    '[utest->req~net.length~1] ' +
      'a packet that is to be cut has at most 65,535 bytes behind its Ethernet header',
    () => {
      const rig = new Rig({
        devices: { a: netDevice(1, { offer: OFFLOADS }), b: netDevice(2, { offer: TAKES_ALL }) },
      });
      const gso = netHeader({
        flags: NEEDS_CSUM,
        gsoType: GsoType.TCPV4,
        gsoSize: 1400,
        checksumStart: 34,
      });
      rig.supply('b', 20, 4096);
      const packet = rig.packet('a', 'b', 65549);
      rig.send('a', packet, gso);
      rig.frames();
      assert.equal(arrivals(rig, 'b')[0]!.packet.length, 65549);
      rig.send('a', [...packet, 0], gso);
      rig.frames();
      assert.deepEqual(rig.faults('a'), { 'packet-too-long': 1 });
    },
  );
});

describe('virtio-net header of a transmitted packet', () => {
  const gso = (gsoType: number, more: Partial<HeaderFields> = {}) => ({
    flags: NEEDS_CSUM,
    gsoType,
    gsoSize: 500,
    checksumStart: 34,
    checksumOffset: 16,
    ...more,
  });
  const csum = (checksumStart: number, checksumOffset = 0) => ({
    flags: NEEDS_CSUM,
    checksumStart,
    checksumOffset,
  });
  const without = (name: string) =>
    OFFLOADS.filter((feature) => feature !== `VIRTIO_NET_F_${name}`);

  const REFUSED: [string, Partial<HeaderFields>, readonly string[]][] = [
    ['a checksum without CSUM', csum(34), features()],
    ['csum_start beyond the packet', csum(64), OFFLOADS],
    ['csum_start far beyond the packet', csum(0xffff), OFFLOADS],
    ['a field that ends one byte behind the packet', csum(34, 29), OFFLOADS],
    ['csum_offset far beyond the packet', csum(34, 0xffff), OFFLOADS],
    ['both of them at their most', csum(0xffff, 0xffff), OFFLOADS],
    ['segmentation for IPv4 without HOST_TSO4', gso(GsoType.TCPV4), without('HOST_TSO4')],
    ['segmentation for IPv6 without HOST_TSO6', gso(GsoType.TCPV6), without('HOST_TSO6')],
    ['UDP fragmentation', gso(GsoType.UDP), OFFLOADS],
    ['UDP segmentation', gso(GsoType.UDP_L4), OFFLOADS],
    ['ECN, which was not negotiated', gso(GsoType.TCPV4 | GsoType.ECN), OFFLOADS],
    ['ECN alone', gso(GsoType.ECN), OFFLOADS],
    ['an unknown segmentation type', gso(2), OFFLOADS],
    ['segmentation with every bit set', gso(0xff), OFFLOADS],
    ['segmentation without a checksum to complete', gso(GsoType.TCPV4, { flags: 0 }), OFFLOADS],
    ['segmentation for IPv6 without a checksum', gso(GsoType.TCPV6, { flags: 0 }), OFFLOADS],
    ['segments of no bytes', gso(GsoType.TCPV4, { gsoSize: 0 }), OFFLOADS],
  ];
  for (const [name, fields, offer] of REFUSED) {
    it(`[utest->req~net.header-valid~1] refused: ${name}`, () => {
      const rig = rigOf({ offer }, { offer: TAKES_ALL });
      rig.send('a', rig.packet('a', 'b', 64), netHeader(fields));
      assertRefused(rig, 'net-header-invalid');
    });
  }

  it('[utest->req~net.header-valid~1] a checksum field that ends with the packet is inside it', () => {
    const rig = rigOf({ offer: OFFLOADS }, { offer: TAKES_ALL });
    const packet = rig.packet('a', 'b', 64);
    rig.send('a', packet, netHeader({ flags: NEEDS_CSUM, checksumStart: 34, checksumOffset: 28 }));
    assertArrives(rig, packet);
  });

  it(
    '[utest->req~net.header-valid~1] ' +
      'flag bits that nobody knows are ignored, and do not reach the receiver (5.1.9.2.2)',
    () => {
      const rig = rigOf({ offer: OFFLOADS }, { offer: TAKES_ALL });
      const packet = rig.packet('a', 'b', 64);
      rig.send('a', packet, netHeader({ flags: 0xfe, checksumStart: 0xffff, checksumOffset: 9 }));
      assertArrives(rig, packet);
      assert.deepEqual(arrivals(rig, 'b')[0]!.header, {
        flags: 0,
        gsoType: 0,
        headerLength: 0,
        gsoSize: 0,
        checksumStart: 0,
        checksumOffset: 0,
        buffers: 1,
      });
    },
  );

  it(
    '[utest->req~net.header-valid~1] ' +
      'without its flag a checksum request is not used, whatever its offsets (5.1.9.2.2)',
    () => {
      const rig = rigOf({ offer: OFFLOADS });
      const packet = rig.packet('a', 'b', 64);
      rig.send(
        'a',
        packet,
        netHeader({ checksumStart: 34, checksumOffset: 16, gsoSize: 7, buffers: 5 }),
      );
      assertArrives(rig, packet);
      assert.deepEqual(arrivals(rig, 'b')[0]!.header, {
        flags: 0,
        gsoType: 0,
        headerLength: 0,
        gsoSize: 0,
        checksumStart: 0,
        checksumOffset: 0,
        buffers: 1,
      });
    },
  );

  it('[utest->req~neg.offered-only~1] a restart with fewer features takes the offloads away', () => {
    const rig = rigOf({ offer: OFFLOADS }, { offer: TAKES_ALL });
    rig.plane.devices[0]!.start(0, 1);
    rig.send('a', rig.packet('a', 'b', 64), netHeader({ flags: NEEDS_CSUM, checksumStart: 34 }));
    assertRefused(rig, 'net-header-invalid');
  });
});
