/** File descriptors: counters that wake somebody, memory files, and what a descriptor is. */
import { readdirSync, readlinkSync } from 'node:fs';
import { HostProblem } from './host-problem.ts';
import {
  addSeals,
  close,
  closeApart,
  createEvent,
  createMemory,
  FileType,
  fileStatus,
  OpenFlag,
  readBytes,
  Seal,
  seals,
  setStatusFlags,
  statusFlags,
  writeBytes,
} from './native/descriptor.ts';
import { sendBytes } from './native/socket.ts';

export { isStreamEnd } from './native/socket.ts';

export type DescriptorKind = 'eventfd' | 'socket' | 'pipe' | 'file' | 'other';

const ONE = new Uint8Array(8);
new Uint32Array(ONE.buffer)[0] = 1;
const count = new Uint8Array(8);
const countWords = new Uint32Array(count.buffer);
const TWO_32 = 0x1_0000_0000;

export function closeDescriptor(descriptor: number): void {
  close(descriptor);
}

/**
 * Closes a descriptor that came from another process, without ever waiting for a file system that
 * is that process's own (FUSE): what is none of the kinds that answer at once is closed apart.
 */
// [impl->req~vhost.descriptor-ownership~1]
export function closeForeign(descriptor: number): void {
  const kind = descriptorKind(descriptor);
  const answers = kind === 'eventfd' || kind === 'socket' || kind === 'pipe';
  if (answers || seals(descriptor) >= 0) close(descriptor);
  else closeApart(descriptor);
}

export function makeNonBlocking(descriptor: number): boolean {
  const flags = statusFlags(descriptor);
  return flags >= 0 && setStatusFlags(descriptor, flags | OpenFlag.NON_BLOCKING) >= 0;
}

/**
 * Adds one to an eventfd; waits when that is full and blocking. False when nothing was written:
 * full (then the reader is going to wake up anyway) or gone. Allocates nothing.
 */
export function writeCounter(descriptor: number): boolean {
  return writeBytes(descriptor, ONE) === ONE.length;
}

/** The same 8 bytes to a socket, whatever flags its other owners have set. Allocates nothing. */
export function sendCounter(socket: number): boolean {
  return sendBytes(socket, ONE) === ONE.length;
}

/** What was counted since the last reading; 0 when nothing was. */
export function readCounter(descriptor: number): number {
  if (readBytes(descriptor, count) !== count.length) return 0;
  return countWords[1]! * TWO_32 + countWords[0]!;
}

/** A counter at 0, non-blocking. @throws HostProblem when the host grants no more descriptors */
export function createEventFd(): number {
  return granted(createEvent(), 'an eventfd');
}

export interface MemoryFileOptions {
  /** The file can neither shrink nor grow any more. */
  readonly seal: boolean;
  readonly hugePages?: boolean;
}

/** Memory that can be shared by its descriptor. @throws HostProblem when the host has none */
export function createMemoryFile(name: string, bytes: number, options: MemoryFileOptions): number {
  const descriptor = granted(
    createMemory(name, bytes, options.hugePages ?? false),
    `a memory file of ${bytes} bytes`,
  );
  if (options.seal) addSeals(descriptor, Seal.SHRINK | Seal.GROW | Seal.SEAL);
  return descriptor;
}

function granted(descriptor: number, what: string): number {
  if (descriptor >= 0) return descriptor;
  throw new HostProblem(`the host does not grant ${what} (errno ${-descriptor})`);
}

// [impl->req~host.descriptor-kind~1]
/** What a descriptor is, found without asking a file system that might not answer. */
export function descriptorKind(descriptor: number): DescriptorKind {
  const type = (fileStatus(descriptor)?.mode ?? 0) & FileType.MASK;
  if (type === FileType.SOCKET) return 'socket';
  if (type === FileType.PIPE) return 'pipe';
  if (type === FileType.REGULAR) return 'file';
  return linkOf(descriptor) === 'anon_inode:[eventfd]' ? 'eventfd' : 'other';
}

function linkOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

/** How many descriptors this process has open; the one that reads the list is not counted. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length - 1;
}
