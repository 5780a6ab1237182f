/** A pointer that wanders over a display: the scanout's cursor. */
import { cosine, sine, UNIT } from '../raster/angle.ts';
import { Canvas } from '../raster/canvas.ts';
import { Painter } from '../raster/painter.ts';
import { fixed } from '../raster/outline.ts';
import { GPU_CURSOR_SIDE, GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import { GpuCursor } from '../gpu-cursor.ts';
import type { GpuDriver } from '../gpu-driver.ts';
import type { GuestMachine } from '../guest-machine.ts';

const HOT = 4;
const ARROW = [4, 4, 4, 30, 11, 23.5, 15.5, 33, 20, 31, 15.5, 21.5, 24.5, 21.5];
const INK = 0x101820;
const PAPER = 0xffffff;

/** Where the pointer is in a frame, in pixels of a picture of this size. */
export function pointerAt(frame: number, width: number, height: number): { x: number; y: number } {
  return {
    x: Math.round(width / 2 + ((width / 3) * sine(frame * 11)) / UNIT),
    y: Math.round(height / 2 + ((height / 4) * cosine(frame * 17)) / UNIT),
  };
}

/** Draws the pointer: what it does not cover is transparent. */
export function drawPointer(canvas: Canvas): void {
  const { pixels, start, width, height } = canvas;
  pixels.fill(0, start, start + width * height);
  const points = ARROW.map(fixed);
  const painter = new Painter(canvas);
  painter.contour(points, 3, INK);
  painter.fill([points], PAPER);
}

export class Pointer {
  private readonly cursor: GpuCursor;
  private isShown = false;

  constructor(machine: GuestMachine, driver: GpuDriver, scanout: number) {
    this.cursor = new GpuCursor(driver, scanout);
    const at = this.cursor.picture.at / GPU_PIXEL_BYTES;
    drawPointer(new Canvas(machine.i32, at, GPU_CURSOR_SIDE, GPU_CURSOR_SIDE));
  }

  /** To where it is in a frame of a picture of this size. */
  move(frame: number, { width, height }: { width: number; height: number }): void {
    const { x, y } = pointerAt(frame, width, height);
    if (this.isShown) this.cursor.move(x, y);
    else this.cursor.show(HOT, HOT, x, y);
    this.isShown = true;
  }
}
