/** A listener in the middle of a front-end and its display back-end: what the display was told, message by message. */
import { strict as assert } from 'node:assert';
import { closeDescriptor } from '../../../src/host/descriptors.ts';
import {
  RECEIVE_LATER,
  SEND_LATER,
  UnixListener,
  UnixSocket,
} from '../../../src/host/unix-socket.ts';
import { OpenFlag, setStatusFlags, statusFlags } from '../../../src/host/native/descriptor.ts';
import { GpuChannelHeader } from '../../../src/wire/vhost-user-gpu.ts';
import { HEADER_BYTES, Request } from '../vhost/message.ts';

const CHUNK_BYTES = 262_144;

export interface DisplayMessage {
  readonly request: number;
  readonly payload: Buffer;
}

/** Passes on what one socket says to another, with its descriptors; `change` may exchange those. */
class Relay {
  private readonly chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private readonly from: UnixSocket;
  private readonly to: UnixSocket;
  private readonly ended: () => void;
  /** How much to read next: what is passed on together keeps its descriptors. */
  room = CHUNK_BYTES;
  heard: (bytes: Buffer, descriptors: readonly number[]) => readonly number[] = (_, same) => same;

  constructor(from: UnixSocket, to: UnixSocket, ended: () => void) {
    this.from = from;
    this.to = to;
    this.ended = ended;
    from.onReadable(() => this.read());
  }

  private read(): void {
    const descriptors: number[] = [];
    const count = this.from.receive(this.chunk, this.room, descriptors);
    if (count === RECEIVE_LATER) return;
    if (count <= 0) {
      this.ended();
      return;
    }
    const bytes = this.chunk.subarray(0, count);
    const passed = this.heard(bytes, descriptors);
    this.from.pause();
    this.pass(bytes, passed);
  }

  private pass(bytes: Buffer, descriptors: readonly number[]): void {
    const sent = this.to.send(bytes, bytes.length, descriptors);
    if (sent < 0 && sent !== SEND_LATER) {
      this.ended();
      return;
    }
    if (sent > 0) for (const descriptor of descriptors) closeDescriptor(descriptor);
    if (sent === bytes.length) {
      this.from.resume();
      return;
    }
    const [rest, left] = sent > 0 ? [bytes.subarray(sent), []] : [bytes, descriptors];
    this.to.onWritable(() => this.pass(rest, left));
  }
}

/** Puts messages together from pieces of a stream. */
class Messages {
  readonly all: DisplayMessage[] = [];
  private rest = Buffer.alloc(0);
  private pieces: Buffer[] = [];
  private missing: number = GpuChannelHeader.SIZE;

  take(bytes: Buffer): void {
    this.pieces.push(Buffer.from(bytes));
    this.missing -= bytes.length;
    if (this.missing > 0) return;
    this.rest = Buffer.concat([this.rest, ...this.pieces]);
    this.pieces = [];
    for (;;) {
      const header = this.rest.length >= GpuChannelHeader.SIZE;
      const payload = header ? this.rest.readUInt32LE(GpuChannelHeader.PAYLOAD_BYTES) : 0;
      const length = GpuChannelHeader.SIZE + payload;
      this.missing = length - this.rest.length;
      if (!header || this.missing > 0) return;
      const request = this.rest.readUInt32LE(GpuChannelHeader.REQUEST);
      this.all.push({ request, payload: this.rest.subarray(GpuChannelHeader.SIZE, length) });
      this.rest = this.rest.subarray(length);
    }
  }
}

export class DisplayTap {
  private readonly listener: UnixListener;
  private readonly sockets = new Set<UnixSocket>();
  private readonly said = new Messages();

  /** Listens at a path for one front-end, and connects it to a back-end. */
  constructor(path: string, backEnd: string) {
    this.listener = UnixListener.open(path);
    this.listener.onConnection((frontEnd) => {
      const socket = UnixSocket.connect(backEnd);
      assert.ok(socket, `nobody listens at ${backEnd}`);
      this.follow(this.relays(frontEnd, socket)[0]);
    });
  }

  /** What the back-end has said to the display since it was asked the last time. */
  messages(): readonly DisplayMessage[] {
    return this.said.all.splice(0);
  }

  close(): void {
    this.listener.close();
    for (const socket of this.sockets) socket.close();
    this.sockets.clear();
  }

  /** Both directions; the end of one socket is the end of the other. */
  private relays(one: UnixSocket, other: UnixSocket): [Relay, Relay] {
    this.sockets.add(one).add(other);
    const end = () => {
      for (const socket of [one, other]) {
        socket.close();
        this.sockets.delete(socket);
      }
    };
    return [new Relay(one, other, end), new Relay(other, one, end)];
  }

  /** Reads message by message what the front-end says, and comes between the two ends of its display. */
  private follow(relay: Relay): void {
    let payload = 0;
    relay.room = HEADER_BYTES;
    relay.heard = (bytes, descriptors) => {
      if (payload > 0) {
        payload -= bytes.length;
        relay.room = payload > 0 ? payload : HEADER_BYTES;
        return descriptors;
      }
      assert.equal(bytes.length, HEADER_BYTES, 'a header comes in one piece');
      payload = bytes.readUInt32LE(8);
      relay.room = payload > 0 ? payload : HEADER_BYTES;
      if (bytes.readUInt32LE(0) !== Request.GPU_SET_SOCKET) return descriptors;
      const [near, far] = UnixSocket.pair();
      // As QEMU makes it: back-ends that write with one call count on that.
      setStatusFlags(far.descriptor, statusFlags(far.descriptor) & ~OpenFlag.NON_BLOCKING);
      const [, toDisplay] = this.relays(UnixSocket.fromDescriptor(descriptors[0]!), near);
      toDisplay.heard = (said, none) => {
        this.said.take(said);
        return none;
      };
      return [far.descriptor];
    };
  }
}
