/**
 * The memory regions of one front-end: guest-physical addresses for its buffers, user addresses for
 * its rings.
 */
import { GuestMemory, type MemoryRegion } from '../../data-plane/guest-memory.ts';
import { fileFacts } from '../../host/arena-mapping.ts';
import { RegionWord } from '../../schedule/arena-layout.ts';
import { closeAll, type MappedRange, type PartitionMemory } from './partition-memory.ts';

const TWO_32 = 0x1_0000_0000;

/** A region as a front-end describes it; bytes and byte addresses. */
export interface RegionRequest {
  readonly guestPhysical: number;
  readonly size: number;
  readonly userAddress: number;
  readonly fileOffset: number;
  readonly descriptor: number;
}

export interface TableRegion extends Omit<RegionRequest, 'descriptor'> {
  readonly range: MappedRange;
}

/** The regions in force, and where they lie in the arena. */
export class MemoryTable {
  readonly regions: readonly TableRegion[];
  /** Translates the user addresses of rings. */
  readonly userMemory = new GuestMemory();

  constructor(regions: readonly TableRegion[]) {
    this.regions = regions;
    this.userMemory.setRegions(regions.map((region) => placed(region, region.userAddress)));
  }

  /** Writes the table for the data plane. */
  writeTo(words: Int32Array, tableAt: number): void {
    this.regions.forEach((region, n) => {
      const at = (tableAt >>> 2) + n * RegionWord.COUNT;
      const { guestPhysical, size, arenaAt } = placed(region, region.guestPhysical);
      words[at + RegionWord.START_LOW] = (guestPhysical % TWO_32) | 0;
      words[at + RegionWord.START_HIGH] = Math.floor(guestPhysical / TWO_32);
      words[at + RegionWord.SIZE] = size | 0;
      words[at + RegionWord.ARENA_AT] = arenaAt | 0;
    });
  }
}

function placed(region: TableRegion, address: number): MemoryRegion {
  const arenaAt = region.range.arenaAt + (region.fileOffset - region.range.from);
  return { guestPhysical: address, size: region.size, arenaAt: arenaAt | 0 };
}

function overlaps(a: number, aSize: number, b: number, bSize: number): boolean {
  return a < b + bSize && b < a + aSize;
}

/** What is wrong with these regions, whatever their files are. */
export function regionProblem(regions: readonly Omit<RegionRequest, 'descriptor'>[]): string {
  for (const [n, region] of regions.entries()) {
    const { guestPhysical, size, userAddress, fileOffset } = region;
    const ends = [guestPhysical + size, userAddress + size, fileOffset + size];
    if (!(size > 0) || size >= TWO_32) return `region ${n} has a size that is not possible`;
    if (!ends.every(Number.isSafeInteger)) return `region ${n} ends beyond 2^53`;
    for (const other of regions.slice(0, n)) {
      const twice =
        overlaps(guestPhysical, size, other.guestPhysical, other.size) ||
        overlaps(userAddress, size, other.userAddress, other.size);
      if (twice) return `region ${n} overlaps another`;
    }
  }
  return '';
}

/**
 * Maps the files of all regions, or of none. Ranges of one file are mapped together, so that a
 * front-end may split its memory otherwise the next time. Closes every descriptor.
 */
export function mapRegions(
  memory: PartitionMemory,
  requests: readonly RegionRequest[],
): readonly TableRegion[] | string {
  const files = requests.map(({ descriptor }) => fileOf(descriptor));
  const regions: TableRegion[] = [];
  let problem = '';
  for (const [n, request] of requests.entries()) {
    const sameFile = requests.filter((_, other) => files[other] === files[n]);
    const range = memory.acquire(request.descriptor, hull(sameFile));
    if (typeof range === 'string') {
      problem = range;
      break;
    }
    const { descriptor: _, ...region } = request;
    regions.push({ ...region, range });
  }
  closeAll(requests.map((request) => request.descriptor));
  if (!problem) return regions;
  for (const region of regions) memory.release(region.range);
  return problem;
}

/** From the first to the last byte that these regions use of their one file. */
function hull(regions: readonly RegionRequest[]): { from: number; to: number } {
  return {
    from: Math.min(...regions.map((region) => region.fileOffset)),
    to: Math.max(...regions.map((region) => region.fileOffset + region.size)),
  };
}

function fileOf(descriptor: number): string {
  const facts = fileFacts(descriptor);
  return `${facts?.device}:${facts?.inode}`;
}
