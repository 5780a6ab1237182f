/** A scriptable vhost-user front-end: every message by hand, replies checked as the documentation demands. */
import { strict as assert } from 'node:assert';
import { Connection, pause } from './connection.ts';
import {
  HeaderFlag,
  type Message,
  type Outgoing,
  ProtocolBit,
  Request,
  requestName,
  u32,
  u64,
  type Wide,
} from './message.ts';

const REPLY_FLAGS = HeaderFlag.VERSION | HeaderFlag.REPLY;
/** How long nothing must come, where nothing may come. */
const QUIET_MS = 30;
const PATIENCE_MS = 10_000;

/** What became of a message that should be refused. */
export type Outcome = 'refused' | 'accepted' | 'closed' | 'silence';

export class FrontEnd {
  readonly connection: Connection;
  /** Features as the back-end offered and the front-end acknowledged them. */
  offered = 0n;
  features = 0n;
  protocolOffered = 0n;
  protocolFeatures = 0n;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  static connect(path: string): FrontEnd {
    return new FrontEnd(Connection.open(path));
  }

  /** Connects until it is served: the one before may not have been seen to go. */
  static async served(path: string, open = Connection.open): Promise<FrontEnd> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const frontEnd = new FrontEnd(open(path));
      await frontEnd.connection.send({ request: Request.GET_FEATURES });
      if (typeof (await frontEnd.connection.next()) !== 'string') return frontEnd;
      frontEnd.close();
      if (performance.now() > end) throw new Error(`${path} serves nobody`);
      await pause(2);
    }
  }

  has(bit: number): boolean {
    return ((this.protocolFeatures >> BigInt(bit)) & 1n) === 1n;
  }

  /** Sends a message that has no reply. */
  async tell(
    request: number,
    payload: Buffer = Buffer.alloc(0),
    descriptors: readonly number[] = [],
  ): Promise<void> {
    assert.ok(
      await this.connection.send({ request, payload, descriptors }),
      `${requestName(request)}: the back-end is gone`,
    );
  }

  /** The reply to a request, with its header as the documentation has it. */
  async reply(request: number): Promise<Message> {
    const message = await this.connection.next();
    assert.ok(typeof message !== 'string', `${requestName(request)}: ${String(message)}`);
    assert.equal(message.request, request, `a reply to ${requestName(request)}`);
    assert.equal(message.flags, REPLY_FLAGS, `flags of the reply to ${requestName(request)}`);
    return message;
  }

  /** Sends a request that has a reply; its payload. */
  async get(request: number, payload?: Buffer, flags = 1): Promise<Buffer> {
    assert.ok(await this.connection.send({ request, ...(payload && { payload }), flags }));
    const message = await this.reply(request);
    assert.deepEqual(message.descriptors, [], `no descriptor with ${requestName(request)}`);
    return message.payload;
  }

  async getU64(request: number, payload?: Buffer, flags = 1): Promise<bigint> {
    const bytes = await this.get(request, payload, flags);
    assert.equal(bytes.length, 8, `size of the reply to ${requestName(request)}`);
    return bytes.readBigUInt64LE();
  }

  /** Sends a message with NEED_REPLY; whether the back-end acknowledges it. */
  async acknowledged(outgoing: Outgoing): Promise<boolean> {
    const { flags = HeaderFlag.VERSION | HeaderFlag.NEED_REPLY } = outgoing;
    assert.ok(await this.connection.send({ ...outgoing, flags }), 'the back-end is gone');
    const { payload, descriptors } = await this.reply(outgoing.request);
    assert.deepEqual(descriptors, []);
    assert.equal(payload.length, 8, `size of the answer to ${requestName(outgoing.request)}`);
    return payload.readBigUInt64LE() === 0n;
  }

  /** Sends an honest message, with an acknowledgement where that is negotiated. */
  async set(
    request: number,
    payload: Buffer = Buffer.alloc(0),
    descriptors: readonly number[] = [],
  ): Promise<void> {
    if (!this.has(ProtocolBit.REPLY_ACK)) return this.tell(request, payload, descriptors);
    const taken = await this.acknowledged({ request, payload, descriptors });
    assert.ok(taken, `${requestName(request)} is refused`);
  }

  setU64(request: number, value: Wide, descriptors: readonly number[] = []): Promise<void> {
    return this.set(request, u64(value), descriptors);
  }

  setState(request: number, index: number, value: number): Promise<void> {
    return this.set(request, u32(index, value));
  }

  /** Sends any message and looks at what becomes of it, without a judgement. */
  async outcome(outgoing: Outgoing): Promise<Outcome> {
    if (!(await this.connection.send(outgoing))) return 'closed';
    const message = await this.connection.next(
      ((outgoing.flags ?? 1) & HeaderFlag.NEED_REPLY) === 0 ? QUIET_MS * 20 : undefined,
    );
    if (typeof message === 'string') return message;
    assert.equal(message.request, outgoing.request);
    assert.equal(message.flags, REPLY_FLAGS);
    assert.equal(message.payload.length, 8, 'an acknowledgement');
    return message.payload.readBigUInt64LE() === 0n ? 'accepted' : 'refused';
  }

  /** The back-end answers, and has nothing else to say. */
  async assertUsable(quietMs = QUIET_MS): Promise<void> {
    const offered = await this.getU64(Request.GET_FEATURES);
    assert.notEqual(offered, 0n);
    assert.equal(await this.connection.next(quietMs), 'silence', 'one answer to one request');
  }

  /** The back-end closes the connection, without another word. */
  async assertClosed(): Promise<void> {
    assert.equal(await this.connection.next(), 'closed');
  }

  async base(index: number): Promise<number> {
    const payload = await this.get(Request.GET_VRING_BASE, u32(index, 0));
    assert.equal(payload.length, 8);
    assert.equal(payload.readUInt32LE(0), index);
    return payload.readUInt32LE(4);
  }

  close(): void {
    this.connection.close();
  }
}
