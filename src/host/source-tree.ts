/** Text files of a folder, all of them, in one order on every machine. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileProblem } from './files.ts';

export interface SourceFile {
  /** From the top level, with slashes. */
  readonly file: string;
  readonly text: string;
}

/** A larger file is no source: a picture, a recording. */
const BYTES_MAX = 2 ** 21;

function namesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/**
 * Files below `root/folder` whose name `wanted` accepts.
 * @throws FileProblem when the folder or a file cannot be read
 */
export function readTree(
  root: string,
  folder: string,
  wanted: (file: string) => boolean,
): SourceFile[] {
  const top = path.join(root, folder);
  try {
    return namesIn(top)
      .map((name) => path.relative(root, name).split(path.sep).join('/'))
      .filter(wanted)
      .sort()
      .filter((file) => statSync(path.join(root, file)).size <= BYTES_MAX)
      .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
  } catch (error) {
    throw fileProblem(top, error);
  }
}

/** @throws FileProblem when the folder cannot be made */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileProblem(folder, error);
  }
}
