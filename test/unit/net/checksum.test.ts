/** Partial checksums: completed for a receiver that takes none, passed on to one that does. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { NetHeaderFlag } from '../../../src/wire/virtio-net.ts';
import {
  TCP,
  UDP,
  dissect,
  onesComplementSum,
  unfinished,
  word16,
  type PacketShape,
  type UnfinishedPacket,
} from '../../support/inet.ts';
import {
  arrivals,
  command,
  features,
  le32,
  netHeader,
  packets,
  readHeader,
  sendPieces,
  split,
  supplyPieces,
  tagged,
  untagged,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';

const seed = Number(process.env['TEST_SEED'] ?? 1071);
const numRuns = Number(process.env['TEST_RUNS'] ?? 200);
const PLAIN_HEADER = readHeader(netHeader({ buffers: 1 }));
const CSUM = features('CSUM');
const GUEST_CSUM = features('GUEST_CSUM', 'CTRL_VQ', 'CTRL_GUEST_OFFLOADS');

function rigOf(receiver = features(), routes = [route('a', 'b')]): Rig {
  const wide = { queueSize: 128, descriptorsMax: 64 };
  return new Rig({
    devices: {
      a: netDevice(1, { ...wide, offer: CSUM }),
      b: netDevice(2, { ...wide, offer: receiver }),
      c: netDevice(3),
    },
    routes,
  });
}

function build(rig: Rig, shape: Omit<PacketShape, 'macs'>): UnfinishedPacket {
  return unfinished({ ...shape, macs: [...rig.guest('b').mac, ...rig.guest('a').mac] });
}

function headerOf({ checksumStart, checksumOffset }: UnfinishedPacket, shift = 0): number[] {
  return netHeader({
    flags: NetHeaderFlag.NEEDS_CSUM,
    checksumStart: checksumStart + shift,
    checksumOffset,
  });
}

const bytesOf = (count: number) => Array.from({ length: count }, (_, n) => (n * 151 + 7) & 0xff);

/** All but the two bytes of the checksum. */
function withoutChecksum(packet: readonly number[], of: UnfinishedPacket): number[] {
  return packet.filter((_, n) => (n - of.checksumStart - of.checksumOffset) >>> 1 !== 0);
}

describe('checksum completed by the gateway', () => {
  for (const [name, protocol] of [
    ['TCP', TCP],
    ['UDP', UDP],
  ] as const) {
    for (const version of [4, 6] as const) {
      for (const length of [0, 1, 2, 31, 100, 1001]) {
        it(
          `[utest->req~net.offload-completion~1] ` +
            `${name} over IPv${version}, ${length} bytes: valid by RFC 1071, all else the same`,
          () => {
            const rig = rigOf();
            rig.supply('b', 1);
            const packet = build(rig, { version, protocol, payload: bytesOf(length) });
            rig.send('a', packet.bytes, headerOf(packet));
            rig.frames();
            const [arrival] = arrivals(rig, 'b');
            assert.ok(dissect(arrival!.packet).transportChecksumHolds);
            assert.deepEqual(
              withoutChecksum(arrival!.packet, packet),
              withoutChecksum(packet.bytes, packet),
            );
            assert.deepEqual(arrival!.header, PLAIN_HEADER);
          },
        );
      }
    }
  }

  it(
    '[utest->req~net.offload-completion~1] ' +
      'any payload, protocol, version, tag and chain layout gives a valid checksum',
    () => {
      const shape = fc.record({
        version: fc.constantFrom(4 as const, 6 as const),
        protocol: fc.constantFrom(TCP, UDP),
        payload: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 200 }),
        ipOptions: fc.constantFrom([], [1, 1, 1, 1]),
      });
      const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 });
      fc.assert(
        fc.property(shape, cuts, cuts, fc.boolean(), (options, sendCuts, receiveCuts, withTag) => {
          const rig = rigOf(features(), [
            route('a', 'b', withTag ? { vlan: 5, vlanAction: 'remove' } : {}),
          ]);
          supplyPieces(rig, 'b', [...receiveCuts, 1600]);
          const packet = build(rig, options);
          const bytes = withTag ? tagged(packet.bytes, 5) : packet.bytes;
          sendPieces(rig, 'a', split([...headerOf(packet, withTag ? 4 : 0), ...bytes], sendCuts));
          rig.frames();
          const [arrived] = packets(rig, 'b');
          assert.ok(dissect(arrived!).transportChecksumHolds);
          assert.deepEqual(
            withoutChecksum(arrived!, packet),
            withoutChecksum(packet.bytes, packet),
          );
        }),
        { seed, numRuns },
      );
    },
  );

  /** A payload word that makes the sum all ones, so that its complement is 0. */
  function packetOfSumZero(
    rig: Rig,
    version: 4 | 6,
    protocol: typeof TCP | typeof UDP,
  ): UnfinishedPacket {
    const first = build(rig, { version, protocol, payload: [0, 0] });
    const rest = 0xffff - onesComplementSum(first.bytes.slice(first.checksumStart));
    return build(rig, { version, protocol, payload: [rest >>> 8, rest & 0xff] });
  }

  for (const version of [4, 6] as const) {
    it(
      `[utest->req~net.offload-completion~1] ` +
        `UDP over IPv${version}: a sum of 0 is sent as all ones (RFC 768)`,
      () => {
        const rig = rigOf();
        rig.supply('b', 1);
        const packet = packetOfSumZero(rig, version, UDP);
        rig.send('a', packet.bytes, headerOf(packet));
        rig.frames();
        assert.equal(dissect(packets(rig, 'b')[0]!).checksum, 0xffff);
      },
    );

    it(`[utest->req~net.offload-completion~1] TCP over IPv${version}: a sum of 0 stays 0`, () => {
      const rig = rigOf();
      rig.supply('b', 1);
      const packet = packetOfSumZero(rig, version, TCP);
      rig.send('a', packet.bytes, headerOf(packet));
      rig.frames();
      const { checksum, transportChecksumHolds } = dissect(packets(rig, 'b')[0]!);
      assert.deepEqual([checksum, transportChecksumHolds], [0, true]);
    });
  }

  it('[utest->req~net.offload-completion~1] the longest packet of the MTU is completed', () => {
    const rig = rigOf();
    rig.supply('b', 1);
    const packet = build(rig, { version: 4, protocol: UDP, payload: bytesOf(1472) });
    assert.equal(packet.bytes.length, 1514);
    rig.send('a', packet.bytes, headerOf(packet));
    rig.frames();
    assert.ok(dissect(packets(rig, 'b')[0]!).transportChecksumHolds);
  });

  it('[utest->req~net.offload-completion~1] the sender’s own memory is not changed', () => {
    const rig = rigOf();
    rig.supply('b', 1);
    const packet = build(rig, { version: 4, protocol: UDP, payload: bytesOf(200) });
    const { slice, transmit } = rig.guest('a');
    const address = slice.allocate(400);
    slice.write(address, [...headerOf(packet), ...packet.bytes]);
    transmit[0]!.submit([{ address, length: 12 + packet.bytes.length }]);
    rig.frames();
    assert.deepEqual(slice.read(address, 12 + packet.bytes.length), [
      ...headerOf(packet),
      ...packet.bytes,
    ]);
  });

  it(
    '[utest->req~net.offload-completion~1] ' +
      'a packet without a request keeps its checksum, right or wrong',
    () => {
      const rig = rigOf();
      rig.supply('b', 1);
      const packet = build(rig, { version: 4, protocol: TCP, payload: bytesOf(9) });
      rig.send('a', packet.bytes);
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), [packet.bytes]);
    },
  );

  for (const action of ['insert', 'remove'] as const) {
    it(`[utest->req~net.offload-completion~1] completion and tag in one: ${action}`, () => {
      const rig = rigOf(features(), [route('a', 'b', { vlan: 9, vlanAction: action })]);
      rig.supply('b', 1);
      const packet = build(rig, { version: 6, protocol: TCP, payload: bytesOf(333) });
      const shift = action === 'remove' ? 4 : 0;
      rig.send('a', shift ? tagged(packet.bytes, 9) : packet.bytes, headerOf(packet, shift));
      rig.frames();
      const [arrived] = packets(rig, 'b');
      const plain = action === 'insert' ? untagged(arrived!) : arrived!;
      assert.equal(arrived!.length, packet.bytes.length + (action === 'insert' ? 4 : 0));
      assert.ok(dissect(plain).transportChecksumHolds);
      if (action === 'insert') assert.deepEqual(arrived!.slice(12, 16), [0x81, 0, 0, 9]);
    });
  }
});

describe('checksum passed on', () => {
  it(
    '[utest->req~net.offload-completion~1] ' +
      'with GUEST_CSUM packet and request arrive as they were sent',
    () => {
      const rig = rigOf(GUEST_CSUM);
      rig.supply('b', 1);
      const packet = build(rig, { version: 4, protocol: TCP, payload: bytesOf(100) });
      rig.send('a', packet.bytes, headerOf(packet));
      rig.frames();
      const [arrival] = arrivals(rig, 'b');
      assert.deepEqual(arrival!.packet, packet.bytes);
      assert.deepEqual(arrival!.header, {
        flags: NetHeaderFlag.NEEDS_CSUM,
        gsoType: 0,
        headerLength: 0,
        gsoSize: 0,
        buffers: 1,
        checksumStart: packet.checksumStart,
        checksumOffset: packet.checksumOffset,
      });
    },
  );

  for (const [action, shift] of [
    ['insert', 4],
    ['remove', -4],
  ] as const) {
    it(`[utest->req~net.offload-completion~1] csum_start moves with the tag: ${action}`, () => {
      const rig = rigOf(GUEST_CSUM, [route('a', 'b', { vlan: 9, vlanAction: action })]);
      rig.supply('b', 1);
      const packet = build(rig, { version: 4, protocol: UDP, payload: bytesOf(100) });
      const sentShift = action === 'remove' ? 4 : 0;
      rig.send(
        'a',
        sentShift ? tagged(packet.bytes, 9) : packet.bytes,
        headerOf(packet, sentShift),
      );
      rig.frames();
      const [{ header, packet: arrived }] = arrivals(rig, 'b') as [
        ReturnType<typeof arrivals>[number],
      ];
      assert.equal(header.checksumStart, packet.checksumStart + sentShift + shift);
      assert.equal(header.checksumOffset, packet.checksumOffset);
      assert.equal(
        word16(arrived, header.checksumStart + 4),
        8 + 100,
        'csum_start is at the UDP header',
      );
    });
  }

  it(
    '[utest->req~net.offload-completion~1] ' +
      'a driver that turns GUEST_CSUM off gets completed checksums from then on',
    () => {
      const rig = rigOf(GUEST_CSUM);
      rig.supply('b', 2);
      const packet = build(rig, { version: 4, protocol: TCP, payload: bytesOf(50) });
      rig.send('a', packet.bytes, headerOf(packet));
      assert.equal(command(rig, 'b', 5, 0, ...le32(0), ...le32(0)), 0);
      rig.send('a', packet.bytes, headerOf(packet));
      rig.frames();
      const [before, after] = arrivals(rig, 'b');
      assert.deepEqual([before!.header.flags, after!.header.flags], [NetHeaderFlag.NEEDS_CSUM, 0]);
      assert.ok(dissect(after!.packet).transportChecksumHolds);
    },
  );

  it('[utest->req~net.offload-completion~1] two receivers of one packet get each their form', () => {
    const rig = rigOf(GUEST_CSUM, [
      route('a', 'b'),
      route('a', 'c'),
      route('a', 'b', { id: 'tagged', vlan: 4, vlanAction: 'insert' }),
    ]);
    rig.supply('b', 2);
    rig.supply('c', 1);
    const packet = build(rig, { version: 6, protocol: UDP, payload: bytesOf(77) });
    rig.send('a', packet.bytes, headerOf(packet));
    rig.frames();
    assert.deepEqual(packets(rig, 'b'), [packet.bytes, tagged(packet.bytes, 4)]);
    assert.deepEqual(
      arrivals(rig, 'b').map(({ header }) => header.checksumStart),
      [54, 58],
    );
    const [toC] = arrivals(rig, 'c');
    assert.equal(toC!.header.flags, 0);
    assert.ok(dissect(toC!.packet).transportChecksumHolds);
  });
});
