/** Device side of the litmus tests: polls, serves in small random bursts, notifies only if it must. */
import { parentPort, workerData } from 'node:worker_threads';
import { faultName, NO_FAULT } from '../../src/base/fault.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { Arena } from '../../src/data-plane/arena.ts';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { DescriptorChain } from '../../src/data-plane/virtqueue/descriptor-chain.ts';
import { PackedQueue } from '../../src/data-plane/virtqueue/packed-queue.ts';
import { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';
import type { Virtqueue } from '../../src/data-plane/virtqueue/virtqueue.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import { PACKED_WRAP } from '../../src/wire/virtqueue.ts';
import { kernel } from '../support/rig.ts';
import { packedRingSize } from './packed-driver.ts';
import {
  BUFFER_BYTES,
  deviceWrites,
  fill,
  mismatch,
  SCRATCH_AT,
  SLICE_AT,
  SLICE_BYTES,
  Word,
  type LitmusData,
  type Verdict,
} from './shared-ring.ts';

class Device {
  notifications = 0;
  private served = 0;
  private readonly arena: Arena;
  private readonly queue: Virtqueue;
  private readonly chain: DescriptorChain;
  private readonly random: SeededRandom;
  private readonly heads: number[] = [];

  private readonly data: LitmusData;

  constructor(data: LitmusData) {
    this.data = data;
    this.arena = new Arena(data.memory, kernel());
    const memory = new GuestMemory();
    memory.setRegions([
      { guestPhysical: EMBEDDED_GUEST_PHYSICAL, size: SLICE_BYTES, arenaAt: SLICE_AT },
    ]);
    this.chain = new DescriptorChain(this.arena, memory, 4, SCRATCH_AT);
    const size = data.packed ? packedRingSize(data.size) : data.size;
    const Queue = data.packed ? PackedQueue : SplitQueue;
    this.queue = new Queue(this.arena, size);
    this.random = new SeededRandom(data.seed + 1);
    const { desc, avail, used } = data.ring!;
    this.queue.start({
      size,
      descAt: desc,
      availAt: avail,
      usedAt: used,
      eventIdx: data.eventIdx,
      indirect: false,
      packed: data.packed,
      index: data.packed ? PACKED_WRAP : 0,
    });
  }

  /** Serves until all steps are done; what went wrong, or undefined. */
  run(): string | undefined {
    const { arena } = this;
    while (this.served < this.data.steps) {
      if (Atomics.load(arena.i32, Word.STOP) !== 0) return undefined;
      const error = this.burst();
      if (error !== undefined) return error;
      if (this.random.below(4) > 0 || this.served === this.data.steps) this.notify();
    }
    return undefined;
  }

  private burst(): string | undefined {
    const { queue, heads, random } = this;
    const fault = queue.look();
    if (fault !== NO_FAULT) return `${faultName(fault)} after ${this.served}`;
    const count = Math.min(queue.available, 1 + random.below(this.data.size));
    for (let n = 0; n < count; n++) {
      const error = this.take();
      if (error !== undefined) return error;
    }
    while (heads.length > 0) {
      // A split ring gives buffers back in any order, a packed one as they came.
      const from = this.data.packed ? 0 : random.below(heads.length / 2) * 2;
      const [sequence, head] = heads.splice(from, 2) as [number, number];
      queue.complete(head, deviceWrites(sequence) ? BUFFER_BYTES : 0);
      if (random.below(3) === 0) queue.publish();
    }
    queue.publish();
    return undefined;
  }

  private take(): string | undefined {
    const { queue, chain, arena } = this;
    const sequence = this.served++;
    const head = queue.takeHead();
    if (head < 0) return `${faultName(queue.brokenBy)} at ${sequence}`;
    chain.begin();
    const fault = queue.walk(chain, head, chain.descriptorsMax);
    if (fault !== NO_FAULT) return `${faultName(fault)} in ${sequence}`;
    const writable = deviceWrites(sequence);
    const whole = chain.readableBytes + chain.writableBytes === BUFFER_BYTES;
    const inOne = chain.segments === 1 || chain.at[1] === chain.at[0]! + chain.length[0]!;
    if (!whole || !inOne || chain.writableBytes > 0 !== writable) {
      return `buffer ${sequence}: ${chain.readableBytes} readable, ${chain.writableBytes} writable bytes`;
    }
    this.heads.push(sequence, head);
    if (!writable) {
      const error = mismatch(arena.i32, chain.at[0]!, sequence);
      return error === undefined ? undefined : `taken ${error}`;
    }
    fill(arena.i32, chain.at[0]!, sequence);
    return undefined;
  }

  private notify(): void {
    if (!this.queue.takeNotification()) return;
    this.notifications++;
    Atomics.add(this.arena.i32, Word.INTERRUPT, 1);
    Atomics.notify(this.arena.i32, Word.INTERRUPT);
  }
}

const device = new Device(workerData as LitmusData);
parentPort!.postMessage('ready');
parentPort!.once('message', () => {
  const error = device.run();
  if (error !== undefined)
    Atomics.store(new Int32Array((workerData as LitmusData).memory.buffer), Word.STOP, 1);
  const verdict: Verdict = {
    thread: 'device',
    notifications: device.notifications,
    ...(error !== undefined && { error }),
  };
  parentPort!.postMessage(verdict);
  parentPort!.close();
});
