/** The mailbox service of an embedded guest: what it serves, what it refuses, how much in one tick. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { faultName } from '../../../src/base/fault.ts';
import { MailboxOperation, MailboxState } from '../../../src/channel/mailbox.ts';
import { EmbeddedGuest } from '../../../src/control-plane/embedded-guest.ts';
import type { VirtioFunction } from '../../../src/control-plane/pci/virtio-function.ts';
import { PciHeader } from '../../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../../support/function-bench.ts';
import { MailboxGuest, turns } from '../../support/mailbox-guest.ts';
import { RegisterDriver } from '../../support/register-driver.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const { CONFIG_READ, CONFIG_WRITE, BAR_READ, BAR_WRITE } = MailboxOperation;
const ACCESSES_PER_TICK = 512;
const ALL_ONES = 0xffff_ffff;

/** A function that notes who asked what of it and answers with a number. */
function recordingFunction(calls: unknown[][], answer: number): VirtioFunction {
  const note =
    (name: string) =>
    (...values: number[]) => {
      calls.push([name, ...values]);
      return answer;
    };
  return {
    readConfig: note('readConfig'),
    writeConfig: note('writeConfig'),
    readBar: note('readBar'),
    writeBar: note('writeBar'),
  } as unknown as VirtioFunction;
}

function service(functions?: (bench: FunctionBench) => readonly VirtioFunction[]) {
  const bench = new FunctionBench();
  const calls: unknown[][] = [];
  const faults: string[] = [];
  const guest = new EmbeddedGuest({
    plan: bench.plan,
    partition: bench.plan.partitions[0]!,
    memory: bench.memory,
    functions: functions?.(bench) ?? [
      recordingFunction(calls, 0x1234_5678),
      recordingFunction([], 1),
    ],
    mustWait: () => false,
    onFault: (fault) => faults.push(faultName(fault)),
  });
  const mailbox = new MailboxGuest(bench.words, bench.areaOf(0).mailboxAt);
  guest.tick();
  return { bench, guest, calls, faults, mailbox };
}

describe('register mailbox service', () => {
  for (const [what, access, call] of [
    [
      'a configuration read',
      { operation: CONFIG_READ, offset: 0x10, width: 4 },
      ['readConfig', 0x10, 4],
    ],
    ['a BAR read', { operation: BAR_READ, offset: 0x2000, width: 1 }, ['readBar', 0x2000, 1]],
  ] as const) {
    it(`[utest->req~ctrl.register-budget~1] ${what} reaches its function and is answered`, async () => {
      const { calls, mailbox } = service();
      assert.equal(await mailbox.access(access), 0x1234_5678);
      assert.deepEqual(calls, [call]);
    });
  }

  for (const [what, access, call] of [
    [
      'a configuration write',
      { operation: CONFIG_WRITE, offset: 4, width: 2, low: -2 },
      ['writeConfig', 4, 2, 0xffff_fffe],
    ],
    [
      'an 8-byte BAR write',
      { operation: BAR_WRITE, offset: 0x20, width: 8, low: 5, high: -1 },
      ['writeBar', 0x20, 8, 5, ALL_ONES],
    ],
  ] as const) {
    it(`[utest->req~ctrl.register-budget~1] ${what} reaches its function and is answered with 0`, async () => {
      const { calls, mailbox } = service();
      assert.equal(await mailbox.access(access), 0);
      assert.deepEqual(calls, [call]);
    });
  }

  for (const [what, access] of [
    ['a function that is not there', { operation: BAR_READ, function: 2 }],
    ['function -1', { operation: BAR_READ, function: -1 }],
    ['width 0', { operation: BAR_READ, width: 0 }],
    ['width 3', { operation: BAR_WRITE, width: 3 }],
    ['width 16', { operation: CONFIG_READ, width: 16 }],
    ['width -1', { operation: CONFIG_WRITE, width: -1 }],
    ['operation 0', { operation: 0 }],
    ['operation 5', { operation: 5 }],
    ['operation -1', { operation: -1 }],
  ] as const) {
    it(`[utest->req~ctrl.register-budget~1] ${what} reaches nobody and is answered with ones`, async () => {
      const { calls, mailbox } = service();
      assert.equal(await mailbox.access(access), ALL_ONES);
      assert.deepEqual(calls, []);
    });
  }

  it('[utest->req~ctrl.register-budget~1] one request is served once', async () => {
    const { calls, mailbox, guest } = service();
    mailbox.post({ operation: BAR_READ });
    await turns();
    guest.tick();
    await turns();
    assert.equal(calls.length, 1);
    assert.equal(mailbox.state, MailboxState.ANSWERED);
  });

  it('[utest->req~ctrl.register-budget~1] a wake-up without a request, whatever the state word says, is not served', async () => {
    const { calls, mailbox, guest } = service();
    for (const state of [MailboxState.IDLE, MailboxState.ANSWERED, 3, -1, 0x7fff_ffff]) {
      mailbox.post({ operation: BAR_READ }, state);
      await turns();
      guest.tick();
    }
    assert.deepEqual(calls, []);
    assert.equal(await mailbox.access({ operation: BAR_READ }), 0x1234_5678);
  });

  it('[utest->req~ctrl.register-budget~1] a guest within its budget is no fault', async () => {
    const { faults, guest, mailbox } = service();
    for (let tick = 0; tick < 3; tick++) {
      for (let n = 0; n < 100; n++) await mailbox.access({ operation: BAR_READ });
      guest.tick();
    }
    assert.deepEqual(faults, []);
  });

  it('[utest->req~fault.contain~1] garbage of any kind is answered and leaves gateway and neighbour as they are', async () => {
    const { bench, mailbox, guest } = service((made) => made.busOf(0));
    const other = new RegisterDriver(bench, 1).start();
    const before = other.snapshot();
    const word = fc.oneof(fc.nat(0x60), fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }));
    const garbage = fc.record({
      operation: fc.oneof(fc.integer({ min: 1, max: 4 }), word),
      function: fc.oneof(fc.constant(0), word),
      offset: word,
      width: fc.oneof(fc.constantFrom(1, 2, 4, 8), word),
      low: word,
      high: word,
    });
    await fc.assert(
      fc.asyncProperty(garbage, async (access) => {
        const answer = await mailbox.access(access);
        assert.ok(answer !== undefined && answer >= 0 && answer <= ALL_ONES);
        bench.settle();
        guest.tick();
      }),
      seededRuns(81, 300),
    );
    assert.deepEqual(other.snapshot(), before);
  });

  it('[utest->req~ctrl.register-budget~1] a guest that was never started is not alive, and stopping it is nothing', async () => {
    const { guest } = service();
    assert.equal(guest.alive, false);
    await guest.stop();
    assert.equal(guest.alive, false);
  });
});

describe('regressions', () => {
  async function answered(mailbox: MailboxGuest, most: number): Promise<number> {
    for (let n = 0; n < most; n++) {
      if ((await mailbox.access({ operation: BAR_READ })) === undefined) return n;
    }
    return most;
  }

  it('[utest->req~ctrl.register-budget~1] in one tick no more accesses are served than the budget has', async () => {
    const { mailbox } = service();
    assert.ok((await answered(mailbox, 2 * ACCESSES_PER_TICK)) <= ACCESSES_PER_TICK);
  });

  it('[utest->req~ctrl.register-budget~1] what is beyond the budget is a fault, and is served in the next tick', async () => {
    const { guest, mailbox, faults } = service();
    await answered(mailbox, ACCESSES_PER_TICK + 1);
    guest.tick();
    assert.deepEqual(faults, ['register-flood']);
    await turns();
    assert.equal(mailbox.state, MailboxState.ANSWERED);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.1: a function that is not there reads as ones of the width of the access', async () => {
    const { mailbox } = service();
    const access = { operation: CONFIG_READ, function: 31, offset: PciHeader.VENDOR, width: 2 };
    assert.equal(await mailbox.access(access), 0xffff);
  });
});
