/** Unix stream sockets that carry descriptors. Results are 0 or more, or the negative errno. */
import { addressOf, cFunction } from './libc.ts';
import { resultOf } from './descriptor.ts';

const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_PEERCRED = 17;
const SO_ACCEPTCONN = 30;
const SO_DOMAIN = 39;
const SCM_RIGHTS = 1;
const SOCK_STREAM = 1;
const SOCK_FLAGS = 0o2000000 | 0o4000; // SOCK_CLOEXEC | SOCK_NONBLOCK
const MSG_CTRUNC = 8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** SCM_MAX_FD: no message carries more. */
export const DESCRIPTORS_MAX = 253;

const cSocket = cFunction('int socket(int domain, int type, int protocol)');
const cSocketpair = cFunction('int socketpair(int domain, int type, int protocol, void *pair)');
const cBind = cFunction('int bind(int fd, void *address, unsigned int length)');
const cConnect = cFunction('int connect(int fd, void *address, unsigned int length)');
const cListen = cFunction('int listen(int fd, int backlog)');
const cAccept = cFunction('int accept4(int fd, void *address, void *length, int flags)');
const cRecvmsg = cFunction('intptr_t recvmsg(int fd, void *message, int flags)');
const cSendmsg = cFunction('intptr_t sendmsg(int fd, void *message, int flags)');
const cSend = cFunction('intptr_t send(int fd, void *bytes, intptr_t length, int flags)');
const cGetsockopt = cFunction(
  'int getsockopt(int fd, int level, int option, void *value, void *length)',
);

export function openSocket(): number {
  return resultOf(cSocket(AF_UNIX, SOCK_STREAM | SOCK_FLAGS, 0));
}

export function openSocketPair(): [number, number] | undefined {
  const pair = Buffer.alloc(8);
  if (cSocketpair(AF_UNIX, SOCK_STREAM | SOCK_FLAGS, 0, pair) < 0) return undefined;
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}

function socketAddress(path: string): Buffer {
  const name = Buffer.from(path);
  const address = Buffer.alloc(2 + name.length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}

export function bindSocket(descriptor: number, path: string): number {
  const address = socketAddress(path);
  return resultOf(cBind(descriptor, address, address.length));
}

export function connectSocket(descriptor: number, path: string): number {
  const address = socketAddress(path);
  return resultOf(cConnect(descriptor, address, address.length));
}

export function listenOn(descriptor: number, backlog: number): number {
  return resultOf(cListen(descriptor, backlog));
}

export function acceptFrom(descriptor: number): number {
  return resultOf(cAccept(descriptor, null, null, SOCK_FLAGS));
}

export function peerCredentials(descriptor: number): { pid: number; uid: number } | undefined {
  const credentials = Buffer.alloc(12);
  const length = Buffer.from([credentials.length, 0, 0, 0]);
  if (cGetsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, length) < 0) return undefined;
  return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4) };
}

function socketOption(descriptor: number, option: number): number {
  const value = Buffer.alloc(4);
  const length = Buffer.from([value.length, 0, 0, 0]);
  const result = resultOf(cGetsockopt(descriptor, SOL_SOCKET, option, value, length));
  return result < 0 ? result : value.readInt32LE(0);
}

/** A unix stream socket that does not listen. */
export function isStreamEnd(descriptor: number): boolean {
  return (
    socketOption(descriptor, SO_DOMAIN) === AF_UNIX &&
    socketOption(descriptor, SO_TYPE) === SOCK_STREAM &&
    socketOption(descriptor, SO_ACCEPTCONN) === 0
  );
}

/** Bytes moved, or -1, also when the socket is full; never waits, allocates nothing. */
export function sendBytes(descriptor: number, bytes: Uint8Array): number {
  return cSend(descriptor, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/** struct iovec, struct msghdr and struct cmsghdr of a 64-bit Linux. */
export const Iovec = { BASE: 0, LENGTH: 8, SIZE: 16 } as const;
export const MessageHeader = {
  IOV: 16,
  IOV_COUNT: 24,
  CONTROL: 32,
  CONTROL_BYTES: 40,
  FLAGS: 48,
  SIZE: 56,
} as const;
const Control = { LENGTH: 0, LEVEL: 8, TYPE: 12, DATA: 16 } as const;

const controlBytes = (descriptors: number): number => Control.DATA + 4 * descriptors;
const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;

// Their addresses are written into one another, so they must neither move nor go.
const iovec = Buffer.allocUnsafeSlow(Iovec.SIZE).fill(0);
const message = Buffer.allocUnsafeSlow(MessageHeader.SIZE).fill(0);
const control = Buffer.allocUnsafeSlow(aligned(controlBytes(DESCRIPTORS_MAX))).fill(0);
message.writeBigUInt64LE(addressOf(iovec), MessageHeader.IOV);
message.writeUInt32LE(1, MessageHeader.IOV_COUNT);
message.writeBigUInt64LE(addressOf(control), MessageHeader.CONTROL);

function pointAt(bytes: Uint8Array, length: number, controlLength: number): void {
  iovec.writeBigUInt64LE(addressOf(bytes), Iovec.BASE);
  iovec.writeBigUInt64LE(BigInt(length), Iovec.LENGTH);
  message.writeUInt32LE(controlLength, MessageHeader.CONTROL_BYTES);
  message.writeUInt32LE(0, MessageHeader.FLAGS);
}

// [impl->req~host.descriptor-passing~1]
/**
 * One recvmsg: descriptors that came are appended to `descriptors`, and are the caller's to close
 * whatever the result is.
 */
export function receiveMessage(
  descriptor: number,
  into: Uint8Array,
  length: number,
  descriptors: number[],
): { result: number; truncated: boolean } {
  pointAt(into, length, control.length);
  const result = resultOf(cRecvmsg(descriptor, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
  if (result < 0) return { result, truncated: false };
  const end = message.readUInt32LE(MessageHeader.CONTROL_BYTES);
  for (let at = 0; at + Control.DATA <= end;) {
    const size = control.readUInt32LE(at + Control.LENGTH);
    if (size < Control.DATA || at + size > end) break;
    if (
      control.readInt32LE(at + Control.LEVEL) === SOL_SOCKET &&
      control.readInt32LE(at + Control.TYPE) === SCM_RIGHTS
    ) {
      for (let from = at + Control.DATA; from + 4 <= at + size; from += 4)
        descriptors.push(control.readInt32LE(from));
    }
    at += aligned(size);
  }
  return { result, truncated: (message.readUInt32LE(MessageHeader.FLAGS) & MSG_CTRUNC) !== 0 };
}

/** One sendmsg; a peer that is gone is an error and no signal. */
export function sendMessage(
  descriptor: number,
  bytes: Uint8Array,
  length: number,
  descriptors: readonly number[],
): number {
  const count = descriptors.length;
  if (count > 0) {
    control.writeBigUInt64LE(BigInt(controlBytes(count)), Control.LENGTH);
    control.writeInt32LE(SOL_SOCKET, Control.LEVEL);
    control.writeInt32LE(SCM_RIGHTS, Control.TYPE);
    descriptors.forEach((passed, n) => control.writeInt32LE(passed, Control.DATA + 4 * n));
  }
  pointAt(bytes, length, count === 0 ? 0 : aligned(controlBytes(count)));
  return sendHeader(descriptor, message);
}

/** One sendmsg of a struct msghdr; never waits, whatever flags the socket's other owners set. */
export function sendHeader(descriptor: number, header: Uint8Array): number {
  return resultOf(cSendmsg(descriptor, header, MSG_DONTWAIT | MSG_NOSIGNAL));
}
