/** The gateway for real, with its threads: start, traffic, guests that die, orderly stop. */
import { strict as assert } from 'node:assert';
import type { EmbeddedGuest } from '../../src/control-plane/embedded-guest.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { CommandKind } from '../../src/channel/command-channel.ts';
import { EventKind } from '../../src/channel/event-log.ts';
import { GuestStatistic } from '../../src/channel/guest-statistics.ts';
import type { DataPlaneLink } from '../../src/control-plane/data-plane-link.ts';
import type { PlaneThread } from '../../src/host/plane-thread.ts';
import type {
  FaultAction,
  GatewayConfig,
  ReactionConfig,
} from '../../src/schedule/gateway-config.ts';
import {
  cockpit,
  cockpitWith,
  RunningGateway,
  threads,
  until,
} from '../support/running-gateway.ts';

const OTHERS = ['cluster', 'telematics'];
const EVERYBODY = [...OTHERS, 'infotainment'];
/** A program that no gateway has: its thread ends with an error as soon as it starts. */
const BROKEN = 'no-such-program';

function reaction(fault: string, action: FaultAction, partition = 'infotainment'): ReactionConfig {
  return { fault, partition, action, log: true };
}

const SAFE_AT_EMPTY_CHAIN: ReactionConfig = {
  ...{ fault: 'chain-empty', partition: '*', action: 'safe-state', log: true },
};

/** A fault as the data plane reports it. */
function report(running: RunningGateway, partition: string, code: FaultCode, queue = -1): void {
  const { events } = running.gateway;
  events.report(EventKind.FAULT, running.index(partition), queue, code, Float64Array.of(0));
}

function reportEmptyChain(running: RunningGateway, partition: string, queue?: number): void {
  report(running, partition, Fault.ChainEmpty, queue);
}

/** What was logged of a fault that was reported. */
function faultLines({ lines }: RunningGateway, fault: string): string[] {
  return lines.filter((line) => line.includes(`: fault ${fault} at `));
}

describe('gateway with its threads', () => {
  let running: RunningGateway | undefined;

  function started(config: GatewayConfig): RunningGateway {
    running = new RunningGateway(config);
    return running;
  }

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  it('[utest->req~part.static-set~1] every partition of the configuration is started and becomes normal, and no other', async () => {
    const gateway = started(cockpit());
    assert.deepEqual(
      EVERYBODY.map((id) => gateway.mode(id)),
      new Array(3).fill('cold-start'),
    );
    await gateway.reaches('normal', ...EVERYBODY);
    assert.deepEqual(
      gateway.gateway.plan.partitions.map(({ id }) => id).sort(),
      EVERYBODY.toSorted(),
    );
    assert.deepEqual(
      new Set(gateway.transitions.map(({ partition }) => partition)),
      new Set([0, 1, 2]),
    );
  });

  it('[utest->req~guest.traffic-verified~1] traffic is answered, nothing is lost, repeated or changed beside a babbler', async () => {
    const gateway = started(cockpit());
    await gateway.reaches('normal', ...EVERYBODY);
    await gateway.answers(1);
    const before = gateway.trouble;
    await gateway.answers(100);
    const after = gateway.trouble;
    assert.deepEqual([after.corrupt, after.duplicate], [0, 0]);
    // A host that stalls the echo for long makes it miss receive buffers, which is counted.
    assert.ok(
      after.lost - before.lost <= after.dropped - before.dropped,
      JSON.stringify([before, after]),
    );
    assert.ok(gateway.statistic('infotainment', GuestStatistic.SENT) > 0);
  });

  it('[utest->req~net.link-state~1] a link is up while somebody it leads to is ready and served', async () => {
    const gateway = started(
      cockpitWith('telematics', undefined, [reaction('chain-empty', 'isolate', 'telematics')]),
    );
    assert.equal(gateway.linkUp('cluster'), false);
    await gateway.reaches('normal', ...EVERYBODY);
    assert.deepEqual(
      EVERYBODY.map((id) => gateway.linkUp(id)),
      [true, true, true],
    );
    reportEmptyChain(gateway, 'telematics');
    await gateway.reaches('isolated', 'telematics');
    assert.deepEqual(
      EVERYBODY.map((id) => gateway.linkUp(id)),
      [false, true, false],
    );
  });

  it('[utest->req~part.transition-table~1] a stop leaves every partition idle and no thread, twice in one process', async () => {
    const left: number[] = [];
    for (let round = 0; round < 2; round++) {
      const gateway = started(cockpit());
      await gateway.reaches('normal', ...OTHERS);
      await gateway.answers(2);
      await gateway.stop();
      assert.deepEqual(
        EVERYBODY.map((id) => gateway.mode(id)),
        new Array(3).fill('idle'),
      );
      assert.equal(gateway.gateway.safeState, undefined);
      assert.ok(gateway.gateway.guests.every((guest) => !(guest as EmbeddedGuest).alive));
      left.push(threads());
    }
    await until(() => threads() <= left[0]!, 'as few threads as after the first gateway');
  });

  it('[utest->req~fault.reaction~1] a guest that dies is isolated where the table says so, and the others go on', async () => {
    const gateway = started(
      cockpitWith('infotainment', BROKEN, [reaction('guest-died', 'isolate')]),
    );
    await gateway.reaches('isolated', 'infotainment');
    await gateway.reaches('normal', ...OTHERS);
    await gateway.answers(10);
    assert.equal(gateway.mode('infotainment'), 'isolated');
    assert.ok(
      gateway.lines.some((line) =>
        /infotainment: fault guest-died .*no-such-program.*\(isolate\)/.test(line),
      ),
    );
    assert.equal(gateway.gateway.safeState, undefined);
  });

  it('[utest->req~fault.reaction~1] a guest that dies at every start is started again each time, and the others go on', async () => {
    const gateway = started(
      cockpitWith('infotainment', BROKEN, [reaction('guest-died', 'restart')]),
    );
    const restarts = () => gateway.transitions.filter(({ cause }) => cause === 'restart').length;
    await until(() => restarts() >= 3, 'three restarts');
    await gateway.reaches('normal', ...OTHERS);
    await gateway.answers(10);
    assert.equal(gateway.mode('infotainment'), 'cold-start');
  });

  it('[utest->req~fault.recover~1] a guest whose thread is ended comes back by a restart, with its device reset', async () => {
    const gateway = started(
      cockpitWith('infotainment', undefined, [reaction('guest-died', 'restart')]),
    );
    await gateway.reaches('normal', ...EVERYBODY);
    await threadOf(gateway, 'infotainment').terminate();
    await until(() => gateway.transitions.some(({ cause }) => cause === 'restart'), 'a restart');
    await gateway.reaches('normal', 'infotainment');
    const sent = gateway.statistic('infotainment', GuestStatistic.SENT);
    await until(
      () => gateway.statistic('infotainment', GuestStatistic.SENT) > sent,
      'packets after the restart',
    );
    assert.equal(gateway.statistic('infotainment', GuestStatistic.STARTED), 2);
    assert.deepEqual(
      OTHERS.map((id) => gateway.mode(id)),
      ['normal', 'normal'],
    );
  });

  it('[utest->req~fault.safe-state~1] a fault that the table answers with the safe state is said so', async () => {
    const gateway = started(
      cockpitWith('infotainment', BROKEN, [reaction('guest-died', 'safe-state')]),
    );
    const reasons: string[] = [];
    gateway.gateway.enteredSafeState.subscribe((reason) => reasons.push(reason));
    await until(() => gateway.gateway.safeState !== undefined, 'the safe state');
    assert.deepEqual(reasons, ['fault guest-died of partition infotainment']);
  });

  it('[utest->req~fault.safe-state~1] the safe state is entered once, for the first reason', async () => {
    const gateway = started(cockpitWith('infotainment', undefined, [SAFE_AT_EMPTY_CHAIN]));
    const reasons: string[] = [];
    gateway.gateway.enteredSafeState.subscribe((reason) => reasons.push(reason));
    await gateway.reaches('normal', ...EVERYBODY);
    for (const partition of EVERYBODY.toReversed()) reportEmptyChain(gateway, partition);
    await gateway.reaches('normal', ...EVERYBODY);
    await until(() => faultLines(gateway, 'chain-empty').length === 3, 'all three are logged');
    assert.deepEqual(reasons, ['fault chain-empty of partition infotainment']);
    assert.equal(gateway.gateway.safeState, reasons[0]);
  });

  it('[utest->req~fault.reaction~1] a device that needs a reset is named by its queue where the fault has one', async () => {
    const gateway = started(
      cockpitWith('infotainment', undefined, [reaction('chain-empty', 'needs-reset')]),
    );
    await gateway.reaches('normal', ...EVERYBODY);
    const { queues, devices } = gateway.gateway.plan;
    const own = queues.find(
      ({ device }) => devices[device]!.partition === gateway.index('infotainment'),
    )!;
    const resets = () => gateway.transitions.filter(({ cause }) => cause === 'needs-reset');
    reportEmptyChain(gateway, 'infotainment', own.index);
    await until(() => resets().length === 1, 'a reset for the queue');
    reportEmptyChain(gateway, 'infotainment');
    await until(() => resets().length === 2, 'a reset for the partition');
    assert.ok(resets().every(({ partition }) => partition === gateway.index('infotainment')));
    assert.deepEqual(
      faultLines(gateway, 'chain-empty').map((line) => / at (\S+): /.exec(line)![1]),
      [own.name, 'infotainment'],
    );
    await gateway.answers(10);
    assert.equal(gateway.gateway.safeState, undefined);
  });

  it('[utest->req~fault.reaction~1] a fault that the table does not log is still reported to programs', async () => {
    const silent = { ...reaction('chain-empty', 'ignore'), log: false };
    const gateway = started(cockpitWith('infotainment', undefined, [silent]));
    const codes: number[] = [];
    gateway.gateway.faults.subscribe(({ code }) => codes.push(code));
    await gateway.reaches('normal', ...EVERYBODY);
    reportEmptyChain(gateway, 'infotainment');
    await until(() => codes.includes(Fault.ChainEmpty), 'the fault');
    assert.deepEqual(faultLines(gateway, 'chain-empty'), []);
    assert.equal(gateway.mode('infotainment'), 'normal');
  });

  it('[utest->req~part.transition-table~1] an isolated partition is not restarted, whatever the table of reactions says', async () => {
    const gateway = started(
      cockpitWith('infotainment', undefined, [
        reaction('chain-empty', 'isolate'),
        reaction('chain-too-long', 'restart'),
      ]),
    );
    await gateway.reaches('normal', ...EVERYBODY);
    reportEmptyChain(gateway, 'infotainment');
    await gateway.reaches('isolated', 'infotainment');
    report(gateway, 'infotainment', Fault.ChainTooLong);
    await until(() => faultLines(gateway, 'chain-too-long').length === 1, 'the second fault');
    assert.equal(gateway.mode('infotainment'), 'isolated');
    assert.equal(gateway.statistic('infotainment', GuestStatistic.STARTED), 1);
  });

  it('[utest->req~part.transition-table~1] a data plane that does not end in time is ended all the same', async () => {
    const gateway = started(cockpit());
    await gateway.reaches('normal', ...OTHERS);
    const { dataPlane } = gateway.gateway as unknown as { dataPlane: PlaneThread };
    let patienceMs = 0;
    Object.assign(dataPlane, {
      endsWithin(ms: number) {
        patienceMs = ms;
        return Promise.resolve(false);
      },
    });
    await gateway.stop();
    assert.equal(patienceMs, 5000);
    assert.equal(await dataPlane.exited, 1, 'terminated');
    assert.equal(gateway.gateway.safeState, undefined);
  });

  it('[utest->req~fault.safe-state~1] a data plane that ends by itself is the safe state', async () => {
    const gateway = started(cockpit());
    await gateway.reaches('normal', ...OTHERS);
    (gateway.gateway as unknown as { link: DataPlaneLink }).link.post(CommandKind.STOP, 0);
    await until(() => gateway.gateway.safeState !== undefined, 'the safe state');
    assert.match(gateway.gateway.safeState!, /data plane/);
  });

  it('[utest->req~part.transition-table~1] stopping a gateway twice is stopping it once', async () => {
    const gateway = started(cockpit());
    await gateway.reaches('normal', ...OTHERS);
    await Promise.all([gateway.stop(), gateway.stop()]);
    assert.equal(gateway.transitions.filter(({ cause }) => cause === 'stop').length, 3);
  });
});

describe('regressions', () => {
  it('[utest->req~fault.reaction~1] a restart that becomes due while the gateway stops starts no thread', async () => {
    const gateway = new RunningGateway(
      cockpitWith('infotainment', 'echo', [reaction('chain-empty', 'restart')]),
    );
    const guest = gateway.gateway.guests[gateway.index('infotainment')]! as EmbeddedGuest;
    try {
      await gateway.reaches('normal', ...EVERYBODY);
      const stopped = gateway.stop();
      reportEmptyChain(gateway, 'infotainment');
      await stopped;
      assert.equal(guest.alive, false);
    } finally {
      await guest.stop();
    }
  });
});

function threadOf(gateway: RunningGateway, partition: string): PlaneThread {
  const guest = gateway.gateway.guests[gateway.index(partition)]! as EmbeddedGuest;
  return (guest as unknown as { thread: PlaneThread }).thread;
}
