/** Both real sides of one split ring on the same bytes: the embedded guest's driver side, the device side. */
import { NO_FAULT } from '../../src/base/fault.ts';
import { Arena } from '../../src/data-plane/arena.ts';
import { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';
import { DriverQueue } from '../../src/guest/driver-queue.ts';
import { kernel } from './rig.ts';

const PAGES = 4;
/** Guest addresses are arena offsets plus this, so that a mix-up shows. */
const GUEST_BASE = 0x2_0000_0000;

let shared: Arena | undefined;

export interface RingPairOptions {
  readonly size?: number;
  readonly eventIdx?: boolean;
  readonly bufferBytes?: number;
}

export class RingPair {
  readonly arena: Arena;
  readonly driver: DriverQueue;
  readonly device: SplitQueue;
  readonly size: number;
  readonly eventIdx: boolean;
  /** Kicks of the driver, which must never be needed. */
  kicks = 0;
  /** Used buffer notifications that the device has sent. */
  notifications = 0;
  private next = 64;

  constructor({ size = 8, eventIdx = false, bufferBytes = 16 }: RingPairOptions = {}) {
    shared ??= new Arena(Arena.memory(PAGES), kernel());
    this.arena = shared;
    this.arena.u8.fill(0);
    this.size = size;
    this.eventIdx = eventIdx;
    this.driver = new DriverQueue(
      {
        u16: this.arena.u16,
        i32: this.arena.i32,
        allocate: (bytes, align) => this.allocate(bytes, align),
        at: (address) => address - GUEST_BASE,
      },
      { size, bufferBytes, eventIdx },
    );
    this.driver.kick = () => {
      this.kicks++;
    };
    this.device = new SplitQueue(this.arena, size);
    this.device.start({
      size,
      eventIdx,
      indirect: false,
      packed: false,
      index: 0,
      descAt: this.driver.desc - GUEST_BASE,
      availAt: this.driver.avail - GUEST_BASE,
      usedAt: this.driver.used - GUEST_BASE,
    });
  }

  private allocate(bytes: number, align: number): number {
    this.next = Math.ceil(this.next / align) * align;
    const address = GUEST_BASE + this.next;
    this.next += bytes;
    return address;
  }

  /** What the device reads in a descriptor. */
  descriptor(index: number): { address: number; length: number; flags: number } {
    const word = (this.driver.desc - GUEST_BASE + 16 * index) >>> 2;
    const { i32 } = this.arena;
    return {
      address: (i32[word]! >>> 0) + (i32[word + 1]! >>> 0) * 2 ** 32 - GUEST_BASE,
      length: i32[word + 2]! >>> 0,
      flags: i32[word + 3]! & 0xffff,
    };
  }

  /** The used ring asks for a kick at the next available buffer, as a device that does not poll would. */
  askForKicks(): void {
    const usedAt = this.driver.used - GUEST_BASE;
    this.arena.u16[usedAt >>> 1] = 0;
    this.arena.u16[(usedAt + 4 + 8 * this.size) >>> 1] = this.device.seen;
  }

  /** The device takes up to so many heads. */
  take(most = Infinity): number[] {
    if (this.device.look() !== NO_FAULT)
      throw new Error(`the ring broke: fault ${this.device.brokenBy}`);
    const heads: number[] = [];
    while (heads.length < most && this.device.available > 0) heads.push(this.device.takeHead());
    return heads;
  }

  complete(head: number, usedLength: number): void {
    this.device.complete(head, usedLength);
  }

  publish(): void {
    this.device.publish();
  }

  /** The device decides about a notification. */
  decide(): boolean {
    const sent = this.device.takeNotification();
    if (sent) this.notifications++;
    return sent;
  }

  /** Everything available comes back at once, used length = head + 1, with the notification decision. */
  serve(): number[] {
    const heads = this.take();
    for (const head of heads) this.complete(head, head + 1);
    this.publish();
    this.decide();
    return heads;
  }

  /** Everything the driver can reap now. */
  reapAll(): { index: number; length: number }[] {
    const reaped: { index: number; length: number }[] = [];
    for (let index = this.driver.reap(); index >= 0; index = this.driver.reap()) {
      reaped.push({ index, length: this.driver.usedLength });
    }
    return reaped;
  }
}
