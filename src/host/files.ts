/** Files, in the few forms that the gateway reads and writes. */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** What was wrong with a file, as a sentence; never a stack trace. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  EACCES: 'no permission',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  EPERM: 'the operation is not permitted',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
};

/** The sentence for what the operating system said. */
export function fileProblem(file: string, error: unknown): FileProblem {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return new FileProblem(`${file}: ${REASONS[code] ?? String(code || error)}`);
}

/**
 * The content of a regular file of at most `bytesMax` bytes; `what` the file ought to be.
 * @throws FileProblem when it cannot be read, is too large, or is not a regular file
 */
export function readFileBytes(
  file: string,
  bytesMax: number,
  what = 'a configuration',
): Uint8Array {
  let descriptor: number;
  try {
    // Non-blocking, so that a FIFO without a writer is an error and not a hang.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileProblem(file, error);
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (!stat.isFile()) throw new FileProblem(`${file}: not a regular file`);
    if (stat.size > bytesMax) {
      throw new FileProblem(`${file}: ${stat.size} bytes; ${what} has at most ${bytesMax}`);
    }
    const bytes = Buffer.alloc(stat.size);
    const length = readSync(descriptor, bytes, 0, stat.size, 0);
    return bytes.subarray(0, length);
  } catch (error) {
    throw error instanceof FileProblem ? error : fileProblem(file, error);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Says now what would keep a file from being written later.
 * @throws FileProblem when it cannot be written, or made where there is none
 */
export function mustTakeFile(file: string): void {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(stat ? file : path.dirname(file), constants.W_OK);
  } catch (error) {
    throw fileProblem(file, error);
  }
}

/** @throws FileProblem when it cannot be written */
export function writeTextFile(file: string, text: string): void {
  writeFileBytes(file, Buffer.from(text));
}

/** @throws FileProblem when it cannot be written */
export function writeFileBytes(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw fileProblem(file, error);
  }
}

/** Path of a file that another one names: relative to the directory of that one. */
export function besideFile(file: string, name: string): string {
  return path.resolve(path.dirname(file), name);
}

/** Text of a file of this package, by its path from the top level. */
export function readPackageFile(relative: string): string {
  return readFileSync(packagePath(relative), 'utf8');
}

/** Bytes of a built file, by its path from `build/src`. */
export function readBuiltFile(relative: string): Uint8Array {
  return readFileSync(builtPath(relative));
}

/** Bytes of a file of a package that this one depends on. */
export function readDependencyFile(file: string): Uint8Array {
  return readFileSync(require.resolve(file));
}

export function builtPath(relative: string): string {
  return path.resolve(__dirname, '..', relative);
}

export function packagePath(relative: string): string {
  return path.resolve(__dirname, '../../..', relative);
}
