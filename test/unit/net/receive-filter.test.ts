/** What a driver lets in: modes, MAC table, VLAN table, and their defaults (5.1.9.5.1 to 5.1.9.5.3). */
import { strict as assert } from 'node:assert';
import { NetCtrl } from '../../../src/wire/virtio-net.ts';
import { command, features, le16, le32, packets, tagged } from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';

const OWN = [0x52, 0x54, 0, 0, 0, 2];
const OTHER = [0x52, 0x54, 0xab, 0xcd, 0xef, 9];
const GROUP = [0x33, 0x33, 0xff, 0x9a, 0xbc, 0xde];
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const NEARLY_BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xfe];
const ALL = { own: OWN, other: OTHER, group: GROUP, broadcast: BROADCAST };
type Kind = keyof typeof ALL;

const FILTERING = ['CTRL_VQ', 'CTRL_RX', 'CTRL_RX_EXTRA', 'CTRL_VLAN'];

function receiver(...names: string[]): Rig {
  return new Rig({
    devices: { a: netDevice(1), b: netDevice(2, { offer: features(...names) }) },
    routes: [null, 10, 4095].map((vlan) => route('a', 'b', { id: `v${vlan}`, vlan })),
  });
}

function mode(rig: Rig, which: number, on = 1): void {
  assert.equal(command(rig, 'b', NetCtrl.RX, which, on), NetCtrl.OK);
}

function arrives(rig: Rig, to: readonly number[], tag?: number): boolean {
  const before = packets(rig, 'b').length;
  rig.supply('b', 1);
  const plain = [...to, ...rig.packet('a', 'b').slice(6)];
  rig.send('a', tag === undefined ? plain : tagged(plain, tag));
  rig.frames();
  return packets(rig, 'b').length > before;
}

const letIn = (rig: Rig): Kind[] =>
  (Object.keys(ALL) as Kind[]).filter((kind) => arrives(rig, ALL[kind]));

function macTable(rig: Rig, unicast: number[][], multicast: number[][]): number {
  return command(
    rig,
    'b',
    NetCtrl.MAC,
    NetCtrl.MAC_TABLE_SET,
    ...le32(unicast.length),
    ...unicast.flat(),
    ...le32(multicast.length),
    ...multicast.flat(),
  );
}

describe('receive modes', () => {
  const { RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST } = NetCtrl;

  it('[utest->req~net.receive-filter~1] a driver that cannot choose gets all that its routes bring', () => {
    assert.deepEqual(letIn(receiver()), ['own', 'other', 'group', 'broadcast']);
  });

  it(
    '[utest->req~net.receive-filter~1] ' +
      'a driver that has not chosen yet gets its own address and broadcasts',
    () => {
      assert.deepEqual(letIn(receiver(...FILTERING)), ['own', 'broadcast']);
    },
  );

  const CASES: [string, number[], Kind[]][] = [
    ['promiscuous', [RX_PROMISC], ['own', 'other', 'group', 'broadcast']],
    ['all multicast', [RX_ALLMULTI], ['own', 'group', 'broadcast']],
    ['all unicast', [RX_ALLUNI], ['own', 'other', 'broadcast']],
    ['all of both', [RX_ALLUNI, RX_ALLMULTI], ['own', 'other', 'group', 'broadcast']],
    ['no unicast', [RX_NOUNI], ['broadcast']],
    ['no broadcast', [RX_NOBCAST], ['own']],
    ['no multicast', [RX_NOMULTI], ['own', 'broadcast']],
    ['no multicast wins over all multicast', [RX_ALLMULTI, RX_NOMULTI], ['own', 'broadcast']],
    ['no unicast wins over all unicast', [RX_ALLUNI, RX_NOUNI], ['broadcast']],
    ['no broadcast wins over all multicast', [RX_ALLMULTI, RX_NOBCAST], ['own', 'group']],
    ['nothing at all', [RX_NOUNI, RX_NOBCAST, RX_NOMULTI], []],
    [
      'promiscuous wins over all that suppress',
      [RX_NOUNI, RX_NOBCAST, RX_NOMULTI, RX_PROMISC],
      ['own', 'other', 'group', 'broadcast'],
    ],
  ];
  for (const [name, modes, expected] of CASES) {
    it(`[utest->req~net.receive-filter~1] mode: ${name}`, () => {
      const rig = receiver(...FILTERING);
      modes.forEach((which) => mode(rig, which));
      assert.deepEqual(letIn(rig), expected);
    });

    it(`[utest->req~net.receive-filter~1] mode turned off again: ${name}`, () => {
      const rig = receiver(...FILTERING);
      modes.forEach((which) => mode(rig, which));
      modes.forEach((which) => mode(rig, which, 0));
      assert.deepEqual(letIn(rig), ['own', 'broadcast']);
    });
  }

  it(
    '[utest->req~net.receive-filter~1] ' +
      'a packet that nobody wants is unrouted, and comes back to its sender',
    () => {
      const rig = receiver(...FILTERING);
      assert.equal(arrives(rig, OTHER), false);
      assert.equal(rig.unrouted('a.net0.transmitq0'), 1);
      assert.deepEqual(rig.route('vnull'), { sent: 0, delivered: 0, deferred: 0, drops: {} });
    },
  );

  it('[utest->req~net.receive-filter~1] an address like broadcast is a multicast', () => {
    const rig = receiver(...FILTERING);
    assert.equal(arrives(rig, NEARLY_BROADCAST), false);
    assert.equal(arrives(rig, [0xfe, ...BROADCAST.slice(1)]), false);
  });

  for (const octet of [0, 1, 2, 3, 4, 5]) {
    it(
      `[utest->req~net.receive-filter~1] ` +
        `an address that differs from the own one in octet ${octet} is another`,
      () => {
        const rig = receiver(...FILTERING);
        assert.equal(arrives(rig, OWN.with(octet, OWN[octet]! ^ 0x40)), false);
      },
    );
  }

  it('[utest->req~net.receive-filter~1] a new start forgets modes and tables', () => {
    const rig = receiver(...FILTERING);
    mode(rig, RX_PROMISC);
    assert.equal(macTable(rig, [OTHER], [GROUP]), NetCtrl.OK);
    const { low, high } = rig.plan.devices[1]!.offered;
    rig.plane.devices[1]!.start(low, high);
    assert.deepEqual(letIn(rig), ['own', 'broadcast']);
  });

  it('[utest->req~net.receive-filter~1] every mode that suppresses ends with a new start', () => {
    const rig = receiver(...FILTERING);
    for (const which of [RX_ALLUNI, RX_ALLMULTI, RX_NOUNI, RX_NOMULTI, RX_NOBCAST])
      mode(rig, which);
    const { low, high } = rig.plan.devices[1]!.offered;
    rig.plane.devices[1]!.start(low, high);
    assert.deepEqual(letIn(rig), ['own', 'broadcast']);
  });
});

describe('MAC table', () => {
  it('[utest->req~net.receive-filter~1] its unicast and multicast addresses are let in, others not', () => {
    const rig = receiver(...FILTERING);
    assert.equal(macTable(rig, [OTHER], [GROUP]), NetCtrl.OK);
    assert.deepEqual(letIn(rig), ['own', 'other', 'group', 'broadcast']);
    for (const address of [OTHER, GROUP]) {
      for (let octet = 0; octet < 6; octet++) {
        assert.equal(arrives(rig, address.with(octet, address[octet]! ^ 0x40)), false);
      }
    }
  });

  it('[utest->req~net.receive-filter~1] a new table replaces the old one', () => {
    const rig = receiver(...FILTERING);
    assert.equal(macTable(rig, [OTHER], [GROUP]), NetCtrl.OK);
    assert.equal(macTable(rig, [], [GROUP]), NetCtrl.OK);
    assert.deepEqual(letIn(rig), ['own', 'group', 'broadcast']);
    assert.equal(macTable(rig, [], []), NetCtrl.OK);
    assert.deepEqual(letIn(rig), ['own', 'broadcast']);
  });

  it('[utest->req~net.receive-filter~1] suppression wins over the table', () => {
    const rig = receiver(...FILTERING);
    assert.equal(macTable(rig, [OTHER], [GROUP]), NetCtrl.OK);
    mode(rig, NetCtrl.RX_NOUNI);
    mode(rig, NetCtrl.RX_NOMULTI);
    assert.deepEqual(letIn(rig), ['broadcast']);
  });

  it(
    '[utest->req~net.receive-filter~1] ' +
      'a full table of 64 unicast and 64 multicast addresses is searched to its end',
    () => {
      const rig = receiver(...FILTERING);
      const unicast = Array.from({ length: 64 }, (_, n) => [0x02, 0, 0, 0, 1, n]);
      const multicast = Array.from({ length: 64 }, (_, n) => [0x03, 0, 0, 0, 1, n]);
      assert.equal(macTable(rig, unicast, multicast), NetCtrl.OK);
      for (const address of [unicast[0]!, unicast[63]!, multicast[0]!, multicast[63]!]) {
        assert.equal(arrives(rig, address), true);
      }
      assert.equal(arrives(rig, [0x02, 0, 0, 0, 1, 64]), false);
    },
  );

  it('[utest->req~net.control-exact~1] a refused table leaves the old one', () => {
    const rig = receiver(...FILTERING);
    assert.equal(macTable(rig, [OTHER], []), NetCtrl.OK);
    const tooMany = Array.from({ length: 65 }, (_, n) => [0x02, 0, 0, 0, 1, n]);
    assert.equal(macTable(rig, tooMany, []), NetCtrl.ERR);
    assert.equal(macTable(rig, [], tooMany), NetCtrl.ERR);
    assert.equal(arrives(rig, OTHER), true);
  });
});

describe('VLAN table', () => {
  const vlan = (rig: Rig, which: number, id: number) =>
    command(rig, 'b', NetCtrl.VLAN, which, ...le16(id));

  it(
    '[utest->req~net.receive-filter~1] ' +
      'without CTRL_VLAN every tag that a route brings is let in (5.1.9.5.3.1)',
    () => {
      assert.equal(arrives(receiver('CTRL_VQ', 'CTRL_RX'), OWN, 10), true);
    },
  );

  it(
    '[utest->req~net.receive-filter~1] ' +
      'with CTRL_VLAN only tags in the table are let in, and untagged packets',
    () => {
      const rig = receiver(...FILTERING);
      assert.equal(arrives(rig, OWN, 10), false);
      assert.equal(vlan(rig, NetCtrl.VLAN_ADD, 10), NetCtrl.OK);
      assert.equal(arrives(rig, OWN, 10), true);
      assert.equal(arrives(rig, OWN, 4095), false);
      assert.equal(arrives(rig, OWN), true);
      assert.equal(vlan(rig, NetCtrl.VLAN_DEL, 10), NetCtrl.OK);
      assert.equal(arrives(rig, OWN, 10), false);
    },
  );

  it('[utest->req~net.receive-filter~1] the highest id has its place in the table', () => {
    const rig = receiver(...FILTERING);
    assert.equal(vlan(rig, NetCtrl.VLAN_ADD, 4095), NetCtrl.OK);
    assert.equal(arrives(rig, OWN, 4095), true);
  });

  it('[utest->req~net.receive-filter~1] a new start forgets the VLAN table', () => {
    const rig = receiver(...FILTERING);
    assert.equal(vlan(rig, NetCtrl.VLAN_ADD, 10), NetCtrl.OK);
    const { low, high } = rig.plan.devices[1]!.offered;
    rig.plane.devices[1]!.start(low, high);
    assert.equal(arrives(rig, OWN, 10), false);
  });
});
