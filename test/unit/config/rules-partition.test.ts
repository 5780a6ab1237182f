/** Rules about partitions and devices: every finding, and the limits where none is made. */
import { strict as assert } from 'node:assert';
import { assertBreaks, assertValid, breaches, breaks } from '../../support/judged.ts';
import {
  deviceDraft,
  first,
  twoPartitions,
  type ConfigDraft,
} from '../../support/two-partitions.ts';

const DEVICE = '/partitions/0/devices/0';
const OFFER = `${DEVICE}/features/offer`;
const REQUIRE = `${DEVICE}/features/require`;

const device = (draft: ConfigDraft) => first(draft.partitions[0]!.devices);
const offer =
  (...names: string[]) =>
  (draft: ConfigDraft) => {
    device(draft).features.offer.push(...names);
  };
const demand =
  (...names: string[]) =>
  (draft: ConfigDraft) => {
    device(draft).features.require.push(...names);
  };
function guest(draft: ConfigDraft) {
  const { guest: found } = first(draft.partitions);
  assert.equal(found.type, 'embedded');
  return found as Extract<typeof found, { type: 'embedded' }>;
}

/** A queue served by the partition's window, so that nothing but what is tried is wrong. */
function serve(draft: ConfigDraft, ...queues: string[]): void {
  for (const queue of queues) {
    first(draft.schedule.windows).queues!.push({ queue, requestsMax: 1, bytesMax: 12144 });
  }
}

describe('rules: memory', () => {
  it("[utest->req~cfg.semantic~1] the partitions and the gateway's areas fit 65,535 pages of 64 KiB", () => {
    assertValid((draft) => {
      draft.partitions[0]!.memoryMiB = 4094;
      draft.partitions[1]!.memoryMiB = 1;
    });
    assertBreaks('memory-over-arena', '/partitions', ['is 4096 MiB', '4095 MiB'], (draft) => {
      draft.partitions[0]!.memoryMiB = 4095;
    });
  });

  it('[utest->req~cfg.semantic~1] a partition holds the rings and buffers of all its devices', () => {
    // 1 MiB holds 505 buffers of 2048 bytes with their 26 bytes of ring, so 3 rings of 128 and not 4.
    assertValid((draft) => {
      device(draft).queueSize = 128;
    });
    assertBreaks(
      'memory-below-queues',
      '/partitions/0/memoryMiB',
      ['"cluster"', '2 MiB', 'not 1'],
      (draft) => {
        device(draft).queueSize = 128;
        draft.partitions[0]!.devices.push(deviceDraft(3, { id: 'net1', queueSize: 128 }));
        serve(draft, 'net1.transmitq0');
      },
    );
  });
});

describe('rules: devices', () => {
  it('[utest->req~part.static-set~1] two partitions of one name are refused', () => {
    const draft = twoPartitions();
    assert.equal(breaks('duplicate-partition-id', draft), false);
    draft.partitions[1]!.id = 'cluster';
    assert.equal(breaks('duplicate-partition-id', draft), true);
  });

  it('[utest->req~cfg.semantic~1] of all queue sizes exactly the powers of two are admitted', () => {
    const draft = twoPartitions();
    const admitted: number[] = [];
    for (let size = 4; size <= 32768; size++) {
      device(draft).queueSize = size;
      if (!breaks('queue-size-not-power-of-two', draft)) admitted.push(size);
    }
    assert.deepEqual(
      admitted,
      Array.from({ length: 14 }, (_, n) => 4 << n),
    );
  });

  it('[utest->req~cfg.semantic~1] a refused queue size names the next one below', () => {
    assertBreaks(
      'queue-size-not-power-of-two',
      `${DEVICE}/queueSize`,
      ['is 65;', 'instance 64'],
      (draft) => {
        device(draft).queueSize = 65;
      },
    );
  });

  it('[utest->req~cfg.semantic~1] as many descriptors as the queue has are admitted, one more is not', () => {
    assertValid((draft) => {
      device(draft).descriptorsMax = 64;
    });
    assertBreaks(
      'descriptors-over-queue-size',
      `${DEVICE}/descriptorsMax`,
      ['is 65', 'queueSize, 64'],
      (draft) => {
        device(draft).descriptorsMax = 65;
      },
    );
  });

  it('[utest->req~cfg.semantic~1] a group address is no address of a device', () => {
    assertBreaks('duplicate-mac', `${DEVICE}/mac`, ['"01:00:5e:00:00:01"', 'unicast'], (draft) => {
      device(draft).mac = '01:00:5e:00:00:01';
    });
  });

  it('[utest->req~cfg.semantic~1] an address used three times is two findings', () => {
    const found = breaches(
      twoPartitions((draft) => {
        first(draft.partitions[1]!.devices).mac = device(draft).mac;
        draft.partitions[1]!.devices.push(deviceDraft(1, { id: 'net1', queueSize: 4 }));
        draft.schedule.windows[1]!.queues!.push({
          queue: 'net1.transmitq0',
          requestsMax: 1,
          bytesMax: 12144,
        });
      }),
    );
    assert.deepEqual(
      found.map(({ path }) => path),
      ['/partitions/1/devices/0/mac', '/partitions/1/devices/1/mac'],
    );
  });

  it('[utest->req~cfg.semantic~1] two partitions may each have a device of the same name', () => {
    assertValid((draft) => {
      assert.equal(device(draft).id, first(draft.partitions[1]!.devices).id);
    });
  });

  it('[utest->req~cfg.semantic~1] queue pairs with VIRTIO_NET_F_MQ are admitted', () => {
    assertValid((draft) => {
      device(draft).queuePairs = 2;
      offer('VIRTIO_NET_F_MQ', 'VIRTIO_NET_F_CTRL_VQ')(draft);
      serve(draft, 'net0.transmitq1', 'net0.controlq');
    });
  });
});

describe('rules: feature sets', () => {
  it(
    '[utest->req~neg.dependencies~1] an offered feature that no device has is' +
      ' refused with the nearest one',
    () => {
      assertBreaks(
        'feature-dependency-broken',
        OFFER,
        ['VIRTIO_NET_F_MTO', 'Did you mean "VIRTIO_NET_F_MTU"?'],
        offer('VIRTIO_NET_F_MTO'),
      );
    },
  );

  it('[utest->req~neg.dependencies~1] a required feature that no device has is refused once', () => {
    assertBreaks(
      'feature-dependency-broken',
      REQUIRE,
      ['VIRTIO_NET_F_MTO'],
      demand('VIRTIO_NET_F_MTO'),
    );
  });

  it('[utest->req~neg.dependencies~1] a required set is judged by its dependencies, too', () => {
    assertBreaks(
      'feature-dependency-broken',
      REQUIRE,
      ['VIRTIO_NET_F_GUEST_TSO4 requires VIRTIO_NET_F_GUEST_CSUM'],
      (draft) => {
        offer('VIRTIO_NET_F_GUEST_TSO4', 'VIRTIO_NET_F_GUEST_CSUM')(draft);
        demand('VIRTIO_NET_F_GUEST_TSO4')(draft);
      },
    );
  });

  it('[utest->req~neg.dependencies~1] each broken dependency is a finding', () => {
    const found = breaches(twoPartitions(offer('VIRTIO_NET_F_CTRL_RX', 'VIRTIO_NET_F_GUEST_TSO6')));
    assert.deepEqual(
      found.map(({ message }) => message),
      [
        'VIRTIO_NET_F_GUEST_TSO6 requires VIRTIO_NET_F_GUEST_CSUM',
        'VIRTIO_NET_F_CTRL_RX requires VIRTIO_NET_F_CTRL_VQ',
      ],
    );
  });

  it(
    '[utest->req~cfg.semantic~1] the name of VIRTIO 1.4 and the one of the headers' +
      ' are the same feature',
    () => {
      assertValid((draft) => {
        offer('VIRTIO_F_EVENT_IDX')(draft);
        demand('VIRTIO_RING_F_EVENT_IDX')(draft);
      });
    },
  );

  it('[utest->req~cfg.semantic~1] VIRTIO_F_VERSION_1 must be offered', () => {
    assertBreaks(
      'feature-required-not-offered',
      OFFER,
      ['VIRTIO_F_VERSION_1', 'no legacy interface'],
      (draft) => {
        device(draft).features = { offer: ['VIRTIO_NET_F_MAC'], require: [] };
      },
    );
  });

  for (const name of [
    'VIRTIO_F_ACCESS_PLATFORM',
    'VIRTIO_F_NOTIFICATION_DATA',
    'VIRTIO_NET_F_STANDBY',
  ]) {
    it(
      `[utest->req~cfg.semantic~1] ${name} is not offered, because the gateway` +
        ` does not implement it`,
      () => {
        assertBreaks('feature-not-implemented', `${OFFER}/2`, [name], offer(name));
      },
    );
  }
});

describe('rules: parameters of embedded guests', () => {
  for (const program of ['traffic', 'babbler'] as const) {
    it(`[utest->req~cfg.semantic~1] ${program} needs a device to send to`, () => {
      assertBreaks(
        'guest-parameter-wrong',
        '/partitions/0/guest',
        [`"${program}"`, '"to"'],
        (draft) => {
          draft.partitions[0]!.guest = { type: 'embedded', program };
        },
      );
    });
  }

  it('[utest->req~cfg.semantic~1] echo needs no parameters', () => {
    assertValid((draft) => {
      draft.partitions[0]!.guest = { type: 'embedded', program: 'echo' };
    });
  });

  it("[utest->req~cfg.semantic~1] a device of another partition is none of the guest's own", () => {
    assertBreaks(
      'guest-parameter-wrong',
      '/partitions/0/guest/parameters/device',
      ['"cluster"', '"net1"', 'Did you mean "net0"?'],
      (draft) => {
        guest(draft).parameters!.device = 'net1';
      },
    );
  });

  it(
    '[utest->req~cfg.semantic~1] packets as long as the device takes are admitted,' +
      ' one byte more is not',
    () => {
      assertValid((draft) => {
        guest(draft).parameters!.bytes = 1518;
      });
      assertBreaks(
        'guest-parameter-wrong',
        '/partitions/0/guest/parameters/bytes',
        ['1519', '1518'],
        (draft) => {
          guest(draft).parameters!.bytes = 1519;
        },
      );
    },
  );

  it('[utest->req~cfg.semantic~1] the length is judged by the device that is named', () => {
    assertBreaks(
      'guest-parameter-wrong',
      '/partitions/0/guest/parameters/bytes',
      ['256', '86'],
      (draft) => {
        draft.partitions[0]!.devices.push(deviceDraft(3, { id: 'net1', mtu: 68, queueSize: 4 }));
        guest(draft).parameters!.device = 'net1';
        serve(draft, 'net1.transmitq0');
      },
    );
  });
});

describe('rules: reactions', () => {
  it('[utest->req~cfg.semantic~1] "none" is no fault', () => {
    assertBreaks('reaction-fault-unknown', '/health/reactions/0/fault', ['"none"'], (draft) => {
      first(draft.health.reactions).fault = 'none';
    });
  });

  it('[utest->req~cfg.semantic~1] a partition far from every name gets no suggestion', () => {
    assertBreaks(
      'reaction-partition-unknown',
      '/health/reactions/0/partition',
      ['there is no partition "x".'],
      (draft) => {
        first(draft.health.reactions).partition = 'x';
      },
    );
  });
});

describe('regressions: rules about partitions', () => {
  it('[utest->req~cfg.semantic~1] a period of a guest with four decimals is no whole number of nanoseconds', () => {
    assertBreaks(
      'fraction-of-nanosecond',
      '/partitions/0/guest/parameters/periodUs',
      ['10.0005'],
      (draft) => {
        guest(draft).parameters!.periodUs = 10.0005;
      },
    );
  });

  it('[utest->req~cfg.semantic~1] a required feature of another device type is one finding', () => {
    assertBreaks(
      'feature-dependency-broken',
      REQUIRE,
      ['VIRTIO_GPU_F_EDID'],
      demand('VIRTIO_GPU_F_EDID'),
    );
  });
});
