/** Guest memory of a front-end: a memory file that the back-end maps, and that this process sees as views. */
import { strict as assert } from 'node:assert';
import { ArenaMapping } from '../../../src/host/arena-mapping.ts';
import { closeDescriptor, createMemoryFile } from '../../../src/host/descriptors.ts';
import { Arena } from '../../../src/data-plane/arena.ts';
import { kernel } from '../rig.ts';
import { GuestSlice } from '../ring-double.ts';
import { memoryTable, type RegionFields, singleRegion } from './message.ts';

const MIB = 2 ** 20;
const VIEW_MIB = 96;

/** Where test guests live: above 4 GiB on purpose, and user addresses unlike guest addresses. */
export const GUEST_BASE = 0x1_4000_0000;
export const USER_BASE = 0x7f12_3456_0000;

/** One memory of this process through which it sees every guest, a piece each. */
class View {
  readonly arena: Arena;
  private readonly mapping: ArenaMapping;
  private readonly free: { at: number; bytes: number }[] = [];
  private next = 65536;

  constructor() {
    const memory = Arena.memory((VIEW_MIB * MIB) / 65536);
    this.arena = new Arena(memory, kernel());
    this.mapping = new ArenaMapping(memory);
  }

  map(descriptor: number, bytes: number): number {
    const spare = this.free.findIndex((piece) => piece.bytes === bytes);
    const at = spare >= 0 ? this.free.splice(spare, 1)[0]!.at : this.next;
    if (spare < 0) this.next += bytes;
    assert.ok(this.next <= VIEW_MIB * MIB, 'the view has room');
    assert.ok(this.mapping.map(descriptor, 0, bytes, at), 'the guest is mapped');
    return at;
  }

  unmap(at: number, bytes: number): void {
    this.mapping.release(at, bytes);
    this.free.push({ at, bytes });
  }
}

let view: View | undefined;

function theView(): View {
  view ??= new View();
  return view;
}

/** A region as numbers; what it maps begins at `offset` of the file. */
export interface Region extends RegionFields {
  readonly guest: number;
  readonly size: number;
  readonly user: number;
  readonly offset: number;
}

export interface RamOptions {
  readonly bytes?: number;
  readonly seal?: boolean;
  /** One region over the whole file when absent. */
  readonly regions?: readonly Region[];
  /** Unlike any other guest's; for the one region over the whole file. */
  readonly guestBase?: number;
  readonly userBase?: number;
  /** How many of the regions are shared at first; all when absent. */
  readonly tableRegions?: number;
}

export class GuestRam extends GuestSlice {
  readonly descriptor: number;
  readonly regions: readonly Region[];
  /** How many of its regions the front-end shares; the rest comes later. */
  tableRegions: number;
  private readonly viewAt: number;
  private taken = 0;
  private released = false;

  constructor(options: RamOptions = {}) {
    const { bytes = MIB, seal = true, guestBase = GUEST_BASE, userBase = USER_BASE } = options;
    const descriptor = createMemoryFile('guest', bytes, { seal });
    const viewAt = theView().map(descriptor, bytes);
    super(theView().arena, viewAt, bytes);
    this.descriptor = descriptor;
    this.viewAt = viewAt;
    const whole = { guest: guestBase, size: bytes, user: userBase, offset: 0 };
    this.regions = options.regions ?? [whole];
    this.tableRegions = options.tableRegions ?? this.regions.length;
  }

  private get shared(): readonly Region[] {
    return this.regions.slice(0, this.tableRegions);
  }

  private regionOfOffset(offset: number): Region {
    return this.regions.find(
      (region) => offset - region.offset < region.size && offset >= region.offset,
    )!;
  }

  private regionOf(address: number): Region {
    const found = this.regions.find(
      ({ guest, size }) => address >= guest && address - guest < size,
    );
    assert.ok(found, `a guest address of this guest: ${address.toString(16)}`);
    return found;
  }

  /** Guest-physical address of `bytes` fresh bytes, never across two regions. */
  override allocate(bytes: number, align = 16): number {
    let at = Math.ceil(this.taken / align) * align;
    const { offset, size } = this.regionOfOffset(at);
    if (at + bytes > offset + size) at = offset + size;
    const region = this.regionOfOffset(at);
    this.taken = at + bytes;
    assert.ok(this.taken <= this.size, 'the guest has room');
    return region.guest + (at - region.offset);
  }

  /** Leaves so many bytes out, so that what comes next lies further on. */
  skipTo(fileOffset: number): void {
    assert.ok(fileOffset >= this.taken);
    this.taken = fileOffset;
  }

  override at(address: number): number {
    const { guest, offset } = this.regionOf(address);
    return this.viewAt + offset + (address - guest);
  }

  /** The front-end's own address of a guest-physical address. */
  user(address: number): number {
    const { guest, user } = this.regionOf(address);
    return user + (address - guest);
  }

  /** The payload of SET_MEM_TABLE. */
  get table(): Buffer {
    return memoryTable(this.shared);
  }

  /** Its descriptors: one for each region, and all the same file. */
  get descriptors(): number[] {
    return this.shared.map(() => this.descriptor);
  }

  /** The payloads of one ADD_MEM_REG for each region. */
  get single(): Buffer[] {
    return this.shared.map((region) => singleRegion(region));
  }

  /** Everything that was allocated is free again, and zeros. */
  clear(): void {
    this.arena.u8.fill(0, this.viewAt, this.viewAt + this.size);
    this.taken = 0;
  }

  /** Every byte, to compare. */
  snapshot(): Buffer {
    return Buffer.from(this.arena.u8.slice(this.viewAt, this.viewAt + this.size));
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    theView().unmap(this.viewAt, this.size);
    closeDescriptor(this.descriptor);
  }
}
