/** Rules about routes and flows: every finding, and the limits where none is made. */
import { strict as assert } from 'node:assert';
import { assertBreaks, assertValid, breaches } from '../../support/judged.ts';
import {
  deviceDraft,
  first,
  routeDraft,
  twoPartitions,
  windowDraft,
  type ConfigDraft,
} from '../../support/two-partitions.ts';

const secondRoute = (draft: ConfigDraft) => draft.network.routes[1]!;
const device = (draft: ConfigDraft, partition: number) =>
  first(draft.partitions[partition]!.devices);
const flow = (draft: ConfigDraft) => first(draft.flows);

describe('rules: routes', () => {
  for (const end of ['from', 'to'] as const) {
    it(`[utest->req~cfg.semantic~1] a device that does not exist is refused as "${end}"`, () => {
      assertBreaks(
        'route-end-unknown',
        `/network/routes/1/${end}`,
        ['"telematics.net9"', '"telematics.net0"'],
        (draft) => {
          draft.network.routes[1] = routeDraft('telematics', 'cluster', {
            [end]: 'telematics.net9',
          });
        },
      );
    });
  }

  it('[utest->req~net.no-loop~1] a route between two devices of one partition is admitted', () => {
    assertValid((draft) => {
      draft.partitions[0]!.devices.push(deviceDraft(3, { id: 'net1', queueSize: 4 }));
      first(draft.schedule.windows).queues!.push({
        queue: 'net1.transmitq0',
        requestsMax: 1,
        bytesMax: 12144,
      });
      draft.network.routes.push(routeDraft('cluster', 'cluster', { to: 'cluster.net1' }));
    });
  });

  it('[utest->req~net.vlan~1] routes for two VLANs and for untagged packets are not parallel', () => {
    assertValid((draft) => {
      draft.network.routes.push(
        routeDraft('cluster', 'telematics', { id: 'v5', vlan: 5 }),
        routeDraft('cluster', 'telematics', { id: 'v6', vlan: 6 }),
      );
    });
  });

  it(
    '[utest->req~net.vlan~1] an inserted tag is no difference for the sender: the' +
      ' routes are parallel',
    () => {
      assertBreaks(
        'route-parallel',
        '/network/routes/2',
        ['"v5"', '"cluster-to-telematics"'],
        (draft) => {
          draft.network.routes.push(
            routeDraft('cluster', 'telematics', { id: 'v5', vlan: 5, vlanAction: 'insert' }),
          );
        },
      );
    },
  );

  it('[utest->req~net.vlan~1] a removed tag is a difference for the sender', () => {
    assertValid((draft) => {
      draft.network.routes.push(
        routeDraft('cluster', 'telematics', { id: 'v5', vlan: 5, vlanAction: 'remove' }),
      );
    });
  });

  it('[utest->req~net.vlan~1] "remove" needs a VLAN id, "keep" does not', () => {
    assertValid((draft) => {
      secondRoute(draft).vlanAction = 'keep';
    });
    assertBreaks(
      'vlan-action-without-vlan',
      '/network/routes/1/vlanAction',
      ['"remove"'],
      (draft) => {
        secondRoute(draft).vlanAction = 'remove';
      },
    );
  });

  it('[utest->req~net.rate~1] a quota of one packet with its Ethernet header is admitted', () => {
    assertValid((draft) => {
      secondRoute(draft).bytesPerMajorFrame = 1514;
    });
  });

  it('[utest->req~net.rate~1] the least quota follows the MTU of the sender', () => {
    assertBreaks(
      'route-quota-below-packet',
      '/network/routes/1/bytesPerMajorFrame',
      ['9013', '9014'],
      (draft) => {
        device(draft, 1).mtu = 9000;
        draft.schedule.windows[1]!.queues![0]!.bytesMax = 9018;
        secondRoute(draft).bytesPerMajorFrame = 9013;
      },
    );
  });

  it('[utest->req~net.receive-buffers~1] one buffer less than the queue has may be reserved', () => {
    assertValid((draft) => {
      secondRoute(draft).receiveReserve = 63;
    });
  });

  it(
    '[utest->req~net.receive-buffers~1] as many descriptors as the receiver has' +
      ' are admitted, one more is not',
    () => {
      assertValid((draft) => {
        secondRoute(draft).receiveDescriptorsMax = 64;
      });
      assertBreaks(
        'receiver-limit-over-queue',
        '/network/routes/1/receiveDescriptorsMax',
        ['65', '64'],
        (draft) => {
          secondRoute(draft).receiveDescriptorsMax = 65;
        },
      );
    },
  );

  it('[utest->req~net.offload-completion~1] checksums with a cost are admitted', () => {
    assertValid((draft) => {
      device(draft, 0).features.offer.push('VIRTIO_NET_F_CSUM');
      draft.costs.netChecksum = { baseNs: 500, perKibNs: 100 };
    });
  });
});

describe('rules: flows', () => {
  it('[utest->req~cfg.semantic~1] a route that starts at another device is refused', () => {
    assertBreaks(
      'flow-end-unknown',
      '/flows/0/route',
      ['"telematics.net0"', '"cluster.net0"'],
      (draft) => {
        flow(draft).route = 'telematics-to-cluster';
      },
    );
  });

  it(
    '[utest->req~cfg.semantic~1] packets as long as the device admits are allowed,' +
      ' one byte more is not',
    () => {
      assertValid((draft) => {
        flow(draft).bytesMax = 1518;
      });
      assertBreaks('flow-end-unknown', '/flows/0/bytesMax', ['1519', '1518'], (draft) => {
        flow(draft).bytesMax = 1519;
      });
    },
  );

  it('[utest->req~cfg.semantic~1] a flow from a queue pair that the device has not is refused', () => {
    const found = breaches(
      twoPartitions((draft) => {
        flow(draft).from = 'cluster.net0.transmitq1';
      }),
    );
    assert.deepEqual(
      found.map(({ rule, path }) => `${rule} ${path}`),
      ['flow-end-unknown /flows/0/from', 'flow-not-served /flows/0/from'],
    );
  });

  it('[utest->req~cfg.semantic~1] a flow from the second queue pair is admitted', () => {
    assertValid((draft) => {
      device(draft, 0).queuePairs = 2;
      device(draft, 0).features.offer.push('VIRTIO_NET_F_MQ', 'VIRTIO_NET_F_CTRL_VQ');
      first(draft.schedule.windows).queues!.push(
        { queue: 'net0.transmitq1', requestsMax: 8, bytesMax: 12144 },
        { queue: 'net0.controlq', requestsMax: 1, bytesMax: 2048 },
      );
      flow(draft).from = 'cluster.net0.transmitq1';
    });
  });

  it(
    '[utest->req~cfg.semantic~1] a flow of a partition that does not exist is' +
      ' refused without a crash',
    () => {
      const found = breaches(
        twoPartitions((draft) => {
          flow(draft).from = 'nobody.net0.transmitq0';
        }),
      );
      assert.ok(
        found.some(({ rule, path }) => rule === 'flow-end-unknown' && path === '/flows/0/from'),
      );
    },
  );
});

describe('regressions: rules about the network', () => {
  it('[utest->req~net.receive-buffers~1] reserves that together leave no buffer to any route are refused', () => {
    const found = breaches(
      twoPartitions((draft) => {
        for (const [n, id] of ['third', 'fourth'].entries()) {
          draft.partitions.push({
            id,
            asil: 'QM',
            memoryMiB: 1,
            guest: { type: 'embedded', program: 'echo' },
            devices: [deviceDraft(3 + n)],
          });
          draft.schedule.windows.push(windowDraft(id, 6000 + 1500 * n));
          draft.network.routes.push(routeDraft(id, 'telematics'));
        }
        for (const route of draft.network.routes) {
          if (route.to === 'telematics.net0') route.receiveReserve = 40;
        }
      }),
    );
    assert.ok(
      found.some(({ rule }) => rule === 'receiver-limit-over-queue'),
      'three times 40 of 64 buffers are reserved',
    );
  });

  it(
    '[utest->req~net.rate~1] a quota that cannot carry one tagged packet is' +
      ' refused on a tagged route',
    () => {
      assertBreaks(
        'route-quota-below-packet',
        '/network/routes/1/bytesPerMajorFrame',
        ['1514', '1518'],
        (draft) => {
          draft.network.routes[1] = routeDraft('telematics', 'cluster', {
            vlan: 5,
            bytesPerMajorFrame: 1514,
          });
        },
      );
    },
  );
});
