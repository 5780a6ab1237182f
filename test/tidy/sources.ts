/** The sources as the tidy tests see them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from '../support/glob.ts';

export const ROOT = path.resolve(__dirname, '../../..');

export interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** Files of this project that it imports, as paths from the top level. */
  readonly imports: readonly string[];
  /** Packages and node modules that it imports. */
  readonly packages: readonly string[];
}

function read(file: string): Source {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const specifiers = [
    ...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'/gms),
    ...text.matchAll(/\bimport\('([^']+)'\)/g),
  ].map((match) => match[1]!);
  return {
    file,
    text,
    lines: text.split('\n'),
    imports: specifiers
      .filter((name) => name.startsWith('.'))
      .map((name) => path.join(path.dirname(file), name)),
    packages: specifiers.filter((name) => !name.startsWith('.')),
  };
}

export const SOURCES: readonly Source[] = globSync(ROOT, 'src')
  .filter((file) => file.endsWith('.ts'))
  .map(read);
export const TESTS: readonly Source[] = globSync(ROOT, 'test')
  .filter((file) => file.endsWith('.ts'))
  .map(read);

/** The room of a source: its folder below src, or the file itself for an entry. */
export function roomOf(file: string): string {
  return file.split('/')[1]!;
}
