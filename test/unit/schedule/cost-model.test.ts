/** Declared worst-case costs, against sums worked out by hand. */
import { strict as assert } from 'node:assert';
import {
  composeCostNs,
  GPU_PIECE_RUNS,
  piecesOf,
  controlCommandNs,
  descriptorsMaxOf,
  mtuOf,
  packetBytesMax,
  plainPacketBytesMax,
  receiveDescriptorsMaxOf,
  requestCostNs,
} from '../../../src/schedule/cost-model.ts';
import type { CostsConfig, GpuDeviceConfig } from '../../../src/schedule/gateway-config.ts';
import { deviceDraft, routeDraft, type DeviceDraft } from '../../support/two-partitions.ts';

const COSTS: CostsConfig = {
  netForward: { baseNs: 1000, perKibNs: 100, perDescriptorNs: 10 },
  windowSwitchNs: 0,
};
const WITH_CHECKSUM: CostsConfig = { ...COSTS, netChecksum: { baseNs: 50, perKibNs: 30 } };

function offering(...names: string[]): DeviceDraft {
  return deviceDraft(1, { features: { offer: ['VIRTIO_F_VERSION_1', ...names], require: [] } });
}

const PLAIN = offering();
const routes = (count: number) => Array.from({ length: count }, () => routeDraft('a', 'b'));

describe('cost model: displays', () => {
  it('[utest->req~sched.budget-before-start~1] a band of a composition costs as declared, or what was measured', () => {
    const declared: CostsConfig = { ...COSTS, gpuCompose: { baseNs: 7, perKibNs: 2 } };
    const perKib = composeCostNs({ ...declared, gpuCompose: { baseNs: 0, perKibNs: 1 } });
    assert.equal(composeCostNs(declared), 7 + 2 * perKib);
    assert.equal(composeCostNs(COSTS), 5000 + 500 * perKib);
  });

  it('[utest->req~sched.budget-before-start~1] a piece of a gpu command that is not declared costs what was measured', () => {
    const gpu = { type: 'virtio-gpu', descriptorsMax: 8 } as GpuDeviceConfig;
    const cost = (gpuTransfer?: CostsConfig['gpuTransfer']) =>
      requestCostNs({ ...COSTS, ...(gpuTransfer && { gpuTransfer }) }, gpu, 'control', []);
    const measured = { baseNs: 10_000, perKibNs: 500, perDescriptorNs: 50 };
    assert.equal(cost(), cost(measured));
    const runs = 8 + GPU_PIECE_RUNS;
    assert.equal(cost({ baseNs: 1, perKibNs: 0, perDescriptorNs: 3 }), 1 + 3 * runs);
  });

  it('[utest->req~sched.budget-before-start~1] a packet within the MTU is one piece, a longer one its segments and itself', () => {
    const device = offering('VIRTIO_NET_F_HOST_TSO4');
    assert.equal(piecesOf(device, plainPacketBytesMax(device)), 1);
    // Two segments cannot hold 1519 bytes with their headers in less than two MTUs.
    assert.equal(piecesOf(device, plainPacketBytesMax(device) + 1), 1 + 2);
    // An MTU that is all headers leaves a byte for each segment.
    assert.equal(piecesOf({ ...device, mtu: 68 }, 1000), 1 + 1000);
  });
});

describe('cost model: sizes', () => {
  it('[utest->req~net.length~1] the MTU is 1500 where none is given', () => {
    assert.equal(mtuOf(PLAIN), 1500);
    assert.equal(mtuOf({ ...PLAIN, mtu: 9000 }), 9000);
  });

  for (const [name, device, plain, most] of [
    ['without offloads: MTU, 14 bytes of header and 4 of a VLAN tag', PLAIN, 1518, 1518],
    ['with the least MTU', { ...PLAIN, mtu: 68 }, 86, 86],
    [
      'with TCP segmentation over IPv4',
      offering('VIRTIO_NET_F_CSUM', 'VIRTIO_NET_F_HOST_TSO4'),
      1518,
      65553,
    ],
    [
      'with TCP segmentation over IPv6',
      offering('VIRTIO_NET_F_CSUM', 'VIRTIO_NET_F_HOST_TSO6'),
      1518,
      65553,
    ],
    [
      'with the largest MTU and segmentation',
      { ...offering('VIRTIO_NET_F_CSUM', 'VIRTIO_NET_F_HOST_TSO4'), mtu: 65535 },
      65553,
      65553,
    ],
    [
      'with segmentation in the other direction only',
      offering('VIRTIO_NET_F_GUEST_CSUM', 'VIRTIO_NET_F_GUEST_TSO4'),
      1518,
      1518,
    ],
  ] as const) {
    it(`[utest->req~net.length~1] longest packet ${name}`, () => {
      assert.equal(plainPacketBytesMax(device), plain);
      assert.equal(packetBytesMax(device), most);
    });
  }

  it(
    '[utest->req~queue.bounded-walk~1] a chain has 20 descriptors where nothing is' +
      ' given, and never more than the queue',
    () => {
      assert.equal(descriptorsMaxOf(PLAIN), 20);
      assert.equal(descriptorsMaxOf({ ...PLAIN, queueSize: 16 }), 16);
      assert.equal(descriptorsMaxOf({ ...PLAIN, descriptorsMax: 40 }), 40);
      assert.equal(descriptorsMaxOf({ ...PLAIN, descriptorsMax: 40, queueSize: 32 }), 32);
    },
  );

  it(
    "[utest->req~net.receive-buffers~1] a packet uses 20 of the receiver's" +
      ' descriptors where nothing is given',
    () => {
      const three = routeDraft('a', 'b', { receiveDescriptorsMax: 3 });
      const segmentable = offering('VIRTIO_NET_F_CSUM', 'VIRTIO_NET_F_HOST_TSO4');
      assert.equal(receiveDescriptorsMaxOf(routeDraft('a', 'b'), PLAIN), 20);
      assert.equal(receiveDescriptorsMaxOf(routeDraft('a', 'b'), segmentable), 64);
      assert.equal(receiveDescriptorsMaxOf(three, segmentable), 3);
    },
  );
});

describe('cost model: one request of a transmitq', () => {
  // 1518 bytes are 2 KiB begun. Walk: 1000 + 20 × 10. Copy: 2 × 100 + 20 × 10.
  for (const [count, expected] of [
    [0, 1200],
    [1, 1600],
    [2, 2000],
    [3, 2400],
  ] as const) {
    it(`[utest->req~sched.budget-before-start~1] with ${count} routes it costs ${expected} ns`, () => {
      assert.equal(requestCostNs(COSTS, PLAIN, 'transmit', routes(count)), expected);
    });
  }

  it('[utest->req~sched.budget-before-start~1] each route costs by its own limit of descriptors', () => {
    const unlike = [routeDraft('a', 'b'), routeDraft('a', 'c', { receiveDescriptorsMax: 4 })];
    assert.equal(requestCostNs(COSTS, PLAIN, 'transmit', unlike), 1200 + 400 + 240);
  });

  it("[utest->req~sched.budget-before-start~1] the walk costs by the device's limit of descriptors", () => {
    assert.equal(requestCostNs(COSTS, { ...PLAIN, descriptorsMax: 4 }, 'transmit', []), 1040);
  });

  it('[utest->req~sched.budget-before-start~1] a KiB begun is a KiB', () => {
    assert.equal(
      requestCostNs(COSTS, { ...PLAIN, mtu: 1006 }, 'transmit', routes(1)),
      1200 + 100 + 200,
    );
    assert.equal(
      requestCostNs(COSTS, { ...PLAIN, mtu: 1007 }, 'transmit', routes(1)),
      1200 + 200 + 200,
    );
  });

  it(
    '[utest->req~sched.budget-before-start~1] a checksum is paid once, however' +
      ' many routes there are',
    () => {
      assert.equal(
        requestCostNs(WITH_CHECKSUM, offering('VIRTIO_NET_F_CSUM'), 'transmit', []),
        1200 + 50 + 2 * 30,
      );
      assert.equal(
        requestCostNs(WITH_CHECKSUM, offering('VIRTIO_NET_F_CSUM'), 'transmit', routes(2)),
        2000 + 110,
      );
    },
  );

  it('[utest->req~sched.budget-before-start~1] a checksum is not paid where it is not offered', () => {
    assert.equal(requestCostNs(WITH_CHECKSUM, PLAIN, 'transmit', routes(1)), 1600);
  });

  it('[utest->req~sched.budget-before-start~1] a checksum without a cost adds none', () => {
    assert.equal(requestCostNs(COSTS, offering('VIRTIO_NET_F_CSUM'), 'transmit', routes(1)), 1600);
  });

  // 65,553 bytes are 65 KiB begun.
  it('[utest->req~sched.budget-before-start~1] with segmentation the largest packet is paid for', () => {
    const device = offering('VIRTIO_NET_F_CSUM', 'VIRTIO_NET_F_HOST_TSO4');
    assert.equal(
      requestCostNs(WITH_CHECKSUM, device, 'transmit', routes(1)),
      1200 + (6500 + 640) + (50 + 1950),
    );
  });

  it('[utest->req~sched.budget-before-start~1] the cost is a whole number, rounded up', () => {
    const costs: CostsConfig = {
      netForward: { baseNs: 0.1, perKibNs: 0, perDescriptorNs: 0 },
      windowSwitchNs: 0,
    };
    assert.equal(requestCostNs(costs, PLAIN, 'transmit', []), 1);
  });
});

describe('cost model: commands', () => {
  it(
    '[utest->req~ctrl.budget~1] a command of the control plane costs 20,000 ns' +
      ' where nothing is given',
    () => {
      assert.equal(controlCommandNs(COSTS), 20_000);
      assert.equal(controlCommandNs({ ...COSTS, controlCommandNs: 7 }), 7);
    },
  );

  it(
    '[utest->req~sched.budget-before-start~1] a request of a controlq costs 5,000' +
      ' ns where nothing is given',
    () => {
      assert.equal(requestCostNs(COSTS, PLAIN, 'control', []), 5_000);
      assert.equal(requestCostNs({ ...COSTS, netControlNs: 7 }, PLAIN, 'control', []), 7);
    },
  );
});
