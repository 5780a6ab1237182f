/**
 * The virtqueues of one function behind queue_select: their registers, and the rings they start
 * (4.1.4.3).
 */
import { Fault } from '../../base/fault.ts';
import { CommandKind, CommandWord, NotifyKind, RingFlag } from '../../channel/command-channel.ts';
import { bitOf, hasBit, type FeatureBits } from '../../wire/features.ts';
import { DeviceStatus } from '../../wire/virtio.ts';
import { PACKED_WRAP } from '../../wire/virtqueue.ts';
import { CommonConfig, NO_VECTOR } from '../../wire/virtio-pci.ts';
import type { CommonParts } from './common-registers.ts';
import { QueueRegisters, type AddressRegister } from './queue-registers.ts';

const EVENT_IDX = bitOf('virtio-net', 'VIRTIO_RING_F_EVENT_IDX');
const INDIRECT = bitOf('virtio-net', 'VIRTIO_RING_F_INDIRECT_DESC');
const RING_PACKED = bitOf('virtio-net', 'VIRTIO_F_RING_PACKED');
const RING_RESET = bitOf('virtio-net', 'VIRTIO_F_RING_RESET');
const MQ = bitOf('virtio-net', 'VIRTIO_NET_F_MQ');
const CTRL_VQ = bitOf('virtio-net', 'VIRTIO_NET_F_CTRL_VQ');

/** How far the driver has come with the device that the queues belong to. */
export interface DeviceProgress {
  readonly status: number;
  readonly negotiated: FeatureBits;
}

export class QueueBank {
  select = 0;
  private readonly parts: CommonParts;
  private readonly progress: DeviceProgress;
  private readonly queues: readonly QueueRegisters[];

  constructor(parts: CommonParts, progress: DeviceProgress) {
    this.parts = parts;
    this.progress = progress;
    const { plan } = parts;
    this.queues = plan.queues.map((queue) => new QueueRegisters(queue, plan.queueSizeMax));
  }

  get count(): number {
    return this.queues.length;
  }

  /** A vector that exists, or NO_VECTOR: one for each queue and one for the configuration. */
  vector(value: number): number {
    return value <= this.count ? value : NO_VECTOR;
  }

  private get packed(): boolean {
    return hasBit(this.progress.negotiated, RING_PACKED);
  }

  private get selected(): QueueRegisters | undefined {
    const { plan } = this.parts;
    if (plan.type === 'virtio-net') return this.selectedOfPairs(plan.queuePairs);
    return this.queues[this.select];
  }

  /** 5.1.2: the pairs that MQ makes available, and controlq behind them. */
  private selectedOfPairs(pairsMax: number): QueueRegisters | undefined {
    const { negotiated } = this.progress;
    const pairs = hasBit(negotiated, MQ) ? pairsMax : 1;
    if (this.select < 2 * pairs) return this.queues[this.select];
    if (this.select > 2 * pairs || !hasBit(negotiated, CTRL_VQ)) return undefined;
    return this.queues[2 * pairsMax];
  }

  read(offset: number, width: number): number {
    const queue = this.selected;
    switch (offset) {
      case CommonConfig.QUEUE_SIZE:
        return queue?.size ?? 0;
      case CommonConfig.QUEUE_MSIX_VECTOR:
        return queue?.vector ?? NO_VECTOR;
      case CommonConfig.QUEUE_ENABLE:
        return queue?.enabled ? 1 : 0;
      case CommonConfig.QUEUE_NOTIFY_OFF:
        return queue ? this.queues.indexOf(queue) : 0;
      case CommonConfig.QUEUE_RESET:
        return queue && this.isResetting(queue) ? 1 : 0;
      default:
        return queue ? this.readAddress(queue, offset, width) : 0;
    }
  }

  private isResetting(queue: QueueRegisters): boolean {
    if (queue.resetting === undefined) return false;
    if (!this.parts.link.isDone(queue.resetting)) return true;
    queue.resetting = undefined;
    return false;
  }

  private addressAt(queue: QueueRegisters, offset: number): [AddressRegister, boolean] | undefined {
    switch (offset & ~7) {
      case CommonConfig.QUEUE_DESC:
        return [queue.desc, (offset & 4) !== 0];
      case CommonConfig.QUEUE_DRIVER:
        return [queue.driver, (offset & 4) !== 0];
      case CommonConfig.QUEUE_DEVICE:
        return [queue.device, (offset & 4) !== 0];
      default:
        return undefined;
    }
  }

  private readAddress(queue: QueueRegisters, offset: number, width: number): number {
    const found = this.addressAt(queue, offset);
    if (!found || width !== 4) return 0;
    return found[1] ? found[0].high : found[0].low;
  }

  // [impl->req~neg.queue-lock~1]
  write(offset: number, width: number, low: number, high: number): boolean {
    const queue = this.selected;
    if (!queue) return false;
    const value = low & 0xffff;
    if (offset === CommonConfig.QUEUE_RESET) return value === 1 && this.reset(queue);
    if (queue.enabled) return false;
    switch (offset) {
      case CommonConfig.QUEUE_SIZE:
        if (!queue.setSize(value, this.packed)) this.setupFault(queue, `queue size ${value}`);
        return true;
      case CommonConfig.QUEUE_MSIX_VECTOR:
        queue.vector = this.vector(value);
        return true;
      case CommonConfig.QUEUE_ENABLE:
        return value === 1 && this.enable(queue);
      default:
        return this.writeAddress(queue, offset, width, low, high);
    }
  }

  private writeAddress(
    queue: QueueRegisters,
    offset: number,
    width: number,
    low: number,
    high: number,
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

  /** 4.1.4.3.2: before DRIVER_OK, or again after a queue reset; not while a reset is needed. */
  private enable(queue: QueueRegisters): boolean {
    const { status } = this.progress;
    if ((status & DeviceStatus.FEATURES_OK) === 0 || this.isResetting(queue)) return false;
    if ((status & DeviceStatus.DEVICE_NEEDS_RESET) !== 0) return false;
    if (!queue.place(this.parts.memory, this.packed)) {
      this.setupFault(queue, 'a part of the ring is misaligned or outside the memory');
      return true;
    }
    queue.enabled = true;
    if ((status & DeviceStatus.DRIVER_OK) !== 0) this.start(queue);
    return true;
  }

  /** 2.6.1: stops one ring; its registers go back to their defaults. */
  // [impl->req~queue.reset~1]
  private reset(queue: QueueRegisters): boolean {
    if (
      !hasBit(this.progress.negotiated, RING_RESET) ||
      (this.progress.status & DeviceStatus.DRIVER_OK) === 0
    )
      return false;
    if (queue.enabled) {
      queue.resetting = this.parts.link.post(CommandKind.STOP_QUEUE, queue.index);
    }
    queue.reset();
    return true;
  }

  /** DRIVER_OK: starts every ring that the driver has enabled. */
  startAll(): void {
    for (const queue of this.queues) {
      if (queue.enabled) this.start(queue);
    }
  }

  private start(queue: QueueRegisters): void {
    const place = queue.place(this.parts.memory, this.packed);
    if (!place) return;
    const flags =
      (hasBit(this.progress.negotiated, EVENT_IDX) ? RingFlag.EVENT_IDX : 0) |
      (hasBit(this.progress.negotiated, INDIRECT) ? RingFlag.INDIRECT : 0) |
      (this.packed ? RingFlag.PACKED : 0);
    this.parts.link.post(CommandKind.START_QUEUE, queue.index, [
      [CommandWord.SIZE, queue.size],
      [CommandWord.DESC, place.descAt],
      [CommandWord.AVAIL, place.availAt],
      [CommandWord.USED, place.usedAt],
      [CommandWord.FLAGS, flags],
      // 2.8.1: the wrap counters start at 1.
      [CommandWord.INDEX, this.packed ? PACKED_WRAP : 0],
      ...this.notification(queue),
    ]);
  }

  /** How used buffer notifications reach the driver now. */
  private notification(queue: QueueRegisters): readonly (readonly [number, number])[] {
    const word = this.parts.interruptWord(queue.vector);
    queue.interruptWord = word;
    return [
      [CommandWord.NOTIFY_KIND, word === undefined ? NotifyKind.NONE : NotifyKind.ARENA_WORD],
      [CommandWord.NOTIFY_TARGET, word ?? 0],
    ];
  }

  /** Interrupts were masked or unmasked: tells the data plane where it concerns a started ring. */
  interruptsChanged(): void {
    if ((this.progress.status & DeviceStatus.DRIVER_OK) === 0) return;
    for (const queue of this.queues) {
      if (!queue.enabled || this.parts.interruptWord(queue.vector) === queue.interruptWord)
        continue;
      this.parts.link.post(CommandKind.SET_NOTIFICATION, queue.index, this.notification(queue));
    }
  }

  /** Stops every ring. */
  stopAll(): void {
    for (const queue of this.queues) this.parts.link.post(CommandKind.STOP_QUEUE, queue.index);
  }

  /** Forgets what the driver has set. */
  forget(): void {
    this.select = 0;
    for (const queue of this.queues) {
      queue.reset();
      queue.resetting = undefined;
    }
  }
}
