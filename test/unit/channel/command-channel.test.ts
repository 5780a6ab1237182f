/** The bounded command channel: in order, acknowledged in order, refused when full. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { CommandChannel, CommandKind, CommandWord } from '../../../src/channel/command-channel.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const CAPACITY = 256;

function ends() {
  const buffer = new SharedArrayBuffer(CommandChannel.bytes);
  const taken = new Int32Array(CommandWord.COUNT);
  return { buffer, control: new CommandChannel(buffer), plane: new CommandChannel(buffer), taken };
}

function numbered(n: number): Int32Array {
  return Int32Array.from({ length: CommandWord.COUNT }, (_, word) => n * 100 + word);
}

describe('command channel', () => {
  it('[utest->req~ctrl.budget~1] every word of a command arrives as it was sent', () => {
    const { control, plane, taken } = ends();
    const command = Int32Array.from(
      { length: CommandWord.COUNT },
      (_, n) => (n % 2 === 0 ? -0x8000_0000 : 0x7fff_ffff) + 0,
    );
    control.send(command);
    assert.ok(plane.take(taken));
    assert.deepEqual(taken, command);
  });

  it('[utest->req~ctrl.budget~1] what is sent is a copy: later changes of the record do not arrive', () => {
    const { control, plane, taken } = ends();
    const command = numbered(1);
    control.send(command);
    command.fill(0);
    plane.take(taken);
    assert.deepEqual(taken, numbered(1));
  });

  it('[utest->req~ctrl.budget~1] an empty channel gives nothing and leaves the record alone', () => {
    const { plane, taken } = ends();
    taken.fill(7);
    assert.equal(plane.take(taken), false);
    assert.deepEqual(Array.from(taken), new Array(CommandWord.COUNT).fill(7));
  });

  it('[utest->req~ctrl.budget~1] a full channel refuses without a ticket, and takes again when there is room', () => {
    const { control, plane, taken } = ends();
    for (let n = 0; n < CAPACITY; n++) assert.equal(control.send(numbered(n)), n + 1);
    assert.equal(control.send(numbered(999)), undefined);
    plane.take(taken);
    assert.equal(control.send(numbered(CAPACITY)), CAPACITY + 1);
    assert.equal(control.send(numbered(999)), undefined);
    const rest: number[] = [];
    while (plane.take(taken)) rest.push(taken[0]! / 100);
    assert.deepEqual(
      rest,
      Array.from({ length: CAPACITY }, (_, n) => n + 1),
    );
  });

  it('[utest->req~ctrl.budget~1] tickets are done in the order of acknowledgement, one by one', () => {
    const { control, plane, taken } = ends();
    const tickets = [0, 1, 2].map((n) => control.send(numbered(n))!);
    const done = () => tickets.map((ticket) => control.isDone(ticket));
    assert.deepEqual(done(), [false, false, false]);
    for (const expected of [
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]) {
      plane.take(taken);
      plane.acknowledge();
      assert.deepEqual(done(), expected);
    }
  });

  it('[utest->req~ctrl.budget~1] tickets stay in order where their number wraps', () => {
    const { buffer, control, plane } = ends();
    new Int32Array(buffer)[0] = 0x7fff_ffff;
    assert.equal(control.isDone(0x7fff_ffff), true);
    assert.equal(control.isDone(-0x8000_0000), false, 'the next one');
    plane.acknowledge();
    assert.equal(control.isDone(-0x8000_0000), true);
    assert.equal(control.isDone(0x7fff_ffff), true);
  });

  it('[utest->req~ctrl.budget~1] any order of sends and takes is a queue of bounded length', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.nat(CAPACITY)), { maxLength: 30 }),
        (steps) => {
          const { control, plane, taken } = ends();
          const model: number[] = [];
          let sent = 0;
          for (const [sends, count] of steps) {
            for (let n = 0; n < count; n++) {
              if (sends) {
                const accepted = model.length < CAPACITY;
                assert.equal(control.send(numbered(sent)), accepted ? sent + 1 : undefined);
                if (accepted) model.push(sent++);
              } else {
                const expected = model.shift();
                assert.equal(plane.take(taken), expected !== undefined);
                if (expected !== undefined) assert.deepEqual(taken, numbered(expected));
              }
            }
          }
        },
      ),
      seededRuns(91, 60),
    );
  });

  it('[utest->req~ctrl.budget~1] kinds and the operands of one command never share a number', () => {
    const kinds = Object.values(CommandKind);
    assert.equal(new Set(kinds).size, kinds.length);
    const startQueue = [
      'KIND',
      'TARGET',
      'SIZE',
      'DESC',
      'AVAIL',
      'USED',
      'FLAGS',
      'INDEX',
      'NOTIFY_KIND',
      'NOTIFY_TARGET',
    ] as const;
    const words = startQueue.map((name) => CommandWord[name]);
    assert.equal(new Set(words).size, words.length);
    assert.ok(Math.max(...words, CommandWord.FEATURES_HIGH) < CommandWord.COUNT);
  });
});
