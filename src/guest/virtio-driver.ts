/**
 * An honest virtio-pci driver: finds the structures, negotiates, sets queues up (VIRTIO 3.1.1,
 * 4.1).
 */
import { DeviceStatus } from '../wire/virtio.ts';
import {
  CommonConfig,
  Msix,
  PciCapabilityId,
  VirtioPciCap,
  VirtioPciCapType,
} from '../wire/virtio-pci.ts';
import type { FeatureBits } from '../wire/features.ts';
import { DriverQueue } from './driver-queue.ts';
import type { GuestMachine } from './guest-machine.ts';
import type { PciFunction } from './pci-bus.ts';

/** The device did not do what its specification says; the guest gives up and says why. */
export class DriverError extends Error {
  override readonly name = 'DriverError';
}

interface Structure {
  readonly offset: number;
  readonly length: number;
}

/** The structures that every modern function has (4.1.4). */
const REQUIRED: readonly number[] = Object.values(VirtioPciCapType);
const BAR_LAST = 5;
const RESET_POLLS_MAX = 2000;
const POLL_NS = 1_000_000;

// [impl->req~guest.honest-driver~1]
export class VirtioDriver {
  negotiated: FeatureBits = { low: 0, high: 0 };
  private readonly machine: GuestMachine;
  private readonly pci: PciFunction;
  private readonly common: number;
  private readonly device: Structure;
  private readonly notify: number;
  private readonly notifyMultiplier: number;
  private readonly wakeAt = new Float64Array(1);

  constructor(machine: GuestMachine, pci: PciFunction) {
    this.machine = machine;
    this.pci = pci;
    machine.driven.add(pci.number);
    const barBytes = pci.enable();
    const structures = this.structures(barBytes);
    this.common = structures.get(VirtioPciCapType.COMMON)!.offset;
    this.device = structures.get(VirtioPciCapType.DEVICE)!;
    this.notify = structures.get(VirtioPciCapType.NOTIFY)!.offset;
    this.notifyMultiplier = this.readNotifyMultiplier();
    this.enableMsix();
  }

  /** Walks the capability list for the five structures (4.1.4); the first of each type counts. */
  private structures(barBytes: number): Map<number, Structure> {
    const found = new Map<number, Structure>();
    for (const { at } of this.pci.vendorCapabilities()) {
      const type = this.pci.read(at + VirtioPciCap.CFG_TYPE, 1);
      // 4.1.4.1: reserved types and BARs are passed over.
      if (!REQUIRED.includes(type) || this.pci.read(at + VirtioPciCap.BAR, 1) > BAR_LAST) continue;
      const offset = this.pci.read(at + VirtioPciCap.OFFSET, 4);
      const length = this.pci.read(at + VirtioPciCap.LENGTH, 4);
      if (offset + length > barBytes) throw new DriverError(`structure ${type} leaves its BAR`);
      if (!found.has(type)) found.set(type, { offset, length });
    }
    for (const type of REQUIRED) {
      if (!found.has(type)) throw new DriverError(`no virtio structure of type ${type}`);
    }
    return found;
  }

  private readNotifyMultiplier(): number {
    for (const { at } of this.pci.vendorCapabilities()) {
      if (this.pci.read(at + VirtioPciCap.CFG_TYPE, 1) === VirtioPciCapType.NOTIFY) {
        return this.pci.read(at + VirtioPciCap.NOTIFY_OFF_MULTIPLIER, 4);
      }
    }
    throw new DriverError('no notification structure');
  }

  private enableMsix(): void {
    const msix = this.pci
      .capabilities()
      .find((capability) => capability.id === PciCapabilityId.MSIX);
    if (!msix) throw new DriverError('no MSI-X capability');
    const control = this.pci.read(msix.at + Msix.CONTROL, 2);
    const vectors = (control & 0x7ff) + 1;
    const table = this.pci.read(msix.at + Msix.TABLE, 4) & ~7;
    for (let vector = 0; vector < vectors; vector++) {
      this.pci.writeBar(table + vector * Msix.ENTRY_SIZE + Msix.ENTRY_CONTROL, 4, 0);
    }
    this.pci.write(msix.at + Msix.CONTROL, 2, control | Msix.ENABLE);
  }

  private read(offset: number, width: 1 | 2 | 4): number {
    return this.pci.readBar(this.common + offset, width);
  }

  private write(offset: number, width: 1 | 2 | 4, value: number): void {
    this.pci.writeBar(this.common + offset, width, value);
  }

  private status(): number {
    return this.read(CommonConfig.DEVICE_STATUS, 1);
  }

  private addStatus(bit: number): void {
    this.write(CommonConfig.DEVICE_STATUS, 1, this.status() | bit);
  }

  private pauseNs(ns: number): void {
    this.wakeAt[0] = this.machine.readClock() + ns;
    this.machine.sleepUntil(this.wakeAt);
  }

  /** 2.4.2: the reset is complete when the status reads 0. */
  reset(): void {
    this.write(CommonConfig.DEVICE_STATUS, 1, 0);
    for (let n = 0; n < RESET_POLLS_MAX; n++) {
      if (this.status() === 0) return;
      this.pauseNs(POLL_NS);
    }
    throw new DriverError('the device does not complete its reset');
  }

  /** Steps 1 to 6 of 3.1.1: what both sides know, confirmed by FEATURES_OK. */
  negotiate(wanted: FeatureBits): void {
    this.reset();
    this.addStatus(DeviceStatus.ACKNOWLEDGE);
    this.addStatus(DeviceStatus.DRIVER);
    this.negotiated = {
      low: (this.offered(0) & wanted.low) >>> 0,
      high: (this.offered(1) & wanted.high) >>> 0,
    };
    this.accept(0, this.negotiated.low);
    this.accept(1, this.negotiated.high);
    this.addStatus(DeviceStatus.FEATURES_OK);
    if ((this.status() & DeviceStatus.FEATURES_OK) === 0) {
      this.addStatus(DeviceStatus.FAILED);
      throw new DriverError('the device refused the features');
    }
  }

  private offered(word: number): number {
    this.write(CommonConfig.DEVICE_FEATURE_SELECT, 4, word);
    return this.read(CommonConfig.DEVICE_FEATURE, 4);
  }

  private accept(word: number, bits: number): void {
    this.write(CommonConfig.DRIVER_FEATURE_SELECT, 4, word);
    this.write(CommonConfig.DRIVER_FEATURE, 4, bits);
  }

  /** Sets queue `index` up with the size the device proposes, on interrupt vector `vector`. */
  setUpQueue(index: number, vector: number, bufferBytes: number, eventIdx: boolean): DriverQueue {
    this.write(CommonConfig.QUEUE_SELECT, 2, index);
    const size = this.read(CommonConfig.QUEUE_SIZE, 2);
    if (size === 0) throw new DriverError(`queue ${index} is not there`);
    const queue = new DriverQueue(this.machine, { size, bufferBytes, eventIdx });
    this.write(CommonConfig.QUEUE_MSIX_VECTOR, 2, vector);
    if (this.read(CommonConfig.QUEUE_MSIX_VECTOR, 2) !== vector) {
      throw new DriverError(`vector ${vector} cannot be mapped`);
    }
    this.writeAddress(CommonConfig.QUEUE_DESC, queue.desc);
    this.writeAddress(CommonConfig.QUEUE_DRIVER, queue.avail);
    this.writeAddress(CommonConfig.QUEUE_DEVICE, queue.used);
    this.write(CommonConfig.QUEUE_ENABLE, 2, 1);
    const notifyAt =
      this.notify + this.read(CommonConfig.QUEUE_NOTIFY_OFF, 2) * this.notifyMultiplier;
    queue.kick = () => this.pci.writeBar(notifyAt, 2, index);
    return queue;
  }

  private writeAddress(offset: number, address: number): void {
    this.write(offset, 4, address % 2 ** 32);
    this.write(offset + 4, 4, Math.floor(address / 2 ** 32));
  }

  driverOk(): void {
    this.addStatus(DeviceStatus.DRIVER_OK);
  }

  /** One byte of the device-specific configuration. */
  deviceConfig(offset: number): number {
    if (offset >= this.device.length) throw new DriverError('configuration field is not there');
    return this.pci.readBar(this.device.offset + offset, 1);
  }
}
