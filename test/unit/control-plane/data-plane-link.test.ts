/** The control plane's end of the command channel: order, tickets, a full channel. */
import { strict as assert } from 'node:assert';
import { CommandChannel, CommandKind, CommandWord } from '../../../src/channel/command-channel.ts';
import { DataPlaneLink } from '../../../src/control-plane/data-plane-link.ts';

const CAPACITY = 256;

function linked() {
  const buffer = new SharedArrayBuffer(CommandChannel.bytes);
  const link = new DataPlaneLink(new CommandChannel(buffer));
  const plane = new CommandChannel(buffer);
  const command = new Int32Array(CommandWord.COUNT);
  /** Targets of the commands carried out, at most so many. */
  const carryOut = (most = Infinity): number[] => {
    const targets: number[] = [];
    while (targets.length < most && plane.take(command)) {
      targets.push(command[CommandWord.TARGET]!);
      plane.acknowledge();
    }
    return targets;
  };
  return { link, plane, command, carryOut };
}

describe('data plane link', () => {
  it('[utest->req~ctrl.budget~1] a command arrives with its kind, its target and its operands, the others 0', () => {
    const { link, plane, command } = linked();
    link.post(CommandKind.START_QUEUE, 5, [
      [CommandWord.SIZE, 64],
      [CommandWord.DESC, -0x8000_0000],
    ]);
    assert.ok(plane.take(command));
    const expected = new Array<number>(CommandWord.COUNT).fill(0);
    expected[CommandWord.KIND] = CommandKind.START_QUEUE;
    expected[CommandWord.TARGET] = 5;
    expected[CommandWord.SIZE] = 64;
    expected[CommandWord.DESC] = -0x8000_0000;
    assert.deepEqual(Array.from(command), expected);
  });

  it('[utest->req~ctrl.budget~1] a command is done when it has been acknowledged, not when it has been taken', () => {
    const { link, plane, command } = linked();
    const number = link.post(CommandKind.STOP_DEVICE, 0);
    assert.equal(link.isDone(number), false);
    plane.take(command);
    assert.equal(link.isDone(number), false);
    plane.acknowledge();
    assert.equal(link.isDone(number), true);
  });

  it('[utest->req~ctrl.budget~1] what is done leaves later commands not done', () => {
    const { link, carryOut } = linked();
    const numbers = [0, 1, 2].map((target) => link.post(CommandKind.STOP_QUEUE, target));
    carryOut(2);
    assert.deepEqual(
      numbers.map((number) => link.isDone(number)),
      [true, true, false],
    );
  });

  it("[utest->req~ctrl.budget~1] commands beyond the channel's room wait, and follow in order at each flush", () => {
    const { link, carryOut } = linked();
    const targets = Array.from({ length: 3 * CAPACITY + 7 }, (_, n) => n);
    const numbers = targets.map((target) => link.post(CommandKind.STOP_QUEUE, target));
    const seen: number[] = [];
    for (let round = 0; round < 4; round++) {
      seen.push(...carryOut(CAPACITY));
      link.flush();
    }
    assert.deepEqual(seen, targets);
    assert.ok(link.isDone(numbers.at(-1)!));
  });

  it('[utest->req~ctrl.budget~1] a command that still waits outside the channel is not done', () => {
    const { link, carryOut } = linked();
    const numbers = Array.from({ length: CAPACITY + 1 }, (_, target) =>
      link.post(CommandKind.STOP_QUEUE, target),
    );
    carryOut();
    assert.equal(link.isDone(numbers.at(-1)!), false);
    carryOut();
    assert.equal(link.isDone(numbers.at(-1)!), true, 'asking has moved it on');
  });

  it('[utest->req~ctrl.budget~1] a command posted behind waiting ones does not overtake them', () => {
    const { link, carryOut } = linked();
    for (let target = 0; target <= CAPACITY; target++) link.post(CommandKind.STOP_QUEUE, target);
    carryOut(10);
    link.post(CommandKind.STOP_QUEUE, 9999);
    const seen = [...carryOut(), ...(link.flush(), carryOut())];
    assert.deepEqual(seen.slice(-2), [CAPACITY, 9999]);
  });
});
