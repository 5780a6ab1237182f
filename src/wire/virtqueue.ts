/** Byte layout of the split virtqueue (VIRTIO 1.4, 2.7); all fields little-endian. */

/** Descriptor table entry (2.7.5). */
export const VirtqDesc = { ADDR: 0, LEN: 8, FLAGS: 12, NEXT: 14, SIZE: 16 } as const;
export const VirtqDescFlag = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;

/** Available ring (2.7.6): flags, idx, ring[size], used_event. */
export const VirtqAvail = { FLAGS: 0, IDX: 2, RING: 4, ELEMENT_SIZE: 2, NO_INTERRUPT: 1 } as const;

/** Used ring (2.7.8): flags, idx, ring[size] of (id, len), avail_event. */
export const VirtqUsed = { FLAGS: 0, IDX: 2, RING: 4, ELEMENT_SIZE: 8, NO_NOTIFY: 1 } as const;

/** Alignments of 2.7. */
export const VIRTQ_ALIGN = { DESC: 16, AVAIL: 2, USED: 4 } as const;

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
