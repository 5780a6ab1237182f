/**
 * The registers of one virtqueue (4.1.4.3): what the driver has set, and whether it may still set
 * it.
 */
import {
  availRingBytes,
  descriptorTableBytes,
  usedRingBytes,
  VIRTQ_ALIGN,
} from '../../wire/virtqueue.ts';
import { NO_VECTOR } from '../../wire/virtio-pci.ts';
import type { GuestMemory } from '../../data-plane/guest-memory.ts';

/** A 64-bit register as two words, each written on its own. */
export class AddressRegister {
  low = 0;
  high = 0;
}

/** Where the ring lies in the arena. */
export interface RingPlace {
  readonly descAt: number;
  readonly availAt: number;
  readonly usedAt: number;
}

export class QueueRegisters {
  size: number;
  vector = NO_VECTOR;
  enabled = false;
  /** Interrupt word that the data plane notifies, as posted last. */
  interruptWord: number | undefined;
  /** Number of the command that stops the ring, while a reset of this queue is under way. */
  resetting: number | undefined;
  readonly desc = new AddressRegister();
  readonly driver = new AddressRegister();
  readonly device = new AddressRegister();
  readonly index: number;
  private readonly sizeMax: number;

  /** `index` is the global number of the queue. */
  constructor(index: number, sizeMax: number) {
    this.index = index;
    this.sizeMax = sizeMax;
    this.size = sizeMax;
  }

  reset(): void {
    this.size = this.sizeMax;
    this.vector = NO_VECTOR;
    this.enabled = false;
    for (const register of [this.desc, this.driver, this.device]) register.low = register.high = 0;
  }

  /**
   * A power of two from 1 to what the device offered (2.7); false when the driver's size is not.
   */
  setSize(size: number): boolean {
    if (size === 0 || size > this.sizeMax || (size & (size - 1)) !== 0) return false;
    this.size = size;
    return true;
  }

  /** The three parts in the arena, each whole and aligned there (2.7.1), or undefined. */
  // [impl->req~queue.setup-valid~1]
  place(memory: GuestMemory): RingPlace | undefined {
    const part = ({ low, high }: AddressRegister, bytes: number, align: number): number => {
      const at = memory.translate(low | 0, high | 0, bytes);
      return at !== 0 && (at >>> 0) % align === 0 ? at : 0;
    };
    const descAt = part(this.desc, descriptorTableBytes(this.size), VIRTQ_ALIGN.DESC);
    const availAt = part(this.driver, availRingBytes(this.size), VIRTQ_ALIGN.AVAIL);
    const usedAt = part(this.device, usedRingBytes(this.size), VIRTQ_ALIGN.USED);
    return descAt === 0 || availAt === 0 || usedAt === 0 ? undefined : { descAt, availAt, usedAt };
  }
}
