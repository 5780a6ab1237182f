/** Byte layout of the GPU device (VIRTIO 1.4, 5.7), little-endian. */
// [impl->req~gpu.wire-exact~1]

/** struct virtio_gpu_ctrl_hdr begins every request and every response (5.7.6.7). */
export const GpuHeader = {
  TYPE: 0,
  FLAGS: 4,
  FENCE_ID: 8,
  CTX_ID: 16,
  RING_IDX: 20,
  SIZE: 24,
} as const;

export const GpuHeaderFlag = { FENCE: 1, INFO_RING_IDX: 2 } as const;

/** The request types without those of 3D mode: of controlq, and from 0x300 on of cursorq. */
export const GpuCommand = {
  GET_DISPLAY_INFO: 0x100,
  RESOURCE_CREATE_2D: 0x101,
  RESOURCE_UNREF: 0x102,
  SET_SCANOUT: 0x103,
  RESOURCE_FLUSH: 0x104,
  TRANSFER_TO_HOST_2D: 0x105,
  RESOURCE_ATTACH_BACKING: 0x106,
  RESOURCE_DETACH_BACKING: 0x107,
  GET_CAPSET_INFO: 0x108,
  GET_CAPSET: 0x109,
  GET_EDID: 0x10a,
  RESOURCE_ASSIGN_UUID: 0x10b,
  RESOURCE_CREATE_BLOB: 0x10c,
  SET_SCANOUT_BLOB: 0x10d,
  UPDATE_CURSOR: 0x300,
  MOVE_CURSOR: 0x301,
} as const;

export const GpuResponse = {
  OK_NODATA: 0x1100,
  OK_DISPLAY_INFO: 0x1101,
  OK_CAPSET_INFO: 0x1102,
  OK_CAPSET: 0x1103,
  OK_EDID: 0x1104,
  OK_RESOURCE_UUID: 0x1105,
  OK_MAP_INFO: 0x1106,
  ERR_UNSPEC: 0x1200,
  ERR_OUT_OF_MEMORY: 0x1201,
  ERR_INVALID_SCANOUT_ID: 0x1202,
  ERR_INVALID_RESOURCE_ID: 0x1203,
  ERR_INVALID_CONTEXT_ID: 0x1204,
  ERR_INVALID_PARAMETER: 0x1205,
} as const;

/** Pixel formats: a name lists the bytes of a pixel in the order of their addresses. */
export const GpuFormat = {
  B8G8R8A8_UNORM: 1,
  B8G8R8X8_UNORM: 2,
  A8R8G8B8_UNORM: 3,
  X8R8G8B8_UNORM: 4,
  R8G8B8A8_UNORM: 67,
  X8B8G8R8_UNORM: 68,
  A8B8G8R8_UNORM: 121,
  R8G8B8X8_UNORM: 134,
} as const;

/** Every format has 32 bits per pixel. */
export const GPU_PIXEL_BYTES = 4;

export const GPU_SCANOUTS_MAX = 16;
/** Width and height of every cursor picture (5.7.6.6). */
export const GPU_CURSOR_SIDE = 64;

/**
 * struct virtio_gpu_config (5.7.4), as far as the features of this gateway make fields valid: what
 * follows belongs to BLOB_ALIGNMENT.
 */
export const GpuConfig = {
  EVENTS_READ: 0,
  EVENTS_CLEAR: 4,
  NUM_SCANOUTS: 8,
  NUM_CAPSETS: 12,
  SIZE: 16,
} as const;

export const GpuEvent = { DISPLAY: 1 } as const;

/** struct virtio_gpu_rect. */
export const GpuRect = { X: 0, Y: 4, WIDTH: 8, HEIGHT: 12, SIZE: 16 } as const;

/** Requests of controlq (5.7.6.8); offsets count from the header. */
export const GpuResourceCreate2d = {
  RESOURCE_ID: 24,
  FORMAT: 28,
  WIDTH: 32,
  HEIGHT: 36,
  SIZE: 40,
} as const;

/** RESOURCE_UNREF, RESOURCE_DETACH_BACKING and RESOURCE_ASSIGN_UUID name a resource, no more. */
export const GpuResourceOnly = { RESOURCE_ID: 24, SIZE: 32 } as const;

export const GpuSetScanout = { RECT: 24, SCANOUT_ID: 40, RESOURCE_ID: 44, SIZE: 48 } as const;

export const GpuResourceFlush = { RECT: 24, RESOURCE_ID: 40, SIZE: 48 } as const;

export const GpuTransferToHost2d = { RECT: 24, OFFSET: 40, RESOURCE_ID: 48, SIZE: 56 } as const;

/** As many {@link GpuMemEntry} as NR_ENTRIES says follow. */
export const GpuAttachBacking = { RESOURCE_ID: 24, NR_ENTRIES: 28, SIZE: 32 } as const;

export const GpuMemEntry = { ADDR: 0, LENGTH: 8, SIZE: 16 } as const;

export const GpuGetCapsetInfo = { CAPSET_INDEX: 24, SIZE: 32 } as const;

export const GpuGetCapset = { CAPSET_ID: 24, CAPSET_VERSION: 28, SIZE: 32 } as const;

export const GpuGetEdid = { SCANOUT: 24, SIZE: 32 } as const;

/** As many {@link GpuMemEntry} as NR_ENTRIES says follow; BLOB_SIZE is the field called size. */
export const GpuCreateBlob = {
  RESOURCE_ID: 24,
  BLOB_MEM: 28,
  BLOB_FLAGS: 32,
  NR_ENTRIES: 36,
  BLOB_ID: 40,
  BLOB_SIZE: 48,
  SIZE: 56,
} as const;

export const GpuBlobMem = { GUEST: 1, HOST3D: 2, HOST3D_GUEST: 3 } as const;
export const GpuBlobFlag = { USE_MAPPABLE: 1, USE_SHAREABLE: 2, USE_CROSS_DEVICE: 4 } as const;

/** Four strides and four offsets; a picture of {@link GpuFormat} uses the first of each. */
export const GpuSetScanoutBlob = {
  RECT: 24,
  SCANOUT_ID: 40,
  RESOURCE_ID: 44,
  WIDTH: 48,
  HEIGHT: 52,
  FORMAT: 56,
  STRIDES: 64,
  OFFSETS: 80,
  SIZE: 96,
} as const;

/** Both requests of cursorq (5.7.6.10). */
export const GpuUpdateCursor = {
  SCANOUT_ID: 24,
  X: 28,
  Y: 32,
  RESOURCE_ID: 40,
  HOT_X: 44,
  HOT_Y: 48,
  SIZE: 56,
} as const;

/** Response OK_DISPLAY_INFO: {@link GPU_SCANOUTS_MAX} times {@link GpuDisplayMode}. */
export const GpuDisplayInfo = { MODES: 24, SIZE: 408 } as const;

export const GpuDisplayMode = { RECT: 0, ENABLED: 16, FLAGS: 20, SIZE: 24 } as const;

export const GpuCapsetInfo = {
  CAPSET_ID: 24,
  CAPSET_MAX_VERSION: 28,
  CAPSET_MAX_SIZE: 32,
  SIZE: 40,
} as const;

/** EDID_SIZE is the field called size: how many of the EDID_BYTES are valid. */
export const GpuEdid = { EDID_SIZE: 24, EDID: 32, EDID_BYTES: 1024, SIZE: 1056 } as const;

export const GpuResourceUuid = { UUID: 24, UUID_BYTES: 16, SIZE: 40 } as const;
