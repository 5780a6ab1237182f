/** One connection to a back-end: sends any bytes with any descriptors, awaits messages with a deadline. */
import { closeDescriptor } from '../../../src/host/descriptors.ts';
import { RECEIVE_LATER, SEND_LATER, UnixSocket } from '../../../src/host/unix-socket.ts';
import { encode, HEADER_BYTES, type Message, type Outgoing } from './message.ts';

/** Long enough for a stalled machine; a test that waits so long fails. */
const PATIENCE_MS = 10_000;
/** Turns of the event loop before a wait starts to sleep: a gateway in this process answers in one. */
const EAGER_TURNS = 20;
const DESCRIPTORS_MAX = 64;

function turn(count: number): Promise<void> {
  return new Promise((resolve) => {
    if (count < EAGER_TURNS) setImmediate(resolve);
    else setTimeout(resolve, 1);
  });
}

/** Waits until there is something; undefined when there is nothing within the time. */
export async function within<T>(
  milliseconds: number,
  look: () => T | undefined,
): Promise<T | undefined> {
  const end = performance.now() + milliseconds;
  for (let count = 0; ; count++) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > end) return undefined;
    await turn(count);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

function connected(path: string): UnixSocket {
  const socket = UnixSocket.connect(path);
  if (!socket) throw new Error(`nobody listens at ${path}`);
  return socket;
}

export class Connection {
  protected readonly socket: UnixSocket;
  private readonly chunk = Buffer.allocUnsafeSlow(65536);
  private pending = Buffer.alloc(0);
  private arrived: number[] = [];
  private ended = false;
  private shut = false;

  constructor(socket: UnixSocket) {
    this.socket = socket;
  }

  static readonly open = (path: string): Connection => new Connection(connected(path));

  /** The descriptor of this end. */
  get descriptor(): number {
    return this.socket.descriptor;
  }

  /** The peer has closed its end, as far as was read. */
  get closed(): boolean {
    return this.ended;
  }

  /** Sends what the socket takes at once: the number of bytes, or what the socket says instead. */
  trySend(bytes: Buffer, descriptors: readonly number[] = []): number {
    return this.socket.send(bytes, bytes.length, descriptors);
  }

  /** Sends all bytes, the descriptors with the first; false when the peer has gone. */
  async sendBytes(bytes: Buffer, descriptors: readonly number[] = []): Promise<boolean> {
    let rest = bytes;
    let attached = descriptors;
    const done = await within(PATIENCE_MS, () => {
      const sent = this.trySend(rest, attached);
      if (sent === SEND_LATER) return undefined;
      if (sent < 0) return false;
      rest = rest.subarray(sent);
      if (sent > 0) attached = [];
      return rest.length === 0 ? true : undefined;
    });
    if (done === undefined) throw new Error('the back-end reads nothing');
    return done;
  }

  send(outgoing: Outgoing): Promise<boolean> {
    return this.sendBytes(encode(outgoing), outgoing.descriptors);
  }

  private read(): void {
    if (this.ended) return;
    const descriptors: number[] = [];
    const count = this.socket.receive(this.chunk, this.chunk.length, descriptors);
    this.arrived.push(...descriptors);
    if (this.arrived.length > DESCRIPTORS_MAX) throw new Error('the back-end floods descriptors');
    if (count > 0) this.pending = Buffer.concat([this.pending, this.chunk.subarray(0, count)]);
    else if (count !== RECEIVE_LATER) this.ended = true;
  }

  private takeMessage(): Message | undefined {
    if (this.pending.length < HEADER_BYTES) return undefined;
    const length = HEADER_BYTES + this.pending.readUInt32LE(8);
    if (this.pending.length < length) return undefined;
    const bytes = this.pending.subarray(0, length);
    this.pending = this.pending.subarray(length);
    const descriptors = this.arrived;
    this.arrived = [];
    return {
      request: bytes.readUInt32LE(0),
      flags: bytes.readUInt32LE(4),
      payload: Buffer.from(bytes.subarray(HEADER_BYTES)),
      descriptors,
    };
  }

  /** The next message; 'closed' when none can come any more, 'silence' when none came in time. */
  async next(milliseconds = PATIENCE_MS): Promise<Message | 'closed' | 'silence'> {
    const found = await within(milliseconds, () => {
      const first = this.takeMessage();
      if (first) return first;
      this.read();
      return this.takeMessage() ?? (this.ended ? 'closed' : undefined);
    });
    return found ?? 'silence';
  }

  close(): void {
    if (this.shut) return;
    this.shut = true;
    this.ended = true;
    for (const descriptor of this.arrived) closeDescriptor(descriptor);
    this.arrived = [];
    this.socket.close();
  }
}

/** A connection whose every byte is sent by itself; descriptors come with the first of a message. */
export class BytewiseConnection extends Connection {
  static override readonly open = (path: string): Connection =>
    new BytewiseConnection(connected(path));

  override async sendBytes(bytes: Buffer, descriptors: readonly number[] = []): Promise<boolean> {
    for (let n = 0; n < bytes.length; n++) {
      const sent = await super.sendBytes(bytes.subarray(n, n + 1), n === 0 ? descriptors : []);
      if (!sent) return false;
    }
    return true;
  }
}
