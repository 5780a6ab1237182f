/**
 * The registers of one virtqueue (4.1.4.3): what the driver has set, and whether it may still set
 * it.
 */
import { NO_VECTOR } from '../../wire/virtio-pci.ts';
import type { GuestMemory } from '../../data-plane/guest-memory.ts';
import { isRingSize, placeRing, type RingPlace } from '../ring-place.ts';

/** A 64-bit register as two words, each written on its own. */
export class AddressRegister {
  low = 0;
  high = 0;
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
   * From 1 to what the device offered, and a power of two if the ring is split (2.7, 2.8.10.1);
   * false when the driver's size is not.
   */
  setSize(size: number, packed: boolean): boolean {
    if (!isRingSize(size, this.sizeMax, packed)) return false;
    this.size = size;
    return true;
  }

  /** Where the ring lies in the arena, or undefined when it cannot lie where the driver says. */
  place(memory: GuestMemory, packed: boolean): RingPlace | undefined {
    return placeRing(memory, this, packed);
  }
}
