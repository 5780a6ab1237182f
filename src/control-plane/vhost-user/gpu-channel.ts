/**
 * The channel on which a front-end shows what its guest draws: the back-end asks and tells, and
 * waits for nothing. Who does not read gets what is the latest when it reads again.
 */
import { closeForeign } from '../../host/descriptors.ts';
import { GatheredMessage } from '../../host/gathered-message.ts';
import { RECEIVE_LATER, SEND_LATER, type UnixSocket } from '../../host/unix-socket.ts';
import {
  GPU_CHANNEL_FEATURES_BYTES,
  GPU_CHANNEL_REPLY,
  GpuChannelHeader,
  GpuChannelRequest,
} from '../../wire/vhost-user-gpu.ts';
import { SUPERVISION_TICK_MS } from '../health/supervision.ts';
import {
  BAND_ROWS,
  beginMessage,
  HEAD_BYTES,
  ScanoutFeed,
  type ScanoutSource,
} from './scanout-feed.ts';

/** Bytes between two ticks of the supervision, and in one turn of the event loop. */
const BYTES_PER_TICK = 4 * 1024 * 1024;
const BYTES_PER_TURN = 128 * 1024;
const TICK_NS = SUPERVISION_TICK_MS * 1e6;
/** The one answer that is awaited: the features of the channel. */
const ANSWER_BYTES = GpuChannelHeader.SIZE + GPU_CHANNEL_FEATURES_BYTES;

export interface GpuChannelParts {
  readonly socket: UnixSocket;
  readonly sources: readonly ScanoutSource[];
  /** The arena's words: states, pixels and cursors lie in it. */
  readonly words: Int32Array;
  /** Once, with the reason; an empty one when the front-end has closed the channel. */
  readonly onClosed: (reason: string) => void;
}

export class GpuChannel {
  private readonly parts: GpuChannelParts;
  private readonly feeds: readonly ScanoutFeed[];
  private readonly message: GatheredMessage;
  private readonly answer = new Uint8Array(ANSWER_BYTES);
  private filled = 0;
  /** The front-end has been told what of its features is used. */
  private introduced = false;
  /** Feeds take turns, message by message. */
  private turn = 0;
  private bytesLeft = BYTES_PER_TICK;
  private closed = false;

  constructor(parts: GpuChannelParts) {
    this.parts = parts;
    const { socket, sources, words } = parts;
    const memory = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.message = new GatheredMessage(memory, HEAD_BYTES, BAND_ROWS);
    this.feeds = sources.map((source, index) => new ScanoutFeed(index, source, words));
    socket.onReadable(() => this.read());
    beginMessage(this.message, GpuChannelRequest.GET_PROTOCOL_FEATURES, 0);
    this.pump();
  }

  /** The front-end has said what it knows; before that it is shown nothing. */
  private get answered(): boolean {
    return this.filled === ANSWER_BYTES;
  }

  tick(): void {
    this.bytesLeft = BYTES_PER_TICK;
    if (this.closed) return;
    if (this.introduced) for (const feed of this.feeds) feed.passed(TICK_NS);
    this.pump();
  }

  /**
   * Sends until nothing is left, the socket is full or the budget is used; a message that was begun
   * is finished in any case, because its reader waits inside it.
   */
  // [impl->req~vhost.gpu-back-pressure~1]
  private pump(): void {
    const { socket } = this.parts;
    for (let bytes = BYTES_PER_TURN; !this.closed;) {
      if (this.message.bytesLeft === 0 && !this.compose()) return;
      if (bytes <= 0) return socket.onWritable(() => this.pump());
      const sent = socket.sendGathered(this.message);
      if (sent === SEND_LATER) return socket.onWritable(() => this.pump());
      if (sent < 0) return this.end('');
      bytes -= sent;
      this.bytesLeft -= sent;
    }
  }

  private compose(): boolean {
    if (this.bytesLeft <= 0 || !this.answered) return false;
    if (!this.introduced) return this.introduce();
    for (let n = 0; n < this.feeds.length; n++) {
      this.turn = (this.turn + 1) % this.feeds.length;
      if (this.feeds[this.turn]!.compose(this.message)) return true;
    }
    return false;
  }

  /** An answer comes in any pieces; whatever else comes is none. */
  // [impl->req~vhost.gpu-channel-exact~1]
  private read(): void {
    const { socket } = this.parts;
    const room = this.answered ? new Uint8Array(1) : this.answer.subarray(this.filled);
    const descriptors: number[] = [];
    const bytes = socket.receive(room, room.length, descriptors);
    for (const descriptor of descriptors) closeForeign(descriptor);
    if (bytes === RECEIVE_LATER) return;
    if (bytes <= 0) return this.end('');
    if (this.answered) return this.end('it sent what nobody asked for');
    this.filled += bytes;
    if (descriptors.length > 0 || !this.isAnswer()) this.end('its answer is none to the question');
    else this.pump();
  }

  /** Whether what came so far can be the awaited answer. */
  private isAnswer(): boolean {
    const view = new DataView(this.answer.buffer);
    return (
      this.filled < GpuChannelHeader.SIZE ||
      (view.getUint32(GpuChannelHeader.REQUEST, true) === GpuChannelRequest.GET_PROTOCOL_FEATURES &&
        view.getUint32(GpuChannelHeader.FLAGS, true) === GPU_CHANNEL_REPLY &&
        view.getUint32(GpuChannelHeader.PAYLOAD_BYTES, true) === GPU_CHANNEL_FEATURES_BYTES)
    );
  }

  /** Nothing that the front-end knows is needed: EDID is the gateway's own, no memory is shared. */
  private introduce(): boolean {
    const { head } = this.message;
    this.introduced = true;
    head.setUint32(GpuChannelHeader.SIZE, 0, true);
    head.setUint32(GpuChannelHeader.SIZE + 4, 0, true);
    const { SET_PROTOCOL_FEATURES } = GpuChannelRequest;
    beginMessage(this.message, SET_PROTOCOL_FEATURES, GPU_CHANNEL_FEATURES_BYTES);
    return true;
  }

  private end(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.parts.socket.close();
    this.parts.onClosed(reason);
  }

  /** Another channel takes its place, or its session ends; nobody is told. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.parts.socket.close();
  }
}
