/** Setting virtqueues up on an emulated function: size, addresses, enable, lock (2.7, 4.1.4.3). */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import { availRingBytes, descriptorTableBytes, usedRingBytes } from '../../src/wire/virtqueue.ts';
import { CommonConfig } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const QUEUE_SIZE = 64;
const MEMORY = 1024 * 1024;
const LAST = EMBEDDED_GUEST_PHYSICAL + MEMORY;
const { QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE, QUEUE_ENABLE, NUM_QUEUES } = CommonConfig;
const SIZE = CommonConfig.QUEUE_SIZE;

function negotiated(offer: readonly string[] = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC']) {
  const bench = new FunctionBench({
    devices: { a: netDevice(1, { offer, queueSize: QUEUE_SIZE }), b: netDevice(2) },
  });
  const driver = new RegisterDriver(bench);
  driver.negotiate();
  return { bench, driver };
}

/** Sets the three addresses of queue 1 and tries to enable it; whether it is enabled. */
function tryEnable(
  driver: RegisterDriver,
  addresses: { desc: number; avail: number; used: number },
): boolean {
  driver.select(1);
  driver.writeAddress(QUEUE_DESC, addresses.desc);
  driver.writeAddress(QUEUE_DRIVER, addresses.avail);
  driver.writeAddress(QUEUE_DEVICE, addresses.used);
  driver.write(QUEUE_ENABLE, 1);
  return driver.read(QUEUE_ENABLE) === 1;
}

const GOOD = {
  desc: EMBEDDED_GUEST_PHYSICAL + 0x1000,
  avail: EMBEDDED_GUEST_PHYSICAL + 0x2000,
  used: EMBEDDED_GUEST_PHYSICAL + 0x3000,
};

describe('queue size (4.1.4.3.1, 2.7)', () => {
  it('[utest->req~queue.setup-valid~1] 4.1.4.3.1: queue_size offers the largest size, a power of two', () => {
    const { driver } = negotiated();
    for (let queue = 0; queue < driver.read(NUM_QUEUES); queue++) {
      driver.select(queue);
      assert.equal(driver.read(SIZE), QUEUE_SIZE);
    }
  });

  for (const queue of [2, 3, 0xfffe, 0xffff]) {
    it(`[utest->req~queue.setup-valid~1] 4.1.4.3.1: queue ${queue} is not there: size 0, and nothing can be set`, () => {
      const { bench, driver } = negotiated();
      const before = driver.snapshot();
      driver.configure(queue, { size: 8 });
      driver.write(QUEUE_ENABLE, 1);
      assert.equal(driver.read(SIZE), 0);
      assert.equal(driver.read(QUEUE_ENABLE), 0);
      driver.select(0);
      assert.deepEqual(driver.snapshot(), before);
      assert.equal(bench.settle(), 0);
    });
  }

  it('[utest->req~queue.setup-valid~1] 4.1.4.3.2: every power of two up to the offered size is taken', () => {
    const { bench, driver } = negotiated();
    for (let size = 1; size <= QUEUE_SIZE; size *= 2) {
      driver.write(SIZE, size);
      assert.equal(driver.read(SIZE), size);
    }
    assert.deepEqual(bench.faultNames(), []);
  });

  for (const size of [0, 3, 6, 63, 65, 2 * QUEUE_SIZE, 0x8000, 0xffff]) {
    it(`[utest->req~queue.setup-valid~1] 4.1.4.3.2: size ${size} is refused and changes nothing (catalogue 25)`, () => {
      const { bench, driver } = negotiated();
      driver.write(SIZE, 16);
      driver.write(SIZE, size);
      assert.equal(driver.read(SIZE), 16);
      assert.deepEqual(bench.faultNames(), ['queue-setup-invalid']);
    });
  }
});

describe('queue addresses (4.1.3.2, 2.7.1)', () => {
  for (const register of [QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE]) {
    it(`[utest->req~queue.setup-valid~1] 4.1.3.2: both halves of register ${register} are accessed on their own`, () => {
      const { driver } = negotiated();
      driver.write(register, 0x9abc_def0);
      assert.deepEqual([driver.read(register), driver.read(register + 4)], [0x9abc_def0, 0]);
      driver.write(register + 4, 0x8234_5678);
      assert.deepEqual(
        [driver.read(register), driver.read(register + 4)],
        [0x9abc_def0, 0x8234_5678],
      );
    });

    it(`[utest->req~queue.setup-valid~1] 4.1.3.2: an 8-byte write of register ${register} sets both halves`, () => {
      const { driver } = negotiated();
      driver.write(register, 0x1111_2222, 8, 0xf333_4444);
      assert.deepEqual(
        [driver.read(register), driver.read(register + 4)],
        [0x1111_2222, 0xf333_4444],
      );
    });
  }

  it('[utest->req~queue.setup-valid~1] 2.7.1: aligned parts inside the memory are enabled', () => {
    const { bench, driver } = negotiated();
    assert.ok(tryEnable(driver, GOOD));
    assert.deepEqual(bench.faultNames(), []);
  });

  it("[utest->req~queue.setup-valid~1] 2.7: the last byte of the memory may be a part's last byte", () => {
    const { driver } = negotiated();
    driver.select(1);
    driver.write(SIZE, 16);
    assert.ok(tryEnable(driver, { ...GOOD, desc: LAST - descriptorTableBytes(16) }));
  });

  const wrong: Record<string, Partial<typeof GOOD>> = {
    'no address': { desc: 0 },
    'no driver area': { avail: 0 },
    'no device area': { used: 0 },
    'a descriptor table off its 16 bytes': { desc: GOOD.desc + 8 },
    'an available ring off its 2 bytes': { avail: GOOD.avail + 1 },
    'a used ring off its 4 bytes': { used: GOOD.used + 2 },
    'a table below the memory': { desc: EMBEDDED_GUEST_PHYSICAL - 16 },
    'a table behind the memory': { desc: LAST },
    'a table that begins in the memory and ends outside': {
      desc: LAST - descriptorTableBytes(QUEUE_SIZE) + 16,
    },
    'an available ring whose used_event is outside': {
      avail: LAST - availRingBytes(QUEUE_SIZE) + 2,
    },
    'a used ring whose avail_event is outside': { used: LAST - usedRingBytes(QUEUE_SIZE) + 2 },
    'a table at the arena offset of its memory': { desc: 0x10000 },
    'a table whose end wraps': { desc: 2 ** 64 - 2048 },
    'a used ring beyond 2^53': { used: 2 ** 53 },
    'an available ring whose low half alone would fit': { avail: 2 ** 40 + 0x2000 },
  };
  for (const [what, addresses] of Object.entries(wrong)) {
    it(`[utest->req~queue.setup-valid~1] 2.7.1: ${what} is refused when enabled (catalogue 27)`, () => {
      const { bench, driver } = negotiated();
      assert.equal(tryEnable(driver, { ...GOOD, ...addresses }), false);
      assert.deepEqual(bench.faultNames(), ['queue-setup-invalid']);
      assert.equal(bench.faults[0]!.queue, 1);
      driver.driverOk();
      assert.equal(bench.plane.queues[1]!.ring.started, false);
    });
  }

  it('[utest->req~queue.setup-valid~1] 2.7.1: enabled exactly when size, place and alignment of all parts are right', () => {
    const { driver } = negotiated(['VIRTIO_F_VERSION_1', 'VIRTIO_F_RING_RESET']);
    driver.driverOk();
    const near = fc
      .oneof(
        fc.nat(MEMORY),
        fc.integer({ min: -64, max: 64 }),
        fc.integer({ min: MEMORY - 2200, max: MEMORY + 64 }),
      )
      .chain((offset) =>
        fc.constantFrom(1, 2, 4, 16, 16, 16).map((align) => offset - (offset % align)),
      );
    const place = fc
      .tuple(near, fc.constantFrom(0, 0, 0, 0, 2 ** 32, -(2 ** 32), 2 ** 62))
      .map(([offset, far]) => Math.max(0, EMBEDDED_GUEST_PHYSICAL + far + offset));
    const setup = fc.record({
      size: fc.constantFrom(1, 2, 8, 64),
      desc: place,
      avail: place,
      used: place,
    });
    const fits = (address: number, bytes: number, align: number) =>
      address >= EMBEDDED_GUEST_PHYSICAL && address + bytes <= LAST && address % align === 0;
    fc.assert(
      fc.property(setup, ({ size, desc, avail, used }) => {
        driver.select(1);
        driver.write(SIZE, size);
        const expected =
          fits(desc, 16 * size, 16) && fits(avail, 6 + 2 * size, 2) && fits(used, 6 + 8 * size, 4);
        assert.equal(tryEnable(driver, { desc, avail, used }), expected);
        driver.reset();
        driver.negotiate();
      }),
      seededRuns(27, 300),
    );
  });
});

describe('queue enable (4.1.4.3)', () => {
  it('[utest->req~queue.setup-valid~1] 3.1.1: no queue can be enabled before FEATURES_OK', () => {
    const { bench, driver } = negotiated();
    driver.reset();
    assert.equal(tryEnable(driver, GOOD), false);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
  });

  it('[utest->req~queue.setup-valid~1] 2.1.2: a ring starts at DRIVER_OK, with the size, places and features set', () => {
    const { bench, driver } = negotiated([
      'VIRTIO_F_VERSION_1',
      'VIRTIO_RING_F_EVENT_IDX',
      'VIRTIO_RING_F_INDIRECT_DESC',
    ]);
    const double = driver.setUp(1, { size: 32 });
    bench.settle();
    const ring = bench.plane.queues[1]!.ring as SplitQueue;
    assert.equal(ring.started, false);
    driver.driverOk();
    assert.equal(ring.started, true);
    assert.equal(ring.size, 32);
    assert.equal(ring.tableAt >>> 0, double.slice.at(double.desc));
    assert.equal(ring.indirect, true);
    assert.equal(double.availEvent, 0x8000, 'EVENT_IDX');
    assert.equal(bench.plane.queues[0]!.ring.started, false, 'queue 0 was never enabled');
  });

  it('[utest->req~queue.setup-valid~1] 2.7: without EVENT_IDX and INDIRECT_DESC the ring is started without them', () => {
    const { bench, driver } = negotiated();
    const double = driver.setUp(1);
    driver.driverOk();
    assert.equal((bench.plane.queues[1]!.ring as SplitQueue).indirect, false);
    assert.equal(double.usedFlags, 1, 'kicks are suppressed by flag');
  });

  for (const value of [0, 2, 0xffff]) {
    it(`[utest->req~neg.queue-lock~1] 4.1.4.3.2: ${value} cannot be written to queue_enable`, () => {
      const { bench, driver } = negotiated();
      tryEnable(driver, GOOD);
      driver.write(QUEUE_ENABLE, value);
      assert.equal(driver.read(QUEUE_ENABLE), 1);
      assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
    });
  }

  it('[utest->req~neg.queue-lock~1] 4.1.4.3.2: a queue cannot be enabled twice', () => {
    const { bench, driver } = negotiated();
    driver.setUp(1);
    driver.driverOk();
    driver.write(QUEUE_ENABLE, 1);
    assert.equal(bench.settle(), 0);
    assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
  });

  for (const live of [false, true]) {
    for (const [register, value] of [
      [SIZE, 8],
      [CommonConfig.QUEUE_MSIX_VECTOR, 1],
      [QUEUE_DESC, 0x4000],
      [QUEUE_DESC + 4, 2],
      [QUEUE_DRIVER, 0x4000],
      [QUEUE_DRIVER + 4, 2],
      [QUEUE_DEVICE, 0x4000],
      [QUEUE_DEVICE + 4, 2],
    ] as const) {
      const when = live ? 'after' : 'before';
      it(
        `[utest->req~neg.queue-lock~1] 4.1.4.3.2: register 0x${register.toString(16)} of an enabled queue is fixed ` +
          `${when} DRIVER_OK (catalogue 26)`,
        () => {
          const { bench, driver } = negotiated();
          driver.setUp(1);
          if (live) driver.driverOk();
          const before = driver.snapshot();
          driver.write(register, value);
          assert.deepEqual(driver.snapshot(), before);
          assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
        },
      );
    }
  }

  it('[utest->req~neg.queue-lock~1] 4.1.4.3.2: the lock of one queue leaves the others free', () => {
    const { driver } = negotiated();
    driver.setUp(1);
    driver.setUp(0, { size: 8 });
    assert.equal(driver.read(SIZE), 8);
    assert.equal(driver.read(QUEUE_ENABLE), 1);
  });
});
