/**
 * Driver side of a ring for benches: buffers come back in order, one store makes a burst available.
 */
import type { Arena } from '../../data-plane/arena.ts';
import type { DeviceQueue } from '../../data-plane/device-queue.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../schedule/arena-layout.ts';
import {
  availRingBytes,
  descriptorTableBytes,
  usedRingBytes,
  VirtqAvail,
  VirtqDescFlag,
  VirtqUsed,
} from '../../wire/virtqueue.ts';

export const RING_SIZE = 256;
export const BUFFER_BYTES = 2048;
const NOTIFY_NONE = 0;

export class BenchRing {
  private available = 0;
  readonly buffers: number;
  private readonly availAt: number;
  private readonly arena: Arena;

  constructor(
    arena: Arena,
    sliceAt: number,
    at: number,
    queue: DeviceQueue,
    length: number,
    writable: boolean,
  ) {
    this.arena = arena;
    const desc = at;
    const avail = desc + descriptorTableBytes(RING_SIZE);
    const used = Math.ceil((avail + availRingBytes(RING_SIZE)) / 4) * 4;
    this.buffers = Math.ceil((used + usedRingBytes(RING_SIZE)) / 4096) * 4096;
    this.availAt = sliceAt + avail;
    for (let n = 0; n < RING_SIZE; n++) {
      const address = EMBEDDED_GUEST_PHYSICAL + this.buffers + n * BUFFER_BYTES;
      const word = (sliceAt + desc + n * 16) >>> 2;
      arena.i32[word] = address % 2 ** 32;
      arena.i32[word + 1] = Math.floor(address / 2 ** 32);
      arena.i32[word + 2] = length;
      arena.i32[word + 3] = writable ? VirtqDescFlag.WRITE : 0;
      arena.u16[(this.availAt + VirtqAvail.RING + 2 * n) >>> 1] = n;
    }
    arena.u16[this.availAt >>> 1] = VirtqAvail.NO_INTERRUPT;
    arena.u16[(sliceAt + used + VirtqUsed.IDX) >>> 1] = 0;
    queue.start(
      {
        size: RING_SIZE,
        descAt: (sliceAt + desc) | 0,
        availAt: this.availAt | 0,
        usedAt: (sliceAt + used) | 0,
        eventIdx: false,
        indirect: false,
        packed: false,
        index: 0,
      },
      NOTIFY_NONE,
      0,
    );
  }

  /** Makes `count` more buffers available. */
  expose(count: number): void {
    this.available = (this.available + count) & 0xffff;
    Atomics.store(this.arena.u16, (this.availAt + VirtqAvail.IDX) >>> 1, this.available);
  }
}
