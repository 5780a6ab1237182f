/**
 * The GPU channel as QEMU documents it (docs/interop/vhost-user-gpu.rst): the back-end asks, the
 * front-end shows. Numbers are in host byte order, which on every host of this gateway is
 * little-endian; the two replies of VIRTIO structures are little-endian by that standard.
 */
// [impl->req~gpu.wire-exact~1]

/** Header of every message; the only flag says that it is a reply. */
export const GpuChannelHeader = { REQUEST: 0, FLAGS: 4, PAYLOAD_BYTES: 8, SIZE: 12 } as const;

export const GPU_CHANNEL_REPLY = 4;

export const GpuChannelRequest = {
  GET_PROTOCOL_FEATURES: 1,
  SET_PROTOCOL_FEATURES: 2,
  GET_DISPLAY_INFO: 3,
  CURSOR_POS: 4,
  CURSOR_POS_HIDE: 5,
  CURSOR_UPDATE: 6,
  SCANOUT: 7,
  UPDATE: 8,
  DMABUF_SCANOUT: 9,
  DMABUF_UPDATE: 10,
  GET_EDID: 11,
  DMABUF_SCANOUT2: 12,
} as const;

/** Bits of the u64 of GET_PROTOCOL_FEATURES and SET_PROTOCOL_FEATURES. */
export const GpuChannelFeature = { EDID: 0, DMABUF2: 1 } as const;
export const GPU_CHANNEL_FEATURES_BYTES = 8;

/** Payload of CURSOR_POS and CURSOR_POS_HIDE. */
export const GpuChannelCursorPos = { SCANOUT_ID: 0, X: 4, Y: 8, SIZE: 12 } as const;

/** Payload of CURSOR_UPDATE: PIXELS are 64 x 64 of pixman's a8r8g8b8, so bytes B, G, R, A. */
export const GpuChannelCursorUpdate = {
  SCANOUT_ID: 0,
  X: 4,
  Y: 8,
  HOT_X: 12,
  HOT_Y: 16,
  PIXELS: 20,
  SIZE: 16404,
} as const;

/** Payload of SCANOUT; a width or height of 0 disables it. */
export const GpuChannelScanout = { SCANOUT_ID: 0, WIDTH: 4, HEIGHT: 8, SIZE: 12 } as const;

/**
 * Payload of UPDATE in front of WIDTH x HEIGHT pixels of pixman's x8r8g8b8, so bytes B, G, R, X;
 * the whole payload of DMABUF_UPDATE.
 */
export const GpuChannelUpdate = {
  SCANOUT_ID: 0,
  X: 4,
  Y: 8,
  WIDTH: 12,
  HEIGHT: 16,
  SIZE: 20,
} as const;

/** Payload of DMABUF_SCANOUT; DMABUF_SCANOUT2 has a u64 of modifiers behind it. */
export const GpuChannelDmabufScanout = {
  SCANOUT_ID: 0,
  X: 4,
  Y: 8,
  WIDTH: 12,
  HEIGHT: 16,
  FD_WIDTH: 20,
  FD_HEIGHT: 24,
  FD_STRIDE: 28,
  FD_FLAGS: 32,
  FD_FOURCC: 36,
  SIZE: 40,
  MODIFIER: 40,
  SIZE_WITH_MODIFIER: 48,
} as const;

/**
 * Payload of GET_EDID: the scanout. It is answered with VIRTIO's OK_EDID, GET_DISPLAY_INFO with its
 * OK_DISPLAY_INFO, header included.
 */
export const GPU_CHANNEL_EDID_BYTES = 4;
