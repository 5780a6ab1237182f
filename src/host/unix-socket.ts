/** Unix stream sockets with descriptors, for vhost-user: Node's own cannot receive any. */
import { closeSync, lstatSync, mkdirSync, openSync, unlinkSync, type Stats } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { getSystemErrorName } from 'node:util';
import { assert } from '../base/assert.ts';
import { SOCKET_PATH_BYTES_MAX } from '../schedule/socket-path.ts';
import type { GatheredMessage } from './gathered-message.ts';
import { HostProblem } from './host-problem.ts';
import { close, setMode } from './native/descriptor.ts';
import { Watch } from './native/libc.ts';
import {
  acceptFrom,
  bindSocket,
  connectSocket,
  DESCRIPTORS_MAX,
  listenOn,
  openSocket,
  openSocketPair,
  peerCredentials,
  receiveMessage,
  sendMessage,
} from './native/socket.ts';

const { EAGAIN, ECONNREFUSED, EINTR, EMFILE, ENFILE, ENOENT } = constants.errno;

export const RECEIVE_LATER = -1;
export const RECEIVE_FAILED = -2;
export const SEND_LATER = -1;
export const SEND_FAILED = -2;

const BACKLOG = 16;
const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

type Callback = () => void;

// [impl->req~host.never-waits~1]
export class UnixSocket {
  readonly descriptor: number;
  /** The last message carried more descriptors than this process may have. */
  truncated = false;
  private readonly watch: Watch;
  private readable: Callback | undefined;
  private writable: Callback | undefined;
  private paused = false;
  private closed = false;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
    this.watch = new Watch(descriptor, (events) => {
      if (events.readable && !this.paused) this.readable?.();
      if (events.writable && !this.closed) this.tellWritable();
      this.rewatch();
    });
  }

  /** Undefined when nobody listens there. @throws HostProblem naming the path */
  static connect(socketPath: string): UnixSocket | undefined {
    assertPathFits(socketPath);
    const descriptor = openedSocket(socketPath);
    const error = -connectSocket(descriptor, socketPath);
    if (error <= 0) return new UnixSocket(descriptor);
    close(descriptor);
    if (error === ENOENT || error === ECONNREFUSED || error === EAGAIN) return undefined;
    throw problem(socketPath, 'cannot be connected to', error);
  }

  static pair(): [UnixSocket, UnixSocket] {
    const pair = openSocketPair();
    if (!pair) throw new HostProblem('the host does not grant a pair of sockets');
    return [new UnixSocket(pair[0]), new UnixSocket(pair[1])];
  }

  /** A socket that came as a descriptor; it is this object's to close from now on. */
  static fromDescriptor(descriptor: number): UnixSocket {
    return new UnixSocket(descriptor);
  }

  /**
   * Up to `length` bytes to the start of `into`: how many, 0 when the peer has closed, or a
   * RECEIVE_ constant. Descriptors are appended to `descriptors`, and are the caller's to close.
   * They come with the first byte of their message: whoever reads just a header gets its own.
   */
  receive(into: Uint8Array, length: number, descriptors: number[]): number {
    assert(!this.closed && length > 0 && length <= into.length, 'there is room for what is read');
    const { result, truncated } = receiveMessage(this.descriptor, into, length, descriptors);
    this.truncated = truncated;
    if (result >= 0) return result;
    return result === -EAGAIN || result === -EINTR ? RECEIVE_LATER : RECEIVE_FAILED;
  }

  /** How many of the first `length` bytes were sent, or a SEND_ constant. */
  send(bytes: Uint8Array, length: number, descriptors: readonly number[] = []): number {
    assert(!this.closed && length > 0 && length <= bytes.length, 'what is sent is there');
    assert(descriptors.length <= DESCRIPTORS_MAX, 'no message carries more than 253 descriptors');
    return sendOutcome(sendMessage(this.descriptor, bytes, length, descriptors));
  }

  /** How many bytes of a message were sent, which are done with, or a SEND_ constant. */
  sendGathered(message: GatheredMessage): number {
    assert(!this.closed, 'what is sent has a socket');
    return sendOutcome(message.sendTo(this.descriptor));
  }

  /** Who connected, as the kernel saw it then; zeros when it is no Unix socket. */
  peer(): { pid: number; uid: number } {
    return peerCredentials(this.descriptor) ?? { pid: 0, uid: 0 };
  }

  /** Called whenever there is something to read, an end or an error included. */
  onReadable(callback: Callback): void {
    this.readable = callback;
    this.rewatch();
  }

  /** Called once, as soon as something can be sent. */
  onWritable(callback: Callback): void {
    this.writable = callback;
    this.rewatch();
  }

  /** No more calls of the readable callback until {@link resume}. */
  pause(): void {
    this.paused = true;
    this.rewatch();
  }

  resume(): void {
    this.paused = false;
    this.rewatch();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.watch.end();
    close(this.descriptor);
  }

  private tellWritable(): void {
    const callback = this.writable;
    this.writable = undefined;
    callback?.();
  }

  private rewatch(): void {
    if (this.closed) return;
    const readable = this.readable !== undefined && !this.paused;
    this.watch.set({ readable, writable: this.writable !== undefined });
  }
}

export class UnixListener {
  private readonly descriptor: number;
  private readonly socketPath: string;
  private readonly file: Stats;
  private readonly watch: Watch;
  private callback: ((socket: UnixSocket) => void) | undefined;
  /** Given up for a moment when there are no more descriptors, to refuse whoever connects. */
  private reserve = openReserve();
  private closed = false;

  private constructor(descriptor: number, socketPath: string) {
    this.descriptor = descriptor;
    this.socketPath = socketPath;
    this.file = lstatSync(socketPath);
    this.watch = new Watch(descriptor, () => this.acceptAll());
  }

  /**
   * Listens at a path that only this user can connect to. A leftover of a process that is gone is
   * replaced.
   * @throws HostProblem naming the path
   */
  static open(socketPath: string): UnixListener {
    assertPathFits(socketPath);
    makeRoomFor(socketPath);
    const descriptor = openedSocket(socketPath);
    const error = -startListening(descriptor, socketPath);
    if (error <= 0) return new UnixListener(descriptor, socketPath);
    close(descriptor);
    throw problem(socketPath, 'cannot be listened at', error);
  }

  onConnection(callback: (socket: UnixSocket) => void): void {
    this.callback = callback;
    this.watch.set({ readable: true, writable: false });
  }

  /** Ends listening, and removes the file unless somebody else put another one there. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.watch.end();
    const now = lstatSync(this.socketPath, { throwIfNoEntry: false });
    if (now?.ino === this.file.ino && now.dev === this.file.dev) unlinkSync(this.socketPath);
    close(this.descriptor);
    closeSync(this.reserve);
  }

  private acceptAll(): void {
    for (let n = 0; n < BACKLOG && !this.closed; n++) {
      const accepted = acceptFrom(this.descriptor);
      if (accepted >= 0) this.callback?.(UnixSocket.fromDescriptor(accepted));
      else if (accepted === -EMFILE || accepted === -ENFILE) this.refuseOne();
      else break;
    }
    if (!this.closed) this.watch.set({ readable: true, writable: false });
  }

  /** Otherwise the listener would stay readable and the event loop spin for ever. */
  private refuseOne(): void {
    closeSync(this.reserve);
    const refused = acceptFrom(this.descriptor);
    if (refused >= 0) close(refused);
    this.reserve = openReserve();
  }
}

// [impl->req~host.socket-private~1]
function startListening(descriptor: number, socketPath: string): number {
  // The mode of the socket becomes the mode of its file: no moment in which others may connect.
  const owned = setMode(descriptor, OWNER_ONLY);
  if (owned < 0) return owned;
  const bound = bindSocket(descriptor, socketPath);
  return bound < 0 ? bound : listenOn(descriptor, BACKLOG);
}

function sendOutcome(result: number): number {
  if (result >= 0) return result;
  return result === -EAGAIN || result === -EINTR ? SEND_LATER : SEND_FAILED;
}

function openReserve(): number {
  return openSync('/dev/null', 'r');
}

function assertPathFits(socketPath: string): void {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes === 0 || socketPath.includes('\0'))
    throw new HostProblem(`"${socketPath}" is not the path of a socket`);
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  throw new HostProblem(
    `${socketPath}: ${bytes} bytes; the path of a socket has at most ${SOCKET_PATH_BYTES_MAX}`,
  );
}

function openedSocket(socketPath: string): number {
  const descriptor = openSocket();
  if (descriptor < 0) throw problem(socketPath, 'gets no socket', -descriptor);
  return descriptor;
}

// [impl->req~host.socket-leftover~1]
/** The directory is there afterwards, and the path is free. */
function makeRoomFor(socketPath: string): void {
  try {
    mkdirSync(path.dirname(socketPath), { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    const present = lstatSync(socketPath, { throwIfNoEntry: false });
    if (!present) return;
    if (!present.isSocket()) throw new HostProblem(`${socketPath} exists and is not a socket`);
    const descriptor = openedSocket(socketPath);
    const result = connectSocket(descriptor, socketPath);
    close(descriptor);
    if (result >= 0 || result === -EAGAIN)
      throw new HostProblem(`${socketPath} is in use by a running process`);
    if (result !== -ECONNREFUSED) throw problem(socketPath, 'cannot be probed', -result);
    unlinkSync(socketPath);
  } catch (error) {
    if (error instanceof HostProblem) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new HostProblem(`${socketPath} cannot be listened at: ${code}`);
  }
}

function problem(socketPath: string, what: string, error: number): HostProblem {
  return new HostProblem(`${socketPath} ${what}: ${getSystemErrorName(-error)}`);
}
