/** One emulated virtio-pci function: configuration space, BAR, interrupts (VIRTIO 4.1). */
import { Fault } from '../../base/fault.ts';
import { BarLayout, Msix, NO_VECTOR, VirtioPciCap } from '../../wire/virtio-pci.ts';
import { CommonRegisters, type CommonParts } from './common-registers.ts';
import { ConfigSpace } from './config-space.ts';
import { MsixTable } from './msix-table.ts';
import type { DeviceModel } from '../device-model.ts';
import { configurationOf, type DeviceConfiguration } from '../device-configuration.ts';
import { ofWidth } from './register-bytes.ts';

const ALL_ONES = 0xffff_ffff;
const ISR_CONFIGURATION = 2;

export interface FunctionParts extends Omit<CommonParts, 'generation' | 'interruptWord'> {
  readonly words: Int32Array;
  readonly statusAt: number;
  /** First interrupt word of this function. */
  readonly vectorsAt: number;
}

// [impl->req~pci.function~1]
export class VirtioFunction implements DeviceModel {
  readonly space: ConfigSpace;
  readonly config: DeviceConfiguration;
  private readonly parts: FunctionParts;
  private readonly common: CommonRegisters;
  private readonly msix: MsixTable;
  private isr = 0;

  constructor(parts: FunctionParts) {
    this.parts = parts;
    this.config = configurationOf(parts.plan, parts.words, parts.statusAt);
    this.common = new CommonRegisters({
      ...parts,
      generation: () => this.config.generation,
      interruptWord: (vector) => this.interruptWord(vector),
    });
    this.msix = new MsixTable(this.common.vectors);
    this.space = new ConfigSpace({
      type: parts.plan.type,
      queues: parts.plan.queues.length,
      vectors: this.common.vectors,
      deviceConfigBytes: this.config.bytes,
    });
  }

  /** At most 4 bytes: PCI knows no wider access to the configuration space. */
  readConfig(offset: number, width: number): number {
    if (width > 4) return ALL_ONES;
    const window = this.window(offset);
    if (window) return this.readBar(window.at, window.width);
    return ofWidth(this.space.read(offset, width), width);
  }

  writeConfig(offset: number, width: number, value: number): void {
    if (width > 4) return;
    this.space.write(offset, width, value);
    const window = this.window(offset);
    if (window) this.writeBar(window.at, window.width, ofWidth(value, window.width), 0);
    if (offset < this.space.msixAt + Msix.SIZE && offset + width > this.space.msixAt) {
      this.common.interruptsChanged();
    }
  }

  /** The BAR access that the data field of the PCI access capability stands for (4.1.4.9). */
  private window(offset: number): { at: number; width: number } | undefined {
    const { space } = this;
    if (offset !== space.pciAccessAt + VirtioPciCap.PCI_CFG_DATA) return undefined;
    const at = space.read(space.pciAccessAt + VirtioPciCap.OFFSET, 4);
    const width = space.read(space.pciAccessAt + VirtioPciCap.LENGTH, 4);
    const bar = space.read(space.pciAccessAt + VirtioPciCap.BAR, 1);
    const valid = bar === 0 && [1, 2, 4].includes(width) && at % width === 0;
    return valid ? { at, width } : undefined;
  }

  readBar(offset: number, width: number): number {
    return ofWidth(this.barValue(offset, width), width);
  }

  private barValue(offset: number, width: number): number {
    if (!this.space.memoryEnabled) return ALL_ONES;
    if (offset < BarLayout.ISR) return this.common.read(offset, width);
    if (offset < BarLayout.DEVICE) return offset === BarLayout.ISR ? this.takeIsr() : 0;
    if (offset < BarLayout.NOTIFY) return this.config.read(offset - BarLayout.DEVICE, width);
    if (offset < BarLayout.MSIX_TABLE) return 0;
    return this.msix.read(offset - BarLayout.MSIX_TABLE, width);
  }

  /** 4.1.4.5: reading the status clears it. There is no INTx pin, so that queues never set it. */
  private takeIsr(): number {
    const { isr } = this;
    this.isr = 0;
    return isr;
  }

  writeBar(offset: number, width: number, low: number, high: number): void {
    if (!this.space.memoryEnabled) return;
    if (offset < BarLayout.ISR) {
      if (this.common.write(offset, width, low, high)) return;
      this.parts.onFault(
        Fault.RegisterAccessInvalid,
        -1,
        `write of ${width} bytes at common register 0x${offset.toString(16)}`,
      );
      return;
    }
    if (offset >= BarLayout.DEVICE && offset < BarLayout.NOTIFY) {
      this.config.write(offset - BarLayout.DEVICE, width, low);
      return;
    }
    // Queues are polled: a kick is taken note of by nobody (2.7.10.2).
    if (offset < BarLayout.MSIX_TABLE) return;
    this.msix.write(offset - BarLayout.MSIX_TABLE, width, low);
    this.common.interruptsChanged();
  }

  private interruptWord(vector: number): number | undefined {
    if (!this.space.msixEnabled || vector === NO_VECTOR || !this.msix.unmasked(vector))
      return undefined;
    return (this.parts.vectorsAt >>> 2) + vector;
  }

  /** The driver's reset, or the gateway's when the guest is gone. */
  reset(): void {
    this.common.reset();
  }

  /** 2.1.2: stops the device until its driver resets it, and says so. */
  needsReset(): void {
    this.common.needsReset();
    this.notifyConfigChange();
  }

  get linkUp(): boolean {
    return this.config.linkUp;
  }

  /** 5.1.4: shows whether anybody can be reached, and says so when it changes. */
  setLink(up: boolean): void {
    if (this.config.setLink(up)) this.notifyConfigChange();
  }

  /** 4.1.4.5: a configuration change notification, on its own vector. */
  notifyConfigChange(): void {
    this.isr |= ISR_CONFIGURATION;
    const word = this.interruptWord(this.common.configVector);
    if (word === undefined) return;
    Atomics.add(this.parts.words, word, 1);
    Atomics.notify(this.parts.words, word);
  }
}
