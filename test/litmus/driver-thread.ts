/** Driver side of the litmus tests: sends, reaps, and sleeps only when arming said that nothing is there. */
import { parentPort, workerData } from 'node:worker_threads';
import { SeededRandom } from '../support/seeded-random.ts';
import { DriverQueue } from '../../src/guest/driver-queue.ts';
import { PackedDriver } from './packed-driver.ts';
import {
  BUFFER_BYTES,
  deviceWrites,
  fill,
  mismatch,
  SliceMemory,
  WATCHDOG_MS,
  Word,
  type LitmusData,
  type Verdict,
} from './shared-ring.ts';

/** Sleeping costs a hundred times more than polling: often enough is rare enough. */
const POLLS_PER_SLEEP = 200;

class Driver {
  waits = 0;
  private sent = 0;
  private reaped = 0;
  private readonly free: number[];
  /** Sequence number of the buffer that the device has under each index, or -1. */
  private readonly owned: Int32Array;
  private readonly queue: DriverQueue | PackedDriver;
  private readonly memory: SliceMemory;
  private readonly random: SeededRandom;

  private readonly data: LitmusData;

  constructor(data: LitmusData) {
    this.data = data;
    this.memory = new SliceMemory(data.memory);
    this.random = new SeededRandom(data.seed);
    const Queue = data.packed ? PackedDriver : DriverQueue;
    this.queue = new Queue(this.memory, {
      size: data.size,
      bufferBytes: BUFFER_BYTES,
      eventIdx: data.eventIdx,
    });
    this.queue.kick = () => {
      Atomics.add(this.memory.i32, Word.KICKS, 1);
    };
    this.free = Array.from({ length: data.size }, (_, n) => n);
    this.owned = new Int32Array(data.size).fill(-1);
  }

  get ring() {
    const { desc, avail, used } = this.queue;
    return { desc: this.memory.at(desc), avail: this.memory.at(avail), used: this.memory.at(used) };
  }

  /** Runs until all steps are done; what went wrong, or undefined. */
  run(): string | undefined {
    const { i32 } = this.memory;
    this.queue.disarmNotification();
    while (this.reaped < this.data.steps) {
      if (Atomics.load(i32, Word.STOP) !== 0) return undefined;
      this.send();
      const error = this.reapAll() ?? this.maybeSleep();
      if (error !== undefined) return error;
    }
    return undefined;
  }

  private send(): void {
    const { queue, free, memory } = this;
    const wanted = Math.min(this.data.steps - this.sent, this.random.below(free.length + 1));
    for (let n = 0; n < wanted; n++) {
      const index = free.pop()!;
      const writes = deviceWrites(this.sent);
      fill(memory.i32, queue.bufferAt(index), writes ? -1 : this.sent);
      queue.expose(index, BUFFER_BYTES, writes);
      this.owned[index] = this.sent++;
    }
    queue.publish();
  }

  private reapAll(): string | undefined {
    const { queue, memory, owned } = this;
    for (let index = queue.reap(); index >= 0; index = queue.reap()) {
      const sequence = owned[index] ?? -1;
      if (sequence < 0) return `index ${index} came back, which the device did not have`;
      owned[index] = -1;
      const length = deviceWrites(sequence) ? BUFFER_BYTES : 0;
      if (queue.usedLength !== length) return `buffer ${sequence}: used length ${queue.usedLength}`;
      const error = mismatch(memory.i32, queue.bufferAt(index), sequence);
      if (error !== undefined) return `reaped ${error}`;
      this.free.push(index);
      this.reaped++;
    }
    return undefined;
  }

  /** 2.7.14: look, arm, look again, and only then sleep. */
  private maybeSleep(): string | undefined {
    const { queue, memory } = this;
    if (queue.outstanding === 0 || this.random.below(POLLS_PER_SLEEP) !== 0) return undefined;
    const before = Atomics.load(memory.i32, Word.INTERRUPT);
    if (!queue.armNotification()) {
      this.waits++;
      if (Atomics.wait(memory.i32, Word.INTERRUPT, before, WATCHDOG_MS) === 'timed-out') {
        return `lost wake-up: ${queue.outstanding} buffers out after ${this.reaped} of ${this.data.steps}`;
      }
    }
    queue.disarmNotification();
    return undefined;
  }
}

const driver = new Driver(workerData as LitmusData);
parentPort!.postMessage(driver.ring);
parentPort!.once('message', () => {
  const error = driver.run();
  if (error !== undefined)
    Atomics.store(new Int32Array((workerData as LitmusData).memory.buffer), Word.STOP, 1);
  const verdict: Verdict = {
    thread: 'driver',
    waits: driver.waits,
    ...(error !== undefined && { error }),
  };
  parentPort!.postMessage(verdict);
  parentPort!.close();
});
