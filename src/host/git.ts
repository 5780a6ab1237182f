/** What the repository says about itself, and how files were in another revision of it. */
import { spawnSync } from 'node:child_process';
import { FileProblem } from './files.ts';
import type { SourceFile } from './source-tree.ts';

const OUTPUT_BYTES_MAX = 2 ** 28;

function git(root: string, words: readonly string[], input?: string): Buffer | undefined {
  const options = {
    cwd: root,
    maxBuffer: OUTPUT_BYTES_MAX,
    ...(input === undefined ? {} : { input }),
  };
  const { status, stdout } = spawnSync('git', [...words], options);
  return status === 0 ? stdout : undefined;
}

export interface Head {
  /** Hash of the commit, or empty outside a repository. */
  readonly commit: string;
  readonly dirty: boolean;
  /** The commit's date, `YYYY-MM-DD`, or empty. */
  readonly date: string;
}

export function head(root: string): Head {
  const line = git(root, ['log', '-1', '--format=%H %cs'])?.toString().trim() ?? '';
  // Empty outside a repository.
  const [commit, date] = line === '' ? ['', ''] : (line.split(' ') as [string, string]);
  const changes = git(root, ['status', '--porcelain', '--untracked-files=no'])?.toString() ?? '';
  return { commit, date, dirty: changes !== '' };
}

/** Who works here, as commits name them; empty when that is not set. */
export function authorName(root: string): string {
  return git(root, ['config', 'user.name'])?.toString().trim() ?? '';
}

interface Listed {
  readonly hash: string;
  readonly file: string;
}

function listed(root: string, revision: string, folders: readonly string[]): Listed[] {
  const out = git(root, ['ls-tree', '-r', '-z', revision, '--', ...folders]);
  if (!out) throw new FileProblem(`${revision}: no such revision of the repository at ${root}`);
  return out
    .toString()
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [meta, file] = entry.split('\t');
      return { hash: meta!.split(' ')[2]!, file: file! };
    });
}

/**
 * Files of folders in a revision, by one call for all their contents.
 * @throws FileProblem when there is no such revision
 */
export function filesAt(
  root: string,
  revision: string,
  folders: readonly string[],
  wanted: (file: string) => boolean,
): SourceFile[] {
  const entries = listed(root, revision, folders).filter(({ file }) => wanted(file));
  const input = `${entries.map(({ hash }) => hash).join('\n')}\n`;
  const out = entries.length > 0 ? git(root, ['cat-file', '--batch'], input) : Buffer.alloc(0);
  if (!out) throw new FileProblem(`${revision}: its files cannot be read`);
  let at = 0;
  return entries.map(({ file }) => {
    const end = out.indexOf(10, at);
    const bytes = Number(out.toString('utf8', at, end).split(' ')[2]);
    const text = out.toString('utf8', end + 1, end + 1 + bytes);
    at = end + 1 + bytes + 1;
    return { file, text };
  });
}
