/** Pictures of one display for all who look: changed tiles only, one at a time, the newest wins. */
import type { Clock } from '../base/time.ts';
import { NS_PER_MS } from '../base/time.ts';
import type { DisplaySource } from './display-source.ts';
import {
  bodyBytesMax,
  PICTURE_HEADER_BYTES,
  tileGridOf,
  tileOf,
  writeIndices,
  writePictureHeader,
  type TileGrid,
} from './page/picture.ts';
import type { Viewer } from './viewer.ts';

/** Compression takes at most this share of one CPU: the data plane may need every other one. */
const REST_PER_WORK = 3;

export type Compress = (bytes: Uint8Array) => Promise<Uint8Array>;

export interface PictureStreamParts {
  readonly source: DisplaySource;
  /** Number of the display in the page's list. */
  readonly index: number;
  readonly compress: Compress;
  readonly clock: Clock;
  readonly tickMs: number;
}

// [impl->req~dash.display~1]
export class PictureStream {
  private readonly parts: PictureStreamParts;
  private readonly grid: TileGrid;
  /** What viewers that have every version see. */
  private readonly shown: Uint32Array;
  /** Version at which a tile changed last. */
  private readonly changedAt: Uint32Array;
  private readonly body: Uint8Array<ArrayBuffer>;
  private readonly bodyPixels: Uint32Array;
  /** What each viewer has; whoever is not in it has nothing. */
  private versions = new WeakMap<Viewer, number>();
  private readonly now = new Float64Array(1);
  private version = 0;
  private generation: number | undefined;
  private busy = false;
  private failure: unknown;
  private restTicks = 0;

  constructor(parts: PictureStreamParts) {
    this.parts = parts;
    this.grid = tileGridOf(parts.source);
    this.shown = new Uint32Array(this.grid.widthPx * this.grid.heightPx);
    this.changedAt = new Uint32Array(this.grid.tiles);
    this.body = new Uint8Array(bodyBytesMax(this.grid));
    this.bodyPixels = new Uint32Array(this.body.buffer);
  }

  /**
   * Starts one picture for those who have drawn their last one, if there is anything new.
   * @throws what ended the last picture
   */
  tick(viewers: Iterable<Viewer>): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.restTicks > 0) this.restTicks--;
    if (this.busy || this.restTicks > 0) return;
    const waiting = [...viewers].filter((viewer) => viewer.wantsPicture(this.parts.index));
    if (waiting.length === 0) return;
    this.look();
    // Whoever is further gets some tiles again: one compression serves all.
    const from = Math.min(...waiting.map((viewer) => this.versions.get(viewer) ?? 0));
    if (from >= this.version) return;
    this.send(waiting, from).catch((error: unknown) => {
      this.failure = error;
    });
  }

  /** Takes over the tiles that have changed; what changes meanwhile is for the next look. */
  private look(): void {
    const { source } = this.parts;
    const generation = source.generation();
    if (generation === this.generation) return;
    this.generation = generation;
    const bytes = source.pixels();
    const pixels = new Uint32Array(bytes.buffer, bytes.byteOffset, this.shown.length);
    const first = this.version === 0;
    const next = this.version + 1;
    for (let tile = 0; tile < this.grid.tiles; tile++) {
      if (!first && this.isShown(tile, pixels)) continue;
      this.takeOver(tile, pixels);
      this.changedAt[tile] = next;
      this.version = next;
    }
  }

  private isShown(tile: number, pixels: Uint32Array): boolean {
    const { shown, grid } = this;
    const { x, y, width, height } = tileOf(grid, tile);
    for (let row = 0; row < height; row++) {
      const at = (y + row) * grid.widthPx + x;
      for (let n = at; n < at + width; n++) if (pixels[n] !== shown[n]) return false;
    }
    return true;
  }

  private takeOver(tile: number, pixels: Uint32Array): void {
    const { x, y, width, height } = tileOf(this.grid, tile);
    for (let row = 0; row < height; row++) {
      const at = (y + row) * this.grid.widthPx + x;
      this.shown.set(pixels.subarray(at, at + width), at);
    }
  }

  /** The tiles that changed behind version `from`; the bytes of the body that are used. */
  private gather(from: number): number {
    const tiles: number[] = [];
    for (let tile = 0; tile < this.grid.tiles; tile++)
      if (this.changedAt[tile]! > from) tiles.push(tile);
    let at = writeIndices(this.body, tiles) / 4;
    for (const tile of tiles) {
      const { x, y, width, height } = tileOf(this.grid, tile);
      for (let row = 0; row < height; row++, at += width) {
        const start = (y + row) * this.grid.widthPx + x;
        this.bodyPixels.set(this.shown.subarray(start, start + width), at);
      }
    }
    return at * 4;
  }

  private async send(viewers: readonly Viewer[], from: number): Promise<void> {
    const { index, compress, tickMs } = this.parts;
    this.busy = true;
    const startedNs = this.nowNs();
    const { version } = this;
    try {
      const packed = await compress(this.body.subarray(0, this.gather(from)));
      const picture = new Uint8Array(PICTURE_HEADER_BYTES + packed.length);
      writePictureHeader(picture, index);
      picture.set(packed, PICTURE_HEADER_BYTES);
      for (const viewer of viewers) {
        if (!viewer.wantsPicture(index)) continue;
        viewer.sendPicture(index, picture);
        this.versions.set(viewer, version);
      }
    } finally {
      this.busy = false;
      const workMs = (this.nowNs() - startedNs) / NS_PER_MS;
      this.restTicks = Math.ceil((REST_PER_WORK * workMs) / tickMs);
    }
  }

  private nowNs(): number {
    this.parts.clock.readInto(this.now);
    return this.now[0]!;
  }
}
