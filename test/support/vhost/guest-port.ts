/** Packets in and out of one pair of rings, as a driver does it: buffers go round, nothing is lost by it. */
import { strict as assert } from 'node:assert';
import { RingDouble } from '../ring-double.ts';
import type { GuestRam } from './guest-ram.ts';

const NET_HEADER = 12;
const BUFFER_BYTES = 1600;
const WRITE = 2;
/** An EtherType for local experiments. */
const ETHERTYPE = [0x88, 0xb5];

/** A test packet: addresses, type, and a pattern that begins with its number. */
export function packet(
  to: readonly number[],
  from: readonly number[],
  number: number,
  bytes = 100,
): number[] {
  const head = [...to, ...from, ...ETHERTYPE, number & 0xff, (number >>> 8) & 0xff];
  return [...head, ...Array.from({ length: bytes - head.length }, (_, n) => (n + number) & 0xff)];
}

/** The number in a test packet. */
export function numberOf(bytes: readonly number[]): number {
  return bytes[14]! | (bytes[15]! << 8);
}

/** One ring with a buffer for each of its first descriptors. */
export class BufferedRing {
  readonly ring: RingDouble;
  readonly free: number[];
  private readonly buffers: number[];
  private seen = 0;

  constructor(ram: GuestRam, size: number, count = size / 2) {
    this.ring = new RingDouble(ram, size);
    this.buffers = Array.from({ length: count }, () => ram.allocate(BUFFER_BYTES));
    this.free = this.buffers.map((_, n) => n);
  }

  /** Continues where the ring is, after it was stopped: the indices stay, what was offered is free. */
  rewind(index: number): void {
    this.ring.availIndex = index;
    this.ring.setAvailIndex(index);
    this.seen = this.ring.usedIndex;
    this.free.splice(0, this.free.length, ...this.buffers.keys());
  }

  /** Buffers that are not with the device get other addresses. */
  move(address: (count: number) => number): void {
    for (const id of this.free) this.buffers[id] = address(BUFFER_BYTES);
  }

  offer(bytes: readonly number[] | undefined): boolean {
    const id = this.free.shift();
    if (id === undefined) return false;
    const address = this.buffers[id]!;
    if (bytes) this.ring.slice.write(address, bytes);
    this.ring.describe(id, {
      address,
      length: bytes?.length ?? BUFFER_BYTES,
      flags: bytes ? 0 : WRITE,
    });
    this.ring.expose(id);
    return true;
  }

  /** Buffers that have come back, oldest first, with the bytes the device wrote. */
  collect(): number[][] {
    const { usedIndex } = this.ring;
    const found: number[][] = [];
    for (; this.seen !== usedIndex; this.seen = (this.seen + 1) & 0xffff) {
      const { id, length } = this.ring.usedElement(this.seen);
      assert.ok(this.buffers[id] !== undefined && !this.free.includes(id), `used id ${id}`);
      this.free.push(id);
      found.push(this.ring.slice.read(this.buffers[id], length));
    }
    return found;
  }
}

/** A receiveq and a transmitq. */
export class GuestPort {
  readonly receive: BufferedRing;
  readonly transmit: BufferedRing;
  sent = 0;

  constructor(ram: GuestRam, size = 64) {
    this.receive = new BufferedRing(ram, size);
    this.transmit = new BufferedRing(ram, size);
  }

  get rings(): RingDouble[] {
    return [this.receive.ring, this.transmit.ring];
  }

  /** Transmit buffers lie from this offset of the memory file on, as soon as they are free. */
  moveBuffers(ram: GuestRam, fileOffset: number): void {
    this.transmit.collect();
    ram.skipTo(fileOffset);
    this.transmit.move((bytes) => ram.allocate(bytes));
  }

  /** Offers every free receive buffer. */
  supply(): void {
    while (this.receive.offer(undefined));
  }

  send(bytes: readonly number[]): boolean {
    this.transmit.collect();
    const taken = this.transmit.offer([...new Array<number>(NET_HEADER).fill(0), ...bytes]);
    if (taken) this.sent++;
    return taken;
  }

  /** Packets that have arrived since the last look; their buffers are offered again. */
  received(): number[][] {
    const found = this.receive.collect();
    this.supply();
    return found.map((bytes) => bytes.slice(NET_HEADER));
  }
}
