/** MSI-X of an emulated function: table, vector mapping, and which notification reaches the driver (4.1.5). */
import { strict as assert } from 'node:assert';
import { BarLayout, CommonConfig, Msix, NO_VECTOR } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';

const { CONFIG_MSIX_VECTOR, QUEUE_MSIX_VECTOR } = CommonConfig;
const VECTORS = 3;
const FUNCTION_MASK = 0x4000;

interface Wiring {
  readonly enabled?: boolean;
  readonly masked?: boolean;
  readonly vector?: number;
}

/** A live device whose transmitq has the vector. */
function live({ enabled = true, masked = false, vector = 1 }: Wiring = {}) {
  const bench = new FunctionBench();
  const driver = new RegisterDriver(bench);
  if (enabled) driver.enableMsix();
  for (let n = 0; n < VECTORS; n++) driver.mask(n, masked);
  driver.start({ queues: [1], vector });
  return { bench, driver };
}

/** A transmitted packet comes back in a later window, with or without a notification. */
function transmitted({ bench, driver }: ReturnType<typeof live>): number[] {
  driver.transmit();
  bench.frames(2);
  assert.equal(driver.ring(1).usedIndex, 1);
  return bench.interruptsSent;
}

describe('MSI-X table (4.1.5.1.2)', () => {
  it('[utest->req~pci.function~1] 4.1.5.1.2.1: every vector begins masked, as PCI has it', () => {
    const { target } = new RegisterDriver(new FunctionBench());
    for (let vector = 0; vector < VECTORS; vector++) {
      const at = BarLayout.MSIX_TABLE + vector * Msix.ENTRY_SIZE + Msix.ENTRY_CONTROL;
      assert.equal(target.readBar(at, 4), 1);
    }
  });

  it('[utest->req~pci.function~1] 4.1.5.1.2.1: address, data and control of each entry read back as written', () => {
    const { target } = new RegisterDriver(new FunctionBench());
    const words = Array.from({ length: VECTORS * 4 }, (_, n) => (0x0101_0101 * (n + 1)) >>> 0);
    words.forEach((word, n) => target.writeBar(BarLayout.MSIX_TABLE + 4 * n, 4, word, 0));
    assert.deepEqual(
      words.map((_, n) => target.readBar(BarLayout.MSIX_TABLE + 4 * n, 4)),
      words,
    );
  });

  it('[utest->req~pci.function~1] 4.1.5.1.2.1: behind the table there is nothing to write', () => {
    const { target } = new RegisterDriver(new FunctionBench());
    const behind = BarLayout.MSIX_TABLE + VECTORS * Msix.ENTRY_SIZE;
    for (const at of [
      behind,
      BarLayout.MSIX_PBA,
      BarLayout.SIZE - 4,
      BarLayout.SIZE,
      0xffff_fffc,
    ]) {
      target.writeBar(at, 4, 0xffff_ffff, 0);
      assert.equal(target.readBar(at, 4), 0, `offset ${at}`);
    }
  });

  it('[utest->req~pci.function~1] 4.1.5.1.2.1: a device reset leaves the PCI side of MSI-X as it is', () => {
    const { driver } = live();
    driver.reset();
    assert.ok(driver.target.space.msixEnabled);
    const at = BarLayout.MSIX_TABLE + Msix.ENTRY_SIZE + Msix.ENTRY_CONTROL;
    assert.equal(driver.target.readBar(at, 4), 0);
  });
});

describe('vector mapping (4.1.5.1.2.1)', () => {
  for (const register of [CONFIG_MSIX_VECTOR, QUEUE_MSIX_VECTOR]) {
    it(`[utest->req~pci.function~1] 4.1.5.1.2.1: register 0x${register.toString(16)} maps to every vector of the table`, () => {
      const driver = new RegisterDriver(new FunctionBench());
      for (let vector = 0; vector < VECTORS; vector++) {
        driver.write(register, vector);
        assert.equal(driver.read(register), vector);
      }
    });

    it(`[utest->req~pci.function~1] 4.1.5.1.2.1: register 0x${register.toString(16)} is unmapped by NO_VECTOR`, () => {
      const driver = new RegisterDriver(new FunctionBench());
      assert.equal(driver.read(register), NO_VECTOR, 'at power on');
      driver.write(register, 1);
      driver.write(register, NO_VECTOR);
      assert.equal(driver.read(register), NO_VECTOR);
    });

    for (const vector of [VECTORS, 0x7ff, 0x800, 0xfffe]) {
      it(
        `[utest->req~pci.function~1] 4.1.5.1.2.1: register 0x${register.toString(16)} answers vector ${vector}, ` +
          'outside the table, with NO_VECTOR',
        () => {
          const driver = new RegisterDriver(new FunctionBench());
          driver.write(register, 1);
          driver.write(register, vector);
          assert.equal(driver.read(register), NO_VECTOR);
        },
      );
    }
  }

  it('[utest->req~pci.function~1] 4.1.5.1.2.1: a reset unmaps every event', () => {
    const { driver } = live();
    driver.write(CONFIG_MSIX_VECTOR, 2);
    driver.reset();
    assert.equal(driver.read(CONFIG_MSIX_VECTOR), NO_VECTOR);
    for (const queue of [0, 1]) {
      driver.select(queue);
      assert.equal(driver.read(QUEUE_MSIX_VECTOR), NO_VECTOR);
    }
  });

  it('[utest->req~pci.function~1] 4.1.5.1.2.1: each queue has its own mapping', () => {
    const driver = new RegisterDriver(new FunctionBench());
    for (const queue of [0, 1]) {
      driver.select(queue);
      driver.write(QUEUE_MSIX_VECTOR, 2 - queue);
    }
    driver.select(0);
    assert.equal(driver.read(QUEUE_MSIX_VECTOR), 2);
    driver.select(1);
    assert.equal(driver.read(QUEUE_MSIX_VECTOR), 1);
  });
});

describe('used buffer notifications (4.1.5.3.1)', () => {
  for (const vector of [0, 1, 2]) {
    it(`[utest->req~pci.function~1] 4.1.5.3: a used buffer is notified on the queue's vector, here ${vector}`, () => {
      const wired = live({ vector });
      assert.deepEqual(transmitted(wired), [wired.bench.vectorWord(0, vector)]);
    });
  }

  for (const [what, wiring] of [
    ['with NO_VECTOR', { vector: NO_VECTOR }],
    ['while MSI-X is disabled', { enabled: false }],
    ['while the vector is masked', { masked: true }],
  ] as const) {
    it(`[utest->req~pci.function~1] 4.1.5.3.1: ${what} no interrupt is delivered`, () => {
      assert.deepEqual(transmitted(live(wiring)), []);
    });
  }

  it('[utest->req~pci.function~1] 4.1.5.3: devices have interrupt words of their own', () => {
    const bench = new FunctionBench();
    const words = [0, 1].flatMap((device) =>
      [0, 1, 2].map((vector) => bench.vectorWord(device, vector)),
    );
    assert.equal(new Set(words).size, 6);
  });
});

describe('configuration change notifications (4.1.5.4.1)', () => {
  it('[utest->req~pci.function~1] 4.1.5.4: one change is one interrupt, on the configuration vector alone', () => {
    const { bench, driver } = live();
    driver.write(CONFIG_MSIX_VECTOR, 2);
    driver.target.notifyConfigChange();
    assert.deepEqual(
      [0, 1, 2].map((vector) => bench.interrupts(0, vector)),
      [0, 0, 1],
    );
  });

  it('[utest->req~pci.function~1] 4.1.5.4.2: queue and configuration may share a vector', () => {
    const wired = live({ vector: 1 });
    wired.driver.write(CONFIG_MSIX_VECTOR, 1);
    wired.driver.target.notifyConfigChange();
    assert.equal(wired.bench.interrupts(0, 1), 1);
    assert.deepEqual(transmitted(wired), [wired.bench.vectorWord(0, 1)]);
  });

  for (const [what, wiring, vector] of [
    ['with NO_VECTOR', {}, NO_VECTOR],
    ['while MSI-X is disabled', { enabled: false }, 0],
    ['while the vector is masked', { masked: true }, 0],
  ] as const) {
    it(`[utest->req~pci.function~1] 4.1.5.4.1: ${what} no interrupt is delivered`, () => {
      const { bench, driver } = live(wiring);
      driver.write(CONFIG_MSIX_VECTOR, vector);
      driver.target.notifyConfigChange();
      assert.deepEqual(
        [0, 1, 2].map((n) => bench.interrupts(0, n)),
        [0, 0, 0],
      );
    });
  }
});

describe('regressions', () => {
  it('[utest->req~pci.function~1] 4.1.1: Function Mask of MSI-X holds configuration interrupts back', () => {
    const { bench, driver } = live();
    driver.write(CONFIG_MSIX_VECTOR, 0);
    const at = driver.target.space.msixAt + Msix.CONTROL;
    driver.target.writeConfig(at, 2, driver.target.readConfig(at, 2) | FUNCTION_MASK);
    driver.target.notifyConfigChange();
    assert.equal(bench.interrupts(0, 0), 0);
  });

  it('[utest->req~pci.function~1] 4.1.1: a vector unmasked after DRIVER_OK delivers', () => {
    const wired = live({ masked: true });
    wired.driver.mask(1, false);
    wired.bench.settle();
    assert.deepEqual(transmitted(wired), [wired.bench.vectorWord(0, 1)]);
  });

  it('[utest->req~pci.function~1] 4.1.1: a vector masked after DRIVER_OK delivers nothing', () => {
    const wired = live();
    wired.driver.mask(1, true);
    wired.bench.settle();
    assert.deepEqual(transmitted(wired), []);
  });

  it('[utest->req~pci.function~1] 4.1.4.5.1: the ISR status has its bit before a configuration change notification', () => {
    const { driver } = live();
    driver.write(CONFIG_MSIX_VECTOR, 0);
    driver.target.notifyConfigChange();
    assert.equal(driver.target.readBar(BarLayout.ISR, 1), 2);
    assert.equal(driver.target.readBar(BarLayout.ISR, 1), 0, 'a read clears it');
  });
});
