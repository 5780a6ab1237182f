/** Vhost-user messages as bytes, honest or malformed; written from the protocol's documentation alone. */

/** Front-end message types. */
export const Request = {
  GET_FEATURES: 1,
  SET_FEATURES: 2,
  SET_OWNER: 3,
  RESET_OWNER: 4,
  SET_MEM_TABLE: 5,
  SET_LOG_BASE: 6,
  SET_LOG_FD: 7,
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
  IOTLB_MSG: 22,
  SET_VRING_ENDIAN: 23,
  GET_CONFIG: 24,
  SET_CONFIG: 25,
  CREATE_CRYPTO_SESSION: 26,
  CLOSE_CRYPTO_SESSION: 27,
  POSTCOPY_ADVISE: 28,
  POSTCOPY_LISTEN: 29,
  POSTCOPY_END: 30,
  GET_INFLIGHT_FD: 31,
  SET_INFLIGHT_FD: 32,
  GPU_SET_SOCKET: 33,
  RESET_DEVICE: 34,
  VRING_KICK: 35,
  GET_MAX_MEM_SLOTS: 36,
  ADD_MEM_REG: 37,
  REM_MEM_REG: 38,
  SET_STATUS: 39,
  GET_STATUS: 40,
  GET_SHARED_OBJECT: 41,
  SET_DEVICE_STATE_FD: 42,
  CHECK_DEVICE_STATE: 43,
} as const;

/** Bits of the protocol features. */
export const ProtocolBit = {
  MQ: 0,
  LOG_SHMFD: 1,
  RARP: 2,
  REPLY_ACK: 3,
  MTU: 4,
  BACKEND_REQ: 5,
  CROSS_ENDIAN: 6,
  CRYPTO_SESSION: 7,
  PAGEFAULT: 8,
  CONFIG: 9,
  BACKEND_SEND_FD: 10,
  HOST_NOTIFIER: 11,
  INFLIGHT_SHMFD: 12,
  RESET_DEVICE: 13,
  INBAND_NOTIFICATIONS: 14,
  CONFIGURE_MEM_SLOTS: 15,
  STATUS: 16,
  XEN_MMAP: 17,
  SHARED_OBJECT: 18,
  DEVICE_STATE: 19,
} as const;

/** Header flags: the version in the lower two bits, then reply and need_reply. */
export const HeaderFlag = { VERSION: 1, REPLY: 4, NEED_REPLY: 8 } as const;

export const HEADER_BYTES = 12;
/** VHOST_USER_F_PROTOCOL_FEATURES. */
export const PROTOCOL_FEATURES = 1n << 30n;
/** VHOST_F_LOG_ALL. */
export const LOG_ALL = 1n << 26n;
/** Bit 8 of kick, call and error messages: no descriptor comes with it. */
export const NO_DESCRIPTOR = 0x100;

export interface Message {
  readonly request: number;
  readonly flags: number;
  readonly payload: Buffer;
  readonly descriptors: readonly number[];
}

/** What to send; `size` and `flags` are right where they are not given. */
export interface Outgoing {
  readonly request: number;
  readonly payload?: Buffer;
  readonly descriptors?: readonly number[];
  readonly flags?: number;
  readonly size?: number;
}

export type Wide = number | bigint;

export function encode({ request, payload = Buffer.alloc(0), flags = 1, size }: Outgoing): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(request, 0);
  header.writeUInt32LE(flags, 4);
  header.writeUInt32LE(size ?? payload.length, 8);
  return Buffer.concat([header, payload]);
}

/** 64-bit words. */
export function u64(...values: readonly Wide[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, n) => bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 8 * n));
  return bytes;
}

/** 32-bit words. */
export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, n) => bytes.writeUInt32LE(value, 4 * n));
  return bytes;
}

export interface RingAddresses {
  readonly flags?: number;
  readonly desc: Wide;
  readonly used: Wide;
  readonly avail: Wide;
  readonly log?: Wide;
}

/** The payload of SET_VRING_ADDR: the used ring comes before the available ring. */
export function ringAddresses(index: number, addresses: RingAddresses): Buffer {
  const { flags = 0, desc, used, avail, log = 0 } = addresses;
  return Buffer.concat([u32(index, flags), u64(desc, used, avail, log)]);
}

/** One entry of a memory table. */
export interface RegionFields {
  readonly guest: Wide;
  readonly size: Wide;
  readonly user: Wide;
  readonly offset: Wide;
}

function regionBytes({ guest, size, user, offset }: RegionFields): Buffer {
  return u64(guest, size, user, offset);
}

/** The payload of SET_MEM_TABLE; `count` and `padding` are right where they are not given. */
export function memoryTable(
  regions: readonly RegionFields[],
  { count = regions.length, padding = 0 }: { count?: number; padding?: number } = {},
): Buffer {
  return Buffer.concat([u32(count, padding), ...regions.map(regionBytes)]);
}

/** The payload of ADD_MEM_REG and REM_MEM_REG. */
export function singleRegion(region: RegionFields, padding: Wide = 0): Buffer {
  return Buffer.concat([u64(padding), regionBytes(region)]);
}

/** The payload of GET_CONFIG and SET_CONFIG. */
export function configAccess(
  offset: number,
  size: number,
  {
    flags = 0,
    bytes = Buffer.alloc(Math.min(size, 4096)),
  }: { flags?: number; bytes?: Buffer } = {},
): Buffer {
  return Buffer.concat([u32(offset, size, flags), bytes]);
}

export interface InflightFields {
  readonly mmapSize?: Wide;
  readonly mmapOffset?: Wide;
  readonly queues: number;
  readonly queueSize: number;
}

/** The payload of GET_INFLIGHT_FD and SET_INFLIGHT_FD, without padding at its end. */
export function inflight(fields: InflightFields): Buffer {
  const { mmapSize = 0, mmapOffset = 0, queues, queueSize } = fields;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(queues, 0);
  bytes.writeUInt16LE(queueSize, 2);
  return Buffer.concat([u64(mmapSize, mmapOffset), bytes]);
}

/** Name of a request, for titles and failures. */
export function requestName(request: number): string {
  return Object.entries(Request).find(([, id]) => id === request)?.[0] ?? `request ${request}`;
}
