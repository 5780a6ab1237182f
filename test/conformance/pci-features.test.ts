/** Feature registers and FEATURES_OK of an emulated function (2.2, 3.1.1, 4.1.4.3). */
import { networkOf } from '../support/network.ts';
import { strict as assert } from 'node:assert';
import { bitOf, bitsOf } from '../../src/wire/features.ts';
import { DeviceStatus } from '../../src/wire/virtio.ts';
import { CommonConfig } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';

const OFFER = [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_F_RING_RESET',
  'VIRTIO_NET_F_MAC',
  'VIRTIO_NET_F_CSUM',
  'VIRTIO_NET_F_HOST_TSO4',
  'VIRTIO_NET_F_STATUS',
];
const { ACKNOWLEDGE, DRIVER, FEATURES_OK } = DeviceStatus;
const CONFIRMED = ACKNOWLEDGE | DRIVER | FEATURES_OK;

function driverOf(require: readonly string[] = ['VIRTIO_F_VERSION_1']) {
  const device = netDevice(1, { offer: OFFER });
  const bench = new FunctionBench({
    devices: { a: { ...device, features: { offer: OFFER, require } }, b: netDevice(2) },
  });
  return { bench, driver: new RegisterDriver(bench) };
}

function acceptedWords(driver: RegisterDriver): number[] {
  return [0, 1].map((word) => {
    driver.write(CommonConfig.DRIVER_FEATURE_SELECT, word);
    return driver.read(CommonConfig.DRIVER_FEATURE);
  });
}

describe('feature registers (4.1.4.3.1)', () => {
  it('[utest->req~neg.offered-only~1] 4.1.4.3.1: device_feature shows the offered bits at select * 32', () => {
    const { driver } = driverOf();
    const { low, high } = bitsOf('virtio-net', OFFER);
    assert.deepEqual([driver.offered(0), driver.offered(1)], [low, high]);
  });

  for (const select of [2, 3, 0x8000_0000, 0xffff_ffff]) {
    it(`[utest->req~neg.offered-only~1] 4.1.4.3.1: device_feature is 0 at select ${select}`, () => {
      const { driver } = driverOf();
      assert.equal(driver.offered(select), 0);
      assert.equal(driver.read(CommonConfig.DEVICE_FEATURE_SELECT), select);
    });
  }

  it('[utest->req~neg.offered-only~1] 4.1.4.3.2: device_feature cannot be written', () => {
    const { bench, driver } = driverOf();
    const before = driver.snapshot();
    driver.write(CommonConfig.DEVICE_FEATURE, 0xffff_ffff);
    assert.deepEqual(driver.snapshot(), before);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
  });

  it('[utest->req~neg.offered-only~1] 4.1.4.3.1: driver_feature shows what the driver wrote at each select', () => {
    const { driver } = driverOf();
    driver.accept(0, driver.offered(0));
    driver.accept(1, driver.offered(1));
    assert.equal(driver.read(CommonConfig.DRIVER_FEATURE), driver.offered(1));
    driver.write(CommonConfig.DRIVER_FEATURE_SELECT, 0);
    assert.equal(driver.read(CommonConfig.DRIVER_FEATURE), driver.offered(0));
    driver.write(CommonConfig.DRIVER_FEATURE_SELECT, 2);
    assert.equal(driver.read(CommonConfig.DRIVER_FEATURE), 0);
  });

  it('[utest->req~neg.offered-only~1] 2.2: feature words from bit 64 on take 0 and nothing else', () => {
    const { bench, driver } = driverOf();
    driver.accept(2, 0);
    assert.deepEqual(bench.faultNames(), []);
    driver.accept(2, 1);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
  });
});

describe('FEATURES_OK (2.2.2, 3.1.1)', () => {
  it('[utest->req~neg.offered-only~1] 2.2.2: the whole offered set is accepted', () => {
    const { bench, driver } = driverOf();
    assert.equal(driver.negotiate(), CONFIRMED);
    assert.deepEqual(bench.faultNames(), []);
  });

  it('[utest->req~neg.offered-only~1] 2.2.2: a valid subset is accepted, and is what the data plane is told', () => {
    const { bench, driver } = driverOf();
    const features = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_CSUM'];
    assert.equal(driver.negotiate(features), CONFIRMED);
    driver.driverOk();
    assert.equal(networkOf(bench.plane).negotiatedLow >>> 0, bitsOf('virtio-net', features).low);
    assert.equal(networkOf(bench.plane).transmit.tso4, false);
  });

  for (const bit of [
    bitOf('virtio-net', 'VIRTIO_NET_F_MTU'),
    4,
    24,
    bitOf('virtio-net', 'VIRTIO_F_IN_ORDER'),
    47,
  ]) {
    it(`[utest->req~neg.offered-only~1] 2.2.2: a set with bit ${bit}, not offered, is refused`, () => {
      const { bench, driver } = driverOf();
      driver.status = ACKNOWLEDGE | DRIVER;
      const extra = bit < 32 ? { low: 2 ** bit, high: 0 } : { low: 0, high: 2 ** (bit - 32) };
      driver.accept(0, driver.offered(0) | extra.low);
      driver.accept(1, driver.offered(1) | extra.high);
      driver.status = CONFIRMED;
      assert.equal(driver.status, ACKNOWLEDGE | DRIVER);
      assert.deepEqual(bench.faultNames(), ['feature-set-refused']);
    });
  }

  it('[utest->req~neg.dependencies~1] 2.2.2: a set that breaks a dependency is refused', () => {
    const { bench, driver } = driverOf();
    assert.equal(
      driver.negotiate(['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_HOST_TSO4']),
      ACKNOWLEDGE | DRIVER,
    );
    assert.deepEqual(bench.faultNames(), ['feature-set-refused']);
    assert.match(bench.faults[0]!.detail, /VIRTIO_NET_F_HOST_TSO4 requires VIRTIO_NET_F_CSUM/);
  });

  for (const [what, required, missing] of [
    ['a configured feature', ['VIRTIO_NET_F_STATUS'], 'VIRTIO_NET_F_STATUS'],
    ['VIRTIO_F_VERSION_1, configured or not', [], 'VIRTIO_F_VERSION_1'],
  ] as const) {
    it(`[utest->req~neg.required~1] 2.2: a set without ${what} is refused and named`, () => {
      const { bench, driver } = driverOf(required);
      const accepted = OFFER.filter((name) => name !== missing);
      assert.equal(driver.negotiate(accepted), ACKNOWLEDGE | DRIVER);
      assert.deepEqual(bench.faultNames(), ['required-feature-missing']);
      assert.match(bench.faults[0]!.detail, new RegExp(missing));
    });
  }

  it('[utest->req~neg.offered-only~1] 2.2.2: after a refusal the driver may correct its set', () => {
    const { driver } = driverOf();
    driver.negotiate(['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_HOST_TSO4']);
    driver.acceptNames(['VIRTIO_F_VERSION_1']);
    driver.status = CONFIRMED;
    assert.equal(driver.status, CONFIRMED);
  });

  for (const word of [0, 1]) {
    it(`[utest->req~neg.state-machine~1] 3.1.1: after FEATURES_OK word ${word} of the driver's bits is fixed`, () => {
      const { bench, driver } = driverOf();
      driver.negotiate(['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC']);
      const before = acceptedWords(driver);
      driver.accept(word, driver.offered(word));
      assert.deepEqual(acceptedWords(driver), before);
      assert.equal(driver.status, CONFIRMED);
      assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
    });
  }

  it('[utest->req~neg.state-machine~1] 3.1.1: bits written after FEATURES_OK do not reach the data plane', () => {
    const { bench, driver } = driverOf();
    const features = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'];
    driver.negotiate(features);
    driver.accept(0, driver.offered(0));
    driver.driverOk();
    assert.equal(networkOf(bench.plane).negotiatedLow >>> 0, bitsOf('virtio-net', features).low);
  });

  it('[utest->req~neg.offered-only~1] 2.2.2: a set that was accepted once is accepted again after a reset', () => {
    const { driver } = driverOf();
    for (let round = 0; round < 3; round++) {
      assert.equal(driver.negotiate(OFFER), CONFIRMED);
      driver.driverOk();
    }
  });

  it('[utest->req~neg.offered-only~1] 2.4.1: a reset forgets what the driver had accepted', () => {
    const { driver } = driverOf();
    driver.negotiate();
    driver.reset();
    assert.deepEqual(acceptedWords(driver), [0, 0]);
  });

  it("[utest->req~neg.offered-only~1] 2.2.2: one device's negotiation is not another's", () => {
    const { bench, driver } = driverOf();
    driver.negotiate();
    const other = new RegisterDriver(bench, 1);
    assert.equal(other.status, 0);
    assert.equal(other.read(CommonConfig.DRIVER_FEATURE), 0);
  });
});
