/** What a device that needs a reset does, and how it comes back (2.1.2, 4.1.5.4). */
import { networkOf } from '../support/network.ts';
import { strict as assert } from 'node:assert';
import { DeviceStatus } from '../../src/wire/virtio.ts';
import { CommonConfig } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';

const { ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK, DEVICE_NEEDS_RESET } = DeviceStatus;
const LIVE = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
const RESETTABLE = ['VIRTIO_F_VERSION_1', 'VIRTIO_F_RING_RESET', 'VIRTIO_NET_F_MAC'];

function live() {
  const bench = new FunctionBench({
    devices: { a: netDevice(1, { offer: RESETTABLE }), b: netDevice(2) },
  });
  const driver = new RegisterDriver(bench);
  driver.enableMsix();
  driver.mask(0, false);
  driver.start();
  driver.write(CommonConfig.CONFIG_MSIX_VECTOR, 0);
  return { bench, driver };
}

describe('DEVICE_NEEDS_RESET (2.1.2)', () => {
  it("[utest->req~fault.reaction~1] 2.1.2: the bit is set beside the driver's, and cannot be cleared", () => {
    const { driver } = live();
    driver.target.needsReset();
    assert.equal(driver.status, LIVE | DEVICE_NEEDS_RESET);
    driver.status = LIVE;
    assert.equal(driver.status, LIVE | DEVICE_NEEDS_RESET);
  });

  it('[utest->req~fault.reaction~1] 2.1.2: after DRIVER_OK it comes with a configuration change notification', () => {
    const { bench, driver } = live();
    driver.target.needsReset();
    assert.equal(bench.interrupts(0, 0), 1);
  });

  it('[utest->req~fault.reaction~1] 2.1.2: the device serves nothing any more, without a word to its rings', () => {
    const { bench, driver } = live();
    driver.target.needsReset();
    bench.settle();
    driver.transmit();
    bench.frames(3);
    assert.equal(driver.ring(1).usedIndex, 0);
    assert.deepEqual(bench.interruptsSent, []);
  });

  it('[utest->req~fault.contain~1] 2.1.2: the other devices go on', () => {
    const { bench, driver } = live();
    const other = new RegisterDriver(bench, 1).start();
    driver.target.needsReset();
    other.transmit();
    bench.frames(2);
    assert.equal(other.ring(1).usedIndex, 1);
    assert.equal(other.status, LIVE);
  });

  it('[utest->req~fault.recover~1] 2.1.2: a reset and a new initialisation bring the device back', () => {
    const { bench, driver } = live();
    driver.target.needsReset();
    driver.start();
    driver.transmit();
    bench.frames(2);
    assert.equal(driver.status, LIVE);
    assert.equal(driver.ring(1).usedIndex, 1);
    assert.deepEqual(
      bench.readiness.map(({ ready }) => ready),
      [true, false, true],
    );
  });

  it('[utest->req~fault.reaction~1] 2.1.2: said twice it is still one state, left by one reset', () => {
    const { driver } = live();
    driver.target.needsReset();
    driver.target.needsReset();
    driver.reset();
    assert.equal(driver.status, 0);
  });
});

describe('regressions', () => {
  it('[utest->req~fault.recover~1] 2.1.2: DRIVER_OK does not start a device that needs a reset', () => {
    const { bench, driver } = live();
    driver.negotiate();
    driver.setUp(1);
    driver.target.needsReset();
    driver.driverOk();
    assert.equal(networkOf(bench.plane).started, false);
  });

  it('[utest->req~fault.recover~1] 2.1.2: a queue reset does not start a ring of a device that needs a reset', () => {
    const { bench, driver } = live();
    driver.target.needsReset();
    bench.settle();
    driver.select(1);
    driver.write(CommonConfig.QUEUE_RESET, 1);
    bench.settle();
    driver.setUp(1);
    bench.settle();
    assert.equal(bench.plane.queues[1]!.ring.started, false);
  });
});
