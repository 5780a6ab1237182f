/** Commands of the control plane: in control windows only, while they fit, and each with its effect. */
import { networkOf } from '../../support/network.ts';
import { strict as assert } from 'node:assert';
import { GatewayCounter } from '../../../src/channel/counters.ts';
import {
  CommandKind,
  CommandWord,
  NotifyKind,
  RingFlag,
} from '../../../src/channel/command-channel.ts';
import { PackedQueue } from '../../../src/data-plane/virtqueue/packed-queue.ts';
import { SplitQueue } from '../../../src/data-plane/virtqueue/split-queue.ts';
import { caps, DispatcherBench, window } from '../../support/dispatcher-bench.ts';

const COMMAND_NS = 1000;
const { KIND, TARGET } = CommandWord;

type Words = Partial<Record<keyof typeof CommandWord, number>>;

/** One window of a, then a control window of so many nanoseconds at 500 µs. */
function bench(controlNs = 100_000): DispatcherBench {
  return new DispatcherBench({
    costs: { controlCommandNs: COMMAND_NS },
    windows: [
      window('w', 'a', 0, 100_000, [caps('transmitq0')]),
      { id: 'c', kind: 'control', offsetUs: 500, durationUs: controlNs / 1000 },
    ],
  });
}

function send(rig: DispatcherBench, words: Words): number {
  const command = new Int32Array(CommandWord.COUNT);
  for (const [name, value] of Object.entries(words))
    command[CommandWord[name as keyof typeof CommandWord]] = value;
  return rig.channel.send(command)!;
}

/** Makes each command take so long, and tells when each was begun. */
function commandsTake(rig: DispatcherBench, ns: number): number[] {
  const begun: number[] = [];
  const { commands } = rig.plane;
  const { runOne } = commands;
  commands.runOne = () => {
    const at = rig.frameNs;
    if (!runOne.call(commands)) return false;
    begun.push(at);
    rig.advance(ns);
    return true;
  };
  return begun;
}

const HOLD_B = { KIND: CommandKind.HOLD_PARTITION, TARGET: 1 };

function queueIndex(rig: DispatcherBench, name: string): number {
  return rig.plan.queues.find((queue) => queue.name === name)!.index;
}

describe('dispatcher: when commands run', () => {
  it('[utest->req~ctrl.budget~1] a command waits for the control window, and is acknowledged there', () => {
    const rig = bench();
    const begun = commandsTake(rig, COMMAND_NS);
    const ticket = send(rig, HOLD_B);
    rig.at(499_000, () => assert.equal(rig.channel.isDone(ticket), false));
    rig.frames();
    assert.deepEqual(begun, [500_000]);
    assert.equal(rig.channel.isDone(ticket), true);
    assert.equal(rig.counters.gateway(GatewayCounter.COMMANDS), 1);
  });

  it('[utest->req~ctrl.budget~1] a command that ends exactly with the window runs, a nanosecond later it does not', () => {
    for (const [slack, ran] of [
      [0, 3],
      [-1, 2],
      [COMMAND_NS - 1, 3],
    ] as const) {
      const rig = bench(3 * COMMAND_NS + slack);
      const begun = commandsTake(rig, COMMAND_NS);
      const tickets = Array.from({ length: 5 }, () => send(rig, HOLD_B));
      rig.frames();
      assert.equal(begun.length, ran, `${slack} ns`);
      assert.deepEqual(
        tickets.map((ticket) => rig.channel.isDone(ticket)),
        tickets.map((_, n) => n < ran),
      );
    }
  });

  it('[utest->req~ctrl.budget~1] the rest runs in the next control window, in order', () => {
    const rig = bench(2 * COMMAND_NS);
    commandsTake(rig, COMMAND_NS);
    for (const kind of [
      CommandKind.HOLD_PARTITION,
      CommandKind.RUN_PARTITION,
      CommandKind.HOLD_PARTITION,
    ]) {
      send(rig, { KIND: kind, TARGET: 1 });
    }
    rig.frames();
    assert.equal(rig.plane.partitions[1]!.running, true);
    rig.frames();
    assert.equal(rig.plane.partitions[1]!.running, false);
  });

  it('[utest->req~ctrl.budget~1] the clock is read before each command: a long one leaves less for the next', () => {
    const rig = bench(10 * COMMAND_NS);
    const begun = commandsTake(rig, 4 * COMMAND_NS);
    for (let n = 0; n < 5; n++) send(rig, HOLD_B);
    rig.frames();
    assert.deepEqual(
      begun,
      [0, 4, 8].map((n) => 500_000 + n * COMMAND_NS),
    );
  });

  it('[utest->req~ctrl.budget~1] one window runs a bounded number of commands, whatever the clock says', () => {
    const rig = bench();
    const begun = commandsTake(rig, 0);
    for (let n = 0; n < 200; n++) send(rig, HOLD_B);
    rig.frames();
    assert.equal(begun.length, 64);
    rig.frames(3);
    assert.equal(begun.length, 200);
  });

  it('[utest->req~ctrl.budget~1] a control window reached behind its end runs nothing', () => {
    const rig = bench();
    const begun = commandsTake(rig, COMMAND_NS);
    send(rig, HOLD_B);
    rig.time.nowNs = rig.origin + 700_000;
    rig.frames();
    assert.deepEqual(begun, []);
  });

  it('[utest->req~ctrl.budget~1] a control window serves no queue', () => {
    const rig = bench();
    rig.at(100_001, () => rig.backlog(3));
    rig.frames();
    assert.equal(rig.served('a.tx0'), 0);
  });
});

describe('dispatcher: what commands do', () => {
  it('[utest->req~queue.reset~1] START_QUEUE starts a ring with all that was agreed on', () => {
    for (const flags of [
      0,
      RingFlag.EVENT_IDX,
      RingFlag.INDIRECT,
      RingFlag.EVENT_IDX | RingFlag.INDIRECT,
    ]) {
      const rig = bench();
      const { slice, transmit } = rig.guest('a');
      const target = queueIndex(rig, 'a.net0.transmitq0');
      const ring = rig.plane.queues[target]!.ring as SplitQueue;
      ring.stop();
      send(rig, {
        KIND: CommandKind.START_QUEUE,
        TARGET: target,
        SIZE: 64,
        FLAGS: flags,
        INDEX: 0x1fffe,
        DESC: slice.at(transmit[0]!.desc),
        AVAIL: slice.at(transmit[0]!.avail),
        USED: slice.at(transmit[0]!.used),
        NOTIFY_KIND: NotifyKind.ARENA_WORD,
        NOTIFY_TARGET: 4711,
      });
      rig.frames();
      assert.equal(ring.started, true);
      assert.deepEqual(
        [ring.size, ring.taken, ring.tableAt],
        [64, 0xfffe, slice.at(transmit[0]!.desc)],
      );
      assert.equal(ring.indirect, (flags & RingFlag.INDIRECT) !== 0);
      assert.equal(transmit[0]!.usedFlags, (flags & RingFlag.EVENT_IDX) === 0 ? 1 : 0);
      const { notifyKind, notifyTarget } = rig.plane.queues[target]!;
      assert.deepEqual([notifyKind, notifyTarget], [NotifyKind.ARENA_WORD, 4711]);
    }
  });

  it('[utest->req~queue.packed-lists~1] START_QUEUE with the flag starts the packed ring where its base says', () => {
    const rig = bench();
    const { slice, transmit } = rig.guest('a');
    const target = queueIndex(rig, 'a.net0.transmitq0');
    const queue = rig.plane.queues[target]!;
    const before = queue.ring;
    const base = (0x8007 << 16) | 0x8007;
    const place = {
      SIZE: 48,
      DESC: slice.at(transmit[0]!.desc),
      AVAIL: slice.at(transmit[0]!.avail),
      USED: slice.at(transmit[0]!.used),
    };
    const { PACKED, INDIRECT } = RingFlag;
    send(rig, {
      ...{ KIND: CommandKind.START_QUEUE, TARGET: target, FLAGS: PACKED | INDIRECT, INDEX: base },
      ...place,
    });
    rig.frames();
    const ring = queue.ring as PackedQueue;
    assert.ok(before instanceof SplitQueue && ring instanceof PackedQueue);
    assert.deepEqual([before.started, ring.started], [false, true]);
    assert.deepEqual([ring.size, ring.base, ring.indirect], [48, base, true]);
    send(rig, { KIND: CommandKind.START_QUEUE, TARGET: target, INDEX: 5, ...place, SIZE: 64 });
    rig.frames();
    assert.equal(queue.ring, before);
    assert.deepEqual([before.started, ring.started, before.base], [true, false, 5]);
  });

  it('[utest->req~queue.reset~1] STOP_QUEUE stops this ring and no other', () => {
    for (const name of ['a.net0.transmitq0', 'b.net0.receiveq0', 'a.net0.controlq']) {
      const rig = bench();
      const target = queueIndex(rig, name);
      send(rig, { KIND: CommandKind.STOP_QUEUE, TARGET: target });
      rig.frames();
      const started = rig.plane.queues.map(({ ring }) => ring.started);
      assert.deepEqual(
        started,
        started.map((_, n) => n !== target),
      );
    }
  });

  it('[utest->req~queue.reset~1] a packet deferred by its quota is forgotten with its ring', () => {
    const route = {
      ...bench().config.network.routes[0]!,
      excess: 'defer' as const,
      packetsPerMajorFrame: 1,
    };
    const rig = new DispatcherBench({
      routes: [route],
      costs: { controlCommandNs: COMMAND_NS },
      windows: [
        window('w1', 'a', 0, 100_000, [caps('transmitq0')]),
        { id: 'c', kind: 'control', offsetUs: 200, durationUs: 100 },
        window('w2', 'a', 400_000, 100_000, [caps('transmitq0')]),
      ],
    });
    rig.supply('b', 4);
    rig.backlog(3);
    const { slice, transmit } = rig.guest('a');
    send(rig, {
      KIND: CommandKind.START_QUEUE,
      TARGET: queueIndex(rig, 'a.net0.transmitq0'),
      SIZE: 256,
      INDEX: 3,
      DESC: slice.at(transmit[0]!.desc),
      AVAIL: slice.at(transmit[0]!.avail),
      USED: slice.at(transmit[0]!.used),
    });
    rig.at(350_000, () => rig.send('a', rig.packet('a', 'b', 64, [0x81, 0x00])));
    rig.frames();
    assert.equal(transmit[0]!.usedIndex, 4, 'a packet that no route carries, in the same frame');
  });

  it('[utest->req~fault.recover~1] START_DEVICE hands over all 64 feature bits, STOP_DEVICE ends service', () => {
    const rig = bench();
    const device = networkOf(rig.plane);
    device.stop();
    send(rig, {
      KIND: CommandKind.START_DEVICE,
      TARGET: 0,
      FEATURES_LOW: 0x80000001 | 0,
      FEATURES_HIGH: -1,
    });
    rig.frames();
    assert.equal(device.started, true);
    assert.deepEqual([device.negotiatedLow, device.transmit.checksum], [0x80000001, true]);
    send(rig, { KIND: CommandKind.STOP_DEVICE, TARGET: 0 });
    rig.frames();
    assert.equal(device.started, false);
    rig.backlog(1);
    rig.frames();
    assert.equal(rig.served('a.tx0'), 0);
  });

  it('[utest->req~fault.contain~1] HOLD_PARTITION and RUN_PARTITION concern their partition alone', () => {
    const rig = bench();
    send(rig, HOLD_B);
    rig.frames();
    assert.deepEqual(
      rig.plane.partitions.map(({ running }) => running),
      [true, false],
    );
    send(rig, { KIND: CommandKind.RUN_PARTITION, TARGET: 1 });
    send(rig, { KIND: CommandKind.HOLD_PARTITION, TARGET: 0 });
    rig.frames();
    assert.deepEqual(
      rig.plane.partitions.map(({ running }) => running),
      [false, true],
    );
  });

  it('[utest->req~fault.safe-state~1] STOP, and a command that does not exist, end the data plane', () => {
    for (const kind of [CommandKind.STOP, 0, 99]) {
      const rig = bench();
      assert.equal(rig.plane.commands.stopped, false);
      send(rig, { KIND: kind });
      rig.frames();
      assert.equal(rig.plane.commands.stopped, true);
    }
  });

  it('[utest->req~ctrl.budget~1] a channel that is full refuses, and takes commands again once some ran', () => {
    const rig = bench();
    const command = new Int32Array(CommandWord.COUNT);
    command[KIND] = CommandKind.RUN_PARTITION;
    command[TARGET] = 0;
    let sent = 0;
    while (rig.channel.send(command) !== undefined) sent++;
    assert.equal(sent, 256);
    rig.frames();
    assert.notEqual(rig.channel.send(command), undefined);
  });
});
