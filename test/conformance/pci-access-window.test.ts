/** The PCI configuration access capability: the registers without a mapped BAR (4.1.4.9). */
import { strict as assert } from 'node:assert';
import { BarLayout, CommonConfig, VirtioPciCap } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';

class Window {
  readonly driver = new RegisterDriver(new FunctionBench());
  readonly at = this.driver.target.space.pciAccessAt;

  aim(offset: number, length: number, bar = 0): void {
    const { target } = this.driver;
    target.writeConfig(this.at + VirtioPciCap.BAR, 1, bar);
    target.writeConfig(this.at + VirtioPciCap.OFFSET, 4, offset);
    target.writeConfig(this.at + VirtioPciCap.LENGTH, 4, length);
  }

  read(offset: number, length: number, width = length): number {
    this.aim(offset, length);
    return this.driver.target.readConfig(this.at + VirtioPciCap.PCI_CFG_DATA, width);
  }

  write(offset: number, length: number, value: number, width = length): void {
    this.aim(offset, length);
    this.driver.target.writeConfig(this.at + VirtioPciCap.PCI_CFG_DATA, width, value);
  }
}

describe('PCI configuration access capability (4.1.4.9.1)', () => {
  it('[utest->req~pci.function~1] 4.1.4.9.1: a write to pci_cfg_data is a write of the BAR, whatever its length', () => {
    const window = new Window();
    window.write(CommonConfig.DEVICE_FEATURE_SELECT, 4, 1);
    window.write(CommonConfig.QUEUE_SELECT, 2, 1);
    window.write(CommonConfig.DEVICE_STATUS, 1, 1);
    const { driver } = window;
    assert.equal(driver.read(CommonConfig.DEVICE_FEATURE_SELECT), 1);
    assert.equal(driver.read(CommonConfig.QUEUE_SELECT), 1);
    assert.equal(driver.status, 1);
  });

  it('[utest->req~pci.function~1] 4.1.4.9.1: a read of pci_cfg_data is a read of the BAR, whatever its length', () => {
    const window = new Window();
    assert.equal(window.read(CommonConfig.DEVICE_FEATURE, 4), window.driver.offered(0));
    assert.equal(window.read(CommonConfig.NUM_QUEUES, 2), 2);
    assert.equal(window.read(BarLayout.DEVICE, 1), 0x52, 'the first octet of the address');
  });

  it('[utest->req~pci.function~1] 4.1.4.9.1: a driver that uses nothing but the window can negotiate', () => {
    const window = new Window();
    window.write(CommonConfig.DEVICE_STATUS, 1, 1);
    window.write(CommonConfig.DEVICE_STATUS, 1, 3);
    for (const word of [0, 1]) {
      window.write(CommonConfig.DEVICE_FEATURE_SELECT, 4, word);
      const offered = window.read(CommonConfig.DEVICE_FEATURE, 4);
      window.write(CommonConfig.DRIVER_FEATURE_SELECT, 4, word);
      window.write(CommonConfig.DRIVER_FEATURE, 4, offered);
    }
    window.write(CommonConfig.DEVICE_STATUS, 1, 11);
    assert.equal(window.read(CommonConfig.DEVICE_STATUS, 1), 11);
  });

  for (const [what, offset, length, bar] of [
    ['an offset that is not a multiple of the length', CommonConfig.QUEUE_SELECT + 1, 2, 0],
    ['another BAR', CommonConfig.QUEUE_SELECT, 2, 1],
    ['a reserved BAR number', CommonConfig.QUEUE_SELECT, 2, 0xff],
    ['length 0', CommonConfig.QUEUE_SELECT, 0, 0],
    ['length 3', CommonConfig.QUEUE_SELECT, 3, 0],
    ['an offset behind the BAR', 0xffff_fffe, 2, 0],
  ] as const) {
    it(`[utest->req~pci.function~1] 4.1.4.9.2: a window on ${what} reaches no register`, () => {
      const window = new Window();
      const before = window.driver.snapshot();
      window.aim(offset, length, bar);
      window.driver.target.writeConfig(window.at + VirtioPciCap.PCI_CFG_DATA, 2, 1);
      assert.deepEqual(window.driver.snapshot(), before);
    });
  }

  it('[utest->req~pci.function~1] 4.1.4.9.1: moving the window alone has no effect', () => {
    const window = new Window();
    const before = window.driver.snapshot();
    window.aim(CommonConfig.DEVICE_STATUS, 1);
    assert.deepEqual(window.driver.snapshot(), before);
  });
});

describe('regressions', () => {
  it('[utest->req~pci.function~1] 4.1.4.9.1: cap.length, not the width of the access, decides what is read', () => {
    const window = new Window();
    window.driver.status = 1;
    assert.equal(window.read(CommonConfig.DEVICE_STATUS, 1, 4) & 0xff, 1);
  });

  it('[utest->req~pci.function~1] 4.1.4.9.1: cap.length, not the width of the access, decides what is written', () => {
    const window = new Window();
    window.write(CommonConfig.QUEUE_SELECT, 2, 1, 4);
    assert.equal(window.driver.read(CommonConfig.QUEUE_SELECT), 1);
  });
});
