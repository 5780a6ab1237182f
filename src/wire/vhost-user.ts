/**
 * vhost-user as QEMU documents it (docs/interop/vhost-user.rst); numbers are in host byte order,
 * which on every host of this gateway is little-endian.
 */

/** Header of every message. */
export const VhostHeader = { REQUEST: 0, FLAGS: 4, SIZE: 8, BYTES: 12 } as const;

export const VhostFlag = { VERSION: 1, VERSION_MASK: 3, REPLY: 4, NEED_REPLY: 8 } as const;

/** Flags of a reply, exactly: version 1 and the reply bit. */
export const REPLY_FLAGS = VhostFlag.VERSION | VhostFlag.REPLY;

/** Requests of the front-end. */
export const FrontendRequest = {
  GET_FEATURES: 1,
  SET_FEATURES: 2,
  SET_OWNER: 3,
  RESET_OWNER: 4,
  SET_MEM_TABLE: 5,
  SET_VRING_NUM: 8,
  SET_VRING_ADDR: 9,
  SET_VRING_BASE: 10,
  GET_VRING_BASE: 11,
  SET_VRING_KICK: 12,
  SET_VRING_CALL: 13,
  SET_VRING_ERR: 14,
  GET_PROTOCOL_FEATURES: 15,
  SET_PROTOCOL_FEATURES: 16,
  GET_QUEUE_NUM: 17,
  SET_VRING_ENABLE: 18,
  SEND_RARP: 19,
  NET_SET_MTU: 20,
  SET_BACKEND_REQ_FD: 21,
  GET_CONFIG: 24,
  SET_CONFIG: 25,
  GET_INFLIGHT_FD: 31,
  SET_INFLIGHT_FD: 32,
  /** Hands over the GPU channel of wire/vhost-user-gpu.ts. */
  GPU_SET_SOCKET: 33,
  RESET_DEVICE: 34,
  GET_MAX_MEM_SLOTS: 36,
  ADD_MEM_REG: 37,
  REM_MEM_REG: 38,
  SET_STATUS: 39,
  GET_STATUS: 40,
} as const;

/** Requests of the back-end, on the channel that the front-end hands over. */
export const BackendRequest = { CONFIG_CHANGE_MSG: 2 } as const;

/** Bits of the protocol features that this back-end knows. */
export const ProtocolFeature = {
  MQ: 0,
  RARP: 2,
  REPLY_ACK: 3,
  MTU: 4,
  BACKEND_REQ: 5,
  CONFIG: 9,
  INFLIGHT_SHMFD: 12,
  RESET_DEVICE: 13,
  CONFIGURE_MEM_SLOTS: 15,
  STATUS: 16,
} as const;

/** Among the device's features: the front-end may negotiate protocol features. */
export const VHOST_USER_F_PROTOCOL_FEATURES = 30;

/** One memory region of a table. */
export const VhostRegion = {
  GUEST_PHYSICAL: 0,
  SIZE: 8,
  USER_ADDRESS: 16,
  FILE_OFFSET: 24,
  BYTES: 32,
} as const;

/** Payload of SET_VRING_ADDR; the areas are user addresses, the order is not that of VIRTIO. */
export const VringAddr = { INDEX: 0, FLAGS: 4, DESC: 8, USED: 16, AVAIL: 24, BYTES: 40 } as const;

/** In the u64 of SET_VRING_KICK, CALL and ERR: which ring, and that no descriptor comes along. */
export const VringFd = { INDEX_MASK: 0xff, NO_FD: 0x100 } as const;

/** Payload of GET_CONFIG and SET_CONFIG in front of the bytes. */
export const VhostConfig = { OFFSET: 0, SIZE: 4, FLAGS: 8, BYTES: 12, DATA_MAX: 256 } as const;

/** Payload of GET_INFLIGHT_FD and SET_INFLIGHT_FD. */
export const VhostInflight = {
  MMAP_SIZE: 0,
  MMAP_OFFSET: 8,
  QUEUES: 16,
  QUEUE_SIZE: 18,
  BYTES: 20,
  PADDING: 4,
} as const;

/** Regions of one table: what a front-end may have mapped at a time. */
export const MEMORY_SLOTS_MAX = 32;
/** The largest payload of any request: a full memory table; GET_CONFIG is smaller. */
export const PAYLOAD_BYTES_MAX = 8 + MEMORY_SLOTS_MAX * VhostRegion.BYTES;
