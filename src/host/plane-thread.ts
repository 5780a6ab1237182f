/**
 * Threads of the gateway: how they start, how they tell that they ended, and how they are ended.
 */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { after, type EndTimer } from './timers.ts';

export interface ThreadCallbacks {
  /**
   * Once, however it ended; `error` is the uncaught exception's message, if that was the reason.
   */
  readonly ended: (code: number, error: string | undefined) => void;
  /** What the thread says, line by line, if it says anything. */
  readonly said?: (line: string) => void;
}

export interface ThreadLimits {
  readonly oldGenerationMb?: number;
}

export class PlaneThread {
  private readonly worker: Worker;
  private error: string | undefined;
  readonly exited: Promise<number>;

  /** `entry` is a built file by its path from `build/src`; `data` is what the thread is given. */
  constructor(entry: string, data: unknown, callbacks: ThreadCallbacks, limits: ThreadLimits = {}) {
    this.worker = new Worker(path.resolve(__dirname, '..', entry), {
      workerData: data,
      resourceLimits: {
        ...(limits.oldGenerationMb && { maxOldGenerationSizeMb: limits.oldGenerationMb }),
      },
    });
    this.worker.on('error', (error: Error) => {
      this.error = error.message;
    });
    this.worker.on('message', (line: string) => callbacks.said?.(line));
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        callbacks.ended(code, this.error);
        resolve(code);
      });
    });
  }

  /** Ends the thread whatever it is doing; for guests that do not end by themselves. */
  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  /** Waits for the thread to end by itself; false when it has not after `ms` milliseconds. */
  async endsWithin(ms: number): Promise<boolean> {
    let endTimer: EndTimer = () => {};
    const late = new Promise<false>((resolve) => {
      endTimer = after(ms, () => resolve(false));
    });
    const ended = await Promise.race([this.exited.then(() => true as const), late]);
    endTimer();
    return ended;
  }
}
