/** Packed virtqueues and IN_ORDER on an emulated function (2.8.10.1, 4.1.4.3, 6). */
import { strict as assert } from 'node:assert';
import { PackedQueue } from '../../src/data-plane/virtqueue/packed-queue.ts';
import { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import { CommonConfig } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { baseOf, type PackedDouble } from '../support/packed-double.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';

const OFFER = [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_F_RING_PACKED',
  'VIRTIO_F_IN_ORDER',
  'VIRTIO_F_RING_RESET',
  'VIRTIO_RING_F_INDIRECT_DESC',
  'VIRTIO_RING_F_EVENT_IDX',
  'VIRTIO_NET_F_MAC',
];
const WITHOUT_PACKED = OFFER.filter((name) => name !== 'VIRTIO_F_RING_PACKED');
const MEMORY = 1024 * 1024;
const { QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE, QUEUE_ENABLE, QUEUE_SIZE, QUEUE_RESET } =
  CommonConfig;

function driverOf(): { bench: FunctionBench; driver: RegisterDriver } {
  const device = netDevice(1, { offer: OFFER, queueSize: 64 });
  const bench = new FunctionBench({ devices: { a: device, b: netDevice(2) } });
  return { bench, driver: new RegisterDriver(bench) };
}

function negotiated() {
  const { bench, driver } = driverOf();
  driver.negotiate();
  driver.select(1);
  return { bench, driver };
}

describe('packed rings of a function', () => {
  it('[utest->req~queue.setup-valid~1] 2.8.10.1: any size from 1 to the offered one is taken', () => {
    const { bench, driver } = negotiated();
    for (let size = 1; size <= 64; size++) {
      driver.write(QUEUE_SIZE, size);
      assert.equal(driver.read(QUEUE_SIZE), size);
    }
    assert.deepEqual(bench.faultNames(), []);
  });

  for (const size of [0, 65, 0x8000, 0xffff]) {
    it(`[utest->req~queue.setup-valid~1] 4.1.4.3.2: size ${size} is refused and changes nothing (catalogue 25)`, () => {
      const { bench, driver } = negotiated();
      driver.write(QUEUE_SIZE, 48);
      driver.write(QUEUE_SIZE, size);
      assert.equal(driver.read(QUEUE_SIZE), 48);
      assert.deepEqual(bench.faultNames(), ['queue-setup-invalid']);
    });
  }

  it('[utest->req~queue.setup-valid~1] without the feature a size is a power of two (2.7)', () => {
    const { bench, driver } = driverOf();
    driver.negotiate(WITHOUT_PACKED);
    driver.select(1);
    driver.write(QUEUE_SIZE, 48);
    assert.equal(driver.read(QUEUE_SIZE), 64);
    assert.deepEqual(bench.faultNames(), ['queue-setup-invalid']);
  });

  for (const [title, off, desc, avail, used] of [
    ['aligned as 2.8.10.1 wants', true, 0x1000, 0x2004, 0x3004],
    ['with both structures at the very end of the memory', true, 0x1000, MEMORY - 8, MEMORY - 4],
    ['with a ring 8 bytes off', false, 0x1008, 0x2000, 0x3000],
    ['with a driver area 2 bytes off', false, 0x1000, 0x2002, 0x3000],
    ['with a device area 2 bytes off', false, 0x1000, 0x2000, 0x3002],
    ['with a driver area outside', false, 0x1000, MEMORY, 0x3000],
    ['with a device area outside', false, 0x1000, 0x2000, MEMORY],
  ] as const) {
    it(`[utest->req~queue.setup-valid~1] a ring ${title} is ${off ? 'enabled' : 'refused'} (catalogue 27)`, () => {
      const { bench, driver } = negotiated();
      driver.writeAddress(QUEUE_DESC, EMBEDDED_GUEST_PHYSICAL + desc);
      driver.writeAddress(QUEUE_DRIVER, EMBEDDED_GUEST_PHYSICAL + avail);
      driver.writeAddress(QUEUE_DEVICE, EMBEDDED_GUEST_PHYSICAL + used);
      driver.write(QUEUE_ENABLE, 1);
      assert.equal(driver.read(QUEUE_ENABLE), off ? 1 : 0);
      assert.deepEqual(bench.faultNames(), off ? [] : ['queue-setup-invalid']);
    });
  }

  it('[utest->req~queue.setup-valid~1] 2.8.1: a ring starts packed, in the lap of 1, with what was negotiated', () => {
    const { bench, driver } = negotiated();
    const double = driver.setUp(1, { size: 48 }) as PackedDouble;
    driver.driverOk();
    const ring = bench.plane.queues[1]!.ring as PackedQueue;
    assert.ok(ring instanceof PackedQueue && ring.started);
    assert.deepEqual([ring.size, ring.indirect], [48, true]);
    assert.equal(ring.base, baseOf({ position: 0, wrap: 1 }));
    assert.deepEqual(double.deviceEvent, { flags: 1, offset: 0 });
  });

  it('[utest->req~queue.packed-lists~1] packets go out and their buffers come back, lap after lap', () => {
    const { bench, driver } = negotiated();
    for (const queue of [0, 1]) driver.setUp(queue, { size: 5 });
    driver.driverOk();
    for (let n = 1; n <= 13; n++) {
      driver.transmit();
      bench.frames();
      assert.equal(driver.ring(1).usedIndex, n);
    }
    assert.deepEqual(bench.faultNames(), []);
  });

  it('[utest->req~queue.reset~1] 2.6.1: a queue that is reset begins anew, in another size', () => {
    const { bench, driver } = negotiated();
    driver.setUp(1, { size: 5 });
    driver.driverOk();
    for (let n = 0; n < 7; n++) {
      driver.transmit();
      bench.frames();
    }
    driver.select(1);
    driver.write(QUEUE_RESET, 1);
    bench.settle();
    assert.equal(driver.read(QUEUE_RESET), 0);
    driver.setUp(1, { size: 3 });
    bench.settle();
    driver.transmit();
    bench.frames();
    assert.equal(driver.ring(1).usedIndex, 1);
    assert.equal(bench.plane.queues[1]!.ring.base, baseOf({ position: 1, wrap: 1 }));
  });

  it('[utest->req~neg.offered-only~1] a driver that leaves RING_PACKED out gets a split ring, used in order', () => {
    const { bench, driver } = driverOf();
    driver.start({ features: WITHOUT_PACKED });
    assert.ok(bench.plane.queues[1]!.ring instanceof SplitQueue);
    for (let n = 0; n < 3; n++) driver.transmit();
    bench.frames();
    assert.deepEqual(
      driver.ring(1).usedElements.map(({ id }) => id),
      [0, 1, 2],
    );
  });

  it('[utest->req~queue.packed-lists~1] the layout may change with each life of the device', () => {
    const { bench, driver } = driverOf();
    for (const features of [OFFER, WITHOUT_PACKED, OFFER]) {
      driver.start({ features });
      for (let n = 0; n < 3; n++) driver.transmit();
      bench.frames();
      assert.equal(driver.ring(1).usedIndex, 3);
    }
    assert.deepEqual(bench.faultNames(), []);
  });
});
