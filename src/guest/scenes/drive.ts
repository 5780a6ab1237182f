/** The drive that the displays show: speed, way and power as functions of the frame's number. */
import { cosine, sine, TURN, UNIT } from '../raster/angle.ts';

export const FRAMES_PER_SECOND = 60;

/** The speed is a mean and two waves, in tenths of km/h; a wave has so many frames. */
const MEAN = 1020;
const WAVES = [
  { amplitude: 560, frames: 2400 },
  { amplitude: 90, frames: 610 },
] as const;
const KMH10_PER_MPS = 36;

function phaseOf(frame: number, frames: number): number {
  return Math.round((TURN * (frame % frames)) / frames);
}

/** In tenths of km/h. */
export function speedOf(frame: number): number {
  return WAVES.reduce(
    (sum, { amplitude, frames }) => sum + (amplitude * sine(phaseOf(frame, frames))) / UNIT,
    MEAN,
  );
}

/** Metres since the first frame. */
export function wayOf(frame: number): number {
  const turns = WAVES.reduce((sum, { amplitude, frames }) => {
    const swing = (amplitude * (UNIT - cosine(phaseOf(frame, frames)))) / UNIT;
    return sum + (swing * frames) / (2 * Math.PI);
  }, MEAN * frame);
  return turns / FRAMES_PER_SECOND / KMH10_PER_MPS;
}

/** Of the motor, in percent; below 0 it charges. */
export function powerOf(frame: number): number {
  const drag = (speedOf(frame) * speedOf(frame)) / 90_000;
  const push = WAVES.reduce((sum, { amplitude, frames }) => {
    return sum + ((amplitude * cosine(phaseOf(frame, frames))) / UNIT / frames) * 110;
  }, 0);
  return Math.max(-40, Math.min(100, drag + push));
}

/** Time of day as two digits each. */
export function clockOf(frame: number): { hours: string; minutes: string; seconds: string } {
  const seconds = 10 * 3600 + 8 * 60 + Math.floor(frame / FRAMES_PER_SECOND);
  const two = (value: number) => String(value).padStart(2, '0');
  return {
    hours: two(Math.floor(seconds / 3600) % 24),
    minutes: two(Math.floor(seconds / 60) % 60),
    seconds: two(seconds % 60),
  };
}
