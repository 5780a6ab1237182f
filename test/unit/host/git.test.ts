/** What the repository says, and what is said where there is none. */
import { strict as assert } from 'node:assert';
import { authorName, filesAt, head } from '../../../src/host/git.ts';
import { TracedRepository } from '../../support/traced-repository.ts';

describe('repository', () => {
  let repository: TracedRepository;
  beforeEach(() => {
    repository = new TracedRepository();
  });
  afterEach(() => repository.remove());

  it('[utest->req~trace.report~1] outside a repository there is no commit and no author of it', () => {
    assert.deepEqual(head(repository.path), { commit: '', date: '', dirty: false });
    assert.equal(typeof authorName(repository.path), 'string');
  });

  it('[utest->req~trace.report~1] commit, date and author', () => {
    repository.git('init', '-q');
    repository.git('config', 'user.name', 'A Name');
    repository.commit('first');
    const { commit, date, dirty } = head(repository.path);
    assert.match(`${commit} ${date} ${dirty}`, /^[0-9a-f]{40} \d{4}-\d\d-\d\d false$/);
    assert.equal(authorName(repository.path), 'A Name');
  });

  it('[utest->req~trace.diff~1] files of a revision, byte for byte, none where none is wanted', () => {
    repository.git('init', '-q');
    repository.write('src/ü b.ts', 'ä\n\n');
    repository.commit('first');
    repository.write('src/ü b.ts', 'changed');
    const files = filesAt(repository.path, 'HEAD', ['src'], (file) => file.includes('b.ts'));
    assert.deepEqual(files, [{ file: 'src/ü b.ts', text: 'ä\n\n' }]);
    assert.deepEqual(
      filesAt(repository.path, 'HEAD', ['src'], () => false),
      [],
    );
    assert.throws(() => filesAt(repository.path, 'none', ['src'], () => true), /no such revision/);
  });
});
