/** Device status of an emulated function: forward only, reset, DEVICE_NEEDS_RESET (2.1, 2.4, 3.1.1). */
import { networkOf } from '../support/network.ts';
import { strict as assert } from 'node:assert';
import { DeviceStatus } from '../../src/wire/virtio.ts';
import { CommonConfig, NO_VECTOR } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';

const { ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK, DEVICE_NEEDS_RESET, FAILED } = DeviceStatus;
const STEPS = [
  ACKNOWLEDGE,
  ACKNOWLEDGE | DRIVER,
  ACKNOWLEDGE | DRIVER | FEATURES_OK,
  ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK,
];
const LIVE = STEPS[3]!;
const KNOWN = LIVE | FAILED;

function fresh() {
  const bench = new FunctionBench();
  return { bench, driver: new RegisterDriver(bench) };
}

/** A driver that has come so many steps along 3.1.1. */
function atStep(steps: number) {
  const made = fresh();
  made.driver.reset();
  made.driver.acceptNames(['VIRTIO_F_VERSION_1']);
  for (const status of STEPS.slice(0, steps)) made.driver.status = status;
  made.bench.settle();
  return made;
}

describe('device status (2.1, 3.1.1)', () => {
  it('[utest->req~neg.state-machine~1] 3.1.1: each step of the initialisation is read back', () => {
    const { bench, driver } = atStep(0);
    for (const status of STEPS) {
      driver.status = status;
      assert.equal(driver.status, status);
    }
    assert.deepEqual(bench.faultNames(), []);
  });

  for (const [steps, own] of [0, ...STEPS].entries()) {
    it(`[utest->req~neg.state-machine~1] 2.1.1: at status ${own} no write clears a bit or sets an unknown one`, () => {
      for (let value = 1; value < 256; value++) {
        const { bench, driver } = atStep(steps);
        driver.status = value;
        bench.settle();
        const { status } = driver;
        assert.equal(status & own, own, `${value} cleared a bit`);
        assert.equal(status & ~(own | value), 0, `${value} set a bit that was not written`);
        assert.equal(status & ~KNOWN, 0, `${value} set an unknown bit`);
      }
    });

    it(`[utest->req~neg.state-machine~1] 2.1.1: at status ${own} a write that would clear a bit changes nothing`, () => {
      for (let value = 1; value < 256; value++) {
        if ((value & own) === own) continue;
        const { bench, driver } = atStep(steps);
        driver.status = value;
        assert.equal(driver.status, own);
        assert.deepEqual(bench.faultNames(), ['register-access-invalid'], `write of ${value}`);
      }
    });
  }

  it('[utest->req~neg.state-machine~1] 3.1.1: DRIVER_OK before FEATURES_OK is refused', () => {
    const { bench, driver } = atStep(2);
    driver.status = ACKNOWLEDGE | DRIVER | DRIVER_OK;
    assert.equal(driver.status, ACKNOWLEDGE | DRIVER);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
    assert.deepEqual(bench.readiness, []);
    assert.equal(bench.settle(), 0, 'nothing is asked of the data plane');
  });

  it('[utest->req~neg.state-machine~1] 2.1: a driver can give up at any step, and that stays until it resets', () => {
    for (const [steps, own] of [0, ...STEPS].entries()) {
      const { driver } = atStep(steps);
      driver.status = own | FAILED;
      assert.equal(driver.status, own | FAILED);
      driver.reset();
      assert.equal(driver.status, 0);
    }
  });

  it("[utest->req~neg.state-machine~1] 2.1.2: DEVICE_NEEDS_RESET is the device's bit alone", () => {
    const { driver } = atStep(4);
    driver.status = LIVE | DEVICE_NEEDS_RESET;
    assert.equal(driver.status, LIVE);
  });

  it('[utest->req~neg.state-machine~1] 3.1.1: DRIVER_OK is told once, whatever is written again', () => {
    const { bench, driver } = atStep(4);
    driver.status = LIVE;
    assert.deepEqual(bench.readiness, [{ device: 0, ready: true }]);
    assert.equal(bench.settle(), 0);
  });
});

describe('before DRIVER_OK (2.1.2)', () => {
  it('[utest->req~neg.state-machine~1] 2.1.2: no buffer is consumed before DRIVER_OK, and each one after', () => {
    const { bench, driver } = fresh();
    driver.negotiate();
    driver.setUp(0);
    driver.setUp(1);
    driver.transmit();
    bench.frames(3);
    assert.equal(driver.ring(1).usedIndex, 0);
    driver.driverOk();
    bench.frames(2);
    assert.equal(driver.ring(1).usedIndex, 1);
  });

  it('[utest->req~neg.state-machine~1] 2.1.2: no used buffer notification is sent before DRIVER_OK', () => {
    const { bench, driver } = fresh();
    driver.enableMsix();
    driver.mask(1, false);
    driver.negotiate();
    driver.setUp(1, { vector: 1 });
    driver.transmit();
    bench.frames(3);
    assert.deepEqual(bench.interruptsSent, []);
  });
});

describe('device reset (2.4, 4.1.4.3.1)', () => {
  for (const [steps, own] of [0, ...STEPS].entries()) {
    it(`[utest->req~neg.state-machine~1] 2.4.1: at status ${own} a reset reads 0 only after the data plane stopped`, () => {
      const { bench, driver } = atStep(steps);
      driver.status = 0;
      if (own === LIVE) assert.notEqual(driver.status, 0);
      while (bench.plane.commands.runOne()) {
        const stopped = bench.plane.queues.slice(0, 2).every(({ ring }) => !ring.started);
        if (driver.status === 0) assert.ok(stopped && !networkOf(bench.plane).started);
      }
      assert.equal(driver.status, 0);
    });
  }

  it('[utest->req~neg.state-machine~1] 2.4.1: after a reset the rings are not touched', () => {
    const { bench, driver } = fresh();
    driver.start();
    driver.reset();
    driver.transmit();
    bench.frames(3);
    assert.equal(driver.ring(1).usedIndex, 0);
    assert.deepEqual(bench.interruptsSent, []);
  });

  it('[utest->req~neg.state-machine~1] 4.1.4.3.1: a reset puts every queue register to its default', () => {
    const { driver } = fresh();
    driver.reset();
    const untouched = driver.snapshot();
    driver.negotiate();
    driver.setUp(0, { size: 8, vector: 1 });
    driver.setUp(1, { size: 16, vector: 2 });
    driver.write(CommonConfig.CONFIG_MSIX_VECTOR, 0);
    driver.driverOk();
    driver.reset();
    for (const word of ['0x0', '0x4', '0x8', '0xc']) delete untouched[word];
    const now = driver.snapshot();
    assert.deepEqual(
      Object.fromEntries(Object.keys(untouched).map((key) => [key, now[key]])),
      untouched,
    );
    assert.equal(now['0x10'], NO_VECTOR);
  });

  it('[utest->req~neg.state-machine~1] 2.4.1: DRIVER_OK is not accepted while a reset is under way', () => {
    const { bench, driver } = atStep(4);
    driver.status = 0;
    driver.acceptNames(['VIRTIO_F_VERSION_1']);
    for (const status of STEPS) driver.status = status;
    assert.deepEqual(bench.readiness, [
      { device: 0, ready: true },
      { device: 0, ready: false },
    ]);
    bench.settle();
    assert.equal(networkOf(bench.plane).started, false);
  });

  it('[utest->req~neg.state-machine~1] 2.4: a reset is told only when the driver had been ready', () => {
    const { bench, driver } = atStep(3);
    driver.reset();
    assert.deepEqual(bench.readiness, []);
  });

  it("[utest->req~fault.contain~1] 2.4: one device's reset leaves another device's rings at work", () => {
    const { bench, driver } = fresh();
    driver.start();
    const other = new RegisterDriver(bench, 1).start();
    driver.reset();
    other.transmit();
    bench.frames(2);
    assert.equal(other.ring(1).usedIndex, 1);
    assert.equal(other.status, LIVE);
  });
});

describe('regressions', () => {
  it('[utest->req~neg.state-machine~1] 3.1.1: DRIVER before ACKNOWLEDGE is out of order and changes nothing', () => {
    const { driver } = atStep(0);
    driver.status = DRIVER;
    assert.equal(driver.status, 0);
  });

  it('[utest->req~neg.state-machine~1] 3.1.1: FEATURES_OK before DRIVER is out of order and changes nothing', () => {
    const { driver } = atStep(1);
    driver.status = ACKNOWLEDGE | FEATURES_OK;
    assert.equal(driver.status, ACKNOWLEDGE);
  });

  it('[utest->req~neg.state-machine~1] 2.1.1: after FAILED the driver cannot go on without a reset', () => {
    const { bench, driver } = atStep(3);
    driver.status = STEPS[2]! | FAILED;
    driver.status = LIVE | FAILED;
    assert.equal(driver.status, STEPS[2]! | FAILED);
    assert.deepEqual(bench.readiness, []);
  });
});
