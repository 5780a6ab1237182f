/** One emulated virtio-pci function: configuration space, BAR, interrupts (VIRTIO 4.1). */
import { Fault } from '../../base/fault.ts';
import { DEVICE_TYPE_ID } from '../../wire/virtio.ts';
import { BarLayout, NO_VECTOR, VirtioPciCap } from '../../wire/virtio-pci.ts';
import { NetStatus } from '../../wire/virtio-net.ts';
import { CommonRegisters, type CommonParts } from './common-registers.ts';
import { ConfigSpace } from './config-space.ts';
import { MsixTable } from './msix-table.ts';
import { NET_CONFIG_BYTES, NetDeviceConfig } from './net-config.ts';

const ALL_ONES = 0xffff_ffff;

export interface FunctionParts extends Omit<CommonParts, 'generation' | 'interruptWord'> {
  readonly words: Int32Array;
  readonly statusAt: number;
  /** First interrupt word of this function. */
  readonly vectorsAt: number;
}

// [impl->req~pci.function~1]
export class VirtioFunction {
  readonly space: ConfigSpace;
  readonly config: NetDeviceConfig;
  private readonly parts: FunctionParts;
  private readonly common: CommonRegisters;
  private readonly msix: MsixTable;

  constructor(parts: FunctionParts) {
    this.parts = parts;
    this.config = new NetDeviceConfig(parts.plan, parts.words, parts.statusAt);
    this.common = new CommonRegisters({
      ...parts,
      generation: () => this.config.generation,
      interruptWord: (vector) => this.interruptWord(vector),
    });
    this.msix = new MsixTable(this.common.vectors);
    this.space = new ConfigSpace({
      typeId: DEVICE_TYPE_ID['virtio-net'],
      queues: parts.plan.queues.length,
      vectors: this.common.vectors,
      deviceConfigBytes: NET_CONFIG_BYTES,
    });
  }

  get deviceStatus(): number {
    return this.common.status;
  }

  readConfig(offset: number, width: number): number {
    const window = this.windowAccess(offset, width);
    return window === undefined ? this.space.read(offset, width) : this.readBar(window, width);
  }

  writeConfig(offset: number, width: number, value: number): void {
    this.space.write(offset, width, value);
    const window = this.windowAccess(offset, width);
    if (window !== undefined) this.writeBar(window, width, value, 0);
  }

  /** BAR offset that the data field of the PCI access capability stands for (4.1.4.9). */
  private windowAccess(offset: number, width: number): number | undefined {
    const { space } = this;
    if (offset !== space.pciAccessAt + VirtioPciCap.PCI_CFG_DATA) return undefined;
    const at = space.read(space.pciAccessAt + VirtioPciCap.OFFSET, 4);
    const length = space.read(space.pciAccessAt + VirtioPciCap.LENGTH, 4);
    const bar = space.read(space.pciAccessAt + VirtioPciCap.BAR, 1);
    return bar === 0 && length === width && at % width === 0 ? at : undefined;
  }

  readBar(offset: number, width: number): number {
    if (!this.space.memoryEnabled) return ALL_ONES;
    if (offset < BarLayout.ISR) return this.common.read(offset, width);
    // There is no INTx pin (interrupt pin 0), so that the ISR byte never has a bit set (4.1.4.5).
    if (offset < BarLayout.DEVICE) return 0;
    if (offset < BarLayout.NOTIFY) return this.config.read(offset - BarLayout.DEVICE, width);
    if (offset < BarLayout.MSIX_TABLE) return 0;
    return this.msix.read(offset - BarLayout.MSIX_TABLE, width);
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
    // Queues are polled: a kick is taken note of by nobody (2.7.10.2).
    if (offset >= BarLayout.MSIX_TABLE) this.msix.write(offset - BarLayout.MSIX_TABLE, width, low);
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

  /** 5.1.4: shows whether anybody can be reached, and says so when it changes. */
  setLink(up: boolean): void {
    const changed = up
      ? this.config.changeStatus(NetStatus.LINK_UP, 0)
      : this.config.changeStatus(0, NetStatus.LINK_UP);
    if (changed) this.notifyConfigChange();
  }

  /** 4.1.4.5: a configuration change notification, on its own vector. */
  notifyConfigChange(): void {
    const word = this.interruptWord(this.common.configVector);
    if (word === undefined) return;
    Atomics.add(this.parts.words, word, 1);
    Atomics.notify(this.parts.words, word);
  }
}
