/**
 * What one scanout still has to tell its front-end: its size, its cursor, and in bands the pixels
 * that changed. What changes meanwhile waits in the scanout's own state, as one rectangle.
 */
import { ScanoutView, ScanoutWord } from '../../channel/scanout-state.ts';
import type { GatheredMessage } from '../../host/gathered-message.ts';
import type { GatewayPlan, PlanGpuDevice } from '../../schedule/gateway-plan.ts';
import {
  GpuChannelCursorPos,
  GpuChannelCursorUpdate,
  GpuChannelHeader,
  GpuChannelRequest,
  GpuChannelScanout,
  GpuChannelUpdate,
} from '../../wire/vhost-user-gpu.ts';
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';

/** Where the picture and the cursor of one scanout lie in the arena. */
export interface ScanoutSource {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly refreshNs: number;
  readonly pixelsAt: number;
  readonly cursorAt: number;
  readonly stateAt: number;
}

/** Pixels of one message: it fits the buffer of a socket, so that no front-end waits inside it. */
const BAND_BYTES = 64 * 1024;
/** Rows of a band that is narrower than its picture are as many parts of a message. */
export const BAND_ROWS = 64;
/** The longest head: that of UPDATE, and of CURSOR_UPDATE. */
export const HEAD_BYTES = GpuChannelHeader.SIZE + GpuChannelUpdate.SIZE;

const CursorDue = { NOTHING: 0, PLACE: 1, PICTURE: 2, HIDE: 3 } as const;

export function scanoutSources(plan: GatewayPlan, device: PlanGpuDevice): ScanoutSource[] {
  return device.planes.map((index) => {
    const { rectangle, display } = plan.planes[index]!;
    const { pixelsAt, cursorAt, stateAt } = plan.layout.planes[index]!;
    const { refreshNs } = plan.displays[display]!;
    const { width: widthPx, height: heightPx } = rectangle;
    return { widthPx, heightPx, refreshNs, pixelsAt, cursorAt, stateAt };
  });
}

/** Begins a message of the back-end; no flag is meant for it. */
export function beginMessage(
  message: GatheredMessage,
  request: number,
  headPayload: number,
  body = 0,
): void {
  const { head } = message;
  head.setUint32(GpuChannelHeader.REQUEST, request, true);
  head.setUint32(GpuChannelHeader.FLAGS, 0, true);
  head.setUint32(GpuChannelHeader.PAYLOAD_BYTES, headPayload + body, true);
  message.begin(GpuChannelHeader.SIZE + headPayload);
}

// [impl->req~vhost.gpu-updates~1]
export class ScanoutFeed {
  private readonly index: number;
  private readonly source: ScanoutSource;
  private readonly view: ScanoutView;
  /** Time until the next refresh of the display, when the feed takes over what has changed. */
  private waitNs = 0;
  /** Nothing was taken over yet: the front-end knows nothing of the scanout. */
  private fresh = true;
  /** The scanout's size as the front-end knows it; it begins with none. */
  private width = 0;
  private height = 0;
  private sizeDue = false;
  // What is still to be sent of the pixels that were taken over.
  private left = 0;
  private right = 0;
  private row = 0;
  private bottom = 0;
  /** What is to be said of the cursor, and how the front-end knows it. */
  private cursorDue: number = CursorDue.NOTHING;
  private cursorPicture = -1;
  private cursorShown = false;
  private cursorX = 0;
  private cursorY = 0;

  constructor(index: number, source: ScanoutSource, words: Int32Array) {
    this.index = index;
    this.source = source;
    this.view = new ScanoutView(words, source.stateAt);
  }

  /** So much time has passed: at a refresh, what has changed is taken over unless some is left. */
  // [impl->req~vhost.gpu-back-pressure~1]
  passed(ns: number): void {
    this.waitNs -= ns;
    if (this.waitNs > 0 || this.hasMore || !this.view.read()) return;
    this.waitNs = Math.max(this.waitNs + this.source.refreshNs, 0);
    this.takeSize();
    this.takePixels();
    this.takeCursor();
  }

  private get hasMore(): boolean {
    return this.sizeDue || this.cursorDue !== CursorDue.NOTHING || this.row < this.bottom;
  }

  private takeSize(): void {
    const width = Math.min(this.view.copy[ScanoutWord.WIDTH]!, this.source.widthPx);
    const height = Math.min(this.view.copy[ScanoutWord.HEIGHT]!, this.source.heightPx);
    this.sizeDue = width !== this.width || height !== this.height;
    this.width = width;
    this.height = height;
  }

  /** To a front-end that has another size, or no picture yet, all of it is new. */
  private takePixels(): void {
    const { view, width, height } = this;
    const { copy } = view;
    const all = this.fresh || this.sizeDue;
    if (!all && copy[ScanoutWord.PICTURE] === copy[ScanoutWord.TAKEN]) return;
    this.fresh = false;
    this.left = all ? 0 : copy[ScanoutWord.LEFT]!;
    this.right = all ? width : Math.min(copy[ScanoutWord.RIGHT]!, width);
    this.row = all ? 0 : copy[ScanoutWord.TOP]!;
    this.bottom = all ? height : Math.min(copy[ScanoutWord.BOTTOM]!, height);
    if (this.left >= this.right) this.row = this.bottom;
    // Acknowledged before they are sent: what changes from now on is taken over the next time.
    view.acknowledge();
  }

  private takeCursor(): void {
    const { copy } = this.view;
    const shown = copy[ScanoutWord.CURSOR_VISIBLE] !== 0;
    const picture = copy[ScanoutWord.CURSOR_PICTURE]!;
    const x = copy[ScanoutWord.CURSOR_X]!;
    const y = copy[ScanoutWord.CURSOR_Y]!;
    if (shown && picture !== this.cursorPicture) {
      this.cursorDue = CursorDue.PICTURE;
      this.cursorPicture = picture;
    } else if (shown && (!this.cursorShown || x !== this.cursorX || y !== this.cursorY)) {
      this.cursorDue = CursorDue.PLACE;
    } else if (!shown && this.cursorShown) {
      this.cursorDue = CursorDue.HIDE;
    }
    this.cursorShown = shown;
    this.cursorX = x;
    this.cursorY = y;
  }

  /** Makes the next message; false when there is nothing to say for now. */
  compose(message: GatheredMessage): boolean {
    if (this.sizeDue) this.composeSize(message);
    else if (this.cursorDue !== CursorDue.NOTHING) this.composeCursor(message);
    else if (this.row < this.bottom) this.composeBand(message);
    else return false;
    return true;
  }

  private composeSize(message: GatheredMessage): void {
    const { head } = message;
    const at = GpuChannelHeader.SIZE;
    head.setUint32(at + GpuChannelScanout.SCANOUT_ID, this.index, true);
    head.setUint32(at + GpuChannelScanout.WIDTH, this.width, true);
    head.setUint32(at + GpuChannelScanout.HEIGHT, this.height, true);
    beginMessage(message, GpuChannelRequest.SCANOUT, GpuChannelScanout.SIZE);
    this.sizeDue = false;
  }

  private composeCursor(message: GatheredMessage): void {
    const { head } = message;
    const { copy } = this.view;
    const at = GpuChannelHeader.SIZE;
    head.setUint32(at + GpuChannelCursorPos.SCANOUT_ID, this.index, true);
    head.setInt32(at + GpuChannelCursorPos.X, this.cursorX, true);
    head.setInt32(at + GpuChannelCursorPos.Y, this.cursorY, true);
    const due = this.cursorDue;
    this.cursorDue = CursorDue.NOTHING;
    if (due !== CursorDue.PICTURE) {
      const { CURSOR_POS, CURSOR_POS_HIDE } = GpuChannelRequest;
      const request = due === CursorDue.PLACE ? CURSOR_POS : CURSOR_POS_HIDE;
      beginMessage(message, request, GpuChannelCursorPos.SIZE);
      return;
    }
    head.setUint32(at + GpuChannelCursorUpdate.HOT_X, copy[ScanoutWord.CURSOR_HOT_X]!, true);
    head.setUint32(at + GpuChannelCursorUpdate.HOT_Y, copy[ScanoutWord.CURSOR_HOT_Y]!, true);
    const { PIXELS, SIZE } = GpuChannelCursorUpdate;
    beginMessage(message, GpuChannelRequest.CURSOR_UPDATE, PIXELS, SIZE - PIXELS);
    message.add(this.source.cursorAt, SIZE - PIXELS);
  }

  /** As many rows as one message has. */
  private composeBand(message: GatheredMessage): void {
    const { widthPx, pixelsAt } = this.source;
    const width = this.right - this.left;
    const rowBytes = width * GPU_PIXEL_BYTES;
    const rowsMax = Math.max(1, Math.min(BAND_ROWS, Math.floor(BAND_BYTES / rowBytes)));
    const rows = Math.min(rowsMax, this.bottom - this.row);
    const { head } = message;
    const at = GpuChannelHeader.SIZE;
    head.setUint32(at + GpuChannelUpdate.SCANOUT_ID, this.index, true);
    head.setUint32(at + GpuChannelUpdate.X, this.left, true);
    head.setUint32(at + GpuChannelUpdate.Y, this.row, true);
    head.setUint32(at + GpuChannelUpdate.WIDTH, width, true);
    head.setUint32(at + GpuChannelUpdate.HEIGHT, rows, true);
    beginMessage(message, GpuChannelRequest.UPDATE, GpuChannelUpdate.SIZE, rows * rowBytes);
    for (let n = 0; n < rows; n++) {
      message.add(pixelsAt + ((this.row + n) * widthPx + this.left) * GPU_PIXEL_BYTES, rowBytes);
    }
    this.row += rows;
  }
}
