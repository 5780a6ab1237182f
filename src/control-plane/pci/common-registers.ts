/**
 * The common configuration registers and the device status machine behind them (2.1, 3.1, 4.1.4.3).
 */
import { Fault, type FaultCode } from '../../base/fault.ts';
import { CommandKind, CommandWord } from '../../channel/command-channel.ts';
import type { GuestMemory } from '../../data-plane/guest-memory.ts';
import type { PlanDevice, PlanQueue } from '../../schedule/gateway-plan.ts';
import type { FeatureBits } from '../../wire/features.ts';
import { DeviceStatus } from '../../wire/virtio.ts';
import { CommonConfig, NO_VECTOR } from '../../wire/virtio-pci.ts';
import type { DataPlaneLink } from '../data-plane-link.ts';
import { negotiate } from '../features/feature-sets.ts';
import { QueueBank, type DeviceProgress } from './queue-bank.ts';

const STEPS =
  DeviceStatus.ACKNOWLEDGE |
  DeviceStatus.DRIVER |
  DeviceStatus.FEATURES_OK |
  DeviceStatus.DRIVER_OK |
  DeviceStatus.FAILED;

/**
 * Width of each writable register that is not an address; a driver accesses a field as a whole
 * (4.1.3.1).
 */
const WIDTHS: Readonly<Record<number, number>> = {
  [CommonConfig.DEVICE_FEATURE_SELECT]: 4,
  [CommonConfig.DRIVER_FEATURE_SELECT]: 4,
  [CommonConfig.DRIVER_FEATURE]: 4,
  [CommonConfig.CONFIG_MSIX_VECTOR]: 2,
  [CommonConfig.DEVICE_STATUS]: 1,
  [CommonConfig.QUEUE_SELECT]: 2,
  [CommonConfig.QUEUE_SIZE]: 2,
  [CommonConfig.QUEUE_MSIX_VECTOR]: 2,
  [CommonConfig.QUEUE_ENABLE]: 2,
  [CommonConfig.QUEUE_RESET]: 2,
};

const ORDER: readonly number[] = [
  DeviceStatus.ACKNOWLEDGE,
  DeviceStatus.DRIVER,
  DeviceStatus.FEATURES_OK,
  DeviceStatus.DRIVER_OK,
];

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

/** 3.1.1: each step only behind the one before. */
function inOrder(status: number): boolean {
  return ORDER.every(
    (step, n) => (status & step) === 0 || n === 0 || (status & ORDER[n - 1]!) !== 0,
  );
}

export class CommonRegisters implements DeviceProgress {
  configVector = NO_VECTOR;
  status = 0;
  private readonly parts: CommonParts;
  private readonly queues: QueueBank;
  private resetting: number | undefined;
  private deviceFeatureSelect = 0;
  private driverFeatureSelect = 0;
  private readonly driverFeatures = [0, 0];
  negotiated: FeatureBits = { low: 0, high: 0 };

  constructor(parts: CommonParts) {
    this.parts = parts;
    this.queues = new QueueBank(parts, this);
  }

  /** Queues and one vector for the configuration. */
  get vectors(): number {
    return this.queues.count + 1;
  }

  read(offset: number, width: number): number {
    switch (offset) {
      case CommonConfig.DEVICE_FEATURE_SELECT:
        return this.deviceFeatureSelect;
      case CommonConfig.DEVICE_FEATURE:
        return this.offeredWord();
      case CommonConfig.DRIVER_FEATURE_SELECT:
        return this.driverFeatureSelect;
      case CommonConfig.DRIVER_FEATURE:
        return this.driverFeatures[this.driverFeatureSelect] ?? 0;
      case CommonConfig.CONFIG_MSIX_VECTOR:
        return this.configVector;
      case CommonConfig.NUM_QUEUES:
        return this.queues.count;
      case CommonConfig.DEVICE_STATUS:
        // 2.4.1: reads 0 when nothing of the old life can touch the queues any more.
        return this.isResetting ? this.status | DeviceStatus.ACKNOWLEDGE : this.status;
      case CommonConfig.CONFIG_GENERATION:
        return this.parts.generation();
      case CommonConfig.QUEUE_SELECT:
        return this.queues.select;
      default:
        return this.queues.read(offset, width);
    }
  }

  private offeredWord(): number {
    const { offered } = this.parts.plan;
    return this.deviceFeatureSelect === 0
      ? offered.low
      : this.deviceFeatureSelect === 1
        ? offered.high
        : 0;
  }

  private get isResetting(): boolean {
    if (this.resetting === undefined) return false;
    if (!this.parts.link.isDone(this.resetting)) return true;
    this.resetting = undefined;
    return false;
  }

  /** False for an access that its clause forbids; it changes nothing. */
  write(offset: number, width: number, low: number, high: number): boolean {
    const expected = WIDTHS[offset];
    if (expected !== undefined && expected !== width) return false;
    switch (offset) {
      case CommonConfig.DEVICE_FEATURE_SELECT:
        this.deviceFeatureSelect = low;
        return true;
      case CommonConfig.DRIVER_FEATURE_SELECT:
        this.driverFeatureSelect = low;
        return true;
      case CommonConfig.DRIVER_FEATURE:
        return this.writeDriverFeature(low);
      case CommonConfig.CONFIG_MSIX_VECTOR:
        this.configVector = this.queues.vector(low & 0xffff);
        return true;
      case CommonConfig.DEVICE_STATUS:
        return this.writeStatus(low & 0xff);
      case CommonConfig.QUEUE_SELECT:
        this.queues.select = low & 0xffff;
        return true;
      default:
        return this.queues.write(offset, width, low, high);
    }
  }

  private writeDriverFeature(value: number): boolean {
    // 3.1.1: after FEATURES_OK the driver must not accept new bits.
    if ((this.status & DeviceStatus.FEATURES_OK) !== 0 || this.driverFeatureSelect > 1) {
      return this.driverFeatureSelect > 1 && value === 0;
    }
    this.driverFeatures[this.driverFeatureSelect] = value >>> 0;
    return true;
  }

  // [impl->req~neg.state-machine~1]
  private writeStatus(value: number): boolean {
    if (value === 0) {
      this.reset();
      return true;
    }
    // 2.1.1: the driver only adds bits, and none after FAILED; NEEDS_RESET is the device's.
    const own = this.status & STEPS;
    const added = value & STEPS & ~own;
    if ((value & own) !== own || !inOrder(own | added)) return false;
    if ((own & DeviceStatus.FAILED) !== 0) return added === 0;
    if ((added & DeviceStatus.FEATURES_OK) !== 0 && !this.acceptFeatures()) return true;
    const starts = (added & DeviceStatus.DRIVER_OK) !== 0;
    if (starts && (this.isResetting || this.needsResetNow)) return false;
    this.status |= added;
    if (starts) this.start();
    return true;
  }

  private get needsResetNow(): boolean {
    return (this.status & DeviceStatus.DEVICE_NEEDS_RESET) !== 0;
  }

  /** Leaves FEATURES_OK clear when the set cannot be used (2.2.2). */
  // [impl->req~neg.required~1]
  private acceptFeatures(): boolean {
    const { plan, onFault } = this.parts;
    const wanted = { low: this.driverFeatures[0]!, high: this.driverFeatures[1]! };
    const result = negotiate(plan.type, plan.offered, plan.required, wanted);
    if (result.outcome === 'accepted') {
      this.negotiated = result.bits;
      return true;
    }
    const fault =
      result.outcome === 'refused' ? Fault.FeatureSetRefused : Fault.RequiredFeatureMissing;
    onFault(fault, -1, result.reason);
    return false;
  }

  private start(): void {
    const { plan, link, onReady } = this.parts;
    link.post(CommandKind.START_DEVICE, plan.index, [
      [CommandWord.FEATURES_LOW, this.negotiated.low | 0],
      [CommandWord.FEATURES_HIGH, this.negotiated.high | 0],
    ]);
    this.queues.startAll();
    onReady(true);
  }

  /** The driver's reset, or the gateway's when the guest is gone. */
  reset(): void {
    const { plan, link, onReady } = this.parts;
    const wasReady = (this.status & DeviceStatus.DRIVER_OK) !== 0;
    // What never started has nothing to stop: a flood of resets costs the data plane nothing.
    if (wasReady) {
      link.post(CommandKind.STOP_DEVICE, plan.index);
      this.queues.stopAll();
      this.resetting = link.last;
    }
    this.queues.forget();
    this.status = 0;
    this.driverFeatures.fill(0);
    this.negotiated = { low: 0, high: 0 };
    this.configVector = NO_VECTOR;
    if (wasReady) onReady(false);
  }

  /** The driver has masked or unmasked interrupts: started rings follow. */
  interruptsChanged(): void {
    this.queues.interruptsChanged();
  }

  /** 2.1.2: stops the device until its driver resets it. */
  // [impl->req~fault.recover~1]
  needsReset(): void {
    const { plan, link } = this.parts;
    this.status |= DeviceStatus.DEVICE_NEEDS_RESET;
    link.post(CommandKind.STOP_DEVICE, plan.index);
    this.queues.stopAll();
  }
}
