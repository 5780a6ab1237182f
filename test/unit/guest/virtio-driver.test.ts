/** The embedded driver against the real register model: the sequence of 3.1.1, and devices that do not play. */
import { networkOf } from '../../support/network.ts';
import { strict as assert } from 'node:assert';
import { MailboxOperation, type RegisterAccess } from '../../../src/channel/mailbox.ts';
import type { SplitQueue } from '../../../src/data-plane/virtqueue/split-queue.ts';
import { PciFunction } from '../../../src/guest/pci-bus.ts';
import { DriverError, VirtioDriver } from '../../../src/guest/virtio-driver.ts';
import { bitsOf } from '../../../src/wire/features.ts';
import { DeviceStatus } from '../../../src/wire/virtio.ts';
import {
  BarLayout,
  CommonConfig,
  Msix,
  PciHeader,
  VirtioPciCap,
  VirtioPciCapType,
} from '../../../src/wire/virtio-pci.ts';
import { BenchMachine } from '../../support/bench-machine.ts';
import { FunctionBench } from '../../support/function-bench.ts';
import { COMMON_WIDTHS } from '../../support/register-driver.ts';
import { netDevice } from '../../support/rig.ts';

const OFFER = [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_RING_F_EVENT_IDX',
  'VIRTIO_NET_F_MAC',
  'VIRTIO_NET_F_MTU',
];
const WANTED = bitsOf('virtio-net', [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_NET_F_MAC',
  'VIRTIO_NET_F_STATUS',
]);
const COMMON = bitsOf('virtio-net', ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC']);
const { BAR_READ, BAR_WRITE, CONFIG_READ } = MailboxOperation;
const { ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK, FAILED } = DeviceStatus;
const { DEVICE_STATUS, QUEUE_ENABLE } = CommonConfig;

type Tamper = (access: RegisterAccess, answer: number, machine: BenchMachine) => number;

function machineWith(tamper?: Tamper) {
  const bench = new FunctionBench({
    devices: { a: netDevice(1, { offer: OFFER }), b: netDevice(2) },
  });
  const machine = new BenchMachine(bench);
  if (tamper) machine.registers.tamper = (access, answer) => tamper(access, answer, machine);
  return { bench, machine, registers: machine.registers };
}

function driverOn(tamper?: Tamper) {
  const made = machineWith(tamper);
  return { ...made, driver: new VirtioDriver(made.machine, new PciFunction(made.machine, 0)) };
}

function live() {
  const made = driverOn();
  made.driver.negotiate(WANTED);
  const queues = [0, 1].map((index) => made.driver.setUpQueue(index, index + 1, 256, false));
  made.driver.driverOk();
  made.bench.settle();
  return { ...made, queues };
}

/** Where the structure of this type has its capability. */
function capabilityOf(bench: FunctionBench, type: number): number {
  const { space } = bench.functions[0]!;
  let at = space.read(PciHeader.CAPABILITIES, 1);
  while (at !== 0 && space.read(at + VirtioPciCap.CFG_TYPE, 1) !== type) at = space.read(at + 1, 1);
  return at;
}

describe('embedded virtio driver', () => {
  it('[utest->req~guest.honest-driver~1] 3.1.1: the status goes 0, ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK', () => {
    const { registers, bench } = live();
    const steps = [
      0,
      ACKNOWLEDGE,
      ACKNOWLEDGE | DRIVER,
      ACKNOWLEDGE | DRIVER | FEATURES_OK,
      ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK,
    ];
    assert.deepEqual(registers.writesTo(DEVICE_STATUS), steps);
    assert.deepEqual(bench.faultNames(), []);
    assert.deepEqual(bench.readiness, [{ device: 0, ready: true }]);
  });

  it('[utest->req~guest.honest-driver~1] 2.2.1: it accepts what both sides know, and nothing else', () => {
    const { driver, registers, bench } = live();
    assert.deepEqual(driver.negotiated, COMMON);
    assert.deepEqual(registers.writesTo(CommonConfig.DRIVER_FEATURE), [COMMON.low, COMMON.high]);
    assert.equal(networkOf(bench.plane).negotiatedLow >>> 0, COMMON.low);
  });

  it('[utest->req~guest.honest-driver~1] 2.4.2: after the reset it waits until the status reads 0', () => {
    const { registers } = live();
    const from = registers.firstAt(BAR_WRITE, DEVICE_STATUS);
    const next = registers.accesses.findIndex(
      ({ operation }, n) => n > from && operation === BAR_WRITE,
    );
    const between = registers.accesses.slice(from + 1, next);
    assert.ok(between.length >= 2, 'the first look came before the data plane had acknowledged');
    assert.ok(between.every(({ offset }) => offset === DEVICE_STATUS));
  });

  it('[utest->req~guest.honest-driver~1] 3.1.1: queues are set up after FEATURES_OK and before DRIVER_OK', () => {
    const { registers } = live();
    const statuses = registers.accesses.flatMap(({ operation, offset, low }, n) =>
      operation === BAR_WRITE && offset === DEVICE_STATUS ? [{ n, low }] : [],
    );
    const at = (bit: number) => statuses.find(({ low }) => (low & bit) !== 0)!.n;
    const enables = registers.accesses.flatMap(({ operation, offset }, n) =>
      operation === BAR_WRITE && offset === QUEUE_ENABLE ? [n] : [],
    );
    assert.equal(enables.length, 2);
    assert.ok(enables.every((n) => n > at(FEATURES_OK) && n < at(DRIVER_OK)));
  });

  it('[utest->req~guest.honest-driver~1] 4.1.4.3.2: size, vector and addresses of a queue are set before it is enabled', () => {
    const { registers } = live();
    const enabled = registers.firstAt(BAR_WRITE, QUEUE_ENABLE);
    for (const offset of [
      CommonConfig.QUEUE_SELECT,
      CommonConfig.QUEUE_MSIX_VECTOR,
      CommonConfig.QUEUE_DESC,
      CommonConfig.QUEUE_DESC + 4,
      CommonConfig.QUEUE_DRIVER,
      CommonConfig.QUEUE_DRIVER + 4,
      CommonConfig.QUEUE_DEVICE,
      CommonConfig.QUEUE_DEVICE + 4,
    ]) {
      const at = registers.firstAt(BAR_WRITE, offset);
      assert.ok(at >= 0 && at < enabled, `0x${offset.toString(16)}`);
    }
  });

  it('[utest->req~guest.honest-driver~1] 4.1.3.1: every register is accessed with its natural width', () => {
    for (const { operation, offset, width } of live().registers.accesses) {
      if (operation !== BAR_READ && operation !== BAR_WRITE) continue;
      if (offset < BarLayout.ISR)
        assert.equal(width, COMMON_WIDTHS.get(offset), `0x${offset.toString(16)}`);
      else assert.equal(offset % width, 0);
    }
  });

  it('[utest->req~guest.honest-driver~1] 4.1.4.3.2: it writes to no read-only register', () => {
    const { registers } = live();
    for (const offset of [
      CommonConfig.DEVICE_FEATURE,
      CommonConfig.NUM_QUEUES,
      CommonConfig.CONFIG_GENERATION,
      CommonConfig.QUEUE_NOTIFY_OFF,
      CommonConfig.QUEUE_NOTIFY_CONFIG_DATA,
    ])
      assert.deepEqual(registers.writesTo(offset), []);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.5.1.2: MSI-X is enabled with every vector unmasked', () => {
    const { bench } = live();
    const { space } = bench.functions[0]!;
    assert.ok(space.msixEnabled);
    const vectors = (space.read(space.msixAt + Msix.CONTROL, 2) & 0x7ff) + 1;
    for (let n = 0; n < vectors; n++) {
      assert.equal(
        bench.functions[0]!.readBar(BarLayout.MSIX_TABLE + 16 * n + Msix.ENTRY_CONTROL, 4) & 1,
        0,
      );
    }
  });

  it('[utest->req~guest.honest-driver~1] 2.7: the rings lie where the device then finds them', () => {
    const { bench, machine, queues } = live();
    queues.forEach((queue, index) => {
      const ring = bench.plane.queues[index]!.ring as SplitQueue;
      assert.ok(ring.started);
      assert.equal(ring.size, queue.size);
      assert.equal(ring.tableAt >>> 0, machine.at(queue.desc));
    });
  });

  it('[utest->req~guest.honest-driver~1] 4.1.5.2: a kick is a 16-bit write of the queue number at its own place', () => {
    const { queues, registers, bench } = live();
    const places = queues.map((queue, index) => {
      queue.kick();
      const { operation, offset, width, low } = registers.accesses.at(-1)!;
      assert.deepEqual([operation, width, low], [BAR_WRITE, 2, index]);
      return offset;
    });
    const capability = capabilityOf(bench, VirtioPciCapType.NOTIFY);
    const { space } = bench.functions[0]!;
    const from = space.read(capability + VirtioPciCap.OFFSET, 4);
    const to = from + space.read(capability + VirtioPciCap.LENGTH, 4);
    assert.ok(places.every((place) => place >= from && place + 2 <= to));
    assert.equal(new Set(places).size, 2);
  });

  it('[utest->req~guest.honest-driver~1] 2.5: fields of the device configuration are read, beyond its end none', () => {
    const { driver } = live();
    assert.deepEqual(
      [0, 5].map((offset) => driver.deviceConfig(offset)),
      [0x52, 1],
    );
    assert.throws(() => driver.deviceConfig(4096), DriverError);
  });
});

describe('embedded virtio driver and a device that does not play', () => {
  it('[utest->req~guest.honest-driver~1] 3.1.1: FEATURES_OK that does not stay ends in FAILED', () => {
    const { driver, registers } = driverOn((access, answer) =>
      access.operation === BAR_READ && access.offset === DEVICE_STATUS
        ? answer & ~FEATURES_OK
        : answer,
    );
    assert.throws(() => driver.negotiate(WANTED), DriverError);
    assert.equal(registers.writesTo(DEVICE_STATUS).at(-1)! & FAILED, FAILED);
  });

  it('[utest->req~guest.honest-driver~1] 2.4.2: a reset that never completes is given up after a bounded wait', () => {
    const { bench, driver } = driverOn((access, answer) =>
      access.operation === BAR_READ && access.offset === DEVICE_STATUS
        ? answer | ACKNOWLEDGE
        : answer,
    );
    const before = bench.time.nowNs;
    assert.throws(() => driver.reset(), DriverError);
    assert.ok(bench.time.nowNs - before <= 60e9);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.4.3.1: a queue of size 0 is not there', () => {
    const { driver } = driverOn((access, answer) =>
      access.operation === BAR_READ && access.offset === CommonConfig.QUEUE_SIZE ? 0 : answer,
    );
    driver.negotiate(WANTED);
    assert.throws(() => driver.setUpQueue(0, 1, 256, false), DriverError);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.5.1.2.2: a vector that was not mapped is noticed', () => {
    const { driver } = driverOn();
    driver.negotiate(WANTED);
    assert.throws(() => driver.setUpQueue(0, 9, 256, false), DriverError);
  });

  for (const type of Object.values(VirtioPciCapType)) {
    it(`[utest->req~guest.honest-driver~1] 4.1.4: a function without the structure of type ${type} is refused`, () => {
      assert.throws(
        () =>
          driverOn((access, answer, { registers: _ }) =>
            access.operation === CONFIG_READ &&
            access.width === 1 &&
            answer === type &&
            access.offset % 4 === VirtioPciCap.CFG_TYPE
              ? 0x77
              : answer,
          ),
        DriverError,
      );
    });
  }

  it('[utest->req~guest.honest-driver~1] 4.1.4: a structure that leaves its BAR is refused', () => {
    const { bench } = machineWith();
    const at = capabilityOf(bench, VirtioPciCapType.DEVICE);
    assert.throws(
      () =>
        driverOn((access, answer) =>
          access.operation === CONFIG_READ && access.offset === at + VirtioPciCap.OFFSET
            ? BarLayout.SIZE
            : answer,
        ),
      DriverError,
    );
  });

  it('[utest->req~guest.honest-driver~1] 4.1.5.1.2: a function without MSI-X is refused', () => {
    assert.throws(
      () =>
        driverOn((access, answer) =>
          access.operation === CONFIG_READ && access.width === 1 && answer === 0x11 ? 0x05 : answer,
        ),
      DriverError,
    );
  });
});

describe('regressions', () => {
  it('[utest->req~guest.honest-driver~1] 4.1.4.1: a capability of a reserved type is ignored, wherever it points', () => {
    const { bench } = machineWith();
    const at = capabilityOf(bench, VirtioPciCapType.PCI_ACCESS);
    const reserved: Tamper = (access, answer) => {
      if (access.operation !== CONFIG_READ) return answer;
      if (access.offset === PciHeader.CAPABILITIES) return 0xc0;
      const extra: Record<number, number> = {
        0xc0: 0x09,
        0xc1: 0x40,
        0xc2: 16,
        0xc3: 0x77,
        [0xc0 + VirtioPciCap.OFFSET]: 0x1000_0000,
        [0xc0 + VirtioPciCap.LENGTH]: 0x1000_0000,
      };
      return extra[access.offset] ?? answer;
    };
    assert.ok(at < 0xc0);
    assert.doesNotThrow(() => driverOn(reserved));
  });

  it('[utest->req~guest.honest-driver~1] 4.1.4.1: a structure in a reserved BAR is ignored', () => {
    const { bench } = machineWith();
    const at = capabilityOf(bench, VirtioPciCapType.COMMON);
    assert.throws(
      () =>
        driverOn((access, answer) =>
          access.operation === CONFIG_READ && access.offset === at + VirtioPciCap.BAR ? 6 : answer,
        ),
      DriverError,
    );
  });

  it('[utest->req~guest.honest-driver~1] 4.1.5.1.2: the MSI-X table is where its capability says', () => {
    const { bench } = machineWith();
    const { msixAt } = bench.functions[0]!.space;
    const { registers } = driverOn((access, answer) =>
      access.operation === CONFIG_READ && access.offset === msixAt + Msix.TABLE ? 0x6000 : answer,
    );
    assert.notEqual(registers.firstAt(BAR_WRITE, 0x6000 + Msix.ENTRY_CONTROL), -1);
  });
});
