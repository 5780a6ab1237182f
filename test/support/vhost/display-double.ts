/** The side of a GPU channel that shows: reads what a back-end tells it, as strictly as the documentation allows. */
import { strict as assert } from 'node:assert';
import { RECEIVE_LATER, type UnixSocket } from '../../../src/host/unix-socket.ts';
import { within } from './connection.ts';

export const Tell = {
  GET_PROTOCOL_FEATURES: 1,
  SET_PROTOCOL_FEATURES: 2,
  CURSOR_POS: 4,
  CURSOR_POS_HIDE: 5,
  CURSOR_UPDATE: 6,
  SCANOUT: 7,
  UPDATE: 8,
} as const;

export const REPLY = 4;
const HEADER_BYTES = 12;
const PIXEL_BYTES = 4;
/** The fourth byte of a pixel of x8r8g8b8 means nothing. */
const COLOUR = 0xffffff;
const CURSOR_BYTES = 64 * 64 * PIXEL_BYTES;
/** What QEMU 10 knows: EDID and DMABUF2. */
const QEMU_FEATURES = 3n;
/** Bytes of every message but UPDATE, which says itself how many follow. */
const SIZES: Readonly<Record<number, number>> = {
  [Tell.GET_PROTOCOL_FEATURES]: 0,
  [Tell.SET_PROTOCOL_FEATURES]: 8,
  [Tell.CURSOR_POS]: 12,
  [Tell.CURSOR_POS_HIDE]: 12,
  [Tell.CURSOR_UPDATE]: 20 + CURSOR_BYTES,
  [Tell.SCANOUT]: 12,
};

export interface Told {
  readonly request: number;
  /** Payload without pixels, as words. */
  readonly words: readonly number[];
  readonly bytes: number;
}

export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
  /** Pixels have come since the size was told. */
  updated: boolean;
}

export interface Cursor {
  x: number;
  y: number;
  visible: boolean;
  hot: readonly [number, number];
  pixels: Uint32Array;
}

export function answerOf(features = QEMU_FEATURES, request = 1, flags = REPLY, size = 8): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + 8);
  bytes.writeUInt32LE(request, 0);
  bytes.writeUInt32LE(flags, 4);
  bytes.writeUInt32LE(size, 8);
  bytes.writeBigUInt64LE(features, HEADER_BYTES);
  return bytes;
}

export class DisplayDouble {
  readonly socket: UnixSocket;
  readonly told: Told[] = [];
  readonly screens = new Map<number, Screen>();
  readonly cursors = new Map<number, Cursor>();
  /** Whether it answers the back-end's question by itself. */
  answers = true;
  ended = false;
  bytes = 0;
  private pending = Buffer.alloc(0);
  private readonly chunk = Buffer.allocUnsafeSlow(1 << 20);

  constructor(socket: UnixSocket) {
    this.socket = socket;
  }

  send(bytes: Buffer): number {
    return this.socket.send(bytes, bytes.length);
  }

  /** Reads what is there, up to a number of bytes. */
  read(bytesMax = this.chunk.length): void {
    if (this.ended) return;
    const descriptors: number[] = [];
    const count = this.socket.receive(this.chunk, bytesMax, descriptors);
    assert.deepEqual(descriptors, [], 'no descriptor comes with a picture');
    if (count > 0) {
      this.bytes += count;
      this.pending = Buffer.concat([this.pending, this.chunk.subarray(0, count)]);
      while (this.takeMessage());
    } else if (count !== RECEIVE_LATER) this.ended = true;
  }

  /** Bytes of a message that is not whole yet. */
  get unfinished(): number {
    return this.pending.length;
  }

  private takeMessage(): boolean {
    if (this.pending.length < HEADER_BYTES) return false;
    const [request, flags, size] = [0, 4, 8].map((at) => this.pending.readUInt32LE(at));
    assert.equal(flags, 0, 'a message of the back-end has no flags');
    assert.ok(request === Tell.UPDATE || SIZES[request!] === size, `${request}: ${size} bytes`);
    if (this.pending.length < HEADER_BYTES + size!) return false;
    const payload = Buffer.from(this.pending.subarray(HEADER_BYTES, HEADER_BYTES + size!));
    this.pending = this.pending.subarray(HEADER_BYTES + size!);
    const words = Array.from({ length: Math.min(5, size! / 4) }, (_, n) =>
      payload.readInt32LE(4 * n),
    );
    this.show(request!, words, payload);
    this.told.push({ request: request!, words, bytes: size! });
    return true;
  }

  private show(request: number, words: readonly number[], payload: Buffer): void {
    const first = this.told.length === 0;
    assert.equal(request === Tell.GET_PROTOCOL_FEATURES, first, 'features are asked for first');
    const second = this.told.length === 1;
    assert.equal(request === Tell.SET_PROTOCOL_FEATURES, second, 'and set next');
    if (request === Tell.GET_PROTOCOL_FEATURES && this.answers) this.send(answerOf());
    if (request === Tell.SET_PROTOCOL_FEATURES) assert.ok(payload.every((byte) => byte === 0));
    if (request === Tell.SCANOUT) this.resize(words);
    if (request === Tell.UPDATE) this.update(words, payload);
    if (request >= Tell.CURSOR_POS && request <= Tell.CURSOR_UPDATE)
      this.moveCursor(request, words, payload);
  }

  private resize([id, width, height]: readonly number[]): void {
    if (width === 0 || height === 0) {
      assert.deepEqual([width, height], [0, 0]);
      this.screens.delete(id!);
      return;
    }
    const pixels = new Uint32Array(width! * height!).fill(0xdeadbeef);
    this.screens.set(id!, { width: width!, height: height!, pixels, updated: false });
  }

  private update([id, x, y, width, height]: readonly number[], payload: Buffer): void {
    const screen = this.screens.get(id!);
    assert.ok(screen, `an update of scanout ${id}, whose size was not told`);
    assert.ok(width! > 0 && height! > 0 && x! >= 0 && y! >= 0, 'pixels are there');
    const inside = x! + width! <= screen.width && y! + height! <= screen.height;
    assert.ok(inside, `${x},${y} ${width}x${height} lies inside`);
    assert.equal(payload.length, 20 + width! * height! * PIXEL_BYTES, 'every pixel, and no other');
    screen.updated = true;
    let at = 20;
    for (let row = 0; row < height!; row++) {
      for (let column = 0; column < width!; column++, at += PIXEL_BYTES) {
        screen.pixels[(y! + row) * screen.width + x! + column] = payload.readUInt32LE(at);
      }
    }
  }

  private moveCursor(request: number, words: readonly number[], payload: Buffer): void {
    const [id, x, y, hotX, hotY] = words;
    let cursor = this.cursors.get(id!);
    if (request === Tell.CURSOR_UPDATE) {
      const pixels = new Uint32Array(CURSOR_BYTES / PIXEL_BYTES);
      pixels.forEach((_, n) => (pixels[n] = payload.readUInt32LE(20 + 4 * n)));
      cursor = { x: x!, y: y!, visible: true, hot: [hotX!, hotY!], pixels };
      this.cursors.set(id!, cursor);
    }
    assert.ok(cursor, `a place for the cursor of scanout ${id}, which has no picture`);
    cursor.x = x!;
    cursor.y = y!;
    cursor.visible = request !== Tell.CURSOR_POS_HIDE;
  }

  count(request: number): number {
    return this.told.filter((each) => each.request === request).length;
  }

  /** Reads until something holds. */
  async until(condition: () => boolean, what: string, milliseconds = 10_000): Promise<void> {
    const found = await within(milliseconds, () => {
      this.read();
      return condition() ? true : undefined;
    });
    assert.ok(found, `not within ${milliseconds} ms: ${what}`);
  }

  /** Reads until a screen shows exactly these pixels, so many in a row. */
  async shows(id: number, width: number, pixels: readonly number[] | Uint32Array): Promise<void> {
    const height = pixels.length / width;
    const same = () => {
      const screen = this.screens.get(id);
      return (
        screen?.width === width &&
        screen.height === height &&
        screen.updated &&
        screen.pixels.every((pixel, n) => ((pixel ^ pixels[n]!) & COLOUR) === 0)
      );
    };
    await this.until(same, `scanout ${id} shows ${width}x${height} pixels`);
  }

  close(): void {
    this.ended = true;
    this.socket.close();
  }
}
