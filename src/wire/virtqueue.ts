/** Byte layout of split and packed virtqueues (VIRTIO 1.4, 2.7, 2.8); all little-endian. */

/** Descriptor table entry (2.7.5). */
export const VirtqDesc = { ADDR: 0, LEN: 8, FLAGS: 12, NEXT: 14, SIZE: 16 } as const;
export const VirtqDescFlag = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;

/** Descriptor of a packed ring (2.8.13), and what its flags have besides those above (2.8.1). */
export const PackedDesc = { ADDR: 0, LEN: 8, ID: 12, FLAGS: 14, SIZE: 16 } as const;
export const PackedDescFlag = { AVAIL: 1 << 7, USED: 1 << 15 } as const;

/** Event suppression structure of a packed ring (2.8.14): position with wrap counter, flags. */
export const PackedEvent = { OFFSET: 0, FLAGS: 2, SIZE: 4 } as const;
export const PackedEventFlags = { ENABLE: 0, DISABLE: 1, DESC: 2, MASK: 3 } as const;
/** The wrap counter beside a ring position (2.8.14). */
export const PACKED_WRAP = 1 << 15;

/** Available ring (2.7.6): flags, idx, ring[size], used_event. */
export const VirtqAvail = { FLAGS: 0, IDX: 2, RING: 4, ELEMENT_SIZE: 2, NO_INTERRUPT: 1 } as const;

/** Used ring (2.7.8): flags, idx, ring[size] of (id, len), avail_event. */
export const VirtqUsed = { FLAGS: 0, IDX: 2, RING: 4, ELEMENT_SIZE: 8, NO_NOTIFY: 1 } as const;

/** Alignments of 2.7; those of 2.8.10.1, where the ring is aligned like a descriptor table. */
export const VIRTQ_ALIGN = { DESC: 16, AVAIL: 2, USED: 4 } as const;
export const PACKED_ALIGN = { EVENT: 4 } as const;

export function descriptorTableBytes(size: number): number {
  return VirtqDesc.SIZE * size;
}

/** With room for used_event, which exists whether or not EVENT_IDX is negotiated (2.7.6). */
export function availRingBytes(size: number): number {
  return VirtqAvail.RING + VirtqAvail.ELEMENT_SIZE * size + 2;
}

/** With room for avail_event (2.7.8). */
export function usedRingBytes(size: number): number {
  return VirtqUsed.RING + VirtqUsed.ELEMENT_SIZE * size + 2;
}
