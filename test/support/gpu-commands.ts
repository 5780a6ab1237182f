/** The bytes of GPU commands as a driver writes them (VIRTIO 5.7.6), honest or hostile. */
import {
  GpuAttachBacking,
  GpuBlobMem,
  GpuCommand,
  GpuCreateBlob,
  GpuFormat,
  GpuGetEdid,
  GpuHeader,
  GpuHeaderFlag,
  GpuMemEntry,
  GpuRect,
  GpuResourceCreate2d,
  GpuResourceFlush,
  GpuResourceOnly,
  GpuSetScanout,
  GpuSetScanoutBlob,
  GpuTransferToHost2d,
  GpuUpdateCursor,
} from '../../src/wire/virtio-gpu.ts';

export interface Header {
  readonly flags?: number;
  readonly fence?: bigint;
  readonly context?: number;
  readonly ring?: number;
}

export const FENCED: Header = { flags: GpuHeaderFlag.FENCE, fence: 0x1122334455667788n };

/** x, y, width, height. */
export type RectPx = readonly [number, number, number, number];

export interface Entry {
  readonly address: number;
  readonly length: number;
}

/** A structure of `size` bytes with a header of this type and these 32-bit fields. */
export function structure(
  type: number,
  size: number,
  fields: Readonly<Record<number, number>>,
  { flags = 0, fence = 0n, context = 0, ring = 0 }: Header = {},
): number[] {
  const view = new DataView(new ArrayBuffer(Math.max(size, GpuHeader.SIZE)));
  view.setUint32(GpuHeader.TYPE, type, true);
  view.setUint32(GpuHeader.FLAGS, flags, true);
  view.setBigUint64(GpuHeader.FENCE_ID, fence, true);
  view.setUint32(GpuHeader.CTX_ID, context, true);
  view.setUint8(GpuHeader.RING_IDX, ring);
  for (const [at, value] of Object.entries(fields)) view.setUint32(Number(at), value >>> 0, true);
  return [...new Uint8Array(view.buffer)];
}

function rectangle(at: number, [x, y, width, height]: RectPx): Record<number, number> {
  return {
    [at + GpuRect.X]: x,
    [at + GpuRect.Y]: y,
    [at + GpuRect.WIDTH]: width,
    [at + GpuRect.HEIGHT]: height,
  };
}

/** struct virtio_gpu_mem_entry, as often as there are entries. */
export function entryBytes(entries: readonly Entry[]): number[] {
  const view = new DataView(new ArrayBuffer(entries.length * GpuMemEntry.SIZE));
  entries.forEach(({ address, length }, n) => {
    const at = n * GpuMemEntry.SIZE;
    view.setUint32(at + GpuMemEntry.ADDR, address % 2 ** 32, true);
    view.setUint32(at + GpuMemEntry.ADDR + 4, Math.floor(address / 2 ** 32), true);
    view.setUint32(at + GpuMemEntry.LENGTH, length >>> 0, true);
  });
  return [...new Uint8Array(view.buffer)];
}

export function getDisplayInfo(header?: Header): number[] {
  return structure(GpuCommand.GET_DISPLAY_INFO, GpuHeader.SIZE, {}, header);
}

export function getEdid(scanout: number, header?: Header): number[] {
  return structure(GpuCommand.GET_EDID, GpuGetEdid.SIZE, { [GpuGetEdid.SCANOUT]: scanout }, header);
}

export function create2d(
  id: number,
  width: number,
  height: number,
  format: number = GpuFormat.B8G8R8X8_UNORM,
  header?: Header,
): number[] {
  const { RESOURCE_ID, FORMAT, WIDTH, HEIGHT, SIZE } = GpuResourceCreate2d;
  const fields = { [RESOURCE_ID]: id, [FORMAT]: format, [WIDTH]: width, [HEIGHT]: height };
  return structure(GpuCommand.RESOURCE_CREATE_2D, SIZE, fields, header);
}

function naming(type: number, id: number, header?: Header): number[] {
  return structure(type, GpuResourceOnly.SIZE, { [GpuResourceOnly.RESOURCE_ID]: id }, header);
}

export function unref(id: number, header?: Header): number[] {
  return naming(GpuCommand.RESOURCE_UNREF, id, header);
}

export function detach(id: number, header?: Header): number[] {
  return naming(GpuCommand.RESOURCE_DETACH_BACKING, id, header);
}

export function assignUuid(id: number, header?: Header): number[] {
  return naming(GpuCommand.RESOURCE_ASSIGN_UUID, id, header);
}

export function attach(
  id: number,
  entries: readonly Entry[],
  count = entries.length,
  header?: Header,
): number[] {
  const fields = { [GpuAttachBacking.RESOURCE_ID]: id, [GpuAttachBacking.NR_ENTRIES]: count };
  return [
    ...structure(GpuCommand.RESOURCE_ATTACH_BACKING, GpuAttachBacking.SIZE, fields, header),
    ...entryBytes(entries),
  ];
}

export function setScanout(scanout: number, id: number, rect: RectPx, header?: Header): number[] {
  const { SCANOUT_ID, RESOURCE_ID, RECT, SIZE } = GpuSetScanout;
  const fields = { ...rectangle(RECT, rect), [SCANOUT_ID]: scanout, [RESOURCE_ID]: id };
  return structure(GpuCommand.SET_SCANOUT, SIZE, fields, header);
}

export function flush(id: number, rect: RectPx, header?: Header): number[] {
  const fields = { ...rectangle(GpuResourceFlush.RECT, rect), [GpuResourceFlush.RESOURCE_ID]: id };
  return structure(GpuCommand.RESOURCE_FLUSH, GpuResourceFlush.SIZE, fields, header);
}

/** `offset`: 64 bits as a number. */
export function transfer(id: number, rect: RectPx, offset = 0, header?: Header): number[] {
  const { RECT, OFFSET, RESOURCE_ID, SIZE } = GpuTransferToHost2d;
  const fields = {
    ...rectangle(RECT, rect),
    [OFFSET]: offset % 2 ** 32,
    [OFFSET + 4]: Math.floor(offset / 2 ** 32),
    [RESOURCE_ID]: id,
  };
  return structure(GpuCommand.TRANSFER_TO_HOST_2D, SIZE, fields, header);
}

export interface BlobOptions {
  readonly memory?: number;
  readonly count?: number;
  readonly header?: Header;
}

export function createBlob(
  id: number,
  bytes: number,
  entries: readonly Entry[],
  { memory = GpuBlobMem.GUEST, count = entries.length, header }: BlobOptions = {},
): number[] {
  const fields = {
    [GpuCreateBlob.RESOURCE_ID]: id,
    [GpuCreateBlob.BLOB_MEM]: memory,
    [GpuCreateBlob.NR_ENTRIES]: count,
    [GpuCreateBlob.BLOB_SIZE]: bytes % 2 ** 32,
    [GpuCreateBlob.BLOB_SIZE + 4]: Math.floor(bytes / 2 ** 32),
  };
  return [
    ...structure(GpuCommand.RESOURCE_CREATE_BLOB, GpuCreateBlob.SIZE, fields, header),
    ...entryBytes(entries),
  ];
}

export interface BlobScanout {
  readonly scanout?: number;
  readonly rect: RectPx;
  readonly width: number;
  readonly height: number;
  readonly format?: number;
  readonly stride?: number;
  readonly offset?: number;
}

export function setScanoutBlob(
  id: number,
  {
    scanout = 0,
    rect,
    width,
    height,
    format = GpuFormat.B8G8R8X8_UNORM,
    stride = 4 * width,
    offset = 0,
  }: BlobScanout,
  header?: Header,
): number[] {
  const fields = {
    ...rectangle(GpuSetScanoutBlob.RECT, rect),
    [GpuSetScanoutBlob.SCANOUT_ID]: scanout,
    [GpuSetScanoutBlob.RESOURCE_ID]: id,
    [GpuSetScanoutBlob.WIDTH]: width,
    [GpuSetScanoutBlob.HEIGHT]: height,
    [GpuSetScanoutBlob.FORMAT]: format,
    [GpuSetScanoutBlob.STRIDES]: stride,
    [GpuSetScanoutBlob.OFFSETS]: offset,
  };
  return structure(GpuCommand.SET_SCANOUT_BLOB, GpuSetScanoutBlob.SIZE, fields, header);
}

export interface CursorPlace {
  readonly scanout?: number;
  readonly id?: number;
  readonly x?: number;
  readonly y?: number;
  readonly hotX?: number;
  readonly hotY?: number;
}

function cursor(
  type: number,
  { scanout = 0, id = 0, x = 0, y = 0, hotX = 0, hotY = 0 }: CursorPlace,
  header?: Header,
): number[] {
  const fields = {
    [GpuUpdateCursor.SCANOUT_ID]: scanout,
    [GpuUpdateCursor.X]: x,
    [GpuUpdateCursor.Y]: y,
    [GpuUpdateCursor.RESOURCE_ID]: id,
    [GpuUpdateCursor.HOT_X]: hotX,
    [GpuUpdateCursor.HOT_Y]: hotY,
  };
  return structure(type, GpuUpdateCursor.SIZE, fields, header);
}

export function updateCursor(place: CursorPlace, header?: Header): number[] {
  return cursor(GpuCommand.UPDATE_CURSOR, place, header);
}

export function moveCursor(place: CursorPlace, header?: Header): number[] {
  return cursor(GpuCommand.MOVE_CURSOR, place, header);
}
