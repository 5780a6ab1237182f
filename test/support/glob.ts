/** All files below a folder, as sorted paths relative to the top level. */
import { readdirSync } from 'node:fs';
import path from 'node:path';

export function globSync(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}
