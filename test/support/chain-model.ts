/** Reference model of a descriptor walk (VIRTIO 2.7.4, 2.7.5) in exact arithmetic: slow, plain, and separate. */
import type { FaultName } from '../../src/base/fault.ts';

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const ADDRESS_LIMIT = 2n ** 53n;
const DIRECTION_LIMIT = 2n ** 31n;

export interface ModelRegion {
  readonly start: bigint;
  readonly size: bigint;
  readonly arenaAt: bigint;
}

export interface ModelDesc {
  readonly address: bigint;
  readonly length: bigint;
  readonly flags: number;
  readonly next: number;
}

export interface ModelQueue {
  readonly regions: readonly ModelRegion[];
  /** Bytes of the arena. */
  readonly bytes: DataView;
  readonly tableAt: bigint;
  readonly size: number;
  readonly indirect: boolean;
  /** Most descriptors of one chain, the one that names a table not counted. */
  readonly descriptorsMax: number;
}

export interface ModelSegment {
  readonly at: bigint;
  readonly length: bigint;
  readonly writable: boolean;
}

export interface ModelResult {
  /** Every fault of the first descriptor that has one; empty when the chain is in order. */
  readonly faults: readonly FaultName[];
  /** The chain came back to a descriptor before that one. */
  readonly loops: boolean;
  readonly segments: readonly ModelSegment[];
}

/** Arena offset of a range that lies wholly inside one region below 2^53, or undefined. */
export function translate(
  regions: readonly ModelRegion[],
  address: bigint,
  length: bigint,
): bigint | undefined {
  if (address >= ADDRESS_LIMIT) return undefined;
  const region = regions.find(
    ({ start, size }) =>
      address >= start && address < start + size && address + length <= start + size,
  );
  return region && region.arenaAt + (address - region.start);
}

function readDesc(bytes: DataView, tableAt: bigint, index: number): ModelDesc {
  const at = Number(tableAt) + 16 * index;
  return {
    address: bytes.getBigUint64(at, true),
    length: BigInt(bytes.getUint32(at + 8, true)),
    flags: bytes.getUint16(at + 12, true),
    next: bytes.getUint16(at + 14, true),
  };
}

interface Table {
  readonly at: bigint;
  readonly entries: number;
  readonly indirect: boolean;
}

class ModelWalk {
  readonly segments: ModelSegment[] = [];
  loops = false;
  private visited = new Set<number>();
  private readable = 0n;
  private writable = 0n;
  private sawWritable = false;

  private readonly queue: ModelQueue;

  constructor(queue: ModelQueue) {
    this.queue = queue;
  }

  /** The faults of the first faulty descriptor of the chain as the device meets it, loops unrolled. */
  run(head: number): FaultName[] {
    const { bytes, tableAt, size, descriptorsMax } = this.queue;
    const limit = Math.min(size, descriptorsMax);
    let table: Table = { at: tableAt, entries: size, indirect: false };
    let index = head;
    for (let count = 0; count < limit;) {
      const desc = readDesc(bytes, table.at, index);
      this.loops ||= this.visited.has(index);
      this.visited.add(index);
      if ((desc.flags & INDIRECT) !== 0) {
        const faults = this.tableFaults(desc, table);
        if (faults.length > 0) return faults;
        const at = translate(this.queue.regions, desc.address, desc.length)!;
        table = { at, entries: Number(desc.length / 16n), indirect: true };
        this.visited = new Set();
        index = 0;
        continue;
      }
      count++;
      const faults = this.pieceFaults(desc);
      const follows = (desc.flags & NEXT) !== 0;
      if (follows && desc.next >= table.entries) faults.push('next-out-of-range');
      if (faults.length > 0) return faults;
      if (!follows) return [];
      index = desc.next;
    }
    return this.visited.has(index) ? ['chain-too-long', 'descriptor-loop'] : ['chain-too-long'];
  }

  private tableFaults(desc: ModelDesc, table: Table): FaultName[] {
    const faults: FaultName[] = [];
    const entries = desc.length / 16n;
    if (table.indirect) faults.push('indirect-nested');
    if (!this.queue.indirect) faults.push('indirect-not-negotiated');
    if ((desc.flags & NEXT) !== 0) faults.push('indirect-with-next');
    if (entries === 0n || desc.length % 16n !== 0n || entries > BigInt(this.queue.size)) {
      faults.push('indirect-length');
    }
    if (translate(this.queue.regions, desc.address, desc.length) === undefined) {
      faults.push('address-out-of-range');
    }
    return faults;
  }

  private pieceFaults({ address, length, flags }: ModelDesc): FaultName[] {
    const faults: FaultName[] = [];
    const writable = (flags & WRITE) !== 0;
    const at = translate(this.queue.regions, address, length);
    if (at === undefined) faults.push('address-out-of-range');
    if (writable) this.writable += length;
    else this.readable += length;
    if (this.writable >= DIRECTION_LIMIT || this.readable >= DIRECTION_LIMIT)
      faults.push('chain-bytes-exceeded');
    if (writable) this.sawWritable = true;
    else if (this.sawWritable) faults.push('readable-after-writable');
    if (at !== undefined && length > 0n) this.segments.push({ at, length, writable });
    return faults;
  }
}

export function modelWalk(queue: ModelQueue, head: number): ModelResult {
  const walk = new ModelWalk(queue);
  const faults = walk.run(head);
  return { faults, loops: walk.loops, segments: walk.segments };
}
