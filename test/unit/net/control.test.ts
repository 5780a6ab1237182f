/** Control commands: exactly as specified and acknowledged, or refused without effect (5.1.9.5). */
import { networkOf } from '../../support/network.ts';
import { strict as assert } from 'node:assert';
import { EventKind } from '../../../src/channel/event-log.ts';
import { NetCtrl, NetStatus } from '../../../src/wire/virtio-net.ts';
import {
  ACCEPTED,
  COMMAND_PAIRS,
  EVERY_COMMAND,
  GUEST_CSUM,
  GUEST_TSO4,
  GUEST_TSO6,
  REFUSED,
  macTable,
  offloads,
} from '../../support/control-commands.ts';
import {
  ACK_UNTOUCHED,
  command,
  features,
  indexOfQueue,
  packets,
  postCommand,
  postQueueStart,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';

const { OK, ERR } = NetCtrl;

function controlled(names = EVERY_COMMAND): Rig {
  return new Rig({
    devices: {
      a: netDevice(1),
      b: netDevice(2, { offer: features(...EVERY_COMMAND), queuePairs: COMMAND_PAIRS }),
    },
    routes: [route('a', 'b')],
    negotiate: { b: features(...names) },
  });
}

function statusIndex(rig: Rig): number {
  return rig.plan.layout.devices[1]!.statusAt >>> 2;
}

/** All that commands can change. */
function stateOf(rig: Rig): unknown {
  const { filter, receivePairs, guestChecksum, guestTso4, guestTso6 } = networkOf(rig.plane, 1);
  const status = rig.plane.arena.i32[statusIndex(rig)];
  return {
    filter: structuredClone({ ...filter }),
    receivePairs,
    guestChecksum,
    guestTso4,
    guestTso6,
    status,
  };
}

describe('commands of the controlq', () => {
  for (const [name, bytes] of ACCEPTED) {
    it(`[utest->req~net.control-exact~1] carried out: ${name}`, () => {
      const rig = controlled();
      assert.equal(command(rig, 'b', ...bytes), OK);
      assert.deepEqual(rig.guest('b').control!.usedElements, [{ id: 0, length: 1 }]);
      assert.deepEqual(rig.faults('b'), {});
    });
  }

  for (const [name, bytes] of REFUSED) {
    it(`[utest->req~net.control-exact~1] refused: ${name}`, () => {
      const rig = controlled();
      rig.plane.arena.i32[statusIndex(rig)] = NetStatus.ANNOUNCE;
      const before = stateOf(rig);
      assert.equal(command(rig, 'b', ...bytes), ERR);
      assert.deepEqual(rig.guest('b').control!.usedElements, [{ id: 0, length: 1 }]);
      assert.deepEqual(stateOf(rig), before);
      assert.deepEqual(rig.allEvents(), []);
    });
  }

  const FEATURE_OF: [string, string, number[]][] = [
    ['CTRL_RX', 'receive mode', [NetCtrl.RX, NetCtrl.RX_PROMISC, 1]],
    ['CTRL_RX', 'MAC table', macTable(0, 0)],
    ['CTRL_VLAN', 'VLAN', [NetCtrl.VLAN, NetCtrl.VLAN_ADD, 1, 0]],
    ['GUEST_ANNOUNCE', 'announcement', [NetCtrl.ANNOUNCE, NetCtrl.ANNOUNCE_ACK]],
    ['MQ', 'pairs', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, 1, 0]],
    ['CTRL_GUEST_OFFLOADS', 'offloads', offloads(0)],
  ];
  for (const [feature, name, bytes] of FEATURE_OF) {
    it(`[utest->req~net.control-exact~1] refused without ${feature}: ${name}`, () => {
      const rig = controlled(EVERY_COMMAND.filter((other) => other !== feature));
      assert.equal(command(rig, 'b', ...bytes), ERR);
    });
  }

  for (const which of [
    NetCtrl.RX_ALLUNI,
    NetCtrl.RX_NOMULTI,
    NetCtrl.RX_NOUNI,
    NetCtrl.RX_NOBCAST,
  ]) {
    it(`[utest->req~net.control-exact~1] refused without CTRL_RX_EXTRA: receive mode ${which}`, () => {
      const rig = controlled(EVERY_COMMAND.filter((other) => other !== 'CTRL_RX_EXTRA'));
      assert.equal(command(rig, 'b', NetCtrl.RX, which, 1), ERR);
      assert.equal(command(rig, 'b', NetCtrl.RX, NetCtrl.RX_ALLMULTI, 1), OK);
    });
  }

  it('[utest->req~net.control-exact~1] an offload that was offered and not negotiated stays off', () => {
    const rig = controlled(EVERY_COMMAND.filter((other) => other !== 'GUEST_TSO6'));
    assert.equal(command(rig, 'b', ...offloads(GUEST_CSUM | GUEST_TSO6)), ERR);
    assert.equal(command(rig, 'b', ...offloads(GUEST_CSUM | GUEST_TSO4)), OK);
    assert.equal(networkOf(rig.plane, 1).takesGso(4), false);
  });

  it('[utest->req~net.control-exact~1] offloads are turned off and on again', () => {
    const rig = controlled();
    const device = networkOf(rig.plane, 1);
    const state = () => [device.guestChecksum, device.takesGso(1), device.takesGso(4)];
    assert.deepEqual(state(), [true, true, true]);
    command(rig, 'b', ...offloads(GUEST_CSUM | GUEST_TSO6));
    assert.deepEqual(state(), [true, false, true]);
    command(rig, 'b', ...offloads(0));
    assert.deepEqual(state(), [false, false, false]);
    command(rig, 'b', ...offloads(GUEST_CSUM | GUEST_TSO4 | GUEST_TSO6));
    assert.deepEqual(state(), [true, true, true]);
  });

  it(
    '[utest->req~net.control-exact~1] ' +
      'an acknowledged announcement clears its bit, no other, before the buffer is used',
    () => {
      const rig = controlled();
      const at = statusIndex(rig);
      rig.plane.arena.i32[at] = NetStatus.LINK_UP | NetStatus.ANNOUNCE;
      command(rig, 'b', NetCtrl.ANNOUNCE, NetCtrl.ANNOUNCE_ACK);
      assert.equal(rig.plane.arena.i32[at], NetStatus.LINK_UP);
      const [event] = rig.allEvents();
      const { kind, subject, queue, code, timeNs } = event!;
      const expected = [
        EventKind.ANNOUNCE_ACKNOWLEDGED,
        1,
        indexOfQueue(rig, 'b.net0.controlq'),
        0,
      ];
      assert.deepEqual([kind, subject, queue, code], expected);
      assert.ok(timeNs > 1_000_000_000 && timeNs <= rig.time.nowNs);
    },
  );
});

describe('buffers of the controlq', () => {
  function submit(
    rig: Rig,
    chain: { bytes?: number[]; length?: number; writable?: boolean }[],
  ): number[] {
    const { slice, control } = rig.guest('b');
    const addresses = chain.map(({ bytes = [], length = bytes.length }) => {
      const address = slice.allocate(Math.max(1, length), 1);
      slice.write(address, bytes.length > 0 ? bytes : new Array(length).fill(ACK_UNTOUCHED));
      return address;
    });
    control!.submit(
      chain.map(({ bytes = [], length = bytes.length, writable = false }, n) => ({
        address: addresses[n]!,
        length,
        flags: writable ? 2 : 0,
      })),
    );
    rig.frames();
    return addresses;
  }
  const used = (rig: Rig) => rig.guest('b').control!.usedElements.map(({ length }) => length);
  const PROMISC = [NetCtrl.RX, NetCtrl.RX_PROMISC, 1];

  for (const [name, chain] of [
    ['no ack byte', [{ bytes: PROMISC }]],
    ['an ack of no bytes', [{ bytes: PROMISC }, { length: 0, writable: true }]],
    ['no command', [{ length: 1, writable: true }]],
    ['half a command header', [{ bytes: [0] }, { length: 1, writable: true }]],
  ] as const) {
    it(
      `[utest->req~net.control-exact~1] ` +
        `${name}: the buffer comes back unused, a fault is counted, the next command is served`,
      () => {
        const rig = controlled();
        submit(rig, chain as never);
        assert.deepEqual(rig.faults('b'), { 'control-malformed': 1 });
        assert.deepEqual(used(rig), [0]);
        assert.equal(command(rig, 'b', ...PROMISC), OK);
      },
    );
  }

  it(
    '[utest->req~queue.chain-checked~1] ' +
      'a faulty chain comes back with length 0, and the next command is served',
    () => {
      const rig = controlled();
      rig.guest('b').control!.submit([{ address: 0, length: 3 }]);
      assert.equal(command(rig, 'b', ...PROMISC), OK);
      assert.deepEqual(rig.faults('b'), { 'address-out-of-range': 1 });
      assert.deepEqual(used(rig), [0, 1]);
    },
  );

  it(
    '[utest->req~net.control-exact~1] ' +
      'command and data may lie in any pieces, the ack is the first writable byte',
    () => {
      const rig = controlled();
      const addresses = submit(rig, [
        ...macTable(2, 1)
          .map((byte) => ({ bytes: [byte] }))
          .slice(0, 10),
        { bytes: macTable(2, 1).slice(10) },
        { length: 3, writable: true },
        { length: 2, writable: true },
      ]);
      const { slice } = rig.guest('b');
      assert.deepEqual(slice.read(addresses[11]!, 3), [OK, ACK_UNTOUCHED, ACK_UNTOUCHED]);
      assert.deepEqual(slice.read(addresses[12]!, 2), [ACK_UNTOUCHED, ACK_UNTOUCHED]);
      assert.deepEqual(used(rig), [1]);
    },
  );

  it('[utest->req~net.control-exact~1] a command longer than any is refused, up to the byte', () => {
    const rig = controlled();
    for (const length of [2048, 2049, 60_000]) {
      assert.equal(command(rig, 'b', ...macTable(0, 0), ...new Array(length - 10).fill(0)), ERR);
    }
    assert.equal(command(rig, 'b', ...PROMISC), OK);
  });

  it('[utest->req~sched.work-bound~1] a command too long to be read costs no more than the longest that is', () => {
    const rig = controlled();
    const acks = [1, 2].map(() =>
      postCommand(rig, 'b', [...macTable(0, 0), ...new Array(39_990).fill(0)]),
    );
    const { slice } = rig.guest('b');
    const state = () => acks.map((at) => slice.read(at, 1)[0]);
    rig.frames();
    assert.deepEqual(state(), [ERR, ERR]);
  });

  it('[utest->req~sched.work-bound~1] bytes of a window are used to the last, and a fault uses none', () => {
    const rig = controlled();
    const acks = [40_000, 0, 65_536 - 40_000].map((bytes) =>
      postCommand(rig, 'b', new Array(bytes).fill(9)),
    );
    rig.frames();
    assert.deepEqual(
      acks.map((at) => rig.guest('b').slice.read(at, 1)[0]),
      [ERR, ACK_UNTOUCHED, ERR],
    );
    assert.deepEqual(used(rig), [1, 0, 1]);
  });

  it('[utest->req~diag.counters~1] every command counts as a request, faulty ones too', () => {
    const rig = controlled();
    postCommand(rig, 'b', []);
    command(rig, 'b', ...PROMISC);
    const queue = indexOfQueue(rig, 'b.net0.controlq');
    assert.deepEqual(
      [0, 2].map((counter) => rig.counters.queue(queue, counter)),
      [2, 1],
    );
  });

  it(
    '[utest->req~queue.in-flight-once~1] ' +
      'a controlq that breaks stops until it is reset; the device goes on',
    () => {
      const rig = controlled();
      const { control } = rig.guest('b');
      control!.expose(64);
      rig.supply('b', 1);
      rig.send('a', rig.packet('a', 'b'));
      rig.frames();
      assert.deepEqual(rig.faults('b'), { 'head-out-of-range': 1 });
      assert.equal(packets(rig, 'b').length, 1);
      postQueueStart(rig, 'b', indexOfQueue(rig, 'b.net0.controlq'));
      rig.frames();
      assert.equal(command(rig, 'b', ...PROMISC), OK);
    },
  );

  it('[utest->req~neg.state-machine~1] a device that has not started serves no command', () => {
    const rig = controlled();
    networkOf(rig.plane, 1).stop();
    assert.equal(command(rig, 'b', ...PROMISC), ACK_UNTOUCHED);
    assert.deepEqual(used(rig), []);
  });

  it('[utest->req~sched.work-bound~1] three commands at once are answered in order', () => {
    const rig = controlled();
    const acks = [2, 9, 3].map((pairs) => postCommand(rig, 'b', [NetCtrl.MQ, 0, pairs, 0]));
    rig.frames();
    assert.deepEqual(
      acks.map((at) => rig.guest('b').slice.read(at, 1)[0]),
      [OK, ERR, OK],
    );
    assert.equal(networkOf(rig.plane, 1).receivePairs, 3);
  });
});
