/** Register accesses of every width at every place: what its clause forbids changes nothing (4.1.3.1, 4.1.4.3). */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { BarLayout, CommonConfig, NO_VECTOR, PciHeader } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { COMMON_WIDTHS, RegisterDriver } from '../support/register-driver.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const WIDTHS = [1, 2, 4, 8];
const READ_ONLY: readonly number[] = [
  CommonConfig.DEVICE_FEATURE,
  CommonConfig.NUM_QUEUES,
  CommonConfig.CONFIG_GENERATION,
  CommonConfig.QUEUE_NOTIFY_OFF,
  CommonConfig.QUEUE_NOTIFY_CONFIG_DATA,
];
/** Registers that take over a value whatever the width: see the regressions below. */
const WIDTH_BLIND: readonly number[] = [
  CommonConfig.DEVICE_FEATURE_SELECT,
  CommonConfig.DRIVER_FEATURE_SELECT,
  CommonConfig.CONFIG_MSIX_VECTOR,
  CommonConfig.QUEUE_SELECT,
  CommonConfig.QUEUE_MSIX_VECTOR,
];
const LOW_HALVES: readonly number[] = [
  CommonConfig.QUEUE_DESC,
  CommonConfig.QUEUE_DRIVER,
  CommonConfig.QUEUE_DEVICE,
];

/** A driver between FEATURES_OK and DRIVER_OK, with queue 1 set up but not enabled. */
function negotiated() {
  const bench = new FunctionBench();
  const driver = new RegisterDriver(bench);
  driver.negotiate();
  driver.configure(1, { size: 16, vector: 1 });
  driver.write(CommonConfig.CONFIG_MSIX_VECTOR, 2);
  return { bench, driver };
}

function admits(register: number, width: number): boolean {
  return width === COMMON_WIDTHS.get(register) || (width === 8 && LOW_HALVES.includes(register));
}

/** One forbidden write; the registers afterwards must be those before. */
function refused(offset: number, width: number, value: number): void {
  const { bench, driver } = negotiated();
  const before = driver.snapshot();
  driver.write(offset, value, width, 1);
  assert.deepEqual(driver.snapshot(), before, `${width} bytes at 0x${offset.toString(16)}`);
  assert.deepEqual(bench.faultNames(), ['register-access-invalid']);
  assert.equal(bench.settle(), 0);
}

describe('widths of register accesses (4.1.3.1)', () => {
  for (const width of WIDTHS) {
    it(`[utest->req~pci.function~1] 4.1.3.1: a write of ${width} bytes to a register of another width is refused`, () => {
      for (const register of COMMON_WIDTHS.keys()) {
        if (WIDTH_BLIND.includes(register) || admits(register, width)) continue;
        refused(register, width, 1);
      }
    });

    it(`[utest->req~pci.function~1] 4.1.3.1: a write of ${width} bytes inside a register is refused`, () => {
      for (let offset = 0; offset < CommonConfig.SIZE; offset++) {
        if (!COMMON_WIDTHS.has(offset)) refused(offset, width, 1);
      }
    });

    it(`[utest->req~pci.function~1] 4.1.4.3: a write of ${width} bytes behind the structure is refused`, () => {
      for (const offset of [CommonConfig.SIZE, CommonConfig.SIZE + 4, 0x800, BarLayout.ISR - 1])
        refused(offset, width, 1);
    });

    it(`[utest->req~pci.function~1] 4.1.4.3: a read of ${width} bytes anywhere has no effect`, () => {
      const { bench, driver } = negotiated();
      const before = driver.snapshot();
      for (let offset = 0; offset < 0x80; offset++) driver.read(offset, width);
      for (let offset = 0; offset <= BarLayout.SIZE; offset += 0x1000)
        driver.target.readBar(offset, width);
      for (let offset = 0; offset < 0x100; offset++) driver.target.readConfig(offset, width);
      assert.deepEqual(driver.snapshot(), before);
      assert.deepEqual([bench.faultNames(), bench.settle()], [[], 0]);
    });
  }

  for (const register of READ_ONLY) {
    it(`[utest->req~pci.function~1] 4.1.4.3.2: register 0x${register.toString(16)} cannot be written at any width`, () => {
      for (const width of WIDTHS) refused(register, width, 0xffff);
    });
  }

  it('[utest->req~pci.function~1] 4.1.3.1: the upper half of an address is not the start of an 8-byte write', () => {
    for (const register of LOW_HALVES) refused(register + 4, 8, 0x1234);
  });

  it('[utest->req~fault.contain~1] 4.1: no access of any kind harms the gateway or the other device', () => {
    const operation = fc.record({
      kind: fc.constantFrom('bar-write', 'bar-write', 'bar-read', 'config-write', 'config-read'),
      offset: fc.oneof(
        { weight: 4, arbitrary: fc.nat(0x40) },
        fc.nat(0x8010),
        fc.integer({ min: 0, max: 0xffff_ffff }),
      ),
      width: fc.constantFrom(...WIDTHS),
      low: fc.oneof(
        fc.constantFrom(0, 1, 3, 11, 15, 64, 0xffff, 0xffff_ffff),
        fc.integer({ min: 0, max: 0xffff_ffff }),
      ),
      high: fc.constantFrom(0, 1, 0xffff_ffff),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 150 }), (operations) => {
        const { bench, driver } = negotiated();
        const other = new RegisterDriver(bench, 1).start();
        const before = other.snapshot();
        for (const { kind, offset, width, low, high } of operations) {
          if (kind === 'bar-write') driver.target.writeBar(offset, width, low, high);
          else if (kind === 'bar-read') driver.target.readBar(offset, width);
          else if (kind === 'config-write') driver.target.writeConfig(offset & 0xff, width, low);
          else driver.target.readConfig(offset & 0xff, width);
          bench.settle();
        }
        other.transmit();
        bench.frames(2);
        assert.equal(other.ring(1).usedIndex, 1);
        assert.deepEqual(other.snapshot(), before);
        assert.deepEqual(bench.faultNames(1), []);
      }),
      seededRuns(31, 60),
    );
  });
});

describe('regressions', () => {
  for (const register of WIDTH_BLIND) {
    it(`[utest->req~pci.function~1] 4.1.3.1: register 0x${register.toString(16)} keeps its value at a wrong width`, () => {
      for (const width of WIDTHS) {
        if (!admits(register, width)) refused(register, width, 0);
      }
    });
  }

  it('[utest->req~pci.function~1] 4.1.3.1: a read never answers with more bytes than it asked for', () => {
    const { driver } = negotiated();
    driver.write(CommonConfig.CONFIG_MSIX_VECTOR, NO_VECTOR);
    assert.equal(driver.read(CommonConfig.CONFIG_MSIX_VECTOR, 1), 0xff);
  });

  it('[utest->req~pci.function~1] 4.1.1: without memory decoding a read is all ones of its width', () => {
    const { driver } = negotiated();
    driver.target.writeConfig(PciHeader.COMMAND, 2, 0);
    assert.equal(driver.read(CommonConfig.DEVICE_STATUS, 1), 0xff);
  });
});
