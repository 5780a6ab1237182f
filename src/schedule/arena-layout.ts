/** Where everything lies in the arena: host areas first, then one slice per partition. */
import { CRC32_TABLES_BYTES } from '../base/crc32.ts';

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
  GPU_COMMAND: 4096,
  GPU_COMMAND_BYTES: 2048,
  GPU_ANSWER: 6144,
  SIZE: 8192,
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
  readonly displays: readonly PictureArea[];
  readonly planes: readonly PlaneArea[];
  /** Tables for CRC-32; 0 where nothing is displayed. */
  readonly crcTablesAt: number;
  readonly partitions: readonly PartitionArea[];
}

/** Pixels of a picture, row by row without gaps, four bytes each in the order B, G, R, X. */
export interface PictureArea {
  readonly pixelsAt: number;
  readonly bytes: number;
}

export interface PlaneArea extends PictureArea {
  /** What the plane shows in place of its own picture when its owner is lost; 0 where nothing. */
  readonly warningAt: number;
  /** The cursor's picture, four bytes per pixel with alpha. */
  readonly cursorAt: number;
  /** Words of the scanout's state, for whoever passes it on. */
  readonly stateAt: number;
}

/** Room for the words of a scanout's state. */
const SCANOUT_STATE_BYTES = 64;

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
  /** Pixels of the resources of virtio-gpu. */
  readonly resourcesAt: number;
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
  readonly devices: readonly DeviceRequest[];
  readonly displays?: readonly PictureRequest[];
  readonly planes?: readonly (PictureRequest & { readonly ownerLost: string })[];
  /** Lowest offset of the first slice; tests place slices above 2 GiB with it. */
  readonly slicesFrom?: number;
}

/** What a device needs in the arena; each type of device some of it. */
export interface DeviceRequest {
  readonly queuePairs?: number;
  readonly resourceBytes?: number;
}

export interface PictureRequest {
  readonly widthPx: number;
  readonly heightPx: number;
}

const CACHE_LINE = 64;
export const PAGE = 4096;
export const PIXEL_BYTES = 4;
/** 5.7.6.9: a cursor's picture is 64 by 64 pixels. */
const CURSOR_BYTES = 64 * 64 * PIXEL_BYTES;

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
  const scratchAt = bump.take(Scratch.SIZE, PAGE);
  const devices = request.devices.map((device) => ({
    statusAt: bump.take(CACHE_LINE),
    regionsAt: bump.take(REGIONS_MAX * RegionWord.COUNT * 4),
    stagingAt: Array.from({ length: device.queuePairs ?? 0 }, () => bump.take(STAGING_BYTES, PAGE)),
    resourcesAt: device.resourceBytes ? bump.take(device.resourceBytes, PAGE) : 0,
  }));
  const picture = ({ widthPx, heightPx }: PictureRequest): PictureArea => {
    const bytes = widthPx * heightPx * PIXEL_BYTES;
    return { bytes, pixelsAt: bump.take(bytes, PAGE) };
  };
  const displayed = request.displays ?? [];
  const crcTablesAt = displayed.length > 0 ? bump.take(CRC32_TABLES_BYTES) : 0;
  const displays = displayed.map(picture);
  const planes = (request.planes ?? []).map((plane) => {
    const own = picture(plane);
    return {
      ...own,
      warningAt: plane.ownerLost === 'warning' ? bump.take(own.bytes, PAGE) : 0,
      cursorAt: bump.take(CURSOR_BYTES, PAGE),
      stateAt: bump.take(SCANOUT_STATE_BYTES),
    };
  });
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
  return {
    pages: Math.ceil(bump.at / WASM_PAGE),
    scratchAt,
    devices,
    displays,
    planes,
    crcTablesAt,
    partitions,
  };
}
