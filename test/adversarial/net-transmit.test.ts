/** Hostile transmitters: the packet is refused, its neighbours do not notice, and the queue stays alive. */
import { strict as assert } from 'node:assert';
import { GsoType, NetHeaderFlag } from '../../src/wire/virtio-net.ts';
import type { RouteConfig } from '../../src/schedule/gateway-config.ts';
import {
  features,
  netHeader,
  packets,
  sendPieces,
  split,
  tagged,
  type HeaderFields,
} from '../support/net-guest.ts';
import { assertStillServes, besideHonestPair } from '../support/net-neighbours.ts';
import { ALL_PACKED, Rig, netDevice, route } from '../support/rig.ts';

const OFFLOADS = { offer: features('CSUM', 'HOST_TSO4', 'HOST_TSO6'), descriptorsMax: 64 };
const PLAIN = netHeader();
const NEEDS_CSUM = NetHeaderFlag.NEEDS_CSUM;
const BROADCAST = new Array(6).fill(0xff);
const OTHERS_MAC = 6;

const gso = (gsoType: number, more: Partial<HeaderFields> = {}): number[] =>
  netHeader({
    flags: NEEDS_CSUM,
    gsoType,
    gsoSize: 500,
    checksumStart: 34,
    checksumOffset: 16,
    ...more,
  });
const csum = (checksumStart: number, checksumOffset = 0): number[] =>
  netHeader({ flags: NEEDS_CSUM, checksumStart, checksumOffset });

const longer = (packet: readonly number[], bytes: number): number[] => [
  ...packet,
  ...new Array(bytes - packet.length).fill(1),
];

interface Case {
  readonly name: string;
  readonly requirement: string;
  readonly catalogue: number;
  readonly fault: string;
  /** Header and packet as they are sent. */
  readonly bytes: (packet: number[]) => number[];
  readonly route?: Partial<RouteConfig>;
}

const header = (name: string, catalogue: number, bytes: readonly number[], length = 64): Case => ({
  name,
  catalogue,
  requirement: 'net.header-valid',
  fault: 'net-header-invalid',
  bytes: (packet) => [...bytes, ...packet.slice(0, length)],
});
const length = (name: string, catalogue: number, fault: string, bytes: Case['bytes']): Case => ({
  name,
  catalogue,
  requirement: 'net.length',
  fault,
  bytes,
});
const source = (name: string, mac: readonly number[]): Case => ({
  name,
  catalogue: 41,
  requirement: 'net.source-guard',
  fault: 'source-mac-spoofed',
  bytes: (packet) => [...PLAIN, ...packet.slice(0, OTHERS_MAC), ...mac, ...packet.slice(12)],
});
const stack = (name: string, tags: readonly number[]): Case => ({
  name,
  catalogue: 41,
  requirement: 'net.vlan',
  fault: 'vlan-stacked',
  route: { vlan: 10, vlanAction: 'remove' },
  bytes: (packet) => [...PLAIN, ...packet.slice(0, 12), ...tags, ...packet.slice(12)],
});

const REFUSED: readonly Case[] = [
  length('nothing but one byte', 33, 'packet-too-short', () => [0]),
  length('a byte less than the header', 33, 'packet-too-short', () => PLAIN.slice(1)),
  length('the header alone', 33, 'packet-too-short', () => PLAIN),
  length('the header and one byte', 33, 'packet-too-short', (packet) => [...PLAIN, packet[0]!]),
  length('a runt of 13 bytes', 39, 'packet-too-short', (packet) => [
    ...PLAIN,
    ...packet.slice(0, 13),
  ]),
  length('a byte more than the MTU', 39, 'packet-too-long', (packet) => [
    ...PLAIN,
    ...longer(packet, 1515),
  ]),
  length('65,536 bytes', 39, 'packet-too-long', (packet) => [...PLAIN, ...longer(packet, 65536)]),
  length('one byte more than can be segmented', 39, 'packet-too-long', (packet) => [
    ...gso(GsoType.TCPV4),
    ...longer(packet, 65550),
  ]),
  length('half a tag', 39, 'packet-too-short', (packet) => [
    ...PLAIN,
    ...tagged(packet, 5).slice(0, 16),
  ]),
  header('csum_start at the end of the packet', 35, csum(64)),
  header('csum_start at its most', 35, csum(0xffff)),
  header('csum_offset at its most', 35, csum(0, 0xffff)),
  header('a sum of both that wraps 16 bits', 35, csum(0xfff0, 0x20)),
  header('a checksum field half outside', 35, csum(34, 29)),
  header('a checksum field outside the shortest packet', 35, csum(13, 0), 14),
  header('gso_size 0', 36, gso(GsoType.TCPV4, { gsoSize: 0 })),
  header('UDP fragmentation', 36, gso(GsoType.UDP)),
  header('UDP segmentation without its feature', 36, gso(GsoType.UDP_L4)),
  header('ECN without its feature', 36, gso(GsoType.TCPV6 | GsoType.ECN)),
  header('an unknown segmentation type', 36, gso(2)),
  header('segmentation type 255', 36, gso(255)),
  header('segmentation without a checksum', 36, gso(GsoType.TCPV4, { flags: 0 })),
  header('segmentation with only flags nobody knows', 36, gso(GsoType.TCPV4, { flags: 0xfe })),
  source('the source address of an honest partition', [0x52, 0x54, 0, 0, 0, 3]),
  source('the source address of its receiver', [0x52, 0x54, 0, 0, 0, 2]),
  source('a broadcast source address', BROADCAST),
  source('a source address of zeros', new Array(6).fill(0)),
  stack('a VLAN behind its own', [0x81, 0, 0, 10, 0x81, 0, 0, 20]),
  stack('a service tag behind its own', [0x81, 0, 0, 10, 0x88, 0xa8, 0, 20]),
  stack('a service tag before its own', [0x88, 0xa8, 0, 20, 0x81, 0, 0, 10]),
];

describe('hostile packets', () => {
  for (const { name, requirement, catalogue, fault, bytes, route: options } of REFUSED) {
    it(`[utest->req~${requirement}~1] ${name} (catalogue ${catalogue})`, () => {
      const rig = besideHonestPair({
        mallory: OFFLOADS,
        ...(options && { route: options }),
        run: (attacked) => {
          attacked.supply('victim', 1);
          sendPieces(attacked, 'mallory', [bytes(attacked.packet('mallory', 'victim'))]);
        },
      });
      assert.deepEqual(rig.faults('mallory'), { [fault]: 1 });
      assert.deepEqual([packets(rig, 'victim'), rig.faults('victim')], [[], {}]);
      assert.deepEqual(rig.guest('mallory').transmit[0]!.usedElements, [{ id: 0, length: 0 }]);
      if (!options) assertStillServes(rig);
    });
  }

  const WITHOUT: [string, readonly number[]][] = [
    ['a checksum', csum(34)],
    ['segmentation for IPv4', gso(GsoType.TCPV4)],
    ['segmentation for IPv6', gso(GsoType.TCPV6)],
  ];
  for (const [name, bytes] of WITHOUT) {
    it(`[utest->req~net.header-valid~1] ${name} that was not negotiated (catalogue 36)`, () => {
      const rig = besideHonestPair({
        run: (attacked) => attacked.send('mallory', attacked.packet('mallory', 'victim'), bytes),
      });
      assert.deepEqual(rig.faults('mallory'), { 'net-header-invalid': 1 });
      assertStillServes(rig);
    });
  }

  it('[utest->req~net.header-valid~1] num_buffers of a transmitted packet is not used (catalogue 36)', () => {
    const rig = besideHonestPair({
      run: (attacked) => {
        attacked.supply('victim', 2);
        attacked.send(
          'mallory',
          attacked.packet('mallory', 'victim'),
          netHeader({ buffers: 0xffff }),
        );
      },
    });
    assert.deepEqual(packets(rig, 'victim'), [rig.packet('mallory', 'victim')]);
    assert.deepEqual(rig.faults('mallory'), {});
  });
});

describe('hostile chains of a transmitq', () => {
  const PIECES: [string, number[]][] = [
    ['three descriptors', [4, 4, 4]],
    ['1-byte pieces', new Array(40).fill(1)],
    ['pieces across header and packet', [5, 5, 5, 5]],
    ['1 byte, then all', [1]],
    ['all but one byte of the header', [11]],
    ['header and one byte', [13]],
  ];
  for (const [name, lengths] of PIECES) {
    it(`[utest->req~mem.single-fetch~1] a header over ${name} is read as one (catalogue 34)`, () => {
      const rig = besideHonestPair({
        mallory: OFFLOADS,
        run: (attacked) => {
          attacked.supply('victim', 1);
          const packet = attacked.packet('mallory', 'victim', 90);
          sendPieces(attacked, 'mallory', split([...PLAIN, ...packet], lengths));
        },
      });
      assert.deepEqual(packets(rig, 'victim'), [rig.packet('mallory', 'victim', 90)]);
      assertStillServes(rig);
    });

    it(
      `[utest->req~net.header-valid~1] ` +
        `a wrong header over ${name} is refused all the same (catalogue 34)`,
      () => {
        const rig = besideHonestPair({
          mallory: OFFLOADS,
          run: (attacked) => {
            const packet = attacked.packet('mallory', 'victim', 90);
            sendPieces(attacked, 'mallory', split([...gso(0xff), ...packet], lengths));
          },
        });
        assert.deepEqual(rig.faults('mallory'), { 'net-header-invalid': 1 });
        assertStillServes(rig);
      },
    );
  }

  for (const [name, chain] of [
    ['a receive buffer', [{ length: 1526, flags: 2 }]],
    [
      'a packet with a writable tail',
      [
        { length: 100, flags: 0 },
        { length: 12, flags: 2 },
      ],
    ],
    ['no bytes', [{ length: 0, flags: 0 }]],
  ] as const) {
    it(
      `[utest->req~queue.chain-checked~1] ` +
        `${name} on a transmitq is refused and not written (catalogue 13)`,
      () => {
        let before: number[] = [];
        let address = 0;
        const rig = besideHonestPair({
          run: (attacked) => {
            const { slice, transmit } = attacked.guest('mallory');
            address = slice.allocate(2048);
            slice.write(
              address,
              (before = [...PLAIN, ...attacked.packet('mallory', 'victim', 2036)]),
            );
            transmit[0]!.submit(
              chain.map(({ length: bytes, flags }) => ({ address, length: bytes, flags })),
            );
          },
        });
        assert.deepEqual(rig.faults('mallory'), { 'wrong-direction': 1 });
        assert.deepEqual(rig.guest('mallory').slice.read(address, 2048), before);
        assertStillServes(rig);
      },
    );
  }

  // A packed ring names no heads.
  if (!ALL_PACKED) {
    it(
      '[utest->req~queue.in-flight-once~1] ' +
        'a head beyond the ring stops the transmitq, and nobody else (catalogue 3)',
      () => {
        const rig = besideHonestPair({
          run: (attacked) => attacked.guest('mallory').transmit[0]!.expose(64),
        });
        assert.deepEqual(rig.faults('mallory'), { 'head-out-of-range': 1 });
        rig.send('mallory', rig.packet('mallory', 'victim'));
        rig.frames();
        assert.equal(rig.guest('mallory').transmit[0]!.usedIndex, 0);
      },
    );
  }

  it(
    '[utest->req~net.multiqueue~1] ' +
      'a transmitq beyond the pairs in use is not looked at (catalogue 40)',
    () => {
      const rig = besideHonestPair({
        mallory: { queuePairs: 2, offer: features('CTRL_VQ', 'MQ') },
        run: (attacked) => {
          attacked.send('mallory', attacked.packet('mallory', 'victim'), PLAIN, 1);
          attacked.guest('mallory').transmit[1]!.breakAtLook();
        },
      });
      assert.equal(rig.guest('mallory').transmit[1]!.usedIndex, 0);
      assert.deepEqual(rig.faults('mallory'), {});
      assertStillServes(rig);
    },
  );
});

describe('hostile use of the switch', () => {
  it('[utest->req~net.vlan~1] a packet of another VLAN reaches nobody (catalogue 41)', () => {
    const rig = besideHonestPair({
      route: { vlan: 10 },
      run: (attacked) => {
        attacked.supply('victim', 8);
        for (const id of [0, 9, 11, 20, 0xfff]) {
          attacked.send('mallory', tagged(attacked.packet('mallory', 'victim'), id));
        }
        attacked.send('mallory', attacked.packet('mallory', 'victim'));
      },
    });
    assert.deepEqual(packets(rig, 'victim'), []);
    assert.equal(rig.unrouted('mallory.net0.transmitq0'), 6);
  });

  for (const to of ['x', 'y']) {
    it(
      `[utest->req~net.static-route~1] ` +
        `a packet addressed to ${to} goes where the route leads, not to ${to} (catalogue 41)`,
      () => {
        const rig = besideHonestPair({
          run: (attacked) => {
            attacked.supply('victim', 1);
            attacked.send('mallory', attacked.packet('mallory', to));
          },
        });
        assert.equal(packets(rig, 'victim').length, 1);
      },
    );
  }

  it('[utest->req~net.rate~1] a storm of broadcasts ends at the quota of its route (catalogue 41)', () => {
    const rig = besideHonestPair({
      route: { packetsPerMajorFrame: 3 },
      run: (attacked) => {
        attacked.supply('victim', 60, 128);
        for (let n = 0; n < 60; n++) {
          attacked.send('mallory', [
            ...BROADCAST,
            ...attacked.packet('mallory', 'victim').slice(6),
          ]);
        }
      },
    });
    assert.equal(packets(rig, 'victim').length, 3);
    assert.deepEqual(rig.route('mallory-victim').drops, { policed: 57 });
    assertStillServes(rig);
  });

  it(
    '[utest->req~net.receive-buffers~1] ' +
      'a storm leaves an honest sender its reserved buffers (catalogue 41)',
    () => {
      const rig = new Rig({
        devices: { mallory: netDevice(1), honest: netDevice(2), shared: netDevice(3) },
        routes: [route('mallory', 'shared'), route('honest', 'shared', { receiveReserve: 4 })],
      });
      rig.supply('shared', 20, 2048);
      for (let n = 0; n < 60; n++) rig.send('mallory', rig.packet('mallory', 'shared'));
      for (let n = 0; n < 4; n++) rig.send('honest', rig.packet('honest', 'shared'));
      rig.frames();
      assert.deepEqual(rig.route('mallory-shared').drops, { 'no-receive-buffer': 44 });
      assert.equal(rig.route('mallory-shared').delivered, 16);
      assert.deepEqual(rig.route('honest-shared'), {
        sent: 4,
        delivered: 4,
        deferred: 0,
        drops: {},
      });
    },
  );

  for (const [name, destination] of [
    ['its own address', [0x52, 0x54, 0, 0, 0, 1]],
    ['all', BROADCAST],
    ['a group', [1, 0, 0x5e, 0, 0, 1]],
  ] as const) {
    it(
      `[utest->req~net.no-loop~1] ` +
        `a packet to ${name} does not come back to its device (catalogue 42)`,
      () => {
        const rig = besideHonestPair({
          run: (attacked) => {
            attacked.supply('mallory', 4);
            attacked.supply('victim', 4);
            attacked.send('mallory', [
              ...destination,
              ...attacked.packet('mallory', 'victim').slice(6),
            ]);
          },
        });
        assert.deepEqual(packets(rig, 'mallory'), []);
        assert.equal(packets(rig, 'victim').length, 1);
        assert.equal(rig.route('victim-mallory').sent, 0);
      },
    );
  }
});
