/** TCP packets cut for a receiver that does not take them whole: every segment a valid packet. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { TcpFlag } from '../../support/inet.ts';
import {
  arrivals,
  netHeader,
  packets,
  readHeader,
  sendPieces,
  split,
  untagged,
} from '../../support/net-guest.ts';
import { route } from '../../support/rig.ts';
import { assertSegments, original, segmentsRig, sendOriginal } from '../../support/segments.ts';

const seed = Number(process.env['TEST_SEED'] ?? 9293);
const numRuns = Number(process.env['TEST_RUNS'] ?? 60);
const { FIN, PSH, ACK, CWR, SYN } = TcpFlag;
const PLAIN_HEADER = readHeader(netHeader({ buffers: 1 }));

describe('TCP packets cut by the gateway', () => {
  for (const version of [4, 6] as const) {
    for (const [payloadBytes, gsoSize] of [
      [3500, 1000],
      [3000, 1000],
      [1, 1000],
      [1000, 1000],
      [1001, 1000],
      [7, 1],
      [4001, 333],
    ] as const) {
      it(
        `[utest->req~net.offload-completion~1] ` +
          `IPv${version}, ${payloadBytes} bytes by ${gsoSize}: valid segments, nothing lost`,
        () => {
          const rig = segmentsRig();
          rig.supply('b', 30);
          const packet = sendOriginal(rig, { version, payloadBytes, gsoSize });
          rig.frames();
          assertSegments(packets(rig, 'b'), packet);
          for (const { header } of arrivals(rig, 'b')) assert.deepEqual(header, PLAIN_HEADER);
          assert.deepEqual(rig.guest('a').transmit[0]!.usedElements, [{ id: 0, length: 0 }]);
        },
      );
    }

    for (const [name, flags] of [
      ['FIN and PSH go on the last one', FIN | PSH | ACK],
      ['CWR goes on the first one', CWR | ACK],
      ['each where it belongs', FIN | PSH | CWR | ACK],
      ['others go on all', SYN | ACK | 0x40],
    ] as const) {
      it(`[utest->req~net.offload-completion~1] flags over IPv${version}: ${name}`, () => {
        const rig = segmentsRig();
        rig.supply('b', 8);
        const packet = sendOriginal(rig, { version, flags });
        rig.frames();
        assertSegments(packets(rig, 'b'), packet);
      });
    }

    it(`[utest->req~net.offload-completion~1] one segment over IPv${version} keeps FIN, PSH and CWR`, () => {
      const rig = segmentsRig();
      rig.supply('b', 1);
      const packet = sendOriginal(rig, { version, flags: FIN | PSH | CWR | ACK, payloadBytes: 10 });
      rig.frames();
      assertSegments(packets(rig, 'b'), packet);
    });

    it(`[utest->req~net.offload-completion~1] sequence numbers over IPv${version} wrap around 2^32`, () => {
      const rig = segmentsRig();
      rig.supply('b', 8);
      const packet = sendOriginal(rig, { version, sequence: 0xffff_fb00 });
      rig.frames();
      assertSegments(packets(rig, 'b'), packet);
    });
  }

  it('[utest->req~net.offload-completion~1] packets of both versions follow each other in one queue', () => {
    const rig = segmentsRig();
    rig.supply('b', 12);
    const sent = ([6, 4, 6] as const).map((version) => sendOriginal(rig, { version }));
    rig.frames();
    sent.forEach((packet, n) => assertSegments(packets(rig, 'b').slice(4 * n, 4 * n + 4), packet));
  });

  it('[utest->req~net.offload-completion~1] identifications wrap around 2^16', () => {
    const rig = segmentsRig();
    rig.supply('b', 8);
    const packet = sendOriginal(rig, { id: 0xfffe });
    rig.frames();
    assertSegments(packets(rig, 'b'), packet);
  });

  it('[utest->req~net.offload-completion~1] options of IP and TCP are in every segment', () => {
    const rig = segmentsRig();
    rig.supply('b', 8);
    const packet = sendOriginal(rig, {
      ipOptions: [7, 7, 4, 0, 1, 1, 1, 0],
      tcpOptions: [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
    });
    rig.frames();
    assertSegments(packets(rig, 'b'), packet);
  });

  it(
    '[utest->req~net.offload-completion~1] ' +
      'the header length a driver states is not relied on (5.1.9.2.2)',
    () => {
      for (const headerLength of [0, 1, 0xffff]) {
        const rig = segmentsRig();
        rig.supply('b', 8);
        const packet = sendOriginal(rig, { header: { headerLength } });
        rig.frames();
        assertSegments(packets(rig, 'b'), packet);
      }
    },
  );

  it('[utest->req~net.offload-completion~1] the longest packet of all is cut to its last byte', () => {
    const rig = segmentsRig();
    rig.supply('b', 50, 1600);
    const packet = sendOriginal(rig, { payloadBytes: 65535 - 40, gsoSize: 1460 });
    rig.frames();
    assertSegments(packets(rig, 'b'), packet);
  });

  for (const version of [4, 6] as const) {
    it(
      `[utest->req~net.offload-completion~1] ` +
        `segments of a packet sent with a tag over IPv${version} keep it`,
      () => {
        const rig = segmentsRig({ routes: [route('a', 'b', { vlan: 21 })] });
        rig.supply('b', 8);
        const packet = sendOriginal(rig, { version, vlan: 21 });
        rig.frames();
        for (const segment of packets(rig, 'b'))
          assert.deepEqual(segment.slice(12, 16), [0x81, 0, 0, 21]);
        assertSegments(packets(rig, 'b').map(untagged), packet);
      },
    );

    it(`[utest->req~net.vlan~1] a tag is inserted into every segment over IPv${version}`, () => {
      const rig = segmentsRig({ routes: [route('a', 'b', { vlan: 21, vlanAction: 'insert' })] });
      rig.supply('b', 8);
      const packet = sendOriginal(rig, { version });
      rig.frames();
      for (const segment of packets(rig, 'b'))
        assert.deepEqual(segment.slice(12, 16), [0x81, 0, 0, 21]);
      assertSegments(packets(rig, 'b').map(untagged), packet);
      assert.deepEqual(
        arrivals(rig, 'b').map(({ header }) => header),
        new Array(4).fill(PLAIN_HEADER),
      );
    });

    it(`[utest->req~net.vlan~1] the tag is removed from every segment over IPv${version}`, () => {
      const rig = segmentsRig({ routes: [route('a', 'b', { vlan: 21, vlanAction: 'remove' })] });
      rig.supply('b', 8);
      const packet = sendOriginal(rig, { version, vlan: 21 });
      rig.frames();
      assertSegments(packets(rig, 'b'), packet);
    });
  }

  it('[utest->req~net.offload-completion~1] any packet, in any chain layout, is cut without loss', () => {
    const shape = fc.record({
      version: fc.constantFrom(4 as const, 6 as const),
      payloadBytes: fc.integer({ min: 1, max: 6000 }),
      gsoSize: fc.integer({ min: 200, max: 1400 }),
      flags: fc.integer({ min: 0, max: 255 }),
      sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
      id: fc.integer({ min: 0, max: 0xffff }),
    });
    const pieces = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 18 });
    fc.assert(
      fc.property(shape, pieces, (options, cuts) => {
        const rig = segmentsRig();
        rig.supply('b', 31);
        const packet = original(rig, options);
        sendPieces(rig, 'a', split([...packet.header, ...packet.sent], cuts));
        rig.frames();
        assertSegments(packets(rig, 'b'), packet);
      }),
      { seed, numRuns },
    );
  });
});
