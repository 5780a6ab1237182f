/** Rules about displays, planes and protected regions: every finding, and the limits where none is made. */
import { strict as assert } from 'node:assert';
import { assertOneBreach, breaches, problemsOf } from '../../support/judged.ts';
import { sharedDisplay, type DisplayDraft } from '../../support/shared-display.ts';

type Change = (draft: DisplayDraft) => void;

const PLANE = '/displays/0/planes';
const REGION = '/displays/0/protectedRegions/0';
const WINDOW = '/schedule/windows/2';

const display = (draft: DisplayDraft) => draft.displays[0]!;
const below = (draft: DisplayDraft) => display(draft).planes[0]!;
const above = (draft: DisplayDraft) => display(draft).planes[1]!;
const region = (draft: DisplayDraft) => display(draft).protectedRegions[0]!;
const device = (draft: DisplayDraft) => draft.partitions[0]!.devices[0]!;
const compositor = (draft: DisplayDraft) => draft.schedule.windows[2]!;

function accepts(change: Change): void {
  assert.deepEqual(problemsOf(JSON.stringify(sharedDisplay(change))), []);
}

function refuses(rule: string, at: string, says: readonly string[], change: Change): void {
  assertOneBreach(sharedDisplay(change), rule, at, says);
}

describe('rules: planes and their places', () => {
  it('[utest->req~cfg.semantic~1] a plane may end where its display ends, and not one pixel further', () => {
    accepts((draft) => {
      above(draft).rectPx = [640, 600, 640, 200];
    });
    for (const rectPx of [
      [641, 600, 640, 200],
      [640, 601, 640, 200],
      [16384, 0, 16384, 1],
    ] as const) {
      const found = breaches(
        sharedDisplay((draft) => {
          above(draft).rectPx = [...rectPx];
        }),
      );
      assert.ok(found.some(({ rule }) => rule === 'plane-outside-display'));
    }
  });

  it('[utest->req~cfg.semantic~1] a plane without pixels is refused', () => {
    const found = breaches(
      sharedDisplay((draft) => {
        above(draft).rectPx = [0, 0, 0, 200];
      }),
    );
    assert.deepEqual(found.map(({ rule, path }) => `${rule} ${path}`).sort(), [
      'edid-impossible /displays/0/planes/1/rectPx/2',
      'gpu-flow-wrong /flows/0/bytesMax',
      'plane-outside-display /displays/0/planes/1/rectPx',
      'region-outside-plane /displays/0/protectedRegions/0/rectPx',
    ]);
  });

  it('[utest->req~cfg.semantic~1] planes side by side may have the same height, overlapping ones not', () => {
    const beside: Change = (draft) => {
      below(draft).rectPx = [0, 200, 1280, 600];
      below(draft).z = 1;
    };
    accepts(beside);
    refuses('planes-of-same-z', `${PLANE}/1/z`, ['"infotainment" and "cluster"'], (draft) => {
      beside(draft);
      below(draft).rectPx = [0, 199, 1280, 600];
    });
  });

  it('[utest->req~gpu.asil-cover~1] a plane may cover planes of its level and below, not above', () => {
    const turned: Change = (draft) => {
      // The region moves to the plane that is on top.
      Object.assign(region(draft), { plane: 'infotainment', rectPx: [0, 0, 64, 32] });
      below(draft).z = 2;
    };
    accepts((draft) => {
      turned(draft);
      above(draft).asil = 'QM';
    });
    accepts((draft) => {
      turned(draft);
      below(draft).asil = 'B';
      draft.partitions[1]!.asil = 'D';
    });
    for (const asil of ['QM', 'A'] as const) {
      refuses('plane-covers-higher-asil', `${PLANE}/0/z`, [`(${asil})`, '(B)'], (draft) => {
        turned(draft);
        below(draft).asil = asil;
        draft.partitions[1]!.asil = 'D';
      });
    }
  });

  it('[utest->req~gpu.asil-cover~1] a plane of a lower level beside a higher one may have a greater height', () => {
    accepts((draft) => {
      below(draft).z = 9;
      below(draft).rectPx = [640, 0, 640, 800];
    });
  });

  it('[utest->req~gpu.asil-cover~1] the owner of a plane has its level or a higher one', () => {
    const levels = ['QM', 'A', 'B', 'C', 'D'] as const;
    for (const [owner, ownerAsil] of levels.entries()) {
      for (const [plane, planeAsil] of levels.entries()) {
        const found = breaches(
          sharedDisplay((draft) => {
            draft.partitions[0]!.asil = ownerAsil;
            above(draft).asil = planeAsil;
          }),
        );
        assert.equal(
          found.some(({ rule }) => rule === 'plane-owner-below-asil'),
          owner < plane,
        );
      }
    }
  });

  it('[utest->req~gpu.one-owner~1] neither two devices nor two scanouts of one may draw a plane', () => {
    refuses(
      'plane-owned-twice',
      '/partitions/0/devices/0/scanouts/1/plane',
      ['"cluster.gpu0" already'],
      (draft) => {
        device(draft).scanouts.push({ display: 'center', plane: 'cluster' });
      },
    );
    refuses(
      'plane-owned-twice',
      '/partitions/1/devices/0/scanouts/1/plane',
      ['"center.cluster"', '"cluster.gpu0"'],
      (draft) => {
        draft.partitions[1]!.asil = 'B';
        draft.partitions[1]!.devices[0]!.scanouts.push({ display: 'center', plane: 'cluster' });
      },
    );
  });

  it('[utest->req~cfg.semantic~1] a scanout names a display and a plane that exist', () => {
    const wrong = (name: string, plane: string): Change => {
      return (draft) => {
        device(draft).scanouts.push({ display: name, plane });
      };
    };
    const path = '/partitions/0/devices/0/scanouts/1';
    refuses(
      'scanout-plane-unknown',
      `${path}/display`,
      ['Did you mean "center"?'],
      wrong('centre', 'cluster'),
    );
    refuses(
      'scanout-plane-unknown',
      `${path}/plane`,
      ['"center"', '"spare"'],
      wrong('center', 'spare'),
    );
  });

  it('[utest->req~cfg.semantic~1] a scanout is refused where there are no displays at all', () => {
    const { displays: _, ...draft } = sharedDisplay();
    const found = breaches(draft).filter(({ rule }) => rule === 'scanout-plane-unknown');
    assert.deepEqual(
      found.map(({ path }) => path),
      ['/partitions/0/devices/0/scanouts/0/display', '/partitions/1/devices/0/scanouts/0/display'],
    );
  });
});

describe('rules: EDID and pictures', () => {
  it('[utest->req~gpu.edid-valid~1] a size that no EDID says is refused where EDIDs are offered, and only there', () => {
    const small: Change = (draft) => {
      above(draft).rectPx = [0, 0, 63, 200];
      region(draft).rectPx = [0, 0, 63, 32];
      draft.flows[0]!.bytesMax = 50400;
    };
    refuses('edid-impossible', `${PLANE}/1/rectPx/2`, ['"widthPx" 63'], small);
    accepts((draft) => {
      small(draft);
      device(draft).features.offer = ['VIRTIO_F_VERSION_1'];
    });
  });

  it('[utest->req~gpu.edid-valid~1] a pixel clock that no EDID says is refused at the refresh rate', () => {
    const found = breaches(
      sharedDisplay((draft) => {
        Object.assign(display(draft), { widthPx: 4095, heightPx: 4095, refreshHz: 60 });
        below(draft).rectPx = [0, 0, 4095, 4095];
      }),
    );
    assert.deepEqual(
      found.map(({ rule, path }) => `${rule} ${path}`),
      ['edid-impossible /displays/0/refreshHz'],
    );
  });

  it('[utest->req~cfg.semantic~1] a warning picture is given exactly where it is shown', () => {
    refuses('warning-picture-wrong', `${PLANE}/1/ownerLost`, ['needs a'], (draft) => {
      delete above(draft).warningPicture;
    });
    refuses('warning-picture-wrong', `${PLANE}/0/warningPicture`, ['never shows'], (draft) => {
      below(draft).warningPicture = 'unused.png';
    });
    refuses('warning-picture-wrong', `${PLANE}/0/warningPicture`, ['never shows'], (draft) => {
      delete below(draft).ownerLost;
      below(draft).warningPicture = 'unused.png';
    });
  });
});

describe('rules: protected regions', () => {
  it('[utest->req~cfg.semantic~1] a region lies in its plane, to its last pixel', () => {
    accepts((draft) => {
      region(draft).rectPx = [576, 168, 64, 32];
    });
    for (const rectPx of [
      [577, 168, 64, 32],
      [576, 169, 64, 32],
      [0, 0, 0, 32],
    ] as const) {
      refuses('region-outside-plane', `${REGION}/rectPx`, ['640 x 200'], (draft) => {
        region(draft).rectPx = [...rectPx];
      });
    }
  });

  it('[utest->req~cfg.semantic~1] no pixel of a region may be covered', () => {
    const lower: Change = (draft) => {
      Object.assign(region(draft), { plane: 'infotainment', rectPx: [640, 0, 64, 32] });
    };
    accepts(lower);
    refuses('region-covered', `${REGION}/rectPx`, ['"cluster"', '"telltales"'], (draft) => {
      lower(draft);
      region(draft).rectPx = [639, 0, 64, 32];
    });
  });

  it('[utest->req~cfg.semantic~1] a display may do without protected regions', () => {
    const draft = sharedDisplay();
    const { protectedRegions: _, ...rest } = display(draft);
    assert.deepEqual(problemsOf(JSON.stringify({ ...draft, displays: [rest] })), []);
  });

  it('[utest->req~cfg.semantic~1] a region of an unknown plane is one finding', () => {
    refuses('region-plane-unknown', `${REGION}/plane`, ['"nobody"'], (draft) => {
      region(draft).plane = 'nobody';
    });
  });

  it('[utest->req~cfg.semantic~1] a region has more time than one refresh', () => {
    accepts((draft) => {
      region(draft).frozenAfterUs = 16667;
    });
    accepts((draft) => {
      delete region(draft).frozenAfterUs;
    });
    refuses('region-frozen-too-soon', `${REGION}/frozenAfterUs`, ['20000.000'], (draft) => {
      display(draft).refreshHz = 50;
      region(draft).frozenAfterUs = 20000;
    });
  });

  it('[utest->req~cfg.semantic~1] its time is a whole number of nanoseconds', () => {
    refuses('fraction-of-nanosecond', `${REGION}/frozenAfterUs`, ['three decimals'], (draft) => {
      region(draft).frozenAfterUs = 50000.0001;
    });
  });
});

describe('rules: compositor windows and flows of commands', () => {
  it('[utest->req~cfg.semantic~1] a compositor window belongs to a display and to nobody else', () => {
    refuses('window-owner-wrong', `${WINDOW}/partition`, ['a compositor window'], (draft) => {
      compositor(draft).partition = 'cluster';
    });
    const queues = breaches(
      sharedDisplay((draft) => {
        compositor(draft).queues = [{ queue: 'gpu0.controlq', requestsMax: 1, bytesMax: 65536 }];
      }),
    );
    assert.deepEqual(
      queues.map(({ rule, path }) => `${rule} ${path}`),
      [`window-owner-wrong ${WINDOW}/queues`],
    );
    const nameless = breaches(
      sharedDisplay((draft) => {
        delete compositor(draft).display;
      }),
    );
    assert.deepEqual(nameless.map(({ rule }) => rule).sort(), [
      'display-not-composed',
      'window-display-wrong',
    ]);
    for (const n of [0, 3]) {
      refuses('window-display-wrong', `/schedule/windows/${n}/display`, ['only a'], (draft) => {
        draft.schedule.windows[n]!.display = 'center';
      });
    }
  });

  it('[utest->req~cfg.semantic~1] a compositor window is refused where there are no displays at all', () => {
    const draft = sharedDisplay((changed) => {
      changed.displays.length = 0;
    });
    const { displays: _, ...without } = draft;
    for (const config of [draft, without]) {
      assert.ok(breaches(config).some(({ rule }) => rule === 'window-display-wrong'));
    }
  });

  it('[utest->req~cfg.semantic~1] a compositor window holds one band with the window switch', () => {
    accepts((draft) => {
      compositor(draft).durationUs = 41;
    });
    accepts((draft) => {
      // 5 µs and 32 times 0.5 µs where the configuration does not say what a band costs.
      delete draft.costs.gpuCompose;
      compositor(draft).durationUs = 41;
    });
    refuses('compositor-window-short', `${WINDOW}/durationUs`, ['41.001 µs'], (draft) => {
      draft.costs.gpuCompose!.baseNs = 5001;
      compositor(draft).durationUs = 41;
    });
  });

  it('[utest->req~cfg.semantic~1] compositor windows overlap no others', () => {
    refuses('windows-overlap', `${WINDOW}/offsetUs`, ['"infotainment"'], (draft) => {
      compositor(draft).offsetUs = 2999;
    });
  });

  it('[utest->req~cfg.semantic~1] a flow of commands starts at the controlq of a GPU device', () => {
    for (const from of [
      'cluster.gpu0.transmitq0',
      'cluster.gpu1.controlq',
      'nobody.gpu0.controlq',
    ]) {
      const found = breaches(
        sharedDisplay((draft) => {
          draft.flows[0]!.from = from;
        }),
      );
      assert.deepEqual(
        found.map(({ rule, path }) => `${rule} ${path}`).sort(),
        ['flow-not-served /flows/0/from', 'gpu-flow-wrong /flows/0/from'],
        from,
      );
    }
  });

  it('[utest->req~cfg.semantic~1] a flow of packets does not start at a GPU device', () => {
    const { command: _, ...flow } = sharedDisplay().flows[0] as { command?: string } & Record<
      string,
      unknown
    >;
    const found = breaches(
      sharedDisplay((draft) => {
        draft.flows[0] = { ...flow, route: 'nowhere' } as unknown as (typeof draft.flows)[number];
      }),
    );
    assert.deepEqual(
      found.map(({ rule, path }) => `${rule} ${path}`),
      ['flow-end-unknown /flows/0/from', 'flow-end-unknown /flows/0/route'],
    );
  });
});

describe('rules: GPU devices', () => {
  it('[utest->req~cfg.semantic~1] both queues of a GPU device are served', () => {
    refuses('queue-not-served', '/partitions/0/devices/0', ['gpu0.cursorq'], (draft) => {
      draft.schedule.windows[0]!.queues!.pop();
    });
  });

  it('[utest->req~cfg.semantic~1] a window has bytes and time for one piece of a command', () => {
    refuses('quota-below-request', '/schedule/windows/1/queues/0/bytesMax', ['32768'], (draft) => {
      draft.schedule.windows[1]!.queues![0]!.bytesMax = 32767;
    });
    // 10 µs, 32 times 0.5 µs, 128 descriptors and 128 runs of 50 ns each, and the window switch.
    accepts((draft) => {
      Object.assign(draft.schedule.windows[1]!, { durationUs: 58.8 });
      for (const queue of draft.schedule.windows[1]!.queues!) queue.requestsGuaranteed = 0;
    });
    const short = breaches(
      sharedDisplay((draft) => {
        Object.assign(draft.schedule.windows[1]!, { durationUs: 58.799 });
        for (const queue of draft.schedule.windows[1]!.queues!) queue.requestsGuaranteed = 0;
      }),
    );
    assert.deepEqual([...new Set(short.map(({ rule }) => rule))], ['quota-below-request']);
  });

  it('[utest->req~cfg.semantic~1] a chain has at most as many descriptors as the queue', () => {
    accepts((draft) => {
      device(draft).descriptorsMax = 64;
    });
    refuses(
      'descriptors-over-queue-size',
      '/partitions/0/devices/0/descriptorsMax',
      ['65', '64'],
      (draft) => {
        device(draft).descriptorsMax = 65;
      },
    );
    accepts((draft) => {
      delete device(draft).queueSize;
      device(draft).descriptorsMax = 256;
    });
  });

  it('[utest->req~cfg.semantic~1] an embedded guest has room for its rings and two pictures of each plane', () => {
    // Two rings of 64 with their buffers, and 1280 x 800 pixels twice: 8.07 MiB.
    const embedded: Change = (draft) => {
      draft.partitions[1]!.guest = { type: 'embedded', program: 'gpu-babbler' };
      draft.partitions[1]!.memoryMiB = 8;
    };
    refuses('memory-below-queues', '/partitions/1/memoryMiB', ['9 MiB', 'not 8'], embedded);
    accepts((draft) => {
      embedded(draft);
      draft.partitions[1]!.memoryMiB = 9;
    });
  });

  it('[utest->req~cfg.semantic~1] 3D mode cannot be offered', () => {
    refuses(
      'feature-not-implemented',
      '/partitions/0/devices/0/features/offer/3',
      ['VIRTIO_GPU_F_VIRGL'],
      (draft) => {
        device(draft).features.offer.push('VIRTIO_GPU_F_VIRGL');
      },
    );
  });
});
