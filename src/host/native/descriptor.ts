/** What the kernel does with file descriptors. Results are 0 or more, or the negative errno. */
import { cFunction, cFunctionApart, errno } from './libc.ts';

const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_BASIC_STATS = 0x7ff;
const F_GETFL = 3;
const F_SETFL = 4;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_HUGETLB = 4;
const EFD_CLOEXEC = 0o2000000;
const TWO_32 = 0x1_0000_0000;

/** Bits of the flags that {@link statusFlags} gives. */
export const OpenFlag = { ACCESS_MODE: 3, READ_WRITE: 2, NON_BLOCKING: 0o4000 } as const;
export const Seal = { SEAL: 1, SHRINK: 2, GROW: 4, WRITE: 8, FUTURE_WRITE: 16 } as const;
export const FileType = { MASK: 0o170000, PIPE: 0o010000, REGULAR: 0o100000, SOCKET: 0o140000 };

const cClose = cFunction('int close(int fd)');
const cCloseApart = cFunctionApart('int close(int fd)');
const cRead = cFunction('intptr_t read(int fd, void *bytes, intptr_t length)');
const cWrite = cFunction('intptr_t write(int fd, void *bytes, intptr_t length)');
const cFcntl = cFunction('int fcntl(int fd, int command, int value)');
const cFchmod = cFunction('int fchmod(int fd, unsigned int mode)');
const cFtruncate = cFunction('int ftruncate(int fd, int64_t length)');
const cEventfd = cFunction('int eventfd(unsigned int initial, int flags)');
const cMemfdCreate = cFunction('int memfd_create(const char *name, unsigned int flags)');
const cFstatfs = cFunction('int fstatfs(int fd, void *status)');
const cStatx = cFunction(
  'int statx(int fd, const char *path, int flags, unsigned int mask, void *status)',
);

/** The result of a call that fails with -1. */
export function resultOf(value: number): number {
  return value < 0 ? -errno() : value;
}

export function close(descriptor: number): void {
  cClose(descriptor);
}

/** Closes in another thread: closing a file asks its file system, which may never answer. */
export function closeApart(descriptor: number): void {
  cCloseApart(descriptor);
}

/** Bytes moved, or -1; allocates nothing. */
export function writeBytes(descriptor: number, bytes: Uint8Array): number {
  return cWrite(descriptor, bytes, bytes.length);
}

export function readBytes(descriptor: number, bytes: Uint8Array): number {
  return cRead(descriptor, bytes, bytes.length);
}

export function statusFlags(descriptor: number): number {
  return resultOf(cFcntl(descriptor, F_GETFL, 0));
}

export function setStatusFlags(descriptor: number, flags: number): number {
  return resultOf(cFcntl(descriptor, F_SETFL, flags));
}

export function setMode(descriptor: number, mode: number): number {
  return resultOf(cFchmod(descriptor, mode));
}

/**
 * Seals of a file in tmpfs or hugetlbfs; negative for every other file, and without asking its file
 * system, which might be a process that never answers.
 */
export function seals(descriptor: number): number {
  return resultOf(cFcntl(descriptor, F_GET_SEALS, 0));
}

export function addSeals(descriptor: number, added: number): number {
  return resultOf(cFcntl(descriptor, F_ADD_SEALS, added));
}

export function createEvent(): number {
  return resultOf(cEventfd(0, EFD_CLOEXEC | OpenFlag.NON_BLOCKING));
}

export function createMemory(name: string, bytes: number, huge: boolean): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB : 0);
  const descriptor = resultOf(cMemfdCreate(name, flags));
  if (descriptor < 0) return descriptor;
  const sized = resultOf(cFtruncate(descriptor, bytes));
  if (sized >= 0) return descriptor;
  close(descriptor);
  return sized;
}

/** `f_type` of struct statfs, its first field. */
export function fileSystemType(descriptor: number): number {
  const status = Buffer.alloc(256);
  const result = resultOf(cFstatfs(descriptor, status));
  return result < 0 ? result : status.readUInt32LE(0);
}

export interface FileStatus {
  readonly mode: number;
  /** Major and minor number in one. */
  readonly device: number;
  readonly inode: number;
  readonly bytes: number;
  readonly blockBytes: number;
}

/** struct statx is the same everywhere; what the kernel knows already is enough: it never waits. */
export function fileStatus(descriptor: number): FileStatus | undefined {
  const status = Buffer.alloc(256);
  const flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (cStatx(descriptor, '', flags, STATX_BASIC_STATS, status) < 0) return undefined;
  return {
    blockBytes: status.readUInt32LE(4),
    mode: status.readUInt16LE(28),
    inode: Number(status.readBigUInt64LE(32)),
    bytes: Number(status.readBigUInt64LE(40)),
    device: status.readUInt32LE(136) * TWO_32 + status.readUInt32LE(140),
  };
}
