/** Hostile control commands: refused or returned, without effect on anybody, and the queue stays alive. */
import { strict as assert } from 'node:assert';
import { NetCtrl } from '../../src/wire/virtio-net.ts';
import { COMMAND_PAIRS, EVERY_COMMAND, REFUSED } from '../support/control-commands.ts';
import { ACK_UNTOUCHED, command, features, postCommand } from '../support/net-guest.ts';
import { assertStillServes, besideHonestPair } from '../support/net-neighbours.ts';
import type { Desc } from '../support/ring-double.ts';
import type { Rig } from '../support/rig.ts';

const CONTROLLED = { offer: features(...EVERY_COMMAND), queuePairs: COMMAND_PAIRS };
const PROMISC = [NetCtrl.RX, NetCtrl.RX_PROMISC, 1];

function answers(rig: Rig, acks: readonly number[]): number[] {
  return acks.flatMap((at) => rig.guest('mallory').slice.read(at, 1));
}

function assertAlive(rig: Rig): void {
  assert.equal(command(rig, 'mallory', ...PROMISC), NetCtrl.OK);
  assertStillServes(rig);
}

describe('hostile control commands', () => {
  for (const [name, bytes] of REFUSED) {
    it(`[utest->req~net.control-exact~1] ${name} (catalogue 40)`, () => {
      let ackAt = 0;
      const rig = besideHonestPair({
        mallory: CONTROLLED,
        run: (attacked) => {
          ackAt = postCommand(attacked, 'mallory', bytes);
        },
      });
      assert.deepEqual(answers(rig, [ackAt]), [NetCtrl.ERR]);
      assertAlive(rig);
    });
  }

  it(
    '[utest->req~net.control-exact~1] ' +
      'every command of a class that was not negotiated (catalogue 40)',
    () => {
      const acks: number[] = [];
      const rig = besideHonestPair({
        mallory: { offer: features('CTRL_VQ') },
        run: (attacked) => {
          for (let kind = 0; kind < 8; kind++)
            acks.push(postCommand(attacked, 'mallory', [kind, 0, 1]));
        },
      });
      assert.deepEqual(answers(rig, acks), new Array(8).fill(NetCtrl.ERR));
      assertStillServes(rig);
    },
  );

  it('[utest->req~net.control-exact~1] three commands in flight are answered each (catalogue 40)', () => {
    const acks: number[] = [];
    const rig = besideHonestPair({
      mallory: CONTROLLED,
      run: (attacked) => {
        for (const bytes of [PROMISC, [9, 9], PROMISC])
          acks.push(postCommand(attacked, 'mallory', bytes));
      },
    });
    assert.deepEqual(answers(rig, acks), [NetCtrl.OK, NetCtrl.ERR, NetCtrl.OK]);
    assertAlive(rig);
  });

  it(
    '[utest->req~sched.work-bound~1] ' +
      'a flood of commands ends at the cap of the window (catalogue 40)',
    () => {
      let served = 0;
      const rig = besideHonestPair({
        mallory: CONTROLLED,
        run: (attacked) => {
          for (let n = 0; n < 32; n++) postCommand(attacked, 'mallory', PROMISC);
        },
        afterOneFrame: (attacked) => {
          served = attacked.guest('mallory').control!.usedIndex;
        },
      });
      assert.equal(served, 16);
      assert.equal(rig.guest('mallory').control!.usedIndex, 32);
      assertAlive(rig);
    },
  );
});

describe('hostile buffers of a controlq', () => {
  const CASES: [string, readonly Partial<Desc>[], string][] = [
    ['no ack', [{ length: 3 }], 'control-malformed'],
    ['an ack of no bytes', [{ length: 3 }, { length: 0, flags: 2 }], 'control-malformed'],
    ['an ack that is not writable', [{ length: 3 }, { length: 1 }], 'control-malformed'],
    ['an ack alone', [{ length: 1, flags: 2 }], 'control-malformed'],
    ['one byte of a command', [{ length: 1 }, { length: 1, flags: 2 }], 'control-malformed'],
    ['no bytes at all', [{ length: 0 }], 'control-malformed'],
    [
      'the ack before the command',
      [{ length: 1, flags: 2 }, { length: 3 }],
      'readable-after-writable',
    ],
    [
      'a command nowhere',
      [
        { address: 8, length: 3 },
        { length: 1, flags: 2 },
      ],
      'address-out-of-range',
    ],
    [
      'an ack nowhere',
      [{ length: 3 }, { address: 8, length: 1, flags: 2 }],
      'address-out-of-range',
    ],
  ];
  for (const [name, chain, fault] of CASES) {
    it(`[utest->req~net.control-exact~1] ${name} (catalogue 40)`, () => {
      let address = 0;
      const rig = besideHonestPair({
        mallory: CONTROLLED,
        run: (attacked) => {
          const { slice, control } = attacked.guest('mallory');
          address = slice.allocate(16);
          slice.write(address, [...PROMISC, ...new Array(13).fill(ACK_UNTOUCHED)]);
          control!.submit(chain.map((desc) => ({ address, length: 0, ...desc })));
        },
      });
      assert.deepEqual(rig.faults('mallory'), { [fault]: 1 });
      assert.deepEqual(rig.guest('mallory').control!.usedElements, [{ id: 0, length: 0 }]);
      assert.deepEqual(rig.guest('mallory').slice.read(address, 3), PROMISC);
      assertAlive(rig);
    });
  }

  it(
    '[utest->req~mem.zero-residue~1] ' +
      'only the ack byte of a long ack buffer is written (catalogue 43)',
    () => {
      let address = 0;
      const rig = besideHonestPair({
        mallory: CONTROLLED,
        run: (attacked) => {
          const { slice, control } = attacked.guest('mallory');
          address = slice.allocate(512);
          slice.write(address, [...PROMISC, ...new Array(509).fill(ACK_UNTOUCHED)]);
          control!.submit([
            { address, length: 3 },
            { address: address + 3, length: 509, flags: 2 },
          ]);
        },
      });
      const { slice, control } = rig.guest('mallory');
      assert.deepEqual(slice.read(address + 3, 509), [
        NetCtrl.OK,
        ...new Array(508).fill(ACK_UNTOUCHED),
      ]);
      assert.deepEqual(control!.usedElements, [{ id: 0, length: 1 }]);
    },
  );
});
