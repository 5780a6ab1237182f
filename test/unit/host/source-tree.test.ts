/** Files of a folder, and the hash over all that is tested. */
import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { makeFolder, readTree } from '../../../src/host/source-tree.ts';
import { treeHash } from '../../../src/host/tree-hash.ts';
import { TracedRepository } from '../../support/traced-repository.ts';

describe('source tree', () => {
  let repository: TracedRepository;
  beforeEach(() => {
    repository = new TracedRepository();
  });
  afterEach(() => repository.remove());

  const read = (folder: string) =>
    readTree(repository.path, folder, (file) => !file.endsWith('.png'));

  it('[utest->req~trace.scan~1] files are read in one order, below all folders, as far as they are wanted', () => {
    repository.write('src/b/a.ts', 'b/a');
    repository.write('src/a.ts', 'a');
    repository.write('src/a.png', 'x');
    assert.deepEqual(
      read('src').map(({ file }) => file),
      ['src/a.ts', 'src/b/a.ts', 'src/stop.ts'],
    );
    assert.equal(read('src')[1]!.text, 'b/a');
  });

  it('[utest->req~trace.scan~1] a file that is too large to be a source is left out', () => {
    repository.write('src/large.ts', ' '.repeat(2 ** 21 + 1));
    assert.deepEqual(
      read('src').map(({ file }) => file),
      ['src/stop.ts'],
    );
  });

  it('[utest->req~trace.exit-codes~1] a folder that is missing, or cannot be made, is a sentence', () => {
    assert.throws(() => read('none'), /none: no such file/);
    const below = path.join(repository.path, 'src/stop.ts/folder');
    assert.throws(() => makeFolder(below), /folder: a part of its path is not a directory/);
    makeFolder(path.join(repository.path, 'one/two'));
    mkdirSync(path.join(repository.path, 'one/two/three'));
  });

  it('[utest->req~trace.results~1] the hash changes with every file that is tested, and no other', () => {
    const before = treeHash(repository.path);
    repository.write('safety/more.md', 'x');
    assert.equal(treeHash(repository.path), before);
    for (const file of ['src/new.ts', 'test/new.ts', 'package-lock.json']) {
      const now = treeHash(repository.path);
      repository.write(file, 'x');
      assert.notEqual(treeHash(repository.path), now, file);
    }
  });
});
