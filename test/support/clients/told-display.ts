/** What the messages of a display back-end make of a display: a picture, and a cursor. */
import { strict as assert } from 'node:assert';
import {
  GpuChannelCursorPos,
  GpuChannelCursorUpdate,
  GpuChannelRequest,
  GpuChannelUpdate,
} from '../../../src/wire/vhost-user-gpu.ts';
import { until } from '../../../src/cli/clients/wait.ts';
import type { DisplayMessage, DisplayTap } from './display-tap.ts';
import { paint, type Picture } from './picture.ts';

const CURSOR = 64;
const PIXEL = 4;

/** Where the cursor was put, one after the other; 'hidden' where it was taken away. */
export type CursorPlace = readonly [x: number, y: number] | 'hidden';

export interface ToldCursor {
  readonly hot: readonly [x: number, y: number];
  /** 0xAARRGGBB of each pixel, row by row. */
  readonly argb: Uint32Array;
}

function u32(at: number, { payload }: DisplayMessage): number {
  return payload.readUInt32LE(at);
}

/** The picture that updates of a display of this size add up to, on black. */
export function toldPicture(
  messages: readonly DisplayMessage[],
  { width, height }: { readonly width: number; readonly height: number },
): Picture {
  const pixels = Buffer.alloc(width * height * PIXEL);
  for (const message of messages) {
    if (message.request !== GpuChannelRequest.UPDATE) continue;
    const [x, y] = [u32(GpuChannelUpdate.X, message), u32(GpuChannelUpdate.Y, message)];
    const [w, h] = [u32(GpuChannelUpdate.WIDTH, message), u32(GpuChannelUpdate.HEIGHT, message)];
    assert.ok(x + w <= width && y + h <= height, `${w}x${h} at ${x},${y} is on the display`);
    assert.equal(message.payload.length, GpuChannelUpdate.SIZE + w * h * PIXEL);
    for (let row = 0; row < h; row++) {
      const from = GpuChannelUpdate.SIZE + row * w * PIXEL;
      message.payload.copy(pixels, ((y + row) * width + x) * PIXEL, from, from + w * PIXEL);
    }
  }
  return paint(width, height, (x, y) => pixels.readUIntLE((y * width + x) * PIXEL, 3));
}

/** A move says where, and so does each new picture of a cursor. */
export function toldPlaces(messages: readonly DisplayMessage[]): CursorPlace[] {
  return messages
    .filter(isPlace)
    .map((message) =>
      message.request === GpuChannelRequest.CURSOR_POS_HIDE
        ? 'hidden'
        : [u32(GpuChannelCursorPos.X, message), u32(GpuChannelCursorPos.Y, message)],
    );
}

function isPlace({ request }: DisplayMessage): boolean {
  const { CURSOR_UPDATE, CURSOR_POS, CURSOR_POS_HIDE } = GpuChannelRequest;
  return request === CURSOR_UPDATE || request === CURSOR_POS || request === CURSOR_POS_HIDE;
}

/** All that a display is told until its cursor has got to a place, which it does a moment later. */
export async function toldUntil(tap: DisplayTap, place: CursorPlace): Promise<DisplayMessage[]> {
  const told: DisplayMessage[] = [];
  await until(
    () => {
      told.push(...tap.messages());
      return String(toldPlaces(told).at(-1)) === String(place);
    },
    `the cursor at ${String(place)}`,
  );
  return told;
}

/** The cursor of the last picture of one. */
export function toldCursor(messages: readonly DisplayMessage[]): ToldCursor {
  const last = messages.findLast(({ request }) => request === GpuChannelRequest.CURSOR_UPDATE);
  assert.ok(last, 'the display was told of a cursor');
  assert.equal(last.payload.length, GpuChannelCursorUpdate.SIZE);
  const argb = Uint32Array.from({ length: CURSOR * CURSOR }, (_, n) =>
    u32(GpuChannelCursorUpdate.PIXELS + n * PIXEL, last),
  );
  const hot = [GpuChannelCursorUpdate.HOT_X, GpuChannelCursorUpdate.HOT_Y] as const;
  return { hot: [u32(hot[0], last), u32(hot[1], last)], argb };
}

/** The cursor of draw.c: an opaque triangle, and nothing around it. */
export function drawnCursor(): ToldCursor {
  const argb = Uint32Array.from({ length: CURSOR * CURSOR }, (_, n) => {
    const [x, y] = [n % CURSOR, Math.floor(n / CURSOR)];
    return x <= y ? 0xff000055 + (x << 18) + (y << 10) : 0;
  });
  return { hot: [3, 5], argb };
}
