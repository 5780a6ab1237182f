/**
 * The files that front-ends of one partition share with the gateway, mapped into its slice of the
 * arena: each range of a file once, however many devices use it.
 */
import { closeForeign } from '../../host/descriptors.ts';
import { fileFacts, type ArenaMapping } from '../../host/arena-mapping.ts';
import type { ResidentMemory } from '../../host/realtime.ts';
import type { PartitionArea } from '../../schedule/arena-layout.ts';

const PAGE = 4096;

/** A range of a file in the arena, with the number of tables that use it. */
export interface MappedRange {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly arenaAt: number;
  users: number;
}

export interface FileRange {
  readonly from: number;
  readonly to: number;
}

export interface PartitionMemoryParts {
  readonly partition: number;
  readonly area: PartitionArea;
  readonly mapping: ArenaMapping;
  /** In real-time mode: keeps in memory what is mapped. */
  readonly resident: ResidentMemory | undefined;
  /** A file whose owner can shrink it is accepted: he can end the gateway with it. */
  readonly acceptUnsealed: boolean;
  /** Which partition has a file, for all partitions together. */
  readonly claims: Map<string, number>;
}

const down = (at: number) => Math.floor(at / PAGE) * PAGE;
const up = (at: number) => Math.ceil(at / PAGE) * PAGE;

export class PartitionMemory {
  private readonly parts: PartitionMemoryParts;
  private ranges: MappedRange[] = [];

  constructor(parts: PartitionMemoryParts) {
    this.parts = parts;
  }

  /**
   * Maps a range of a file, or finds it mapped. The descriptor stays the caller's. A string says
   * why it cannot be.
   */
  // [impl->req~vhost.memory-checked~1]
  // [impl->req~vhost.memory-private~1]
  // [impl->req~vhost.memory-sealed~1]
  acquire(descriptor: number, range: FileRange): MappedRange | string {
    const facts = fileFacts(descriptor);
    if (!facts?.regular || facts.fileSystem !== 'tmpfs') {
      return 'memory must be a regular file of tmpfs, as memfd_create makes it';
    }
    if (!facts.writable) return 'the memory file is not writable';
    if (range.to > facts.bytes) return `the memory file has only ${facts.bytes} bytes`;
    if (!facts.shrinkSealed && !this.parts.acceptUnsealed) {
      return 'the memory file can shrink (no F_SEAL_SHRINK), and "unsealed" is "refuse"';
    }
    const file = `${facts.device}:${facts.inode}`;
    const { claims, partition } = this.parts;
    if ((claims.get(file) ?? partition) !== partition) {
      return 'the memory file belongs to another partition';
    }
    const from = down(range.from);
    const to = up(range.to);
    const known = this.ranges.find(
      (candidate) => candidate.file === file && candidate.from <= from && to <= candidate.to,
    );
    if (known) {
      known.users++;
      return known;
    }
    return this.map(descriptor, { file, from, to });
  }

  private map(descriptor: number, range: FileRange & { file: string }): MappedRange | string {
    const { mapping, resident, claims, partition, area } = this.parts;
    const bytes = range.to - range.from;
    const arenaAt = this.room(bytes);
    if (arenaAt < 0) {
      return `no room for ${bytes} bytes more: "memoryMiB" gives ${area.sliceBytes} in all`;
    }
    if (!mapping.map(descriptor, range.from, bytes, arenaAt)) return 'mmap failed';
    resident?.keep(arenaAt, bytes);
    const mapped = { ...range, arenaAt, users: 1 };
    this.ranges.push(mapped);
    this.ranges.sort((a, b) => a.arenaAt - b.arenaAt);
    claims.set(range.file, partition);
    return mapped;
  }

  /** First gap of the slice with so many bytes, or -1. */
  private room(bytes: number): number {
    const { sliceAt, sliceBytes } = this.parts.area;
    let at = sliceAt;
    for (const range of this.ranges) {
      if (range.arenaAt - at >= bytes) return at;
      at = range.arenaAt + range.to - range.from;
    }
    return sliceAt + sliceBytes - at >= bytes ? at : -1;
  }

  /** One user less; the last one leaves zeros behind, and frees the file for other partitions. */
  release(range: MappedRange): void {
    if (--range.users > 0) return;
    this.parts.mapping.release(range.arenaAt, range.to - range.from);
    this.ranges = this.ranges.filter((candidate) => candidate !== range);
    if (!this.ranges.some((candidate) => candidate.file === range.file)) {
      this.parts.claims.delete(range.file);
    }
  }
}

/** Closes descriptors that nobody needs any more: a mapping lives without its descriptor. */
export function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeForeign(descriptor);
}
