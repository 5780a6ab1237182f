/** Guests' memory files in the arena: what a file is, and mapping it in and out. */
import { assert } from '../base/assert.ts';
import {
  fileStatus,
  fileSystemType,
  FileType,
  OpenFlag,
  Seal,
  seals,
  statusFlags,
} from './native/descriptor.ts';
import {
  baseOf,
  lockPages,
  mapShared,
  mapZeros,
  moveMapping,
  PAGE_BYTES,
  populate,
  unmap,
} from './native/memory.ts';
import { closeDescriptor, createMemoryFile } from './descriptors.ts';

const TMPFS_MAGIC = 0x01021994;
const HUGETLBFS_MAGIC = 0x958458f6;

export interface FileFacts {
  readonly device: number;
  readonly inode: number;
  readonly bytes: number;
  /** `other` also where only a process knows, which is never asked. */
  readonly fileSystem: 'tmpfs' | 'hugetlbfs' | 'other';
  readonly regular: boolean;
  /** Open for reading and writing, and no seal forbids to write. */
  readonly writable: boolean;
  readonly shrinkSealed: boolean;
  readonly pageBytes: number;
}

// [impl->req~host.file-facts~1]
/** What a received descriptor is; undefined when it is none. Never waits for a file system. */
export function fileFacts(descriptor: number): FileFacts | undefined {
  const status = fileStatus(descriptor);
  if (!status) return undefined;
  const sealed = seals(descriptor);
  const fileSystem = fileSystemOf(descriptor, sealed);
  const set = Math.max(sealed, 0);
  const mode = statusFlags(descriptor) & OpenFlag.ACCESS_MODE;
  return {
    device: status.device,
    inode: status.inode,
    bytes: status.bytes,
    fileSystem,
    regular: (status.mode & FileType.MASK) === FileType.REGULAR,
    writable: mode === OpenFlag.READ_WRITE && (set & (Seal.WRITE | Seal.FUTURE_WRITE)) === 0,
    shrinkSealed: (set & Seal.SHRINK) !== 0,
    pageBytes: fileSystem === 'hugetlbfs' ? status.blockBytes : PAGE_BYTES,
  };
}

/** Only files in tmpfs and hugetlbfs have seals, none included. */
function fileSystemOf(descriptor: number, sealed: number): FileFacts['fileSystem'] {
  if (sealed < 0) return 'other';
  const type = fileSystemType(descriptor);
  if (type === TMPFS_MAGIC) return 'tmpfs';
  return type === HUGETLBFS_MAGIC ? 'hugetlbfs' : 'other';
}

/** Copies inside the arena, by the kernel that the data plane uses. */
type Copy = (to: number, from: number, length: number) => void;

// [impl->req~host.mapping~1]
export class ArenaMapping {
  private readonly bytes: Uint8Array;
  private readonly base: number;

  constructor(memory: WebAssembly.Memory) {
    this.bytes = new Uint8Array(memory.buffer);
    this.base = baseOf(this.bytes);
  }

  /**
   * Maps a range of a file to `arenaAt`, everything on page boundaries; false when the file is too
   * short or the host refuses, and then the range is zeros. `populated`: every page is there now.
   */
  map(
    descriptor: number,
    fileOffset: number,
    bytes: number,
    arenaAt: number,
    options: { readonly populated?: boolean } = {},
  ): boolean {
    this.assertInside(arenaAt, bytes);
    assert(fileOffset >= 0 && fileOffset % PAGE_BYTES === 0, 'file offsets are page-aligned');
    const status = fileStatus(descriptor);
    if (!status || fileOffset + bytes > status.bytes) return false;
    const found = mapShared(descriptor, fileOffset, bytes);
    if (found < 0) return false;
    if (options.populated && !populate(found, bytes)) {
      unmap(found, bytes);
      return false;
    }
    if (moveMapping(found, bytes, this.base + arenaAt)) return true;
    unmap(found, bytes);
    this.release(arenaAt, bytes);
    return false;
  }

  /** The range is private zeros from now on: late reads and writes there harm nobody. */
  release(arenaAt: number, bytes: number): void {
    this.assertInside(arenaAt, bytes);
    assert(mapZeros(this.base + arenaAt, bytes), 'a range of the arena is never left as a hole');
  }

  /** Every page is there and stays; false when the host does not grant so much locked memory. */
  lock(arenaAt: number, bytes: number): boolean {
    this.assertInside(arenaAt, bytes);
    return lockPages(this.base + arenaAt, bytes);
  }

  /** Every page is there now; false where there is no memory for it. */
  populate(arenaAt: number, bytes: number): boolean {
    this.assertInside(arenaAt, bytes);
    return populate(this.base + arenaAt, bytes);
  }

  private assertInside(arenaAt: number, bytes: number): void {
    assert(arenaAt >= 0 && bytes > 0, 'a range of the arena has an offset and a length');
    assert(arenaAt + bytes <= this.bytes.length, 'a range of the arena ends inside it');
    const aligned = arenaAt % PAGE_BYTES === 0 && bytes % PAGE_BYTES === 0;
    assert(aligned, 'ranges of the arena are page-aligned');
  }

  // [impl->req~host.self-test~1]
  /**
   * Tries everything once that guests' memory needs, in 128 KiB of the arena that nobody uses; a
   * sentence when something does not work with this kernel and this V8.
   */
  selfTest(spareAt: number, copy: Copy): string | undefined {
    const half = SELF_TEST_BYTES / 2;
    const [low, high] = [spareAt, spareAt + half];
    const file = createMemoryFile('self-test', SELF_TEST_BYTES, { seal: true });
    try {
      if (!this.map(file, half, half, low, { populated: true }))
        return 'this host does not map a memory file into the arena';
      if (!this.map(file, half, half, high))
        return 'this host does not map a memory file into the arena twice';
      this.bytes.fill(0x5a, low, low + half);
      if (!this.shows(0x5a, high, half))
        return 'two mappings of one memory file do not show the same bytes';
      this.release(high, half);
      if (!this.shows(0, high, half)) return 'a released range of the arena is not zeros';
      copy(high | 0, low | 0, half);
      if (!this.shows(0x5a, high, half))
        return 'copying from a mapped range of the arena does not work';
      return undefined;
    } finally {
      this.release(spareAt, SELF_TEST_BYTES);
      closeDescriptor(file);
    }
  }

  private shows(value: number, at: number, length: number): boolean {
    return this.bytes[at] === value && this.bytes[at + length - 1] === value;
  }
}

/** Two halves of the largest page that Linux has. */
export const SELF_TEST_BYTES = 2 * 65536;
