/** Which virtqueue a queue number means, with and without multiqueue, and where its notifications go (5.1.2). */
import { strict as assert } from 'node:assert';
import { BarLayout, CommonConfig } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';

const PLAIN = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'];
const CONTROLLED = [...PLAIN, 'VIRTIO_NET_F_CTRL_VQ', 'VIRTIO_NET_F_CTRL_RX'];
const MULTIQUEUE = [...CONTROLLED, 'VIRTIO_NET_F_MQ'];
const ACK_OK = 0;

function negotiated(features: readonly string[], queuePairs = 2) {
  const bench = new FunctionBench({
    devices: { a: netDevice(1, { offer: MULTIQUEUE, queuePairs }), b: netDevice(2) },
  });
  const driver = new RegisterDriver(bench);
  driver.negotiate(features);
  return { bench, driver };
}

/** Sends "promiscuous on" on a queue; the ack byte when it was carried out. */
function controlCommand(
  bench: FunctionBench,
  driver: RegisterDriver,
  queue: number,
): number | undefined {
  const at = driver.slice.allocate(4);
  driver.slice.write(at, [0, 0, 1, 0xff]);
  driver.ring(queue).submit([
    { address: at, length: 3 },
    { address: at + 3, length: 1, flags: 2 },
  ]);
  bench.frames(2);
  return driver.ring(queue).usedIndex === 1 ? driver.slice.read(at + 3, 1)[0] : undefined;
}

describe('queue numbers (5.1.2, 4.1.4.3)', () => {
  it('[utest->req~net.multiqueue~1] 5.1.2: num_queues counts every queue the device can have', () => {
    const { driver } = negotiated(MULTIQUEUE);
    assert.equal(driver.read(CommonConfig.NUM_QUEUES), 5);
  });

  it('[utest->req~net.multiqueue~1] 5.1.2: with MQ controlq follows the last pair', () => {
    const { bench, driver } = negotiated(MULTIQUEUE);
    driver.setUp(4);
    driver.driverOk();
    assert.equal(controlCommand(bench, driver, 4), ACK_OK);
  });

  it('[utest->req~net.multiqueue~1] 5.1.2: without MQ controlq is queue 2, behind the first pair', () => {
    const { bench, driver } = negotiated(CONTROLLED);
    driver.setUp(2);
    driver.driverOk();
    assert.equal(controlCommand(bench, driver, 2), ACK_OK);
    assert.equal(bench.plane.queues[2]!.ring.started, false, 'receiveq1 has not been started');
  });

  it('[utest->req~net.multiqueue~1] 5.1.2: with one pair controlq is queue 2 in any case', () => {
    for (const features of [MULTIQUEUE, CONTROLLED]) {
      const { bench, driver } = negotiated(features, 1);
      driver.setUp(2);
      driver.driverOk();
      assert.equal(controlCommand(bench, driver, 2), ACK_OK);
    }
  });

  it("[utest->req~net.multiqueue~1] 5.1.2: with MQ queue 2 is the second pair's receiveq", () => {
    const { bench, driver } = negotiated(MULTIQUEUE);
    driver.setUp(2);
    driver.driverOk();
    assert.equal(bench.plane.queues[2]!.ring.started, true);
    assert.equal(bench.plane.queues[4]!.ring.started, false);
  });

  it('[utest->req~net.multiqueue~1] 4.1.4.3: queues that exist together have notification offsets of their own', () => {
    for (const [features, queues] of [
      [MULTIQUEUE, [0, 1, 2, 3, 4]],
      [CONTROLLED, [0, 1, 2]],
    ] as const) {
      const { driver } = negotiated(features);
      const offsets = queues.map((queue) => {
        driver.select(queue);
        return driver.read(CommonConfig.QUEUE_NOTIFY_OFF);
      });
      assert.equal(new Set(offsets).size, queues.length);
    }
  });

  it('[utest->req~net.multiqueue~1] 4.1.4.3.1: queue numbers from num_queues on are not there', () => {
    const { driver } = negotiated(MULTIQUEUE);
    driver.select(5);
    assert.equal(driver.read(CommonConfig.QUEUE_SIZE), 0);
  });

  it('[utest->req~pci.function~1] 4.1.5.2: kicks of any value, width and number change nothing (catalogue 28)', () => {
    const { bench, driver } = negotiated(PLAIN);
    driver.setUp(1);
    const before = driver.snapshot();
    for (let n = 0; n < 300; n++) {
      driver.target.writeBar(BarLayout.NOTIFY + 4 * (n % 7), n % 2 === 0 ? 2 : 4, n * 0x0101, 0);
    }
    assert.deepEqual(driver.snapshot(), before);
    assert.deepEqual([bench.faultNames(), bench.settle()], [[], 0]);
    assert.equal(driver.target.readBar(BarLayout.NOTIFY, 2), 0);
  });
});

describe('regressions', () => {
  for (const queue of [3, 4]) {
    it(`[utest->req~net.multiqueue~1] 4.1.4.3.1: without MQ queue ${queue} is unavailable: size 0`, () => {
      const { driver } = negotiated(CONTROLLED);
      driver.select(queue);
      assert.equal(driver.read(CommonConfig.QUEUE_SIZE), 0);
    });
  }

  it('[utest->req~net.multiqueue~1] 4.1.4.3.1: without CTRL_VQ there is no controlq: size 0', () => {
    const { driver } = negotiated(PLAIN);
    driver.select(2);
    assert.equal(driver.read(CommonConfig.QUEUE_SIZE), 0);
  });
});
