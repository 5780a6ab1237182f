/** Scanouts in a small memory of their own and a channel that tells of them, without a gateway. */
import { ScanoutState } from '../../src/channel/scanout-state.ts';
import { GpuChannel } from '../../src/control-plane/vhost-user/gpu-channel.ts';
import type { ScanoutSource } from '../../src/control-plane/vhost-user/scanout-feed.ts';
import { UnixSocket } from '../../src/host/unix-socket.ts';
import { DisplayDouble } from './vhost/display-double.ts';

const PAGE = 4096;
const STATE_BYTES = 64;
const CURSOR_BYTES = 16384;
/** A display that refreshes at each tick of the supervision. */
const EACH_TICK_NS = 10e6;

export interface StageScanout {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly refreshNs?: number;
}

export class Stage {
  readonly words: Int32Array;
  readonly pixels: Uint32Array;
  readonly sources: ScanoutSource[] = [];
  readonly states: ScanoutState[] = [];
  readonly reasons: string[] = [];
  readonly display: DisplayDouble;
  readonly channel: GpuChannel;

  constructor(scanouts: readonly StageScanout[]) {
    let at = PAGE;
    const take = (bytes: number) => {
      const start = at;
      at = Math.ceil((at + bytes) / PAGE) * PAGE;
      return start;
    };
    for (const { widthPx, heightPx, refreshNs = EACH_TICK_NS } of scanouts) {
      const pixelsAt = take(widthPx * heightPx * 4);
      const [cursorAt, stateAt] = [take(CURSOR_BYTES), take(STATE_BYTES)];
      this.sources.push({ widthPx, heightPx, refreshNs, pixelsAt, cursorAt, stateAt });
    }
    this.words = new Int32Array(new SharedArrayBuffer(at));
    this.pixels = new Uint32Array(this.words.buffer);
    this.states = this.sources.map(({ stateAt }) => new ScanoutState(this.words, stateAt));
    const [own, theirs] = UnixSocket.pair();
    this.display = new DisplayDouble(theirs);
    this.channel = this.open(own);
  }

  /** Another channel for the same scanouts. */
  open(socket: UnixSocket): GpuChannel {
    return new GpuChannel({
      socket,
      sources: this.sources,
      words: this.words,
      onClosed: (reason) => this.reasons.push(reason),
    });
  }

  /** Draws a rectangle in one colour and flushes it, as the data plane does. */
  draw(
    scanout: number,
    [x, y, width, height]: readonly [number, number, number, number],
    colour: number,
  ): void {
    const { pixelsAt, widthPx } = this.sources[scanout]!;
    for (let row = y; row < y + height; row++) {
      const from = pixelsAt / 4 + row * widthPx + x;
      this.pixels.fill(colour, from, from + width);
    }
    this.states[scanout]!.changed(x, y, x + width, y + height);
  }

  /** What a scanout of this size shows, from the top left corner of its plane. */
  picture(scanout: number, width: number, height: number): Uint32Array {
    const { pixelsAt, widthPx } = this.sources[scanout]!;
    const picture = new Uint32Array(width * height);
    for (let row = 0; row < height; row++) {
      const from = pixelsAt / 4 + row * widthPx;
      picture.set(this.pixels.subarray(from, from + width), row * width);
    }
    return picture;
  }

  /** The front-end has answered, and knows what the channel uses. */
  async introduced(): Promise<void> {
    await this.display.until(() => this.display.told.length === 2, 'the features are set');
  }

  /** Ticks, and reads until a scanout shows what is drawn. */
  async shows(scanout: number, width: number, height: number): Promise<void> {
    const timer = setInterval(() => this.channel.tick(), 1);
    try {
      await this.display.shows(scanout, width, this.picture(scanout, width, height));
    } finally {
      clearInterval(timer);
    }
  }

  close(): void {
    this.channel.close();
    this.display.close();
  }
}
