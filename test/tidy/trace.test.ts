/** Requirements, code and tests name each other: nothing is orphaned, nothing is left out. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, SOURCES, TESTS } from './sources.ts';

const REQUIREMENTS = 'safety/05-sw-safety-requirements.md';
const text = readFileSync(path.join(ROOT, REQUIREMENTS), 'utf8');
const ids = new Set([...text.matchAll(/^`(req~[\w.-]+~\d+)`$/gm)].map((match) => match[1]!));

/** Artifact types that an item needs. */
function needs(id: string): string {
  const item = text.slice(text.indexOf(`\`${id}\``));
  return /^Needs: (.*)$/m.exec(item)?.[1] ?? '';
}

function tags(sources: typeof SOURCES, kind: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { file, text: content } of sources) {
    for (const match of content.matchAll(new RegExp(`\\[${kind}->(req~[\\w.-]+~\\d+)\\]`, 'g'))) {
      found.set(match[1]!, [...(found.get(match[1]!) ?? []), file]);
    }
  }
  return found;
}

describe('trace', () => {
  for (const [kind, sources] of [
    ['impl', SOURCES],
    ['utest', TESTS],
  ] as const) {
    it(`[utest->req~dev.traced~1] every ${kind} tag names a requirement, and every requirement has one`, () => {
      const found = tags(sources, kind);
      assert.deepEqual(
        [...found.keys()].filter((id) => !ids.has(id)),
        [],
        'orphans',
      );
      assert.deepEqual(
        [...ids].filter((id) => !found.has(id) && needs(id).includes(kind)),
        [],
        'not covered',
      );
    });
  }

  it('[utest->req~dev.traced~1] a requirement is one sentence with one shall', () => {
    for (const item of text.split(/^### /m).slice(1)) {
      const sentence = item.split('\n').find((line) => line.includes(' shall '));
      assert.ok(sentence, item.split('\n')[0]);
      assert.equal(sentence.split(' shall ').length, 2, sentence);
    }
  });

  it('[utest->req~dev.traced~1] every test title starts with its tag', () => {
    const bare = TESTS.flatMap(({ file, lines }) =>
      lines.flatMap((line, n) =>
        /^\s*it\((?!['"`]\[utest->req~)(?!installed \? title)/.test(line) && !/^\s*it\($/.test(line)
          ? [`${file}:${n + 1}`]
          : [],
      ),
    );
    assert.deepEqual(bare, []);
  });
});
