/** Rules about the schedule table: every finding, and the limits where none is made. */
import { strict as assert } from 'node:assert';
import { assertBreaks, assertValid, breaks } from '../../support/judged.ts';
import {
  first,
  routeDraft,
  twoPartitions,
  windowDraft,
  type ConfigDraft,
} from '../../support/two-partitions.ts';

const WINDOW = '/schedule/windows/1';
const window = (draft: ConfigDraft) => draft.schedule.windows[1]!;
const control = (draft: ConfigDraft) => draft.schedule.windows[2]!;

/** A second queue in the window of telematics. */
function secondQueue(draft: ConfigDraft, requestsMax: number, requestsGuaranteed?: number): void {
  const { offer } = first(draft.partitions[1]!.devices).features;
  offer.push('VIRTIO_NET_F_CTRL_VQ');
  window(draft).queues!.push({
    queue: 'net0.controlq',
    requestsMax,
    bytesMax: 2048,
    ...(requestsGuaranteed !== undefined && { requestsGuaranteed }),
  });
}

describe('rules: times', () => {
  const arrival = (draft: ConfigDraft) => first(draft.flows).arrival;
  const changes: Readonly<Record<string, (draft: ConfigDraft) => void>> = {
    '/schedule/majorFrameUs': (draft) => {
      draft.schedule.majorFrameUs = 10000.0001;
    },
    [`${WINDOW}/offsetUs`]: (draft) => {
      window(draft).offsetUs = 2000.0001;
    },
    [`${WINDOW}/durationUs`]: (draft) => {
      window(draft).durationUs = 999.9999;
    },
    [`${WINDOW}/pollUs`]: (draft) => {
      window(draft).pollUs = 0.0005;
    },
    '/flows/0/deadlineUs': (draft) => {
      first(draft.flows).deadlineUs = 12000.00025;
    },
    '/flows/0/arrival/periodUs': (draft) => {
      arrival(draft).periodUs = 1.0001;
    },
    '/flows/0/arrival/jitterUs': (draft) => {
      arrival(draft).jitterUs = 0.0001;
    },
    '/flows/0/arrival/spacingUs': (draft) => {
      arrival(draft).spacingUs = 0.1234;
    },
  };
  for (const [path, change] of Object.entries(changes)) {
    it(`[utest->req~cfg.semantic~1] ${path} of four decimals is refused`, () => {
      assertBreaks('fraction-of-nanosecond', path, ['three decimals'], change);
    });
  }

  it(
    '[utest->req~cfg.semantic~1] every number of three decimals up to the longest' +
      ' major frame is admitted',
    () => {
      const draft = twoPartitions();
      for (let us = 0; us <= 2_000_000; us += 997.003) {
        window(draft).pollUs = Number(us.toFixed(3));
        assert.equal(breaks('fraction-of-nanosecond', draft), false, us.toFixed(3));
      }
    },
  );
});

describe('rules: windows in the major frame', () => {
  it('[utest->req~cfg.semantic~1] a window may end with the major frame, not one nanosecond later', () => {
    assertValid((draft) => {
      Object.assign(control(draft), { offsetUs: 9900, durationUs: 100 });
    });
    assertBreaks(
      'window-behind-major-frame',
      '/schedule/windows/2',
      ['"control"', '10000.001'],
      (draft) => {
        Object.assign(control(draft), { offsetUs: 9900, durationUs: 100.001 });
      },
    );
  });

  it(
    "[utest->req~cfg.semantic~1] a window may begin where another partition's" +
      ' ends, not one nanosecond earlier',
    () => {
      assertValid((draft) => {
        window(draft).offsetUs = 1000;
      });
      assertBreaks('windows-overlap', `${WINDOW}/offsetUs`, ['999.999', '1000'], (draft) => {
        window(draft).offsetUs = 999.999;
      });
    },
  );

  it(
    '[utest->req~cfg.semantic~1] windows are compared in the order of their' +
      ' offsets, not of the file',
    () => {
      assertValid((draft) => {
        draft.schedule.windows.reverse();
      });
      assertBreaks(
        'windows-overlap',
        '/schedule/windows/0/offsetUs',
        ['"control"', '"telematics"'],
        (draft) => {
          draft.schedule.windows.reverse();
          draft.schedule.windows[0]!.offsetUs = 2999;
        },
      );
    },
  );

  it('[utest->req~cfg.semantic~1] sums of decimals that are not exact do not count as an overlap', () => {
    assertValid((draft) => {
      Object.assign(first(draft.schedule.windows), { offsetUs: 0.1, durationUs: 1000.2 });
      window(draft).offsetUs = 1000.3;
    });
  });

  it('[utest->req~cfg.semantic~1] the windows may fill the major frame', () => {
    assertValid((draft) => {
      window(draft).offsetUs = 1000;
      Object.assign(control(draft), { offsetUs: 2000, durationUs: 8000 });
    });
  });

  it(
    '[utest->req~cfg.semantic~1] windows of one queue may not touch across the end' +
      ' of the major frame',
    () => {
      assertBreaks(
        'windows-touch',
        '/schedule/windows/3',
        ['"late"', '"cluster"', 'across the end'],
        (draft) => {
          draft.schedule.windows.push(windowDraft('cluster', 9000, { id: 'late' }));
        },
      );
    },
  );

  it('[utest->req~cfg.semantic~1] control windows may touch', () => {
    assertValid((draft) => {
      draft.schedule.windows.push({
        id: 'more-control',
        kind: 'control',
        offsetUs: 5000,
        durationUs: 100,
      });
    });
  });

  it('[utest->req~cfg.semantic~1] one nanosecond between two windows of one queue is a gap', () => {
    assertValid((draft) => {
      draft.schedule.windows.push(
        windowDraft('cluster', 9000, { id: 'late', durationUs: 999.999 }),
      );
      draft.schedule.windows.push(
        windowDraft('telematics', 3000.001, { id: 'again', durationUs: 500 }),
      );
    });
  });
});

describe('rules: owners and queues of windows', () => {
  const partitionWindow: readonly [
    string,
    string,
    readonly string[],
    (draft: ConfigDraft) => void,
  ][] = [
    [
      'a control window with queues',
      '/schedule/windows/2/queues',
      ['no queues'],
      (draft) => {
        control(draft).queues = [{ queue: 'net0.transmitq0', requestsMax: 1, bytesMax: 2000 }];
      },
    ],
    [
      'a window without a partition',
      '/schedule/windows/3',
      ['"w"', '"partition"'],
      (draft) => {
        draft.schedule.windows.push({
          id: 'w',
          offsetUs: 6000,
          durationUs: 100,
          queues: [{ queue: 'net0.transmitq0', requestsMax: 1, bytesMax: 2000 }],
        });
      },
    ],
    [
      'a window without queues',
      '/schedule/windows/3',
      ['"w"', '"queues"'],
      (draft) => {
        draft.schedule.windows.push({
          id: 'w',
          partition: 'cluster',
          offsetUs: 6000,
          durationUs: 100,
        });
      },
    ],
    [
      'a window of a partition that does not exist',
      '/schedule/windows/3/partition',
      ['"clusta"', '"cluster"'],
      (draft) => {
        draft.schedule.windows.push(windowDraft('clusta', 6000));
      },
    ],
  ];
  for (const [name, path, says, change] of partitionWindow) {
    it(`[utest->req~cfg.semantic~1] ${name} is refused`, () =>
      assertBreaks('window-owner-wrong', path, says, change));
  }

  it('[utest->req~cfg.semantic~1] "kind": "partition" is the same as none', () => {
    assertValid((draft) => {
      window(draft).kind = 'partition';
    });
  });

  it('[utest->req~cfg.semantic~1] a controlq that is offered must be served', () => {
    assertBreaks(
      'queue-not-served',
      '/partitions/1/devices/0',
      ['"telematics.net0.controlq"'],
      (draft) => {
        first(draft.partitions[1]!.devices).features.offer.push('VIRTIO_NET_F_CTRL_VQ');
      },
    );
  });

  it('[utest->req~cfg.semantic~1] a controlq that is not offered does not exist', () => {
    assertBreaks(
      'window-queue-unknown',
      `${WINDOW}/queues/1/queue`,
      ['"net0.controlq"'],
      (draft) => {
        window(draft).queues!.push({ queue: 'net0.controlq', requestsMax: 1, bytesMax: 2048 });
      },
    );
  });

  it('[utest->req~cfg.semantic~1] a queue of a device that does not exist is refused without a crash', () => {
    assertBreaks(
      'window-queue-unknown',
      `${WINDOW}/queues/1/queue`,
      ['"net9.transmitq0"', '"net0.transmitq0"'],
      (draft) => {
        window(draft).queues!.push({ queue: 'net9.transmitq0', requestsMax: 1, bytesMax: 64 });
      },
    );
  });

  it('[utest->req~cfg.semantic~1] a cursorq is no queue of a network device', () => {
    assertBreaks(
      'window-queue-unknown',
      `${WINDOW}/queues/1/queue`,
      ['"net0.cursorq"'],
      (draft) => {
        window(draft).queues!.push({ queue: 'net0.cursorq', requestsMax: 1, bytesMax: 2048 });
      },
    );
  });
});

describe('rules: budgets', () => {
  it('[utest->req~sched.work-bound~1] a byte quota of the largest packet is admitted', () => {
    assertValid((draft) => {
      window(draft).queues![0]!.bytesMax = 1518;
    });
  });

  it('[utest->req~sched.work-bound~1] a byte quota below the longest command cannot serve a controlq', () => {
    assertBreaks(
      'quota-below-request',
      `${WINDOW}/queues/1/bytesMax`,
      ['2047', '2048'],
      (draft) => {
        secondQueue(draft, 1);
        window(draft).queues![1]!.bytesMax = 2047;
      },
    );
  });

  // One request: 2000 + 20 × 20 to take it, 2 × 200 + 20 × 20 to copy it; with the window switch 23,200 ns.
  it(
    '[utest->req~sched.budget-before-start~1] a window of one request is admitted,' +
      ' one nanosecond less is not',
    () => {
      assertValid((draft) => {
        window(draft).durationUs = 23.2;
      });
      assertBreaks(
        'quota-below-request',
        `${WINDOW}/durationUs`,
        ['"telematics"', '23.199 µs', '23.2 µs'],
        (draft) => {
          window(draft).durationUs = 23.199;
        },
      );
    },
  );

  it('[utest->req~sched.budget-before-start~1] a request costs by the routes of its own device', () => {
    const change = (durationUs: number) => (draft: ConfigDraft) => {
      draft.network.routes.push(routeDraft('cluster', 'telematics', { id: 'tagged', vlan: 5 }));
      first(draft.schedule.windows).durationUs = durationUs;
      window(draft).durationUs = 23.2;
    };
    assertValid(change(24));
    assertBreaks(
      'quota-below-request',
      '/schedule/windows/0/durationUs',
      ['"cluster"', '24 µs'],
      change(23.999),
    );
  });

  // 8 × 3200 + 2 × 5000 ns behind a window switch of 20,000 ns.
  it(
    '[utest->req~sched.serving-rule~1] guarantees that fill the window are' +
      ' admitted, one nanosecond less is not',
    () => {
      assertValid((draft) => {
        secondQueue(draft, 2);
        window(draft).durationUs = 55.6;
      });
      assertBreaks(
        'guarantees-over-window',
        `${WINDOW}/queues`,
        ['"telematics"', '35.6', '35.599'],
        (draft) => {
          secondQueue(draft, 2);
          window(draft).durationUs = 55.599;
        },
      );
    },
  );

  it('[utest->req~sched.serving-rule~1] a lower guarantee lets the caps exceed the window', () => {
    assertValid((draft) => {
      secondQueue(draft, 60000, 1);
    });
  });

  it('[utest->req~sched.serving-rule~1] a guarantee of none is one', () => {
    assertValid((draft) => {
      secondQueue(draft, 60000, 0);
    });
  });

  it(
    '[utest->req~sched.serving-rule~1] a cap that exceeds the window needs no' +
      ' guarantee where the queue is alone',
    () => {
      assertValid((draft) => {
        window(draft).queues![0]!.requestsMax = 65535;
      });
    },
  );

  it('[utest->req~sched.serving-rule~1] a guarantee may be as high as the cap, not higher', () => {
    assertValid((draft) => {
      secondQueue(draft, 2, 2);
    });
    assertBreaks(
      'guarantees-over-window',
      `${WINDOW}/queues/1/requestsGuaranteed`,
      ['3', '2'],
      (draft) => {
        secondQueue(draft, 2, 3);
      },
    );
  });
});

describe('rules: room for control', () => {
  it(
    '[utest->req~ctrl.budget~1] a control window of one command is admitted, one' +
      ' nanosecond less is not',
    () => {
      assertValid((draft) => {
        control(draft).durationUs = 40;
      });
      assertBreaks(
        'control-window-missing',
        '/schedule/windows/2/durationUs',
        ['40 µs'],
        (draft) => {
          control(draft).durationUs = 39.999;
        },
      );
    },
  );

  it('[utest->req~ctrl.budget~1] the cost of a command is the configured one', () => {
    assertBreaks('control-window-missing', '/schedule/windows/2/durationUs', ['25 µs'], (draft) => {
      draft.costs.controlCommandNs = 5000;
      control(draft).durationUs = 24.999;
    });
  });

  const filled = (gapUs: number) => (draft: ConfigDraft) => {
    draft.schedule.windows.pop();
    Object.assign(window(draft), { offsetUs: 1000, durationUs: Number((9000 - gapUs).toFixed(3)) });
  };

  it(
    '[utest->req~ctrl.budget~1] a gap of one command does without a control' +
      ' window, one nanosecond less does not',
    () => {
      assertValid(filled(40));
      assertBreaks('control-window-missing', '/schedule/windows', ['40 µs'], filled(39.999));
    },
  );

  it('[utest->req~ctrl.budget~1] gaps do not add up', () => {
    assertBreaks('control-window-missing', '/schedule/windows', ['40 µs'], (draft) => {
      filled(30)(draft);
      window(draft).offsetUs = 1015;
    });
  });
});

describe('regressions: rules about the schedule', () => {
  it('[utest->req~cfg.semantic~1] a period of three decimals is admitted, however long it is', () => {
    assertValid((draft) => {
      first(draft.flows).arrival.periodUs = 16_854_001.9;
    });
  });

  it('[utest->req~cfg.semantic~1] ten decimals are more than three', () => {
    assertBreaks('fraction-of-nanosecond', `${WINDOW}/offsetUs`, ['three decimals'], (draft) => {
      window(draft).offsetUs = 2000.0000000005;
    });
  });
});
