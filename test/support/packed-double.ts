/** Driver side of a packed queue for tests: writes real bytes, honest or hostile, field by field. */
import type { FaultName } from '../../src/base/fault.ts';
import {
  PACKED_WRAP,
  PackedDesc,
  PackedDescFlag,
  PackedEvent,
  VirtqDescFlag,
} from '../../src/wire/virtqueue.ts';
import { raw, type RawDesc } from './hostile-ring.ts';
import { RingDouble, type Desc } from './ring-double.ts';

const { AVAIL, USED } = PackedDescFlag;
const { NEXT, WRITE } = VirtqDescFlag;
/** Odd, so that ids come in no order and repeat only after all 65,536. */
const ID_STRIDE = 40503;

/** A place in the ring with the wrap counter that holds there (2.8.1). */
export interface Place {
  readonly position: number;
  readonly wrap: 0 | 1;
}

export interface UsedElement {
  readonly id: number;
  readonly length: number;
}

/** One half of a ring's base: position and wrap counter. */
export function halfOf({ position, wrap }: Place): number {
  return position | (wrap === 1 ? PACKED_WRAP : 0);
}

/** The base of a ring of which nothing is taken and not used. */
export function baseOf(place: Place): number {
  return (halfOf(place) << 16) | halfOf(place);
}

export class PackedDouble extends RingDouble {
  override readonly packed = true;
  /** Where the next descriptor is made available, and where the next used one is expected. */
  next: Place = { position: 0, wrap: 1 };
  nextUsed: Place = { position: 0, wrap: 1 };
  /** Descriptors of each buffer that the device has, by id. */
  readonly lists = new Map<number, number>();
  /** What each buffer was made of, by the id it had last: the ring forgets it. */
  private readonly submitted = new Map<number, readonly RawDesc[]>();
  /** Used descriptors found so far, oldest first. */
  private readonly found: UsedElement[] = [];
  private nextId = 0;

  override get base(): number {
    return baseOf(this.next);
  }

  /** Both sides begin here. */
  begin(place: Place): void {
    this.next = this.nextUsed = place;
    this.lists.clear();
  }

  after({ position, wrap }: Place, by = 1): Place {
    const next = position + by;
    return next < this.size
      ? { position: next, wrap }
      : { position: next - this.size, wrap: wrap === 1 ? 0 : 1 };
  }

  /** AVAIL and USED of a descriptor that is available there. */
  marks({ wrap }: Place): number {
    return wrap === 1 ? AVAIL : USED;
  }

  freshId(): number {
    return (this.nextId++ * ID_STRIDE) & 0xffff;
  }

  private descAt(position: number): number {
    return this.desc + PackedDesc.SIZE * position;
  }

  flagsAt(position: number): number {
    return this.u16(this.descAt(position) + PackedDesc.FLAGS);
  }

  setFlags(position: number, flags: number): void {
    const at = this.slice.at(this.descAt(position) + PackedDesc.FLAGS);
    Atomics.store(this.slice.arena.u16, at / 2, flags);
  }

  /** The 16 bytes of a descriptor; what a split one calls next is the id here. */
  override encode({ low, high, length, flags, next }: RawDesc): Uint8Array {
    const bytes = new DataView(new ArrayBuffer(PackedDesc.SIZE));
    bytes.setUint32(PackedDesc.ADDR, low >>> 0, true);
    bytes.setUint32(PackedDesc.ADDR + 4, high >>> 0, true);
    bytes.setUint32(PackedDesc.LEN, length >>> 0, true);
    bytes.setUint16(PackedDesc.ID, next, true);
    bytes.setUint16(PackedDesc.FLAGS, flags, true);
    return new Uint8Array(bytes.buffer);
  }

  /** Writes a descriptor of the ring but for its flags. */
  writeElement(position: number, desc: RawDesc, id: number): void {
    const bytes = this.encode({ ...desc, next: id }).subarray(0, PackedDesc.FLAGS);
    this.slice.write(this.descAt(position), bytes);
  }

  /** Writes a list but for the flags of its first descriptor; what makes it available (2.8.17). */
  prepare(list: readonly RawDesc[], id = this.freshId()): () => number {
    const places = this.placesFrom(this.next, list.length);
    const flagsOf = (n: number) =>
      list[n]!.flags | (n < list.length - 1 ? NEXT : 0) | this.marks(places[n]!);
    list.forEach((desc, n) => {
      // Only the last id counts (2.8.6).
      this.writeElement(places[n]!.position, desc, n === list.length - 1 ? id : ~id & 0xffff);
      if (n > 0) this.setFlags(places[n]!.position, flagsOf(n));
    });
    this.next = this.after(this.next, list.length);
    this.lists.set(id, list.length);
    this.submitted.set(id, list);
    return () => {
      this.setFlags(places[0]!.position, flagsOf(0));
      return id;
    };
  }

  submitRaw(list: readonly RawDesc[], id?: number): number {
    return this.prepare(list, id)();
  }

  override submit(chain: readonly Desc[], id?: number): number {
    return this.submitRaw(
      chain.map(({ address, length, flags }) => raw(address, length, flags)),
      id,
    );
  }

  placesFrom(from: Place, count: number): Place[] {
    const places = [from];
    while (places.length < count) places.push(this.after(places.at(-1)!));
    return places;
  }

  override repeat(id: number): void {
    this.submitRaw([raw(0, 0)], id);
  }

  override breakAtLook(): FaultName {
    const { position, wrap } = this.next;
    this.setFlags(position, wrap === 1 ? AVAIL | USED : 0);
    return 'descriptor-marks-invalid';
  }

  override bytesOf(id: number, length: number): number[] {
    const bytes: number[] = [];
    for (const desc of this.submitted.get(id)!) {
      const take = Math.min(desc.length, length - bytes.length);
      bytes.push(...this.slice.read(desc.low + desc.high * 2 ** 32, take));
    }
    return bytes;
  }

  /** The next used descriptor, or undefined. */
  reap(): UsedElement | undefined {
    const { position, wrap } = this.nextUsed;
    const flags = this.flagsAt(position);
    if ((flags & (AVAIL | USED)) !== (wrap === 1 ? AVAIL | USED : 0)) return undefined;
    const at = this.descAt(position);
    const id = this.u16(at + PackedDesc.ID);
    const count = this.lists.get(id);
    if (count === undefined) throw new Error(`id ${id} came back, which the device did not have`);
    this.lists.delete(id);
    this.nextUsed = this.after(this.nextUsed, count);
    // 2.8.4: without WRITE the length says nothing.
    return { id, length: (flags & WRITE) === 0 ? 0 : this.u32(at + PackedDesc.LEN) };
  }

  override get usedElements(): UsedElement[] {
    for (let used = this.lists.size && this.reap(); used; used = this.lists.size && this.reap())
      this.found.push(used);
    return [...this.found];
  }

  override get usedIndex(): number {
    return this.usedElements.length;
  }

  override usedElement(index: number): UsedElement {
    return this.usedElements[index]!;
  }

  get deviceEvent(): { flags: number; offset: number } {
    return {
      flags: this.u16(this.used + PackedEvent.FLAGS),
      offset: this.u16(this.used + PackedEvent.OFFSET),
    };
  }

  /** The driver's event suppression structure (2.8.14). */
  setDriverEvent(flags: number, place: Place = { position: 0, wrap: 0 }): void {
    this.u16(this.avail + PackedEvent.OFFSET, halfOf(place));
    this.u16(this.avail + PackedEvent.FLAGS, flags);
  }
}
