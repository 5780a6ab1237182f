/** Partition modes: every (mode, cause, actor) triple, and nothing but the rows of the table. */
import { strict as assert } from 'node:assert';
import {
  PartitionManager,
  TRANSITIONS,
  type PartitionMode,
  type Transition,
  type TransitionActor,
  type TransitionCause,
} from '../../../src/control-plane/partition-manager.ts';

const MODES: readonly PartitionMode[] = ['idle', 'cold-start', 'warm-start', 'normal', 'isolated'];
const CAUSES: readonly TransitionCause[] = [
  'start',
  'guest-ready',
  'guest-reset',
  'needs-reset',
  'restart',
  'isolate',
  'stop',
];
const ACTORS: readonly TransitionActor[] = ['operator', 'guest', 'supervision'];

/** What may happen, by mode: cause and the only actor who may say so, and the mode that follows. */
const EXPECTED: Record<PartitionMode, Record<string, PartitionMode>> = {
  idle: { 'start operator': 'cold-start' },
  'cold-start': {
    'guest-ready guest': 'normal',
    'restart supervision': 'cold-start',
    'isolate supervision': 'isolated',
    'stop operator': 'idle',
  },
  'warm-start': {
    'guest-ready guest': 'normal',
    'needs-reset supervision': 'warm-start',
    'restart supervision': 'cold-start',
    'isolate supervision': 'isolated',
    'stop operator': 'idle',
  },
  normal: {
    'guest-reset guest': 'warm-start',
    'needs-reset supervision': 'warm-start',
    'restart supervision': 'cold-start',
    'isolate supervision': 'isolated',
    'stop operator': 'idle',
  },
  isolated: { 'start operator': 'cold-start', 'stop operator': 'idle' },
};

/** Legal steps from idle to each mode. */
const WAY: Record<PartitionMode, readonly (readonly [TransitionCause, TransitionActor])[]> = {
  idle: [],
  'cold-start': [['start', 'operator']],
  normal: [
    ['start', 'operator'],
    ['guest-ready', 'guest'],
  ],
  'warm-start': [
    ['start', 'operator'],
    ['guest-ready', 'guest'],
    ['guest-reset', 'guest'],
  ],
  isolated: [
    ['start', 'operator'],
    ['isolate', 'supervision'],
  ],
};

function inMode(mode: PartitionMode, partitions = 3): PartitionManager {
  const manager = new PartitionManager(partitions);
  for (const [cause, actor] of WAY[mode]) assert.ok(manager.request(1, cause, actor));
  assert.equal(manager.mode(1), mode);
  return manager;
}

describe('partition manager', () => {
  for (const mode of MODES) {
    for (const cause of CAUSES) {
      for (const actor of ACTORS) {
        const to = EXPECTED[mode][`${cause} ${actor}`];
        it(`[utest->req~part.transition-table~1] ${mode}: ${cause} by ${actor} ${to ? `leads to ${to}` : 'is refused'}`, () => {
          const manager = inMode(mode);
          const seen: Transition[] = [];
          manager.transitions.subscribe((transition) => seen.push(transition));
          assert.equal(manager.request(1, cause, actor), to !== undefined);
          assert.equal(manager.mode(1), to ?? mode);
          assert.deepEqual(seen, to ? [{ partition: 1, from: mode, to, cause }] : []);
        });
      }
    }
  }

  it('[utest->req~part.transition-table~1] the table has one row for each cause and actor of a mode', () => {
    const keys = TRANSITIONS.map(([from, cause, actor]) => `${from} ${cause} ${actor}`);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('[utest->req~part.transition-table~1] every partition begins idle, and changes alone', () => {
    const manager = inMode('normal');
    assert.deepEqual(
      [0, 1, 2].map((n) => manager.mode(n)),
      ['idle', 'normal', 'idle'],
    );
  });

  it('[utest->req~part.transition-table~1] every mode can be stopped, but idle; only the operator leaves isolated', () => {
    for (const mode of MODES.filter((candidate) => candidate !== 'idle')) {
      assert.ok(inMode(mode).request(1, 'stop', 'operator'), mode);
    }
    const rows = TRANSITIONS.filter(([from]) => from === 'isolated');
    assert.deepEqual(new Set(rows.map(([, , actor]) => actor)), new Set(['operator']));
  });

  for (const mode of MODES) {
    const serves = mode !== 'idle' && mode !== 'isolated';
    it(`[utest->req~part.transition-table~1] in mode ${mode} a partition is ${serves ? '' : 'not '}served`, () => {
      assert.equal(inMode(mode).serves(1), serves);
    });
  }

  it('[utest->req~part.transition-table~1] a listener finds the new mode in force', () => {
    const manager = new PartitionManager(1);
    let serves: boolean | undefined;
    manager.transitions.subscribe(({ partition }) => {
      serves = manager.serves(partition);
    });
    manager.request(0, 'start', 'operator');
    assert.equal(serves, true);
  });
});
