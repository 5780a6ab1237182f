/** The common configuration registers and the device status machine behind them (2.1, 3.1, 4.1.4.3). */
import { Fault, type FaultCode } from '../../base/fault.ts';
import { CommandKind, CommandWord, NotifyKind, RingFlag } from '../../channel/command-channel.ts';
import type { GuestMemory } from '../../data-plane/guest-memory.ts';
import type { PlanDevice, PlanQueue } from '../../schedule/gateway-plan.ts';
import { bitOf, hasBit, type FeatureBits } from '../../wire/features.ts';
import { DeviceStatus } from '../../wire/virtio.ts';
import { CommonConfig, NO_VECTOR } from '../../wire/virtio-pci.ts';
import type { DataPlaneLink } from '../data-plane-link.ts';
import { negotiate } from '../features/feature-sets.ts';
import { QueueRegisters, type AddressRegister } from './queue-registers.ts';

const EVENT_IDX = bitOf('virtio-net', 'VIRTIO_RING_F_EVENT_IDX');
const INDIRECT = bitOf('virtio-net', 'VIRTIO_RING_F_INDIRECT_DESC');
const RING_RESET = bitOf('virtio-net', 'VIRTIO_F_RING_RESET');
const MQ = bitOf('virtio-net', 'VIRTIO_NET_F_MQ');
const STEPS = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK
  | DeviceStatus.DRIVER_OK | DeviceStatus.FAILED;

/** Width of each writable register that is not an address; a driver accesses a field as a whole (4.1.3.1). */
const WIDTHS: Readonly<Record<number, number>> = {
  [CommonConfig.DEVICE_FEATURE_SELECT]: 4, [CommonConfig.DRIVER_FEATURE_SELECT]: 4,
  [CommonConfig.DRIVER_FEATURE]: 4, [CommonConfig.CONFIG_MSIX_VECTOR]: 2,
  [CommonConfig.DEVICE_STATUS]: 1, [CommonConfig.QUEUE_SELECT]: 2, [CommonConfig.QUEUE_SIZE]: 2,
  [CommonConfig.QUEUE_MSIX_VECTOR]: 2, [CommonConfig.QUEUE_ENABLE]: 2, [CommonConfig.QUEUE_RESET]: 2,
};

export interface CommonParts {
  readonly plan: PlanDevice;
  readonly queues: readonly PlanQueue[];
  readonly memory: GuestMemory;
  readonly link: DataPlaneLink;
  /** Counts the changes of the device-specific configuration. */
  readonly generation: () => number;
  /** Interrupt word of a vector, or undefined while the driver wants no interrupts on it. */
  readonly interruptWord: (vector: number) => number | undefined;
  readonly onFault: (fault: FaultCode, queue: number, detail: string) => void;
  /** The driver is ready, or has reset the device. */
  readonly onReady: (ready: boolean) => void;
}

export class CommonRegisters {
  configVector = NO_VECTOR;
  status = 0;
  private readonly parts: CommonParts;
  private readonly queues: readonly QueueRegisters[];
  private resetting: number | undefined;
  private deviceFeatureSelect = 0;
  private driverFeatureSelect = 0;
  private readonly driverFeatures = [0, 0];
  private negotiated: FeatureBits = { low: 0, high: 0 };
  private queueSelect = 0;

  constructor(parts: CommonParts) {
    this.parts = parts;
    const { plan } = parts;
    this.queues = plan.queues.map((queue) => new QueueRegisters(queue, plan.queueSizeMax));
  }

  /** Queues and one vector for the configuration. */
  get vectors(): number {
    return this.queues.length + 1;
  }

  private queueAt(select: number): QueueRegisters | undefined {
    // 5.1.2: without MQ controlq follows the first pair.
    const { queues } = this.parts;
    if (select === 2 && !hasBit(this.negotiated, MQ)) {
      return this.queues.find((queue) => queues[queue.index]!.role === 'control');
    }
    return this.queues[select];
  }

  read(offset: number, width: number): number {
    const queue = this.queueAt(this.queueSelect);
    switch (offset) {
      case CommonConfig.DEVICE_FEATURE_SELECT: return this.deviceFeatureSelect;
      case CommonConfig.DEVICE_FEATURE: return this.offeredWord();
      case CommonConfig.DRIVER_FEATURE_SELECT: return this.driverFeatureSelect;
      case CommonConfig.DRIVER_FEATURE: return this.driverFeatures[this.driverFeatureSelect] ?? 0;
      case CommonConfig.CONFIG_MSIX_VECTOR: return this.configVector;
      case CommonConfig.NUM_QUEUES: return this.queues.length;
      case CommonConfig.DEVICE_STATUS: return this.readStatus();
      case CommonConfig.CONFIG_GENERATION: return this.parts.generation();
      case CommonConfig.QUEUE_SELECT: return this.queueSelect;
      case CommonConfig.QUEUE_SIZE: return queue?.size ?? 0;
      case CommonConfig.QUEUE_MSIX_VECTOR: return queue?.vector ?? NO_VECTOR;
      case CommonConfig.QUEUE_ENABLE: return queue?.enabled ? 1 : 0;
      case CommonConfig.QUEUE_NOTIFY_OFF: return queue ? this.queues.indexOf(queue) : 0;
      case CommonConfig.QUEUE_RESET: return queue && this.queueIsResetting(queue) ? 1 : 0;
      default: return queue ? this.readAddress(queue, offset, width) : 0;
    }
  }

  private offeredWord(): number {
    const { offered } = this.parts.plan;
    return this.deviceFeatureSelect === 0 ? offered.low : this.deviceFeatureSelect === 1 ? offered.high : 0;
  }

  /** 2.4.1: the status reads 0 when nothing of the old life can touch the queues any more. */
  private readStatus(): number {
    if (this.resetting !== undefined && this.parts.link.isDone(this.resetting)) this.resetting = undefined;
    return this.resetting === undefined ? this.status : this.status | DeviceStatus.ACKNOWLEDGE;
  }

  private queueIsResetting(queue: QueueRegisters): boolean {
    if (queue.resetting === undefined) return false;
    if (!this.parts.link.isDone(queue.resetting)) return true;
    queue.resetting = undefined;
    return false;
  }

  private addressAt(queue: QueueRegisters, offset: number): [AddressRegister, boolean] | undefined {
    switch (offset & ~7) {
      case CommonConfig.QUEUE_DESC: return [queue.desc, (offset & 4) !== 0];
      case CommonConfig.QUEUE_DRIVER: return [queue.driver, (offset & 4) !== 0];
      case CommonConfig.QUEUE_DEVICE: return [queue.device, (offset & 4) !== 0];
      default: return undefined;
    }
  }

  private readAddress(queue: QueueRegisters, offset: number, width: number): number {
    const found = this.addressAt(queue, offset);
    if (!found || width !== 4) return 0;
    return found[1] ? found[0].high : found[0].low;
  }

  /** False for an access that its clause forbids; it changes nothing. */
  write(offset: number, width: number, low: number, high: number): boolean {
    const expected = WIDTHS[offset];
    if (expected !== undefined && expected !== width) return false;
    switch (offset) {
      case CommonConfig.DEVICE_FEATURE_SELECT: this.deviceFeatureSelect = low; return true;
      case CommonConfig.DRIVER_FEATURE_SELECT: this.driverFeatureSelect = low; return true;
      case CommonConfig.DRIVER_FEATURE: return this.writeDriverFeature(low);
      case CommonConfig.CONFIG_MSIX_VECTOR: this.configVector = this.vector(low & 0xffff); return true;
      case CommonConfig.DEVICE_STATUS: return this.writeStatus(low & 0xff);
      case CommonConfig.QUEUE_SELECT: this.queueSelect = low & 0xffff; return true;
      default: {
        const queue = this.queueAt(this.queueSelect);
        return queue !== undefined && this.writeQueue(queue, offset, width, low, high);
      }
    }
  }

  private vector(value: number): number {
    return value < this.vectors ? value : NO_VECTOR;
  }

  private writeDriverFeature(value: number): boolean {
    // 3.1.1: after FEATURES_OK the driver must not accept new bits.
    if ((this.status & DeviceStatus.FEATURES_OK) !== 0 || this.driverFeatureSelect > 1) {
      return this.driverFeatureSelect > 1 && value === 0;
    }
    this.driverFeatures[this.driverFeatureSelect] = value >>> 0;
    return true;
  }

  // [impl->req~neg.queue-lock~1]
  private writeQueue(
    queue: QueueRegisters, offset: number, width: number, low: number, high: number,
  ): boolean {
    const value = low & 0xffff;
    if (offset === CommonConfig.QUEUE_RESET) return value === 1 && this.resetQueue(queue);
    if (queue.enabled) return false;
    switch (offset) {
      case CommonConfig.QUEUE_SIZE:
        if (!queue.setSize(value)) this.setupFault(queue, `queue size ${value}`);
        return true;
      case CommonConfig.QUEUE_MSIX_VECTOR: queue.vector = this.vector(value); return true;
      case CommonConfig.QUEUE_ENABLE: return value === 1 && this.enableQueue(queue);
      default: return this.writeAddress(queue, offset, width, low, high);
    }
  }

  private writeAddress(
    queue: QueueRegisters, offset: number, width: number, low: number, high: number,
  ): boolean {
    const found = this.addressAt(queue, offset);
    if (!found || offset % 4 !== 0 || (width !== 4 && (width !== 8 || found[1]))) return false;
    const [register, upper] = found;
    if (upper) register.high = low >>> 0;
    else register.low = low >>> 0;
    if (width === 8) register.high = high >>> 0;
    return true;
  }

  private setupFault(queue: QueueRegisters, detail: string): void {
    this.parts.onFault(Fault.QueueSetupInvalid, queue.index, detail);
  }

  /** 4.1.4.3.2: before DRIVER_OK, or again after a queue reset. */
  private enableQueue(queue: QueueRegisters): boolean {
    if ((this.status & DeviceStatus.FEATURES_OK) === 0 || this.queueIsResetting(queue)) return false;
    if (!queue.place(this.parts.memory)) {
      this.setupFault(queue, 'a part of the ring is misaligned or outside the memory');
      return true;
    }
    queue.enabled = true;
    if ((this.status & DeviceStatus.DRIVER_OK) !== 0) this.startQueue(queue);
    return true;
  }

  /** 2.6.1: stops one ring; its registers go back to their defaults. */
  // [impl->req~queue.reset~1]
  private resetQueue(queue: QueueRegisters): boolean {
    if (!hasBit(this.negotiated, RING_RESET) || (this.status & DeviceStatus.DRIVER_OK) === 0) return false;
    queue.resetting = this.parts.link.post(CommandKind.STOP_QUEUE, queue.index);
    queue.reset();
    return true;
  }

  // [impl->req~neg.state-machine~1]
  private writeStatus(value: number): boolean {
    if (value === 0) {
      this.reset();
      return true;
    }
    // 2.1.1: the driver only adds bits; NEEDS_RESET is the device's.
    const own = this.status & STEPS;
    if ((value & own) !== own) return false;
    const added = value & STEPS & ~own;
    if ((added & DeviceStatus.FEATURES_OK) !== 0 && !this.acceptFeatures()) return true;
    if ((added & DeviceStatus.DRIVER_OK) !== 0) {
      const ready = ((own | added) & DeviceStatus.FEATURES_OK) !== 0 && this.resetting === undefined;
      if (!ready) return false;
    }
    this.status |= added;
    if ((added & DeviceStatus.DRIVER_OK) !== 0) this.start();
    return true;
  }

  /** Leaves FEATURES_OK clear when the set cannot be used (2.2.2). */
  // [impl->req~neg.required~1]
  private acceptFeatures(): boolean {
    const { plan, onFault } = this.parts;
    const wanted = { low: this.driverFeatures[0]!, high: this.driverFeatures[1]! };
    const result = negotiate('virtio-net', plan.offered, plan.required, wanted);
    if (result.outcome === 'accepted') {
      this.negotiated = result.bits;
      return true;
    }
    const fault = result.outcome === 'refused' ? Fault.FeatureSetRefused : Fault.RequiredFeatureMissing;
    onFault(fault, -1, result.reason);
    return false;
  }

  private start(): void {
    const { plan, link, onReady } = this.parts;
    link.post(CommandKind.START_DEVICE, plan.index, [
      [CommandWord.FEATURES_LOW, this.negotiated.low | 0], [CommandWord.FEATURES_HIGH, this.negotiated.high | 0],
    ]);
    for (const queue of this.queues) {
      if (queue.enabled) this.startQueue(queue);
    }
    onReady(true);
  }

  private startQueue(queue: QueueRegisters): void {
    const place = queue.place(this.parts.memory);
    if (!place) return;
    const flags = (hasBit(this.negotiated, EVENT_IDX) ? RingFlag.EVENT_IDX : 0)
      | (hasBit(this.negotiated, INDIRECT) ? RingFlag.INDIRECT : 0);
    const word = this.parts.interruptWord(queue.vector);
    this.parts.link.post(CommandKind.START_QUEUE, queue.index, [
      [CommandWord.SIZE, queue.size], [CommandWord.DESC, place.descAt], [CommandWord.AVAIL, place.availAt],
      [CommandWord.USED, place.usedAt], [CommandWord.FLAGS, flags], [CommandWord.INDEX, 0],
      [CommandWord.NOTIFY_KIND, word === undefined ? NotifyKind.NONE : NotifyKind.ARENA_WORD],
      [CommandWord.NOTIFY_TARGET, word ?? 0],
    ]);
  }

  /** The driver's reset, or the gateway's when the guest is gone. */
  reset(): void {
    const { plan, link, onReady } = this.parts;
    link.post(CommandKind.STOP_DEVICE, plan.index);
    for (const queue of this.queues) {
      this.resetting = link.post(CommandKind.STOP_QUEUE, queue.index);
      queue.reset();
      queue.resetting = undefined;
    }
    const wasReady = (this.status & DeviceStatus.DRIVER_OK) !== 0;
    this.status = 0;
    this.driverFeatures.fill(0);
    this.negotiated = { low: 0, high: 0 };
    this.configVector = NO_VECTOR;
    this.queueSelect = 0;
    if (wasReady) onReady(false);
  }

  /** 2.1.2: stops the device until its driver resets it. */
  // [impl->req~fault.recover~1]
  needsReset(): void {
    const { plan, link } = this.parts;
    this.status |= DeviceStatus.DEVICE_NEEDS_RESET;
    link.post(CommandKind.STOP_DEVICE, plan.index);
    for (const queue of this.queues) link.post(CommandKind.STOP_QUEUE, queue.index);
  }
}
