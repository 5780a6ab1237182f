/** Reads the list of memory entries behind a command, a bounded number at a time (5.7.6.8). */
import { Scratch } from '../../schedule/arena-layout.ts';
import { GpuMemEntry, GpuResponse } from '../../wire/virtio-gpu.ts';
import type { BackingStore } from './backing-store.ts';
import { GOES_ON } from './commands/command.ts';
import type { GpuRequest } from './gpu-request.ts';
import type { Resource } from './resource.ts';

/** As many as the scratch for commands holds. */
const ENTRIES_AT_ONCE = Scratch.GPU_COMMAND_BYTES / GpuMemEntry.SIZE;

export class EntryReader {
  /** Bytes of the command that the last {@link advance} read. */
  movedBytes = 0;
  private readonly backing: BackingStore;
  private resource: Resource | undefined;
  private position = 0;
  private left = 0;
  /** Entries of a blob hold whole pixels. */
  private alignment = 0;

  constructor(backing: BackingStore) {
    this.backing = backing;
  }

  /**
   * Begins a list of `count` entries `from` bytes into the command; an error when the command does
   * not have so many, or the pool has no room for them.
   */
  begin(request: GpuRequest, resource: Resource, from: number, count: number): number {
    const bytes = request.chain.readableBytes - from;
    if (count === 0 || count > Math.floor(bytes / GpuMemEntry.SIZE)) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    if (!this.backing.reserve(resource, count)) return GpuResponse.ERR_OUT_OF_MEMORY;
    this.resource = resource;
    this.position = from;
    this.left = count;
    this.alignment = resource.isBlob ? 3 : 0;
    return GOES_ON;
  }

  /** Some more entries; a list with a wrong one is given up as a whole. */
  advance(request: GpuRequest, bytesMax: number): number {
    const resource = this.resource!;
    const count = Math.min(this.left, ENTRIES_AT_ONCE, Math.floor(bytesMax / GpuMemEntry.SIZE));
    this.movedBytes = count * GpuMemEntry.SIZE;
    const at = request.takeAside(this.position, this.movedBytes);
    for (let n = 0; n < count; n++) {
      if (this.append(request, resource, at + n * GpuMemEntry.SIZE)) continue;
      this.giveUp();
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    this.position += this.movedBytes;
    this.left -= count;
    return this.left > 0 ? GOES_ON : GpuResponse.OK_NODATA;
  }

  /** The resource has no backing after all. */
  giveUp(): void {
    this.backing.release(this.resource!);
  }

  private append(request: GpuRequest, resource: Resource, at: number): boolean {
    const { i32 } = request.arena;
    const word = at >>> 2;
    const low = i32[word]!;
    const high = i32[word + 1]!;
    const length = i32[word + (GpuMemEntry.LENGTH >>> 2)]!;
    if (((low | length) & this.alignment) !== 0) return false;
    return this.backing.append(resource, low, high, length);
  }
}
