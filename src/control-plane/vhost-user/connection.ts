/**
 * One front-end's socket: messages in order, one at a time, a bounded number of them per tick.
 */
import { closeForeign } from '../../host/descriptors.ts';
import type { UnixSocket } from '../../host/unix-socket.ts';
import { PAYLOAD_BYTES_MAX, REPLY_FLAGS, VhostFlag, VhostHeader } from '../../wire/vhost-user.ts';
import { Message, type Outcome } from './message.ts';

/** Messages of one front-end that are carried out between two ticks of the supervision. */
const MESSAGES_PER_TICK = 64;
/** A message needs a few reads; who sends single bytes gets no more than this at a time. */
const READS_PER_TICK = 4 * MESSAGES_PER_TICK;
const DESCRIPTORS_MAX = 32;
const KNOWN_FLAGS = VhostFlag.VERSION_MASK | VhostFlag.REPLY | VhostFlag.NEED_REPLY;

export interface ConnectionParts {
  readonly socket: UnixSocket;
  /** Carries a message out; the next one waits for its outcome. */
  readonly onMessage: (message: Message) => Promise<Outcome>;
  /** Whether a refused or finished message with NEED_REPLY is answered (REPLY_ACK). */
  readonly acknowledges: () => boolean;
  /** Once, with the reason; an empty one when the front-end has gone in order. */
  readonly onClosed: (reason: string) => void;
}

export class Connection {
  private readonly parts: ConnectionParts;
  private readonly header = new Uint8Array(VhostHeader.BYTES);
  private readonly headerView = new DataView(this.header.buffer);
  private readonly payload = new Uint8Array(PAYLOAD_BYTES_MAX);
  private readonly descriptors: number[] = [];
  private filled = 0;
  private messagesLeft = MESSAGES_PER_TICK;
  private readsLeft = READS_PER_TICK;
  private busy = false;
  private closed = false;

  constructor(parts: ConnectionParts) {
    this.parts = parts;
    parts.socket.onReadable(() => this.pump());
  }

  /** A tick of the supervision: the budget is full again. */
  // [impl->req~vhost.control-budget~1]
  tick(): void {
    const starved = this.messagesLeft === 0 || this.readsLeft === 0;
    this.messagesLeft = MESSAGES_PER_TICK;
    this.readsLeft = READS_PER_TICK;
    if (!starved || this.closed) return;
    this.parts.socket.resume();
    this.pump();
  }

  /** Reads while there is something, nothing is being carried out, and budget is left. */
  private pump(): void {
    while (!this.closed) {
      // What waits in the socket would wake the event loop again and again.
      const wait = this.busy || this.messagesLeft === 0 || this.readsLeft === 0;
      if (wait) return this.parts.socket.pause();
      if (!this.read()) return;
    }
  }

  /**
   * One read. The header is read alone, so that the descriptors that come with its first byte are
   * those of this message and of no other.
   */
  // [impl->req~vhost.framing~1]
  private read(): boolean {
    this.readsLeft--;
    const { socket } = this.parts;
    const inHeader = this.filled < VhostHeader.BYTES;
    const bytes = inHeader
      ? socket.receive(
          this.header.subarray(this.filled),
          VhostHeader.BYTES - this.filled,
          this.descriptors,
        )
      : socket.receive(
          this.payload.subarray(this.filled - VhostHeader.BYTES),
          VhostHeader.BYTES + this.payloadBytes - this.filled,
          this.descriptors,
        );
    if (bytes === -1) return false;
    if (bytes <= 0) return this.end(this.filled === 0 ? '' : 'it went in the middle of a message');
    if (socket.truncated || this.descriptors.length > DESCRIPTORS_MAX) {
      return this.end('more descriptors than a message can have');
    }
    this.filled += bytes;
    if (this.filled < VhostHeader.BYTES) return true;
    const wrong = this.headerProblem();
    if (wrong) return this.end(wrong);
    if (this.filled === VhostHeader.BYTES + this.payloadBytes) void this.carryOut();
    return true;
  }

  private get payloadBytes(): number {
    return this.headerView.getUint32(VhostHeader.SIZE, true);
  }

  // [impl->req~vhost.broken-framing~1]
  private headerProblem(): string | undefined {
    const flags = this.headerView.getUint32(VhostHeader.FLAGS, true);
    const size = this.payloadBytes;
    if ((flags & VhostFlag.VERSION_MASK) !== VhostFlag.VERSION) {
      return `version ${flags & VhostFlag.VERSION_MASK}; this back-end speaks version 1`;
    }
    if ((flags & VhostFlag.REPLY) !== 0) return 'a reply, where nothing was asked';
    if ((flags & ~KNOWN_FLAGS) !== 0) return `unknown flags 0x${(flags >>> 0).toString(16)}`;
    if (size > PAYLOAD_BYTES_MAX) {
      return `a payload of ${size} bytes; the longest has ${PAYLOAD_BYTES_MAX}`;
    }
    return undefined;
  }

  private async carryOut(): Promise<void> {
    this.busy = true;
    this.messagesLeft--;
    const size = this.payloadBytes;
    const request = this.headerView.getUint32(VhostHeader.REQUEST, true);
    const asked = (this.headerView.getUint32(VhostHeader.FLAGS, true) & VhostFlag.NEED_REPLY) !== 0;
    this.filled = 0;
    const view = new DataView(this.payload.slice(0, size).buffer);
    const message = new Message(request, view, this.descriptors.splice(0), asked);
    const outcome = await this.parts.onMessage(message);
    for (const descriptor of message.remaining()) closeForeign(descriptor);
    this.busy = false;
    if (this.closed) return closeReply(outcome);
    this.answer(request, asked && this.parts.acknowledges(), outcome);
    if (!this.closed) this.parts.socket.resume();
    this.pump();
  }

  /** A refused message is told so where the front-end asked for it, and ends the rest. */
  // [impl->req~vhost.reply-ack~1]
  private answer(request: number, acknowledge: boolean, outcome: Outcome): void {
    if (outcome.kind === 'reply') this.send(request, outcome.payload, outcome.descriptor);
    else if (outcome.kind === 'fatal') this.end(outcome.reason);
    else if (acknowledge) {
      const payload = new Uint8Array(8);
      payload[0] = outcome.kind === 'done' ? 0 : 1;
      this.send(request, payload);
    } else if (outcome.kind === 'refused') this.end(outcome.reason);
  }

  // [impl->req~vhost.replies~1]
  private send(request: number, payload: Uint8Array, descriptor?: number): void {
    const bytes = new Uint8Array(VhostHeader.BYTES + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(VhostHeader.REQUEST, request, true);
    view.setUint32(VhostHeader.FLAGS, REPLY_FLAGS, true);
    view.setUint32(VhostHeader.SIZE, payload.length, true);
    bytes.set(payload, VhostHeader.BYTES);
    const sent = this.parts.socket.send(
      bytes,
      bytes.length,
      descriptor === undefined ? [] : [descriptor],
    );
    if (descriptor !== undefined) closeForeign(descriptor);
    // A front-end reads each answer before it goes on: a full socket is one that does not.
    if (sent !== bytes.length) this.end('it does not read its answers');
  }

  /** Always false, for whoever stops reading. */
  private end(reason: string): false {
    if (this.closed) return false;
    this.closed = true;
    for (const descriptor of this.descriptors.splice(0)) closeForeign(descriptor);
    this.parts.socket.close();
    this.parts.onClosed(reason);
    return false;
  }

  close(reason = ''): void {
    this.end(reason);
  }
}

/** An answer that nobody waits for any more. */
function closeReply(outcome: Outcome): void {
  if (outcome.kind === 'reply' && outcome.descriptor !== undefined) {
    closeForeign(outcome.descriptor);
  }
}
