/** A network front-end over vhost-user for any back-end: one pair of split rings, polled. */
import { DriverQueue } from '../../guest/driver-queue.ts';
import { RECEIVE_LATER, SEND_LATER, UnixSocket } from '../../host/unix-socket.ts';
import {
  FrontendRequest,
  REPLY_FLAGS,
  VHOST_USER_F_PROTOCOL_FEATURES,
  VhostFlag,
  VhostHeader,
  VringAddr,
  VringFd,
} from '../../wire/vhost-user.ts';
import { pause } from '../clients/wait.ts';
import { MEMORY_BASE, type SharedMemory } from './shared-memory.ts';

const VERSION_1 = 32n;
const FEATURES = (1n << VERSION_1) | (1n << BigInt(VHOST_USER_F_PROTOCOL_FEATURES));
const WAIT_MS = 5;
const WAITS_MAX = 2000;
const [RECEIVE, TRANSMIT] = [0, 1];

export const RING_SIZE = 256;
export const BUFFER_BYTES = 2048;

/** Memory that one front-end needs. */
export const FRONT_END_BYTES = 2 ** 21;

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, n) => bytes.writeUInt32LE(value, 4 * n));
  return bytes;
}

function u64(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, n) => bytes.writeBigUInt64LE(BigInt(value), 8 * n));
  return bytes;
}

export class FrontEnd {
  readonly receiveq: DriverQueue;
  readonly transmitq: DriverQueue;
  private readonly memory: SharedMemory;
  private readonly socket: UnixSocket;

  private constructor(socket: UnixSocket, memory: SharedMemory) {
    this.socket = socket;
    this.memory = memory;
    const setup = { size: RING_SIZE, bufferBytes: BUFFER_BYTES, eventIdx: false };
    this.receiveq = new DriverQueue(memory, setup);
    this.transmitq = new DriverQueue(memory, setup);
    for (const queue of [this.receiveq, this.transmitq]) queue.disarmNotification();
  }

  /** Resolves when the back-end has taken everything. @throws Error when it does not */
  static async connect(path: string, memory: SharedMemory): Promise<FrontEnd> {
    const socket = await connected(path);
    const frontEnd = new FrontEnd(socket, memory);
    try {
      await frontEnd.start();
      return frontEnd;
    } catch (error) {
      frontEnd.close();
      throw error;
    }
  }

  close(): void {
    this.socket.close();
  }

  private async start(): Promise<void> {
    await this.introduce();
    await this.startRing(RECEIVE, this.receiveq);
    await this.startRing(TRANSMIT, this.transmitq);
    for (const ring of [RECEIVE, TRANSMIT])
      await this.tell(FrontendRequest.SET_VRING_ENABLE, u32(ring, 1));
    // What has an answer comes after everything that has none.
    await this.features();
  }

  private async introduce(): Promise<void> {
    const { memory } = this;
    await this.tell(FrontendRequest.SET_OWNER);
    if (((await this.features()) & FEATURES) !== FEATURES)
      throw new Error('the back-end does not offer VERSION_1 and protocol features');
    await this.tell(FrontendRequest.SET_PROTOCOL_FEATURES, u64(0));
    await this.tell(FrontendRequest.SET_FEATURES, u64(FEATURES));
    const region = u64(MEMORY_BASE, memory.bytes, MEMORY_BASE, 0);
    const table = Buffer.concat([u32(1, 0), region]);
    await this.tell(FrontendRequest.SET_MEM_TABLE, table, [memory.descriptor]);
  }

  private async startRing(index: number, { desc, avail, used }: DriverQueue): Promise<void> {
    const areas = Buffer.alloc(VringAddr.BYTES);
    areas.writeUInt32LE(index, VringAddr.INDEX);
    areas.writeBigUInt64LE(BigInt(desc), VringAddr.DESC);
    areas.writeBigUInt64LE(BigInt(avail), VringAddr.AVAIL);
    areas.writeBigUInt64LE(BigInt(used), VringAddr.USED);
    await this.tell(FrontendRequest.SET_VRING_NUM, u32(index, RING_SIZE));
    await this.tell(FrontendRequest.SET_VRING_BASE, u32(index, 0));
    await this.tell(FrontendRequest.SET_VRING_ADDR, areas);
    await this.tell(FrontendRequest.SET_VRING_CALL, u64(index | VringFd.NO_FD));
    await this.tell(FrontendRequest.SET_VRING_KICK, u64(index | VringFd.NO_FD));
  }

  private async features(): Promise<bigint> {
    await this.tell(FrontendRequest.GET_FEATURES);
    const reply = await this.receive(VhostHeader.BYTES + 8);
    if (reply.readUInt32LE(VhostHeader.FLAGS) !== REPLY_FLAGS) throw new Error('not a reply');
    return reply.readBigUInt64LE(VhostHeader.BYTES);
  }

  private async tell(
    request: number,
    payload: Buffer = Buffer.alloc(0),
    descriptors: readonly number[] = [],
  ): Promise<void> {
    const message = Buffer.concat([u32(request, VhostFlag.VERSION, payload.length), payload]);
    for (let n = 0; n < WAITS_MAX; n++) {
      const sent = this.socket.send(message, message.length, descriptors);
      if (sent === message.length) return;
      if (sent !== SEND_LATER) break;
      await pause(WAIT_MS);
    }
    throw new Error(`the back-end does not take request ${request}`);
  }

  private async receive(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    for (let n = 0; n < WAITS_MAX; n++) {
      const received = this.socket.receive(bytes.subarray(filled), length - filled, []);
      if (received > 0) filled += received;
      if (filled === length) return bytes;
      if (received <= 0 && received !== RECEIVE_LATER) break;
      await pause(WAIT_MS);
    }
    throw new Error('the back-end does not answer');
  }
}

async function connected(path: string): Promise<UnixSocket> {
  for (let n = 0; n < WAITS_MAX; n++) {
    const socket = UnixSocket.connect(path);
    if (socket) return socket;
    await pause(WAIT_MS);
  }
  throw new Error(`nobody listens at ${path}`);
}
