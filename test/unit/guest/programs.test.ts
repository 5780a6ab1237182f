/** The embedded programs: what traffic counts when answers are lost, repeated or changed; echo; babbler. */
import { strict as assert } from 'node:assert';
import { GuestStatistic } from '../../../src/channel/guest-statistics.ts';
import type { ProgramSettings } from '../../../src/guest/guest-machine.ts';
import { Babbler } from '../../../src/guest/programs/babbler.ts';
import { Echo } from '../../../src/guest/programs/echo.ts';
import { PROGRAMS } from '../../../src/guest/programs/index.ts';
import { Traffic } from '../../../src/guest/programs/traffic.ts';
import { PacketKind, type TestPacket } from '../../../src/guest/test-packet.ts';
import { BenchMachine } from '../../support/bench-machine.ts';
import { FunctionBench } from '../../support/function-bench.ts';
import { PacketPeer } from '../../support/packet-peer.ts';

const A = [0x52, 0x54, 0, 0, 0, 1];
const B = [0x52, 0x54, 0, 0, 0, 2];
const SETTINGS: ProgramSettings = {
  netFunction: 0,
  gpuFunction: -1,
  toMac: B,
  periodUs: 10_000,
  burst: 1,
  bytes: 100,
};
const { SENT, RECEIVED, ANSWERED, LOST, CORRUPT, DUPLICATE, ERRORS } = GuestStatistic;

function counted(machine: BenchMachine) {
  const of = (statistic: number) => machine.statistics.get(statistic);
  return {
    sent: of(SENT),
    received: of(RECEIVED),
    answered: of(ANSWERED),
    lost: of(LOST),
    corrupt: of(CORRUPT),
    duplicate: of(DUPLICATE),
    errors: of(ERRORS),
  };
}

function traffic(settings: Partial<ProgramSettings> = {}) {
  const bench = new FunctionBench();
  const machine = new BenchMachine(bench, 0);
  const program = new Traffic(machine, { ...SETTINGS, ...settings });
  const peer = new PacketPeer(bench, 1, 60);
  const steps = (count: number) => {
    for (let n = 0; n < count; n++) program.step();
  };
  return { bench, machine, program, peer, steps };
}

/** A traffic program that has received answers of these sequence numbers, in this order. */
function answered(
  sequences: readonly number[],
  change: (bytes: number[], n: number) => number[] = (bytes) => bytes,
) {
  const made = traffic();
  made.steps(4);
  sequences.forEach((sequence, n) => {
    const packet: TestPacket = {
      kind: PacketKind.ANSWER,
      sequence,
      stampNs: made.bench.time.nowNs,
    };
    made.peer.send(change(made.peer.packet(A, packet, 100), n));
  });
  made.steps(4);
  return counted(made.machine);
}

describe('traffic program', () => {
  it('[utest->req~guest.traffic-verified~1] it sends a burst of numbered requests each period', () => {
    const { machine, peer, steps } = traffic({ burst: 3 });
    steps(8);
    const packets = peer.arrived();
    assert.ok(packets.length >= 15);
    assert.deepEqual(
      packets.map(({ sequence }) => sequence),
      packets.map((_, n) => n),
    );
    assert.ok(
      packets.every(({ kind, bytes }) => kind === PacketKind.REQUEST && bytes.length === 100),
    );
    assert.equal(machine.statistics.get(SENT) % 3, 0);
  });

  it('[utest->req~guest.traffic-verified~1] it never sends packets too short to be checked', () => {
    const { peer, steps } = traffic({ bytes: 10 });
    steps(3);
    assert.ok(peer.arrived().every(({ bytes }) => bytes.length === 64));
  });

  it('[utest->req~guest.traffic-verified~1] answers in order are answers, and nothing else', () => {
    assert.deepEqual(partOf(answered([0, 1, 2, 3])), {
      received: 4,
      answered: 4,
      lost: 0,
      duplicate: 0,
      corrupt: 0,
    });
  });

  it('[utest->req~guest.traffic-verified~1] a gap in the answers is so many lost', () => {
    assert.deepEqual(partOf(answered([0, 1, 5, 6])), {
      received: 4,
      answered: 4,
      lost: 3,
      duplicate: 0,
      corrupt: 0,
    });
  });

  it('[utest->req~guest.traffic-verified~1] a first answer that is missing is lost', () => {
    assert.deepEqual(partOf(answered([2])), {
      received: 1,
      answered: 1,
      lost: 2,
      duplicate: 0,
      corrupt: 0,
    });
  });

  it('[utest->req~guest.traffic-verified~1] a repeated answer is a duplicate', () => {
    assert.deepEqual(partOf(answered([0, 1, 1, 0, 2])), {
      received: 5,
      answered: 5,
      lost: 0,
      duplicate: 2,
      corrupt: 0,
    });
  });

  it('[utest->req~guest.traffic-verified~1] a changed answer is corrupt, and then missing', () => {
    const result = answered([0, 1, 2], (bytes, n) =>
      n === 1 ? bytes.with(50, bytes[50]! ^ 1) : bytes,
    );
    assert.deepEqual(partOf(result), {
      received: 3,
      answered: 2,
      lost: 1,
      duplicate: 0,
      corrupt: 1,
    });
  });

  it('[utest->req~guest.traffic-verified~1] a request of somebody is received, and is no answer', () => {
    const { machine, peer, steps } = traffic();
    peer.send(peer.packet(A, { kind: PacketKind.REQUEST, sequence: 0, stampNs: 0 }));
    steps(3);
    assert.deepEqual(partOf(counted(machine)), {
      received: 1,
      answered: 0,
      lost: 0,
      duplicate: 0,
      corrupt: 0,
    });
  });

  it('[utest->req~guest.traffic-verified~1] the round trip is from the stamp to the receipt', () => {
    const { bench, machine, peer, steps } = traffic();
    steps(2);
    const stampNs = bench.time.nowNs;
    peer.send(peer.packet(A, { kind: PacketKind.ANSWER, sequence: 0, stampNs }));
    steps(3);
    const { roundTrip } = machine.statistics;
    assert.equal(roundTrip.count, 1);
    assert.ok(roundTrip.min > 0 && roundTrip.max <= bench.time.nowNs - stampNs);
  });

  it('[utest->req~guest.traffic-verified~1] a device that takes nothing is an error each time, and no wait without end', () => {
    const { bench, machine, steps } = traffic({ burst: 40 });
    bench.plane.partitions[0]!.running = false;
    steps(6);
    const { sent, errors } = counted(machine);
    assert.equal(sent, 64, 'the transmit ring is full');
    assert.ok(errors > 0);
  });
});

describe('echo program', () => {
  function echo() {
    const bench = new FunctionBench();
    const machine = new BenchMachine(bench, 0);
    const program = new Echo(machine, SETTINGS);
    const peer = new PacketPeer(bench, 1);
    const steps = (count: number) => {
      for (let n = 0; n < count; n++) program.step();
    };
    return { bench, machine, peer, steps };
  }

  it('[utest->req~guest.traffic-verified~1] a request goes back to its sender, whole, as an answer', () => {
    const { machine, peer, steps } = echo();
    peer.send(
      peer.packet(A, { kind: PacketKind.REQUEST, sequence: 0x0a0b_0c0d, stampNs: 123_456 }, 200),
    );
    steps(5);
    const [answer, more] = peer.arrived();
    assert.equal(more, undefined);
    assert.deepEqual(
      [answer!.kind, answer!.sequence, answer!.stampNs],
      [PacketKind.ANSWER, 0x0a0b_0c0d, 123_456],
    );
    assert.deepEqual(
      [answer!.bytes.slice(0, 6), answer!.bytes.slice(6, 12), answer!.bytes.length],
      [B, A, 200],
    );
    assert.deepEqual([machine.statistics.get(RECEIVED), machine.statistics.get(SENT)], [1, 1]);
  });

  it('[utest->req~guest.traffic-verified~1] an answer is not answered', () => {
    const { machine, peer, steps } = echo();
    peer.send(peer.packet(A, { kind: PacketKind.ANSWER, sequence: 1, stampNs: 0 }));
    steps(5);
    assert.deepEqual(peer.arrived(), []);
    assert.deepEqual([counted(machine).received, counted(machine).corrupt], [1, 0]);
  });

  it('[utest->req~guest.traffic-verified~1] what is not a test packet is counted and not answered', () => {
    const { machine, peer, steps } = echo();
    peer.send([...A, ...B, 0x08, 0x00, ...new Array<number>(50).fill(1)]);
    steps(5);
    assert.deepEqual(peer.arrived(), []);
    assert.deepEqual([counted(machine).received, counted(machine).corrupt], [1, 1]);
  });

  it('[utest->req~guest.traffic-verified~1] traffic and echo, side by side, lose nothing over hundreds of requests', () => {
    const bench = new FunctionBench();
    const machines = [new BenchMachine(bench, 0), new BenchMachine(bench, 1)] as const;
    const programs = [
      new Traffic(machines[0], { ...SETTINGS, burst: 4 }),
      new Echo(machines[1], SETTINGS),
    ];
    for (let n = 0; n < 200; n++) for (const program of programs) program.step();
    const { sent, answered: back, ...wrong } = counted(machines[0]);
    assert.ok(sent >= 400 && back >= sent - 16);
    assert.deepEqual(
      { ...wrong, received: 0 },
      { received: 0, lost: 0, corrupt: 0, duplicate: 0, errors: 0 },
    );
    assert.deepEqual(bench.faults, []);
  });
});

describe('babbler program', () => {
  it('[utest->req~guest.honest-driver~1] it fills its transmit ring, again and again, and never waits', () => {
    const bench = new FunctionBench();
    const machine = new BenchMachine(bench, 0);
    const program = new Babbler(machine, { ...SETTINGS, bytes: 1514 });
    bench.settle();
    program.step();
    assert.equal(counted(machine).sent, 64);
    program.step();
    assert.equal(counted(machine).sent, 64, 'the device has every buffer');
    for (let n = 0; n < 10; n++) {
      bench.frames(1);
      program.step();
    }
    assert.equal(counted(machine).sent, 11 * 64);
    assert.equal(machine.waits, 0);
    assert.deepEqual(bench.faults, []);
  });

  it('[utest->req~guest.honest-driver~1] what it receives it gives back', () => {
    const bench = new FunctionBench();
    const program = new Babbler(new BenchMachine(bench, 0), SETTINGS);
    const peer = new PacketPeer(bench, 1);
    for (let n = 0; n < 100; n++) {
      peer.send(peer.packet(A, { kind: PacketKind.REQUEST, sequence: n, stampNs: 0 }));
      bench.frames(1);
      program.step();
    }
    assert.ok(bench.plane.queues[0]!.look() >= 62);
  });
});

describe('programs by name', () => {
  it('[utest->req~guest.honest-driver~1] every program that a configuration can name is there', () => {
    assert.deepEqual(Object.keys(PROGRAMS).sort(), [
      'babbler',
      'cluster-display',
      'echo',
      'gpu-babbler',
      'infotainment-display',
      'traffic',
    ]);
  });
});

function partOf({
  received,
  answered: back,
  lost,
  duplicate,
  corrupt,
}: ReturnType<typeof counted>) {
  return { received, answered: back, lost, duplicate, corrupt };
}
