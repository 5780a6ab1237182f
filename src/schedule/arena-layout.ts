/** Where everything lies in the arena: host areas first, then one slice per partition. */

export const WASM_PAGE = 65536;
/** One page short of 4 GiB, so that every end offset fits 32 bits. */
export const ARENA_PAGES_MAX = 65535;

/** Guest-physical address at which an embedded guest sees its slice: above 4 GiB on purpose. */
export const EMBEDDED_GUEST_PHYSICAL = 0x1_0000_0000;

/** Size of each buffer of an embedded guest's network driver. */
export const EMBEDDED_BUFFER_BYTES = 2048;

export const VECTORS_MAX = 64;
/**
 * Two packets of 65,535 bytes with all headers: the whole one, and the segment being cut from it.
 */
export const STAGING_HALF = 68 * 1024;
export const STAGING_BYTES = 2 * STAGING_HALF;
export const STATISTICS_BYTES = 16 * 1024;

/** Host scratch: the packet head, control commands, and one descriptor at a time. */
export const Scratch = {
  HEAD: 0,
  HEAD_BYTES: 512,
  COMMAND: 1024,
  COMMAND_BYTES: 2048,
  DESC: 3584,
  SIZE: 4096,
} as const;

/** Mailbox words for the register accesses of an embedded guest. */
export const MailboxWord = {
  STATE: 0,
  OPERATION: 1,
  FUNCTION: 2,
  OFFSET: 3,
  WIDTH: 4,
  LOW: 5,
  HIGH: 6,
  COUNT: 16,
} as const;

export interface ArenaLayout {
  readonly pages: number;
  readonly scratchAt: number;
  readonly devices: readonly DeviceArea[];
  readonly partitions: readonly PartitionArea[];
}

/** Memory regions of a device in its area of the arena: 4 words each. */
export const REGIONS_MAX = 32;
export const RegionWord = { START_LOW: 0, START_HIGH: 1, SIZE: 2, ARENA_AT: 3, COUNT: 4 } as const;

export interface DeviceArea {
  /** Table of memory regions that the next SET_MEMORY command takes over. */
  readonly regionsAt: number;
  /** Link and announce bits, one 32-bit word that both planes see. */
  readonly statusAt: number;
  /** One staging buffer per transmitq, for checksums and segmentation. */
  readonly stagingAt: readonly number[];
}

export interface PartitionArea {
  readonly sliceAt: number;
  readonly sliceBytes: number;
  readonly mailboxAt: number;
  /** Interrupt words, one per MSI-X vector and function. */
  readonly vectorsAt: readonly number[];
  readonly statisticsAt: number;
}

/** The one memory region of an embedded guest: its slice. */
export function embeddedRegion({ sliceAt, sliceBytes }: PartitionArea) {
  return { guestPhysical: EMBEDDED_GUEST_PHYSICAL, size: sliceBytes, arenaAt: sliceAt };
}

export interface LayoutRequest {
  readonly partitions: readonly { readonly memoryBytes: number; readonly devices: number }[];
  readonly devices: readonly { readonly queuePairs: number }[];
  /** Lowest offset of the first slice; tests place slices above 2 GiB with it. */
  readonly slicesFrom?: number;
}

const CACHE_LINE = 64;

class Bump {
  at = CACHE_LINE;

  take(bytes: number, align = CACHE_LINE): number {
    this.at = Math.ceil(this.at / align) * align;
    const start = this.at;
    this.at += bytes;
    return start;
  }
}

/**
 * Lays the arena out; `pages` may exceed {@link ARENA_PAGES_MAX}, which the configuration check
 * refuses.
 */
export function layOutArena(request: LayoutRequest): ArenaLayout {
  const bump = new Bump();
  const scratchAt = bump.take(Scratch.SIZE, 4096);
  const devices = request.devices.map((device) => ({
    statusAt: bump.take(CACHE_LINE),
    regionsAt: bump.take(REGIONS_MAX * RegionWord.COUNT * 4),
    stagingAt: Array.from({ length: device.queuePairs }, () => bump.take(STAGING_BYTES, 4096)),
  }));
  const host = request.partitions.map((partition) => ({
    mailboxAt: bump.take(MailboxWord.COUNT * 4),
    vectorsAt: Array.from({ length: partition.devices }, () => bump.take(VECTORS_MAX * 4)),
    statisticsAt: bump.take(STATISTICS_BYTES),
  }));
  bump.at = Math.max(bump.at, request.slicesFrom ?? 0);
  const partitions = request.partitions.map((partition, index) => ({
    ...host[index]!,
    sliceBytes: partition.memoryBytes,
    sliceAt: bump.take(partition.memoryBytes, WASM_PAGE),
  }));
  return { pages: Math.ceil(bump.at / WASM_PAGE), scratchAt, devices, partitions };
}
