/** The compiled plan, against numbers worked out by hand from its configuration. */
import { netPlan } from '../../support/network.ts';
import { strict as assert } from 'node:assert';
import { InternalError } from '../../../src/base/assert.ts';
import { compilePlan, nsOf } from '../../../src/schedule/compile-plan.ts';
import { EMBEDDED_GUEST_PHYSICAL, WASM_PAGE } from '../../../src/schedule/arena-layout.ts';
import {
  deviceDraft,
  first,
  routeDraft,
  twoPartitions,
  windowDraft,
  type ConfigDraft,
} from '../../support/two-partitions.ts';

const plan = (change?: (draft: ConfigDraft) => void) => compilePlan(twoPartitions(change));
const device = (draft: ConfigDraft) => first(draft.partitions[0]!.devices);

/** cluster.net0 with two pairs and a controlq, all served. */
function multiqueue(draft: ConfigDraft): void {
  device(draft).queuePairs = 2;
  device(draft).features.offer.push('VIRTIO_NET_F_MQ', 'VIRTIO_NET_F_CTRL_VQ');
  first(draft.schedule.windows).queues!.push(
    { queue: 'net0.transmitq1', requestsMax: 4, requestsGuaranteed: 2, bytesMax: 6072 },
    { queue: 'net0.controlq', requestsMax: 1, bytesMax: 64 },
  );
}

describe('compiled plan: times', () => {
  for (const [us, ns] of [
    [0, 0],
    [0.001, 1],
    [0.1, 100],
    [1.005, 1005],
    [4.35, 4350],
    [1_999_999.999, 1_999_999_999],
  ] as const) {
    it(`[utest->req~sched.static-table~1] ${us} µs are ${ns} ns`, () => assert.equal(nsOf(us), ns));
  }

  it('[utest->req~sched.static-table~1] major frame, window switch and control command', () => {
    const { majorFrameNs, windowSwitchNs, controlCommandNs, idle, name } = plan();
    assert.deepEqual(
      { majorFrameNs, windowSwitchNs, controlCommandNs },
      {
        majorFrameNs: 10_000_000,
        windowSwitchNs: 20_000,
        controlCommandNs: 20_000,
      },
    );
    assert.deepEqual([idle, name], ['sleep', 'cockpit']);
  });
});

describe('compiled plan: windows', () => {
  it('[utest->req~sched.static-table~1] a window has its partition, its queues and its caps', () => {
    assert.deepEqual(plan().windows[0], {
      index: 0,
      id: 'cluster',
      kind: 'partition',
      display: -1,
      partition: 0,
      offsetNs: 0,
      durationNs: 1_000_000,
      pollNs: 0,
      queues: [
        { queue: 1, requestsMax: 8, requestsGuaranteed: 8, bytesMax: 12144, publishEach: true },
      ],
    });
  });

  it('[utest->req~ctrl.budget~1] a control window belongs to no partition and has no queues', () => {
    assert.deepEqual(plan().windows[2], {
      index: 2,
      id: 'control',
      kind: 'control',
      display: -1,
      partition: -1,
      offsetNs: 4_000_000,
      durationNs: 1_000_000,
      pollNs: 0,
      queues: [],
    });
  });

  it('[utest->req~sched.static-table~1] windows are numbered in the order of time, not of the file', () => {
    const { windows } = plan((draft) => {
      draft.schedule.windows.reverse();
    });
    assert.deepEqual(
      windows.map(({ index, id }) => `${index} ${id}`),
      ['0 cluster', '1 telematics', '2 control'],
    );
  });

  it('[utest->req~ctrl.budget~1] without a control window there is one in the longest gap', () => {
    const { windows } = plan((draft) => {
      draft.schedule.windows.pop();
      draft.schedule.windows.push(windowDraft('cluster', 9000, { id: 'late', durationUs: 500 }));
    });
    assert.deepEqual(
      windows.map(({ id, offsetNs, durationNs }) => [id, offsetNs, durationNs]),
      [
        ['cluster', 0, 1e6],
        ['telematics', 2e6, 1e6],
        ['control', 3e6, 6e6],
        ['late', 9e6, 5e5],
      ],
    );
    assert.deepEqual(
      windows.map(({ index }) => index),
      [0, 1, 2, 3],
    );
  });

  it('[utest->req~sched.serving-rule~1] a guarantee is the configured one, or the cap', () => {
    const { queues } = plan(multiqueue).windows[0]!;
    assert.deepEqual(
      queues.map(({ requestsGuaranteed }) => requestsGuaranteed),
      [8, 2, 1],
    );
  });

  it('[utest->req~sched.latency-measured~1] exactly the queues of flows publish each request', () => {
    const { windows } = plan(multiqueue);
    assert.deepEqual(
      windows.map(({ queues }) => queues.map(({ publishEach }) => publishEach)),
      [[true, false, false], [false], []],
    );
  });

  it('[utest->req~sched.static-table~1] the pause between two looks is the configured one', () => {
    assert.equal(
      plan((draft) => {
        draft.schedule.windows[1]!.pollUs = 12.5;
      }).windows[1]!.pollNs,
      12_500,
    );
  });
});

describe('compiled plan: devices and queues', () => {
  it(
    '[utest->req~pci.function~1] queues are numbered through, receiveq before' +
      ' transmitq, controlq last',
    () => {
      const { queues, devices } = plan(multiqueue);
      assert.deepEqual(
        queues.map(({ index, name }) => `${index} ${name}`),
        [
          '0 cluster.net0.receiveq0',
          '1 cluster.net0.transmitq0',
          '2 cluster.net0.receiveq1',
          '3 cluster.net0.transmitq1',
          '4 cluster.net0.controlq',
          '5 telematics.net0.receiveq0',
          '6 telematics.net0.transmitq0',
        ],
      );
      assert.deepEqual(
        devices.map((entry) => entry.queues),
        [
          [0, 1, 2, 3, 4],
          [5, 6],
        ],
      );
      assert.deepEqual(
        queues.map((queue) => queue.device),
        [0, 0, 0, 0, 0, 1, 1],
      );
      assert.deepEqual(
        queues.map((queue) => queue.partition),
        [0, 0, 0, 0, 0, 1, 1],
      );
    },
  );

  // Walk 2000 + 20 × 20, one copy 2 × 200 + 20 × 20; a receiveq has no requests of its own.
  it('[utest->req~sched.budget-before-start~1] each queue has the cost of its largest request', () => {
    assert.deepEqual(
      plan(multiqueue).queues.map(({ costNs }) => costNs),
      [0, 3200, 0, 3200, 5000, 0, 3200],
    );
  });

  it('[utest->req~sched.budget-before-start~1] only routes that leave the device cost its requests', () => {
    const { queues } = plan((draft) => {
      draft.network.routes.push(routeDraft('cluster', 'telematics', { id: 'tagged', vlan: 5 }));
    });
    assert.deepEqual(
      queues.map(({ costNs }) => costNs),
      [0, 4000, 0, 3200],
    );
  });

  it('[utest->req~pci.function~1] a device has its address, its limits and its feature bits', () => {
    assert.deepEqual(plan().devices[1], {
      index: 1,
      id: 'telematics.net0',
      type: 'virtio-net',
      partition: 1,
      queues: [2, 3],
      routes: [1],
      mac: [0x52, 0x54, 0, 0, 0, 2],
      mtu: 1500,
      speedMbps: 0xffffffff,
      queuePairs: 1,
      queueSizeMax: 64,
      descriptorsMax: 20,
      packetBytesMax: 1518,
      offered: { low: 1 << 5, high: 1 },
      required: ['VIRTIO_F_VERSION_1'],
    });
  });

  it('[utest->req~pci.function~1] what is configured of a device is what it has', () => {
    const { devices } = plan((draft) => {
      Object.assign(device(draft), { mtu: 9000, speedMbps: 1000, descriptorsMax: 8 });
    });
    const { mtu, speedMbps, descriptorsMax } = netPlan(devices[0]);
    assert.deepEqual(
      { mtu, speedMbps, descriptorsMax },
      { mtu: 9000, speedMbps: 1000, descriptorsMax: 8 },
    );
  });

  it('[utest->req~part.static-set~1] partitions keep their order, their memory and their devices', () => {
    const { partitions } = plan((draft) => {
      draft.partitions[0]!.devices.push(deviceDraft(3, { id: 'net1' }));
      first(draft.schedule.windows).queues!.push({
        queue: 'net1.transmitq0',
        requestsMax: 1,
        bytesMax: 1518,
      });
      draft.partitions[1]!.memoryMiB = 3;
    });
    assert.deepEqual(
      partitions.map(({ index, id, asil, memoryBytes, devices, guest }) => [
        index,
        id,
        asil,
        memoryBytes,
        devices,
        guest.type === 'embedded' ? guest.program : guest.type,
      ]),
      [
        [0, 'cluster', 'B', 1_048_576, [0, 1], 'traffic'],
        [1, 'telematics', 'QM', 3_145_728, [2], 'echo'],
      ],
    );
  });
});

describe('compiled plan: routes and flows', () => {
  it('[utest->req~net.static-route~1] a route has the numbers of its devices, and its quota', () => {
    assert.deepEqual(plan().routes[1], {
      index: 1,
      id: 'telematics-to-cluster',
      from: 1,
      to: 0,
      vlan: -1,
      vlanAction: 'keep',
      packetsPerMajorFrame: 8,
      bytesPerMajorFrame: 12112,
      excess: 'drop',
      reservedByOthers: 0,
      receiveDescriptorsMax: 20,
    });
    assert.deepEqual(
      plan().devices.map((planned) => netPlan(planned).routes),
      [[0], [1]],
    );
  });

  it('[utest->req~net.vlan~1] a route has its VLAN id and what is done with the tag', () => {
    const { vlan, vlanAction, receiveDescriptorsMax } = plan((draft) => {
      Object.assign(draft.network.routes[0]!, {
        vlan: 5,
        vlanAction: 'insert',
        receiveDescriptorsMax: 2,
      });
    }).routes[0]!;
    assert.deepEqual(
      { vlan, vlanAction, receiveDescriptorsMax },
      { vlan: 5, vlanAction: 'insert', receiveDescriptorsMax: 2 },
    );
  });

  it(
    '[utest->req~net.receive-buffers~1] a route leaves what the other routes to' +
      ' its receiver have reserved',
    () => {
      const { routes } = plan((draft) => {
        draft.network.routes = [
          routeDraft('cluster', 'telematics', { id: 'a', receiveReserve: 4 }),
          routeDraft('cluster', 'telematics', { id: 'b', vlan: 5, receiveReserve: 2 }),
          routeDraft('cluster', 'telematics', { id: 'c', vlan: 6 }),
          routeDraft('telematics', 'cluster', { id: 'd', receiveReserve: 9 }),
        ];
        first(draft.flows).route = 'a';
      });
      assert.deepEqual(
        routes.map(({ reservedByOthers }) => reservedByOthers),
        [2, 4, 6, 0],
      );
    },
  );

  it(
    '[utest->req~sched.latency-measured~1] a flow has the numbers of its queue and' +
      ' its route, and its deadline',
    () => {
      assert.deepEqual(plan().flows, [
        {
          index: 0,
          id: 'vehicle-status',
          queue: 1,
          route: 0,
          arrival: { periodNs: 10_000_000, jitterNs: 1_000_000, spacingNs: 0, burst: 1 },
          bytesMax: 1514,
          pieces: 1,
          deadlineNs: 12_000_000,
          boundNs: null,
        },
      ]);
    },
  );
});

describe('compiled plan: arena', () => {
  it('[utest->req~mem.bounds~1] every partition has a slice of its size', () => {
    assert.deepEqual(
      plan().layout.partitions.map(({ sliceBytes }) => sliceBytes),
      [1_048_576, 1_048_576],
    );
  });

  it('[utest->req~mem.bounds~1] slices can be asked to lie above 2 GiB', () => {
    const { layout } = compilePlan(twoPartitions(), 2 ** 31);
    assert.deepEqual(
      layout.partitions.map(({ sliceAt }) => sliceAt),
      [2 ** 31, 2 ** 31 + 16 * WASM_PAGE],
    );
  });

  it('[utest->req~mem.wrap~1] embedded guests see their memory above 4 GiB', () => {
    assert.equal(EMBEDDED_GUEST_PHYSICAL, 2 ** 32);
  });
});

describe('compiled plan: configurations that were never checked', () => {
  for (const [name, change] of [
    [
      'a window of a queue that does not exist',
      (draft: ConfigDraft) => {
        first(first(draft.schedule.windows).queues).queue = 'net0.transmitq7';
      },
    ],
    [
      'a flow of a route that does not exist',
      (draft: ConfigDraft) => {
        first(draft.flows).route = 'nowhere';
      },
    ],
  ] as const) {
    it(`[utest->req~cfg.semantic~1] ${name} is a mistake of ours, not a plan`, () => {
      assert.throws(() => plan(change), InternalError);
    });
  }
});
