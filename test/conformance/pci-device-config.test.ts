/** Device-specific configuration of a network device, and its generation (2.5, 4.1.4.3.1, 5.1.4). */
import { netConfiguration, netPlan } from '../support/network.ts';
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { NetConfiguration } from '../../src/control-plane/net-configuration.ts';
import { NetConfig, NetStatus } from '../../src/wire/virtio-net.ts';
import { BarLayout, CommonConfig } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const OFFER = [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_NET_F_MAC',
  'VIRTIO_NET_F_MTU',
  'VIRTIO_NET_F_STATUS',
  'VIRTIO_NET_F_SPEED_DUPLEX',
  'VIRTIO_NET_F_CTRL_VQ',
  'VIRTIO_NET_F_MQ',
  'VIRTIO_NET_F_GUEST_ANNOUNCE',
];

function fresh() {
  const device = netDevice(1, { offer: OFFER, mtu: 1400, speedMbps: 1000, queuePairs: 2 });
  const bench = new FunctionBench({ devices: { a: device, b: netDevice(2) } });
  const driver = new RegisterDriver(bench);
  const { config } = driver.target;
  const field = (offset: number, width: number) =>
    driver.target.readBar(BarLayout.DEVICE + offset, width);
  const generation = () => driver.read(CommonConfig.CONFIG_GENERATION);
  return { bench, driver, config, field, generation };
}

describe('device configuration (2.5.2, 5.1.4)', () => {
  for (const [when, prepare] of [
    ['at power on', () => {}],
    [
      'before FEATURES_OK',
      (driver: RegisterDriver) => {
        driver.status = 3;
      },
    ],
    [
      'after FEATURES_OK',
      (driver: RegisterDriver) => {
        driver.negotiate();
      },
    ],
    [
      'after DRIVER_OK',
      (driver: RegisterDriver) => {
        driver.start();
      },
    ],
    [
      'after a reset',
      (driver: RegisterDriver) => {
        driver.start().reset();
      },
    ],
  ] as const) {
    it(`[utest->req~pci.function~1] 2.5.2: every field can be read ${when}`, () => {
      const { driver, field } = fresh();
      prepare(driver);
      assert.deepEqual(
        Array.from({ length: 6 }, (_, n) => field(NetConfig.MAC + n, 1)),
        [0x52, 0x54, 0, 0, 0, 1],
      );
      assert.equal(field(NetConfig.STATUS, 2), NetStatus.LINK_UP);
      assert.equal(field(NetConfig.MAX_VIRTQUEUE_PAIRS, 2), 2);
      assert.equal(field(NetConfig.MTU, 2), 1400);
      assert.equal(field(NetConfig.SPEED, 4), 1000);
      assert.equal(field(NetConfig.DUPLEX, 1), 0, 'full duplex');
    });
  }

  it('[utest->req~pci.function~1] 5.1.4.1: an unknown speed is all ones', () => {
    const driver = new RegisterDriver(new FunctionBench());
    assert.equal(driver.target.readBar(BarLayout.DEVICE + NetConfig.SPEED, 4), 0xffff_ffff);
  });

  it('[utest->req~pci.function~1] 5.1.4: the driver cannot write a single byte of it', () => {
    const { bench, config, driver, field } = fresh();
    const bytes = () => Array.from({ length: config.bytes }, (_, n) => field(n, 1));
    const before = bytes();
    for (const width of [1, 2, 4, 8]) {
      for (let at = 0; at < config.bytes; at++)
        driver.target.writeBar(BarLayout.DEVICE + at, width, 0xa5a5_a5a5, 0);
    }
    assert.deepEqual(bytes(), before);
    assert.equal(bench.settle(), 0);
  });

  it('[utest->req~pci.function~1] 4.1.4.6: behind the structure there are zeros', () => {
    const { config, field } = fresh();
    assert.equal(field(config.bytes, 4), 0);
    assert.equal(field(0xffc, 4), 0);
  });

  it('[utest->req~pci.function~1] 5.1.4: status follows the link and announce bits of both planes', () => {
    const { bench, config, field } = fresh();
    assert.equal(netConfiguration(config).changeStatus(NetStatus.ANNOUNCE, 0), true);
    assert.equal(field(NetConfig.STATUS, 2), NetStatus.LINK_UP | NetStatus.ANNOUNCE);
    assert.equal(
      netConfiguration(config).changeStatus(NetStatus.ANNOUNCE, 0),
      false,
      'nothing new',
    );
    Atomics.and(bench.words, bench.plan.layout.devices[0]!.statusAt >>> 2, ~NetStatus.ANNOUNCE);
    assert.equal(field(NetConfig.STATUS, 2), NetStatus.LINK_UP);
    assert.equal(netConfiguration(config).changeStatus(0, NetStatus.LINK_UP), true);
    assert.equal(field(NetConfig.STATUS, 2), 0);
  });
});

describe('configuration generation (4.1.4.3.1)', () => {
  it('[utest->req~pci.function~1] 4.1.4.3.1: it stays while nothing changes', () => {
    const { field, generation } = fresh();
    const first = generation();
    for (let n = 0; n < 10; n++) field(n, 1);
    assert.equal(generation(), first);
  });

  it('[utest->req~pci.function~1] 4.1.4.3.1: it is another after a changed value has been read', () => {
    const { config, field, generation } = fresh();
    const first = generation();
    netConfiguration(config).changeStatus(NetStatus.ANNOUNCE, 0);
    field(NetConfig.STATUS, 2);
    assert.notEqual(generation(), first);
  });

  it("[utest->req~pci.function~1] 2.5.1: a driver's read loop ends, and ends with values of one version", () => {
    const { config, field, generation } = fresh();
    let flips = 3;
    for (let round = 0; round < 10; round++) {
      const before = generation();
      if (flips-- > 0)
        netConfiguration(config).changeStatus(
          flips & 1 ? NetStatus.ANNOUNCE : 0,
          flips & 1 ? 0 : NetStatus.ANNOUNCE,
        );
      field(NetConfig.STATUS, 2);
      if (generation() === before) return;
    }
    assert.fail('the loop did not end');
  });

  it('[utest->req~pci.function~1] 2.5.1: whatever happens, two versions are never read at one generation', () => {
    const step = fc.oneof(
      fc.constantFrom('generation' as const, 'read' as const),
      fc.nat(3).map((status) => ({ status })),
    );
    const device = netPlan(new FunctionBench().plan.devices[0]);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const words = new Int32Array(new SharedArrayBuffer(4));
        const config = new NetConfiguration(device, words, 0);
        let lastGeneration = config.generation;
        const seen = new Set<number>();
        for (const action of steps) {
          if (action === 'read') {
            assert.equal(config.read(NetConfig.STATUS, 2), words[0]);
            seen.add(words[0]!);
          } else if (action === 'generation') {
            const now = config.generation;
            if (seen.size > 1) assert.notEqual(now, lastGeneration);
            lastGeneration = now;
            seen.clear();
          } else words[0] = action.status;
        }
      }),
      seededRuns(14, 300),
    );
  });
});
