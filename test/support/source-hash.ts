/** One hash over everything that is tested, so that a recorded result names what it is about. */
import { createHash } from 'node:crypto';
import { globSync } from './glob.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export function sourceHash(root: string): string {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', ...globSync(root, 'src'), ...globSync(root, 'test')]) {
    hash.update(file).update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
}
