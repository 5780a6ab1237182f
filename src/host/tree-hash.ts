/** One hash over everything that is tested, so that a recorded result names what it is about. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const TESTED = ['src', 'test'];

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

export function treeHash(root: string): string {
  const hash = createHash('sha256');
  const there = (name: string) => existsSync(path.join(root, name));
  const files = TESTED.filter(there).flatMap((name) => filesBelow(root, name));
  for (const file of [...['package-lock.json'].filter(there), ...files]) {
    hash.update(file).update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
}
