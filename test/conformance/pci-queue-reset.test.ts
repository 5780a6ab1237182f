/** Reset of a single queue, and its second life (2.6.1, 4.1.4.3). */
import { strict as assert } from 'node:assert';
import { CommonConfig, NO_VECTOR } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';

const RESETTABLE = [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_F_RING_RESET',
  'VIRTIO_NET_F_MAC',
  'VIRTIO_NET_F_CTRL_VQ',
];
const {
  QUEUE_RESET,
  QUEUE_ENABLE,
  QUEUE_SIZE,
  QUEUE_MSIX_VECTOR,
  QUEUE_DESC,
  QUEUE_DRIVER,
  QUEUE_DEVICE,
} = CommonConfig;
const TRANSMITQ = 1;
const CONTROLQ = 2;

function negotiated(features = RESETTABLE) {
  const bench = new FunctionBench({
    devices: { a: netDevice(1, { offer: RESETTABLE }), b: netDevice(2) },
  });
  const driver = new RegisterDriver(bench);
  driver.negotiate(features);
  return { bench, driver };
}

function live(features = RESETTABLE) {
  const made = negotiated(features);
  for (const queue of [0, TRANSMITQ, CONTROLQ]) made.driver.setUp(queue, { vector: queue });
  made.driver.driverOk();
  return made;
}

function resetQueue(driver: RegisterDriver, queue = TRANSMITQ): void {
  driver.select(queue);
  driver.write(QUEUE_RESET, 1);
}

describe('virtqueue reset (2.6.1, 4.1.4.3.1)', () => {
  it('[utest->req~queue.reset~1] 4.1.4.3.1: queue_reset reads 1 until the data plane has stopped the ring, then 0', () => {
    const { bench, driver } = live();
    resetQueue(driver);
    assert.equal(driver.read(QUEUE_RESET), 1);
    assert.equal(bench.plane.queues[TRANSMITQ]!.ring.started, true);
    bench.settle();
    assert.equal(driver.read(QUEUE_RESET), 0);
    assert.equal(bench.plane.queues[TRANSMITQ]!.ring.started, false);
  });

  it('[utest->req~queue.reset~1] 4.1.4.3.1: when it is complete queue_enable reads 0', () => {
    const { bench, driver } = live();
    resetQueue(driver);
    bench.settle();
    assert.equal(driver.read(QUEUE_ENABLE), 0);
  });

  it('[utest->req~queue.reset~1] 2.6.1.1.1: the registers of the queue are at their defaults', () => {
    const { bench, driver } = live();
    resetQueue(driver);
    bench.settle();
    assert.equal(driver.read(QUEUE_SIZE), driver.plan.queueSizeMax);
    assert.equal(driver.read(QUEUE_MSIX_VECTOR), NO_VECTOR);
    for (const register of [QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE]) {
      assert.deepEqual([driver.read(register), driver.read(register + 4)], [0, 0]);
    }
  });

  it('[utest->req~queue.reset~1] 2.6.1.1.1: no request of a reset queue is carried out', () => {
    const { bench, driver } = live();
    resetQueue(driver);
    bench.settle();
    driver.transmit();
    bench.frames(3);
    assert.equal(driver.ring(TRANSMITQ).usedIndex, 0);
  });

  it('[utest->req~queue.reset~1] 2.6.1: the other rings of the device are served on', () => {
    const { bench, driver } = live();
    const { slice } = driver;
    resetQueue(driver);
    bench.settle();
    const command = slice.allocate(3);
    driver.ring(CONTROLQ).submit([
      { address: command, length: 2 },
      { address: command + 2, length: 1, flags: 2 },
    ]);
    bench.frames(2);
    assert.equal(driver.ring(CONTROLQ).usedIndex, 1);
    assert.ok(bench.plane.queues[0]!.ring.started);
  });

  it("[utest->req~queue.reset~1] 2.6.1: another device's ring of the same number is not touched", () => {
    const { bench, driver } = live();
    const other = new RegisterDriver(bench, 1).start();
    resetQueue(driver);
    bench.settle();
    other.transmit();
    bench.frames(2);
    assert.equal(other.ring(TRANSMITQ).usedIndex, 1);
  });

  it('[utest->req~queue.reset~1] 2.6.1.2.1: re-enabled with another size it starts from nothing and works', () => {
    const { bench, driver } = live();
    for (let n = 0; n < 3; n++) driver.transmit();
    bench.frames(2);
    assert.equal(driver.ring(TRANSMITQ).usedIndex, 3);
    resetQueue(driver);
    bench.settle();
    const second = driver.setUp(TRANSMITQ, { size: 4 });
    bench.settle();
    for (let n = 0; n < 4; n++) driver.transmit();
    bench.frames(2);
    assert.equal(bench.plane.queues[TRANSMITQ]!.ring.size, 4);
    assert.equal(second.usedIndex, 4);
    assert.equal(driver.read(QUEUE_RESET), 0);
    assert.equal(driver.read(QUEUE_ENABLE), 1);
  });

  it('[utest->req~queue.reset~1] 2.6.1.2: it can be reset and enabled again and again', () => {
    const { bench, driver } = live();
    for (const size of [8, 64, 1, 16]) {
      resetQueue(driver);
      bench.settle();
      driver.setUp(TRANSMITQ, { size });
      bench.settle();
      driver.transmit();
      bench.frames(2);
      assert.equal(driver.ring(TRANSMITQ).usedIndex, 1, `size ${size}`);
    }
    assert.deepEqual(bench.faultNames(), []);
  });

  it('[utest->req~queue.reset~1] 2.6.1.2.2: a queue cannot be enabled while its reset is under way', () => {
    const { bench, driver } = live();
    resetQueue(driver);
    driver.setUp(TRANSMITQ);
    assert.equal(driver.read(QUEUE_ENABLE), 0);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
    bench.settle();
    assert.equal(bench.plane.queues[TRANSMITQ]!.ring.started, false);
  });

  it('[utest->req~queue.reset~1] 4.1.4.3.1: without RING_RESET negotiated there is no queue_reset', () => {
    const { bench, driver } = live(RESETTABLE.filter((name) => name !== 'VIRTIO_F_RING_RESET'));
    resetQueue(driver);
    assert.equal(bench.settle(), 0);
    assert.equal(driver.read(QUEUE_RESET), 0);
    assert.equal(driver.read(QUEUE_ENABLE), 1);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
  });

  it('[utest->req~queue.reset~1] 2.6.1: before DRIVER_OK there is nothing to reset', () => {
    const { bench, driver } = negotiated();
    driver.setUp(TRANSMITQ);
    resetQueue(driver);
    assert.equal(driver.read(QUEUE_ENABLE), 1);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
  });

  for (const value of [0, 2, 0xffff]) {
    it(`[utest->req~queue.reset~1] 4.1.4.3: writing ${value} to queue_reset is refused`, () => {
      const { bench, driver } = live();
      driver.select(TRANSMITQ);
      driver.write(QUEUE_RESET, value);
      assert.equal(bench.settle(), 0);
      assert.equal(driver.read(QUEUE_ENABLE), 1);
      assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
    });
  }

  it('[utest->req~queue.reset~1] 4.1.4.3.1: a reset of the device ends a reset of the queue', () => {
    const { bench, driver } = live();
    resetQueue(driver);
    driver.reset();
    driver.select(TRANSMITQ);
    assert.equal(driver.read(QUEUE_RESET), 0);
    driver.start({ features: RESETTABLE });
    driver.transmit();
    bench.frames(2);
    assert.equal(driver.ring(TRANSMITQ).usedIndex, 1);
  });
});
