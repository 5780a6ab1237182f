/** Items in Markdown, by the grammar of OpenFastTrace. */
import { strict as assert } from 'node:assert';
import { scanDocuments } from '../../../src/traceability/scan-requirements.ts';

const FILE = 'safety/x.md';

function scan(...lines: string[]) {
  return scanDocuments([{ file: FILE, text: lines.join('\n') }]);
}

function one(...lines: string[]) {
  const { items } = scan(...lines);
  assert.equal(items.length, 1);
  return items[0]!;
}

describe('items in Markdown', () => {
  it('[utest->req~trace.scan~1] an item has title, text, status, rationale, comment and lists', () => {
    const item = one(
      '## It stops',
      '`req~it.stops~3`',
      '',
      'Status: proposed',
      '',
      'It shall stop.',
      'At once.',
      '',
      'Rationale:',
      '',
      'It would go on.',
      '',
      'Comment:',
      'Really.',
      '',
      'Covers:',
      '',
      '* `goal~a~1`',
      '  - [B](#b) `goal~b~22`',
      '',
      'Depends:',
      '+ req~other~1',
      '',
      'Tags: ASIL_B, fast',
      '',
      'Needs: impl, utest',
    );
    const { covers, depends, ...rest } = item;
    assert.deepEqual(rest, {
      ...{ id: 'req~it.stops~3', type: 'req', name: 'it.stops', revision: 3, title: 'It stops' },
      ...{ status: 'proposed', description: 'It shall stop.\nAt once.', comment: 'Really.' },
      ...{ rationale: 'It would go on.', needs: ['impl', 'utest'], tags: ['ASIL_B', 'fast'] },
      ...{ origin: 'markdown', file: FILE, line: 2, column: 2 },
    });
    assert.deepEqual(covers, [
      { id: 'goal~a~1', file: FILE, line: 18, column: 4 },
      { id: 'goal~b~22', file: FILE, line: 19, column: 14 },
    ]);
    assert.deepEqual(depends, [{ id: 'req~other~1', file: FILE, line: 22, column: 3 }]);
  });

  it('[utest->req~trace.scan~1] lists may stand below their keyword', () => {
    const item = one(
      '`req~a~1`',
      'Needs:',
      '* impl',
      '- the utest',
      '',
      'Text.',
      'Tags:',
      '* x, y',
    );
    assert.deepEqual(item.needs, ['impl', 'utest']);
    assert.deepEqual(item.tags, ['x', 'y']);
    assert.equal(item.description, 'Text.');
  });

  it('[utest->req~trace.scan~1] a title may be underlined, and lasts until another line', () => {
    assert.equal(one('It stops', '========', '`req~a~1`').title, 'It stops');
    assert.equal(one('# It stops', 'but not here', '`req~a~1`').title, '');
    assert.equal(one('# First', '# Second', '', '`req~a~1`').title, 'Second');
  });

  it('[utest->req~trace.scan~1] an item ends where the next one or a title begins', () => {
    const { items } = scan('req~a~1', 'Text of a.', 'req~b~2', 'Text of b.', '# Title', 'no item');
    assert.deepEqual(
      items.map(({ id, description, line, column }) => [id, description, line, column]),
      [
        ['req~a~1', 'Text of a.', 1, 1],
        ['req~b~2', 'Text of b.', 3, 1],
      ],
    );
  });

  it('[utest->req~trace.scan~1] ids in code blocks, tables, lists and switched-off parts are no items', () => {
    const { items } = scan(
      ...['```', '`req~a~1`', '```', '| `req~b~1` |', '* `req~c~1`', 'see `req~d~1`'],
      ...['oft:off', '`req~e~1`', 'oft:on', '`req~f~1`'],
    );
    assert.deepEqual(
      items.map(({ id }) => id),
      ['req~f~1'],
    );
  });

  it('[utest->req~trace.scan~1] an artifact that is only passed on is an item with one need', () => {
    const item = one('`dsn --> impl, utest : req~a.b~4`');
    assert.equal(item.id, 'dsn~a.b~4');
    assert.deepEqual(item.needs, ['impl', 'utest']);
    assert.deepEqual(
      item.covers.map(({ id }) => id),
      ['req~a.b~4'],
    );
  });

  it('[utest->req~trace.scan~1] a keyword that the grammar does not take is named with what is right', () => {
    const { items, findings } = scan(
      ...['`req~a~1`', 'Text.', 'Status: approved', 'Rationale: because', 'Covers:'],
      ...['* goal~a~1', 'Tags: ASIL-B', 'Needs: impl'],
    );
    assert.deepEqual(
      findings.map(({ state, line, message }) => [state, line, message.split('"')[1]]),
      [
        ['grammar', 3, 'Status:'],
        ['grammar', 4, 'Rationale:'],
        ['grammar', 7, 'Tags:'],
      ],
    );
    assert.deepEqual(items[0]!.tags, ['ASIL-B']);
    assert.deepEqual(items[0]!.needs, ['impl']);
  });

  it('[utest->req~trace.scan~1] lines end as they end on any system', () => {
    const { items } = scanDocuments([{ file: FILE, text: '# T\r\n`req~a~1`\r\nText.\rMore.\n' }]);
    assert.equal(items[0]!.description, 'Text.\nMore.');
  });
});
