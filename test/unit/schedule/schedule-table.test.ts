/** Gaps of a table of windows, the control window put into one, and the names of queues. */
import { strict as assert } from 'node:assert';
import { queueNamesOf } from '../../../src/schedule/queue-names.ts';
import {
  controlWindowNsMin,
  gapsOf,
  hasControlWindow,
  lengthUs,
  withControlWindow,
} from '../../../src/schedule/schedule-table.ts';
import type { WindowConfig } from '../../../src/schedule/gateway-config.ts';
import { deviceDraft, twoPartitions } from '../../support/two-partitions.ts';

const FRAME_US = 100;

function windows(...spans: [number, number][]): WindowConfig[] {
  return spans.map(([offsetUs, durationUs], n) => ({ id: `w${n}`, offsetUs, durationUs }));
}

function config(list: readonly WindowConfig[]) {
  return twoPartitions((draft) => {
    draft.schedule.majorFrameUs = FRAME_US;
    draft.schedule.windows = [...list] as typeof draft.schedule.windows;
  });
}

const added = (list: readonly WindowConfig[]) =>
  withControlWindow(list, config(list)).slice(list.length);

describe('schedule table: gaps', () => {
  for (const [name, spans, expected] of [
    ['no window', [], [[0, 100]]],
    [
      'a window in the middle',
      [[20, 30]],
      [
        [0, 20],
        [50, 100],
      ],
    ],
    [
      'windows at both ends',
      [
        [0, 10],
        [90, 10],
      ],
      [[10, 90]],
    ],
    [
      'windows that touch',
      [
        [0, 50],
        [50, 50],
      ],
      [],
    ],
    [
      'windows out of order',
      [
        [60, 10],
        [10, 10],
      ],
      [
        [0, 10],
        [20, 60],
        [70, 100],
      ],
    ],
    [
      'windows that overlap',
      [
        [10, 50],
        [20, 10],
      ],
      [
        [0, 10],
        [60, 100],
      ],
    ],
    ['a window behind the frame', [[90, 50]], [[0, 90]]],
  ] as [string, [number, number][], number[][]][]) {
    it(`[utest->req~sched.static-table~1] ${name}`, () => {
      assert.deepEqual(
        gapsOf(windows(...spans), FRAME_US).map(({ startUs, endUs }) => [startUs, endUs]),
        expected,
      );
    });
  }

  it('[utest->req~sched.static-table~1] the length of a gap', () => {
    assert.equal(lengthUs({ startUs: 20.5, endUs: 50 }), 29.5);
  });
});

describe('schedule table: control window', () => {
  it('[utest->req~ctrl.budget~1] its least length is one command and one window switch', () => {
    const draft = twoPartitions();
    assert.equal(controlWindowNsMin(draft), 40_000);
    draft.costs.controlCommandNs = 1;
    draft.costs.windowSwitchNs = 2;
    assert.equal(controlWindowNsMin(draft), 3);
  });

  it('[utest->req~ctrl.budget~1] a table that has one is left as it is', () => {
    const list: WindowConfig[] = [
      ...windows([0, 10]),
      { id: 'c', kind: 'control', offsetUs: 20, durationUs: 5 },
    ];
    assert.equal(hasControlWindow(list), true);
    assert.equal(withControlWindow(list, config(list)), list);
  });

  it('[utest->req~ctrl.budget~1] a table without one gets it in its longest gap', () => {
    const list = windows([10, 20], [70, 10]);
    assert.equal(hasControlWindow(list), false);
    assert.deepEqual(added(list), [
      { id: 'control', kind: 'control', offsetUs: 30, durationUs: 40 },
    ]);
  });

  it('[utest->req~ctrl.budget~1] of gaps of the same length the first is taken', () => {
    assert.deepEqual(added(windows([20, 10], [50, 30])), [
      { id: 'control', kind: 'control', offsetUs: 0, durationUs: 20 },
    ]);
  });

  it('[utest->req~ctrl.budget~1] its length is a whole number of nanoseconds', () => {
    assert.deepEqual(
      added(windows([0, 0.3], [0.4, 99.6])).map(({ durationUs }) => durationUs),
      [0.1],
    );
  });

  it('[utest->req~ctrl.budget~1] a table without a gap gets none', () => {
    assert.deepEqual(added(windows([0, 100])), []);
  });
});

describe('queue names', () => {
  it('[utest->req~pci.function~1] a device of one pair has receiveq0 and transmitq0 (5.1.2)', () => {
    assert.deepEqual(queueNamesOf(deviceDraft(1)), [
      { name: 'receiveq0', role: 'receive', pair: 0 },
      { name: 'transmitq0', role: 'transmit', pair: 0 },
    ]);
  });

  it('[utest->req~pci.function~1] the controlq is the last queue (5.1.2)', () => {
    const device = deviceDraft(1, {
      queuePairs: 2,
      features: { offer: ['VIRTIO_NET_F_CTRL_VQ'], require: [] },
    });
    assert.deepEqual(
      queueNamesOf(device).map(({ name, role, pair }) => `${name} ${role} ${pair}`),
      [
        'receiveq0 receive 0',
        'transmitq0 transmit 0',
        'receiveq1 receive 1',
        'transmitq1 transmit 1',
        'controlq control 0',
      ],
    );
  });
});
