/** A picture that moves: what a frame looks like depends on its number and on nothing else. */
import type { Canvas } from '../raster/canvas.ts';

export interface Scene {
  /** Draws the frame of this number over whatever frame of the scene the canvas has. */
  draw(canvas: Canvas, frame: number): void;
}

/** Makes the scene of a program for a picture of some size; `canvas` gives it memory. */
export interface SceneParts {
  readonly width: number;
  readonly height: number;
  /** A picture of the scene's own, for what it draws only once. */
  readonly canvas: (width: number, height: number) => Canvas;
}
