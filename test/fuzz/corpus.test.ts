/** Replays the corpora that coverage-guided fuzzing has found. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from '../support/glob.ts';
import { fuzz as descriptorWalk } from './descriptor-walk.ts';

const ROOT = path.resolve(__dirname, '../../..');

describe('fuzzing corpora', () => {
  it('[utest->req~queue.bounded-walk~1] the descriptor walk stays bounded and inside on its corpus', () => {
    const files = globSync(ROOT, 'test/fuzz/corpus/descriptor-walk');
    assert.ok(files.length > 0, 'the corpus is not empty');
    for (const file of files) descriptorWalk(readFileSync(path.join(ROOT, file)));
  });
});
