/** A guest with a GPU on a vhost-user socket, as QEMU brings it up: rings, display, commands. */
import { strict as assert } from 'node:assert';
import { UnixSocket } from '../../../src/host/unix-socket.ts';
import { RingDouble } from '../ring-double.ts';
import { within } from './connection.ts';
import { DeviceGuest } from './device-guest.ts';
import { DisplayDouble } from './display-double.ts';
import { FrontEnd } from './front-end.ts';
import { GuestRam, type RamOptions } from './guest-ram.ts';
import { configAccess, PROTOCOL_FEATURES, Request, u32, u64 } from './message.ts';
import { addStatus, DRIVER, DRIVER_OK, FEATURES_OK, giveMemory, qemuAttach } from './sequences.ts';

const CONTROL_ENTRIES = 64;
const CURSOR_ENTRIES = 16;
const COMMAND_BYTES = 256;
const ANSWER_BYTES = 2048;
const CONFIG_BYTES = 16;
const PATIENCE_MS = 10_000;
const NEXT = 1;
const WRITE = 2;
const PAGE = 4096;

/** VIRTIO_GPU_F_EDID, EVENT_IDX, INDIRECT_DESC, VERSION_1: what Linux takes. */
const WANTED = (1n << 1n) | (1n << 28n) | (1n << 29n) | (1n << 32n);
/** What QEMU's front-end adds by itself. */
export const RING_RESET = 1n << 40n;

/** Numbers of 5.7.6, written from the standard. */
export const Gpu = {
  GET_DISPLAY_INFO: 0x100,
  RESOURCE_CREATE_2D: 0x101,
  RESOURCE_UNREF: 0x102,
  SET_SCANOUT: 0x103,
  RESOURCE_FLUSH: 0x104,
  TRANSFER_TO_HOST_2D: 0x105,
  RESOURCE_ATTACH_BACKING: 0x106,
  UPDATE_CURSOR: 0x300,
  MOVE_CURSOR: 0x301,
  OK_NODATA: 0x1100,
  OK_DISPLAY_INFO: 0x1101,
  FORMAT_BGRA: 1,
  FORMAT_BGRX: 2,
} as const;

export type Box = readonly [x: number, y: number, width: number, height: number];

export interface GpuGuestOptions extends RamOptions {
  readonly wanted?: bigint;
  /** Bits that the front-end acknowledges whatever is offered. */
  readonly own?: bigint;
}

export class GpuGuest extends DeviceGuest {
  display: DisplayDouble | undefined;
  private readonly frontEndOwn: bigint;
  private readonly seen = [0, 0];
  private readonly buffers: number[];

  private constructor(frontEnd: FrontEnd, options: GpuGuestOptions) {
    const { wanted = WANTED, own = RING_RESET } = options;
    super(frontEnd, new GuestRam({ bytes: 2 ** 21, ...options }), wanted);
    this.frontEndOwn = own;
    const rings = [CONTROL_ENTRIES, CURSOR_ENTRIES].map((size) => new RingDouble(this.ram, size));
    this.buffers = rings.map(() => this.ram.allocate(COMMAND_BYTES + ANSWER_BYTES));
    this.rings = rings.map((ring, index) => this.ringOf(ring, index));
  }

  static async open(path: string, options: GpuGuestOptions = {}): Promise<GpuGuest> {
    return new GpuGuest(await FrontEnd.served(path), options);
  }

  /** The end of a new channel that the back-end gets; the other end is the guest's display. */
  async handDisplayOver(): Promise<DisplayDouble> {
    this.display?.close();
    const [own, theirs] = UnixSocket.pair();
    this.display = new DisplayDouble(own);
    await this.frontEnd.tell(Request.GPU_SET_SOCKET, undefined, [theirs.descriptor]);
    theirs.close();
    return this.display;
  }

  /** The driver is ready: message by message what QEMU 10 says. The display answers later on. */
  async start(bases: readonly number[] = [0, 0]): Promise<DisplayDouble> {
    const { frontEnd } = this;
    for (let n = 0; n < 2; n++)
      await frontEnd.get(Request.GET_CONFIG, configAccess(0, CONFIG_BYTES));
    const display = await this.handDisplayOver();
    for (const { index, call } of this.rings)
      await frontEnd.tell(Request.SET_VRING_CALL, u64(index), [call]);
    frontEnd.features = (frontEnd.offered & this.wanted) | this.frontEndOwn | PROTOCOL_FEATURES;
    await frontEnd.tell(Request.SET_FEATURES, u64(frontEnd.features));
    await addStatus(frontEnd, FEATURES_OK);
    await giveMemory(this);
    for (const { index, double, kick } of this.rings) {
      await frontEnd.tell(Request.SET_VRING_NUM, u32(index, double.size));
      await frontEnd.tell(Request.SET_VRING_BASE, u32(index, bases[index]!));
      await frontEnd.tell(Request.SET_VRING_ADDR, this.addresses(index));
      await frontEnd.tell(Request.SET_VRING_KICK, u64(index), [kick]);
    }
    for (const { index } of this.rings) await this.enable(index);
    await addStatus(frontEnd, DRIVER | DRIVER_OK);
    for (const { index, call } of this.rings)
      await frontEnd.tell(Request.SET_VRING_CALL, u64(index), [call]);
    return display;
  }

  /** A guest that runs, from its connection on. */
  async run(): Promise<DisplayDouble> {
    await qemuAttach(this);
    return this.start();
  }

  /** QEMU closes the display, disables both rings and asks where they are. */
  async stop(): Promise<number[]> {
    this.display?.close();
    for (const { index } of this.rings) await this.enable(index, 0);
    const bases: number[] = [];
    for (const { index } of this.rings) bases.push(await this.frontEnd.base(index));
    return bases;
  }

  /** Hands a command over; nothing is waited for. */
  post(queue: number, command: Buffer): void {
    const { double } = this.ring(queue);
    const at = this.buffers[queue]!;
    double.slice.write(at, command);
    double.describe(0, { address: at, length: command.length, flags: NEXT, next: 1 });
    double.describe(1, { address: at + COMMAND_BYTES, length: ANSWER_BYTES, flags: WRITE });
    double.expose(0);
  }

  /** The answer to the command handed over last. */
  async answer(queue = 0): Promise<Buffer> {
    const { double } = this.ring(queue);
    const used = await within(PATIENCE_MS, () =>
      double.usedIndex === this.seen[queue] ? undefined : double.usedElement(this.seen[queue]!),
    );
    assert.ok(used, 'the command is answered');
    this.seen[queue] = (this.seen[queue]! + 1) & 0xffff;
    return Buffer.from(double.slice.read(this.buffers[queue]! + COMMAND_BYTES, used.length));
  }

  async command(type: number, words: readonly number[] = [], queue = 0): Promise<Buffer> {
    this.post(queue, commandOf(type, words));
    return this.answer(queue);
  }

  async succeed(type: number, words: readonly number[] = [], queue = 0): Promise<void> {
    const answer = await this.command(type, words, queue);
    assert.ok(answer.length >= 24, `command 0x${type.toString(16)} has an answer`);
    assert.equal(answer.readUInt32LE(0), Gpu.OK_NODATA, `command 0x${type.toString(16)}`);
  }

  /** A picture of the guest, with its memory in one piece; guest address of its pixels. */
  async create(
    id: number,
    width: number,
    height: number,
    format: number = Gpu.FORMAT_BGRX,
  ): Promise<number> {
    await this.succeed(Gpu.RESOURCE_CREATE_2D, [id, format, width, height]);
    const bytes = width * height * 4;
    const address = this.ram.allocate(bytes, PAGE);
    const entry = [address % 2 ** 32, Math.floor(address / 2 ** 32), bytes, 0];
    await this.succeed(Gpu.RESOURCE_ATTACH_BACKING, [id, 1, ...entry]);
    return address;
  }

  /** Pixels in the guest's memory. */
  paint(address: number, pixels: Uint32Array): void {
    const { arena } = this.ram;
    arena.u8.set(new Uint8Array(pixels.buffer), this.ram.at(address));
  }

  async show(scanout: number, id: number, [x, y, width, height]: Box): Promise<void> {
    await this.succeed(Gpu.SET_SCANOUT, [x, y, width, height, scanout, id]);
  }

  /** A part of a picture comes from the guest's memory on to every scanout that shows it. */
  async flush(id: number, [x, y, width, height]: Box, rowPixels: number): Promise<void> {
    const offset = (y * rowPixels + x) * 4;
    await this.succeed(Gpu.TRANSFER_TO_HOST_2D, [x, y, width, height, offset, 0, id, 0]);
    await this.succeed(Gpu.RESOURCE_FLUSH, [x, y, width, height, id, 0]);
  }

  async cursor(
    scanout: number,
    id: number,
    x: number,
    y: number,
    hot: readonly [number, number],
  ): Promise<void> {
    await this.succeed(Gpu.UPDATE_CURSOR, [scanout, x, y, 0, id, ...hot, 0], 1);
  }

  override end(): void {
    this.display?.close();
    super.end();
  }
}

/** Header and words of a command. */
export function commandOf(type: number, words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(24 + 4 * words.length);
  bytes.writeUInt32LE(type, 0);
  words.forEach((word, n) => bytes.writeUInt32LE(word >>> 0, 24 + 4 * n));
  return bytes;
}
