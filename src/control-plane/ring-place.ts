/** Where the three parts of a ring lie in the arena, checked whole and aligned there. */
import type { GuestMemory } from '../data-plane/guest-memory.ts';
import {
  availRingBytes,
  descriptorTableBytes,
  PACKED_ALIGN,
  PackedEvent,
  usedRingBytes,
  VIRTQ_ALIGN,
} from '../wire/virtqueue.ts';

/** A 64-bit address as its two words. */
export interface Address {
  readonly low: number;
  readonly high: number;
}

export interface RingAddresses {
  readonly desc: Address;
  readonly driver: Address;
  readonly device: Address;
}

export interface RingPlace {
  readonly descAt: number;
  readonly availAt: number;
  readonly usedAt: number;
}

/** What a driver, or its front-end, says of a ring before it starts. */
export interface RingRegisters extends RingAddresses {
  readonly size: number;
}

/** From 1 to what the device offers, and a power of two if the ring is split (2.7, 2.8.10.1). */
export function isRingSize(size: number, sizeMax: number, packed: boolean): boolean {
  return size >= 1 && size <= sizeMax && (packed || (size & (size - 1)) === 0);
}

/** Undefined where a part is outside the memory or misaligned (2.7.1, 2.8.10.1). */
// [impl->req~queue.setup-valid~1]
export function placeRing(
  memory: GuestMemory,
  { size, desc, driver, device }: RingRegisters,
  packed: boolean,
): RingPlace | undefined {
  const part = ({ low, high }: Address, bytes: number, align: number): number => {
    const at = memory.translate(low | 0, high | 0, bytes);
    return at !== 0 && (at >>> 0) % align === 0 ? at : 0;
  };
  const event = (address: Address) => part(address, PackedEvent.SIZE, PACKED_ALIGN.EVENT);
  const descAt = part(desc, descriptorTableBytes(size), VIRTQ_ALIGN.DESC);
  const availAt = packed ? event(driver) : part(driver, availRingBytes(size), VIRTQ_ALIGN.AVAIL);
  const usedAt = packed ? event(device) : part(device, usedRingBytes(size), VIRTQ_ALIGN.USED);
  return descAt === 0 || availAt === 0 || usedAt === 0 ? undefined : { descAt, availAt, usedAt };
}
