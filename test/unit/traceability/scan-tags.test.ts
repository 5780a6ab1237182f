/** Tags in code and tests, and the code that they stand above. */
import { strict as assert } from 'node:assert';
import { scanTags, taggedCode } from '../../../src/traceability/scan-tags.ts';
import { tag } from '../../support/trace-project.ts';

function scan(text: string, file = 'src/x.ts') {
  return scanTags([{ file, text }]);
}

/** What a tag above `code` is taken to be about: name, first and last line. */
function symbol(...code: string[]): unknown[] {
  const found = scan([`// ${tag('impl', 'req~a~1')}`, ...code].join('\n'))[0]!.symbol;
  return [found?.name, found?.line, found?.endLine];
}

describe('tags', () => {
  it('[utest->req~trace.scan~1] a tag has a type, what it covers, and its place', () => {
    const [found] = scan(`/** x */\n  // ${tag('impl', 'req~a.b-c~12')}\nconst x = 1;\n`);
    assert.deepEqual(
      [found!.type, found!.covers, found!.file, found!.line, found!.column],
      ['impl', [{ id: 'req~a.b-c~12', file: 'src/x.ts', line: 2, column: 13 }], 'src/x.ts', 2, 6],
    );
    assert.equal(found!.revision, 0);
    assert.deepEqual(found!.needs, []);
  });

  it('[utest->req~trace.scan~1] one line may have several tags, with spaces in them', () => {
    const line = `// ${tag('impl', 'req~a~1')} ${tag('impl', ' req~b~1 ').replace('[', '[ ')}`;
    assert.deepEqual(
      scan(line).map(({ covers, column }) => [covers[0]!.id, column]),
      [
        ['req~a~1', 4],
        ['req~b~1', 20],
      ],
    );
  });

  it('[utest->req~trace.scan~1] a tag may have a name and a revision, and pass on what it needs', () => {
    const lines = [
      tag('impl~~2', 'req~a~1'),
      tag('impl~own~3', 'req~a~1'),
      tag('dsn', 'req~a~1>>impl , utest'),
    ];
    const found = scan(lines.join('\n'));
    assert.deepEqual(
      found.map(({ revision }) => revision),
      [2, 3, 0],
    );
    assert.equal(found[1]!.id, 'impl~own~3');
    assert.equal(found[2]!.id, 'dsn~a~0');
    assert.deepEqual(found[2]!.needs, ['impl', 'utest']);
  });

  it('[utest->req~trace.scan~1] what is not quite a tag is none', () => {
    const wrong = ['req~a', 'req~~1', 'req~1a~1', '~a~1', 'req~a~x', 'req~a~1>>'];
    assert.deepEqual(scan(wrong.map((id) => tag('impl', id)).join('\n')), []);
    assert.deepEqual(scan(tag('im-pl', 'req~a~1')), []);
    assert.deepEqual(scan(tag('impl', 'req~a~1'), 'src/x.png'), []);
  });

  it('[utest->req~trace.scan~1] the literal of a test ends at its quote or its placeholder', () => {
    const literal = (line: string) => scan(line, 'test/x.test.ts')[0]!.literal;
    const start = tag('utest', 'req~a~1');
    assert.equal(literal(`  it('${start} stops', () => {`), `${start} stops`);
    assert.equal(literal(`  it(\`${start} stops \${n} times\`, () => {`), `${start} stops `);
    assert.equal(literal(`  it('${start} it\\'s', () => {`), `${start} it`);
  });
});

describe('symbols below tags', () => {
  it('[utest->req~trace.scan~1] a declaration reaches to the end of its block', () => {
    const body = ['  if (x) {', '    y();', '  }', '}', 'next();'];
    assert.deepEqual(symbol('export function stop(x: boolean): void {', ...body), ['stop', 2, 6]);
    assert.deepEqual(symbol('export class Stop {', ...body), ['Stop', 2, 6]);
    assert.deepEqual(symbol('/** Doc. */', '', 'async function stop(', '  x,', ') {', '}'), [
      ...['stop', 4, 7],
    ]);
  });

  it('[utest->req~trace.scan~1] a declaration of one line is that line', () => {
    assert.deepEqual(symbol('const STOP = 1;', 'const GO = 2;'), ['STOP', 2, 2]);
    assert.deepEqual(symbol('export type Stop = 1 | 2;'), ['Stop', 2, 2]);
  });

  it('[utest->req~trace.scan~1] lists and long expressions reach to their closer', () => {
    assert.deepEqual(symbol('const A = [', '  1,', '];', 'b();'), ['A', 2, 4]);
    assert.deepEqual(symbol('const f = (x: number) =>', '  x + 1;', 'b();'), ['f', 2, 3]);
    assert.deepEqual(symbol('if (a) {', '  b();', '} else {', '  c();', '}', 'd();'), ['if', 2, 6]);
  });

  it('[utest->req~trace.scan~1] imports and comments are passed over, the end of the file is none', () => {
    assert.deepEqual(symbol("import x from 'x';", '', '// more', 'let y = 0;'), ['y', 5, 5]);
    assert.deepEqual(symbol('', '// nothing'), [undefined, undefined, undefined]);
  });

  it('[utest->req~trace.scan~1] the code of a symbol leaves out comments, blank lines, indentation', () => {
    const lines = ['function f() {', '  // why', '', '  return 1;', '}'];
    const found = scan([`// ${tag('impl', 'req~a~1')}`, ...lines].join('\n'))[0]!;
    assert.deepEqual(taggedCode(found), [
      { line: 2, text: 'function f() {' },
      { line: 5, text: 'return 1;' },
      { line: 6, text: '}' },
    ]);
  });
});
