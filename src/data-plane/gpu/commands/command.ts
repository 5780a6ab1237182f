/** What every command of the GPU device looks like: its form, and how it is carried out. */
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';

/** In place of the type of an answer: the command goes on with the next piece. */
export const GOES_ON = 0;

export interface GpuCommand {
  /** Bytes of its structure, header included. */
  readonly bytes: number;
  /** Bytes of the answer when it succeeds. */
  readonly answerBytes: number;
  /** Whether the driver may use it: it is not part of a feature, or that was negotiated. */
  readonly available: boolean;
  /** Judges the command, and carries it out or begins to; type of the answer or GOES_ON. */
  begin(request: GpuRequest): number;
  /** Carries out one piece of at most `bytesMax` bytes; type of the answer or GOES_ON. */
  advance(request: GpuRequest, bytesMax: number): number;
  /** Bytes that the last {@link advance} moved. */
  readonly movedBytes: number;
  /** Undoes what was begun and would be in the way when the same command begins anew. */
  abandon(): void;
}

/** A command that is carried out as soon as it is judged. */
export abstract class ShortCommand implements GpuCommand {
  abstract readonly bytes: number;
  abstract readonly answerBytes: number;
  readonly movedBytes = 0;
  protected readonly device: GpuDevice;

  constructor(device: GpuDevice) {
    this.device = device;
  }

  get available(): boolean {
    return true;
  }

  abstract begin(request: GpuRequest): number;

  // Neither is ever called: begin always has an answer.
  advance(): number {
    return GOES_ON;
  }

  abandon(): void {}
}
