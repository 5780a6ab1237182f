/** vhost-user messages in words, for a person who follows what a front-end does. */
import { namesOf, type FeatureBits } from '../../wire/features.ts';
import {
  FrontendRequest,
  ProtocolFeature,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VhostConfig,
  VhostInflight,
  VhostRegion,
  VringAddr,
  VringFd,
} from '../../wire/vhost-user.ts';
import type { DeviceType } from '../../wire/virtio.ts';
import { Message, type Outcome } from './message.ts';
import { hasForm, requestName } from './requests/index.ts';

/** How one request reads: what it carries, and what the answer to it says. */
interface Wording {
  readonly payload?: (message: Message, type: DeviceType) => string;
  readonly reply?: (answer: Message, type: DeviceType) => string;
}

const COUNT_BYTES = 8;
const hex = (value: number) => `0x${value.toString(16)}`;

function hexAt(message: Message, at: number): string {
  const high = message.u32(at + 4);
  const low = message.u32(at);
  return high === 0 ? hex(low) : `${hex(high)}${low.toString(16).padStart(8, '0')}`;
}

function bytesText({ payload }: Message, from: number): string {
  const { buffer, byteOffset, byteLength } = payload;
  const bytes = [...new Uint8Array(buffer, byteOffset + from, byteLength - from)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** A set of bits, and the names of those that have one. */
function named(message: Message, names: readonly string[]): string {
  return `${hexAt(message, 0)}${names.length > 0 ? ` (${names.join(' ')})` : ''}`;
}

function features(message: Message, type: DeviceType): string {
  const bits: FeatureBits = { low: message.u32(0), high: message.u32(4) };
  const own = (bits.low >>> VHOST_USER_F_PROTOCOL_FEATURES) & 1;
  const names = namesOf(type, bits);
  return named(message, own === 1 ? [...names, 'VHOST_USER_F_PROTOCOL_FEATURES'] : names);
}

function protocolFeatures(message: Message): string {
  const low = message.u32(0);
  const set = Object.entries(ProtocolFeature).filter(([, bit]) => ((low >>> bit) & 1) === 1);
  return named(
    message,
    set.map(([name]) => name),
  );
}

function region(message: Message, at: number): string {
  const [guest, size, user, offset] = [
    VhostRegion.GUEST_PHYSICAL,
    VhostRegion.SIZE,
    VhostRegion.USER_ADDRESS,
    VhostRegion.FILE_OFFSET,
  ].map((field) => hexAt(message, at + field));
  return `${size} bytes at guest ${guest}, user ${user}, file ${offset}`;
}

/** At most as many regions as the message has room for, whatever it announces. */
function regions(message: Message): string {
  const count = message.u32(0);
  const room = (message.payload.byteLength - COUNT_BYTES) / VhostRegion.BYTES;
  const texts = Array.from({ length: Math.min(count, room) }, (_, n) =>
    region(message, COUNT_BYTES + n * VhostRegion.BYTES),
  );
  return `${count} regions: ${texts.join('; ')}`;
}

function addresses(message: Message): string {
  const [desc, avail, used] = [VringAddr.DESC, VringAddr.AVAIL, VringAddr.USED].map((field) =>
    hexAt(message, field),
  );
  const flags = message.u32(VringAddr.FLAGS);
  const log = flags === 0 ? '' : `, flags ${hex(flags)}`;
  return `ring ${message.u32(0)}, desc ${desc}, driver ${avail}, device ${used}${log}`;
}

/** A packed base has a wrap bit in it, which a plain number would hide. */
const base = (message: Message) => `ring ${message.u32(0)}, base ${hex(message.u32(4))}`;

function ringDescriptor(message: Message): string {
  const word = message.u32(0);
  const none = (word & VringFd.NO_FD) === 0 ? '' : ', none';
  return `ring ${word & VringFd.INDEX_MASK}${none}`;
}

function configRange(message: Message): string {
  return `${message.u32(VhostConfig.SIZE)} bytes at ${message.u32(VhostConfig.OFFSET)}`;
}

function configBytes(message: Message): string {
  if (message.payload.byteLength <= VhostConfig.BYTES) return 'nothing (an error)';
  return `${configRange(message)}: ${bytesText(message, VhostConfig.BYTES)}`;
}

function inflight(message: Message): string {
  const queues = message.u16(VhostInflight.QUEUES);
  const size = message.u16(VhostInflight.QUEUE_SIZE);
  return `${queues} queues of ${size}, ${hexAt(message, VhostInflight.MMAP_SIZE)} bytes`;
}

const word = (message: Message) => hexAt(message, 0);
/** In decimals as far as they are exact. */
function number(message: Message): string {
  const value = message.u64(0);
  return Number.isNaN(value) ? hexAt(message, 0) : String(value);
}

const oneRegion = (message: Message) => region(message, COUNT_BYTES);

/** Every request of the back-end; a test holds the two tables against each other. */
export const WORDINGS: Readonly<Record<number, Wording>> = {
  [FrontendRequest.GET_FEATURES]: { reply: features },
  [FrontendRequest.SET_FEATURES]: { payload: features },
  [FrontendRequest.SET_OWNER]: {},
  [FrontendRequest.RESET_OWNER]: {},
  [FrontendRequest.RESET_DEVICE]: {},
  [FrontendRequest.SET_STATUS]: { payload: word },
  [FrontendRequest.GET_STATUS]: { reply: word },
  [FrontendRequest.GET_PROTOCOL_FEATURES]: { reply: protocolFeatures },
  [FrontendRequest.SET_PROTOCOL_FEATURES]: { payload: protocolFeatures },
  [FrontendRequest.GET_QUEUE_NUM]: {
    reply: (answer, type) => `${number(answer)} ${type === 'virtio-net' ? 'pairs' : 'queues'}`,
  },
  [FrontendRequest.GET_MAX_MEM_SLOTS]: { reply: (answer) => `${number(answer)} slots` },
  [FrontendRequest.SET_BACKEND_REQ_FD]: {},
  [FrontendRequest.SEND_RARP]: { payload: (message) => bytesText(message, 0) },
  [FrontendRequest.NET_SET_MTU]: { payload: (message) => `${number(message)} bytes` },
  [FrontendRequest.SET_MEM_TABLE]: { payload: regions },
  [FrontendRequest.ADD_MEM_REG]: { payload: oneRegion },
  [FrontendRequest.REM_MEM_REG]: { payload: oneRegion },
  [FrontendRequest.SET_VRING_NUM]: {
    payload: (message) => `ring ${message.u32(0)}, ${message.u32(4)} entries`,
  },
  [FrontendRequest.SET_VRING_ADDR]: { payload: addresses },
  [FrontendRequest.SET_VRING_BASE]: { payload: base },
  [FrontendRequest.GET_VRING_BASE]: {
    payload: (message) => `ring ${message.u32(0)}`,
    reply: base,
  },
  [FrontendRequest.SET_VRING_KICK]: { payload: ringDescriptor },
  [FrontendRequest.SET_VRING_CALL]: { payload: ringDescriptor },
  [FrontendRequest.SET_VRING_ERR]: { payload: ringDescriptor },
  [FrontendRequest.SET_VRING_ENABLE]: {
    payload: (message) => `ring ${message.u32(0)}, ${message.u32(4) === 0 ? 'off' : 'on'}`,
  },
  [FrontendRequest.GET_CONFIG]: { payload: configRange, reply: configBytes },
  [FrontendRequest.SET_CONFIG]: { payload: configBytes },
  [FrontendRequest.GET_INFLIGHT_FD]: { payload: inflight, reply: inflight },
  [FrontendRequest.SET_INFLIGHT_FD]: { payload: inflight },
  [FrontendRequest.GPU_SET_SOCKET]: {},
};

/** A payload of a form that its request does not have is told by its length alone. */
function payloadText(message: Message, type: DeviceType): string {
  if (!hasForm(message)) return `a payload of ${message.payload.byteLength} bytes`;
  return WORDINGS[message.request]?.payload?.(message, type) ?? '';
}

// [impl->req~vhost.decode~1]
/** What a message asks for; to be called before it is carried out, which takes its descriptors. */
export function messageText(message: Message, type: DeviceType): string {
  const { descriptorCount: count, needsReply } = message;
  const details = [
    payloadText(message, type),
    ...(count > 0 ? [count === 1 ? '1 descriptor' : `${count} descriptors`] : []),
    ...(needsReply ? ['needs a reply'] : []),
  ].filter((text) => text !== '');
  return [requestName(message.request), ...(details.length > 0 ? [details.join(', ')] : [])].join(
    ' ',
  );
}

/** What became of it. */
export function outcomeText({ request }: Message, outcome: Outcome, type: DeviceType): string {
  switch (outcome.kind) {
    case 'done':
      return 'done';
    case 'reply': {
      const { buffer, byteOffset, byteLength } = outcome.payload;
      const answer = new Message(request, new DataView(buffer, byteOffset, byteLength), []);
      const text = WORDINGS[request]?.reply?.(answer, type) ?? '';
      return `reply ${text}${outcome.descriptor === undefined ? '' : ', 1 descriptor'}`;
    }
    default:
      return `refused: ${outcome.reason}`;
  }
}
