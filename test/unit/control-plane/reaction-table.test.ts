/** Which reaction a fault gets: the first entry that names it, the first for all, the default. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Fault, FAULT_NAMES, stopsRing } from '../../../src/base/fault.ts';
import { ReactionTable } from '../../../src/control-plane/health/reaction-table.ts';
import type { FaultAction, ReactionConfig } from '../../../src/schedule/gateway-config.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

function entry(
  fault: string,
  partition: string,
  action: FaultAction,
  after?: number,
): ReactionConfig {
  return { fault, partition, action, log: true, ...(after !== undefined && { after }) };
}

describe('reaction table', () => {
  it('[utest->req~fault.reaction-table~1] the first entry that names fault and partition wins', () => {
    const table = new ReactionTable([
      entry('descriptor-loop', 'a', 'isolate'),
      entry('descriptor-loop', 'a', 'ignore'),
    ]);
    assert.equal(table.react('a', Fault.DescriptorLoop).action, 'isolate');
  });

  it('[utest->req~fault.reaction-table~1] an entry that names the fault goes before one for every fault', () => {
    const table = new ReactionTable([
      entry('*', 'a', 'ignore'),
      entry('descriptor-loop', '*', 'restart'),
    ]);
    assert.equal(table.react('a', Fault.DescriptorLoop).action, 'restart');
    assert.equal(table.react('a', Fault.ChainEmpty).action, 'ignore');
  });

  it('[utest->req~fault.reaction-table~1] an entry of another partition does not count', () => {
    const table = new ReactionTable([
      entry('descriptor-loop', 'b', 'isolate'),
      entry('*', '*', 'needs-reset'),
    ]);
    assert.equal(table.react('a', Fault.DescriptorLoop).action, 'needs-reset');
    assert.equal(table.react('b', Fault.DescriptorLoop).action, 'isolate');
  });

  it("[utest->req~fault.reaction-table~1] log is the entry's, and on where no entry is", () => {
    const table = new ReactionTable([
      { fault: 'chain-empty', partition: '*', action: 'ignore', log: false },
    ]);
    assert.equal(table.react('a', Fault.ChainEmpty).log, false);
    assert.equal(table.react('a', Fault.ChainTooLong).log, true);
  });

  for (const [code, name] of FAULT_NAMES.entries()) {
    const expected =
      name === 'guest-died' || name === 'required-feature-missing'
        ? 'isolate'
        : stopsRing(code)
          ? 'needs-reset'
          : 'ignore';
    it(`[utest->req~fault.reaction-table~1] without an entry ${name} means ${expected}`, () => {
      assert.equal(new ReactionTable([]).react('a', code).action, expected);
    });
  }

  it('[utest->req~fault.reaction-table~1] "after" counts up to the reaction, and from one again', () => {
    const table = new ReactionTable([entry('chain-empty', '*', 'isolate', 3)]);
    const actions = Array.from({ length: 7 }, () => table.react('a', Fault.ChainEmpty).action);
    assert.deepEqual(actions, [
      'ignore',
      'ignore',
      'isolate',
      'ignore',
      'ignore',
      'isolate',
      'ignore',
    ]);
  });

  it('[utest->req~fault.reaction-table~1] each partition and each fault is counted on its own', () => {
    const table = new ReactionTable([entry('*', '*', 'isolate', 2)]);
    assert.equal(table.react('a', Fault.ChainEmpty).action, 'ignore');
    assert.equal(table.react('b', Fault.ChainEmpty).action, 'ignore');
    assert.equal(table.react('a', Fault.ChainTooLong).action, 'ignore');
    assert.equal(table.react('a', Fault.ChainEmpty).action, 'isolate');
  });

  it('[utest->req~fault.reaction-table~1] any table: an independent search finds the same entry', () => {
    const names = ['chain-empty', 'descriptor-loop', 'chain-too-long'] as const;
    const entries = fc.array(
      fc.record({
        fault: fc.constantFrom('*', ...names),
        partition: fc.constantFrom('*', 'a', 'b'),
        action: fc.constantFrom<FaultAction>(
          'ignore',
          'needs-reset',
          'isolate',
          'restart',
          'safe-state',
        ),
        log: fc.boolean(),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(
        entries,
        fc.constantFrom('a', 'b', 'c'),
        fc.constantFrom(...names),
        (table, partition, fault) => {
          const mine = table.filter((row) => [partition, '*'].includes(row.partition));
          const [wanted] = [
            ...mine.filter((row) => row.fault === fault),
            ...mine.filter((row) => row.fault === '*'),
          ];
          const reaction = new ReactionTable(table).react(partition, FAULT_NAMES.indexOf(fault));
          assert.deepEqual(
            reaction,
            wanted ? { action: wanted.action, log: wanted.log } : { action: 'ignore', log: true },
          );
        },
      ),
      seededRuns(71, 300),
    );
  });
});

describe('regressions', () => {
  for (const action of ['ignore', 'needs-reset'] as const) {
    it(
      `[utest->req~neg.required~1] a table that says "${action}" for every fault does not keep a partition without a ` +
        'required feature in service',
      () => {
        const table = new ReactionTable([entry('*', '*', action)]);
        assert.equal(table.react('a', Fault.RequiredFeatureMissing).action, 'isolate');
      },
    );
  }
});
