/** Sizes, first lines, and files nobody needs. */
import { strict as assert } from 'node:assert';
import path from 'node:path';
import { SOURCES, TESTS, type Source } from './sources.ts';

const FILE_LINES_MAX = 300;
const FILE_LINES_MEAN = 120;
const FUNCTION_LINES_MAX = 50;
const COLUMNS_MAX = 100;
const TEST_COLUMNS_MAX = 120;
const ENTRIES = [
  'src/main.ts',
  'src/data-plane-thread.ts',
  'src/guest-thread.ts',
  'src/cli/bench/dashboard-reader.ts',
  'src/dashboard/page/app.ts',
  'src/dashboard/page/theme.ts',
];

/** The first line of a function or method, with its indentation. */
const OPENING = new RegExp(
  [
    '^( *)(?:export |private |protected |override |static |async |get |set )*',
    '(?:function\\*? )?[\\w$]+(?:<[^>]*>)?\\(.*\\{$',
  ].join(''),
);

/** Functions and methods by indentation: from an opening line to its closing brace. */
function longFunctions({ lines }: Source): string[] {
  const found: string[] = [];
  lines.forEach((line, start) => {
    const opening = OPENING.exec(line);
    if (!opening || /^\s*(if|for|while|switch|describe|it)\b/.test(line)) return;
    const end = lines.findIndex((other, n) => n > start && other.startsWith(`${opening[1]}}`));
    if (end - start > FUNCTION_LINES_MAX) found.push(`line ${start + 1}: ${end - start} lines`);
  });
  return found;
}

function per(sources: readonly Source[], test: (source: Source) => string[]): string[] {
  return sources.flatMap((source) => test(source).map((what) => `${source.file}: ${what}`));
}

/** A message for people may be longer than a line of code. */
const MESSAGE = /^\s*(?:it\(|\w+: |[?:+] )?['"`]/;

const tooWide =
  (max: number) =>
  ({ lines }: Source) =>
    lines.flatMap((line, n) =>
      [...line].length > max && !MESSAGE.test(line)
        ? [`line ${n + 1} has ${[...line].length} columns`]
        : [],
    );

describe('sizes', () => {
  it('[utest->req~dev.tidy~1] files, functions and lines are short', () => {
    assert.deepEqual(
      per(SOURCES, ({ lines }) => (lines.length > FILE_LINES_MAX ? [`${lines.length} lines`] : [])),
      [],
    );
    assert.deepEqual(per(SOURCES, longFunctions), []);
    assert.deepEqual(per(SOURCES, tooWide(COLUMNS_MAX)), []);
    assert.deepEqual(per(TESTS, tooWide(TEST_COLUMNS_MAX)), []);
    const mean = SOURCES.reduce((sum, { lines }) => sum + lines.length, 0) / SOURCES.length;
    assert.ok(mean <= FILE_LINES_MEAN, `mean file length ${mean}`);
  });

  it('[utest->req~dev.tidy~1] the first line of every file says what it is', () => {
    assert.deepEqual(
      per([...SOURCES, ...TESTS], ({ lines }) => {
        const first = lines[0]!.startsWith('#!') ? lines[1]! : lines[0]!;
        return first.startsWith('/**') ? [] : ['no first sentence'];
      }),
      [],
    );
  });

  it('[utest->req~dev.tidy~1] no source is dead', () => {
    const imported = new Set(
      [...SOURCES, ...TESTS].flatMap(({ imports }) => imports.map((file) => path.normalize(file))),
    );
    const dead = SOURCES.map(({ file }) => file).filter(
      (file) => !file.endsWith('.d.ts') && !ENTRIES.includes(file) && !imported.has(file),
    );
    assert.deepEqual(dead, []);
  });

  it('[utest->req~dev.tidy~1] no export of a source is dead', () => {
    const everything = [...SOURCES, ...TESTS];
    assert.deepEqual(
      per(SOURCES, ({ file, text }) =>
        [...text.matchAll(/^export (?:class|function\*?|const|interface|type) (\w+)/gm)]
          .map((match) => match[1]!)
          .filter(
            (name) =>
              !everything.some((other) =>
                new RegExp(`\\b${name}\\b`).test(
                  other.file === file
                    ? text.replace(new RegExp(`^export .*\\b${name}\\b`, 'm'), '')
                    : other.text,
                ),
              ),
          )
          .map((name) => `nobody uses ${name}`),
      ),
      [],
    );
  });
});
