/** The states of links and the coverage of items, each produced on purpose. */
import { strict as assert } from 'node:assert';
import { linkItems, type LinkedItem } from '../../../src/traceability/link.ts';
import { scanDocuments } from '../../../src/traceability/scan-requirements.ts';
import { itemText, type ItemText } from '../../support/trace-project.ts';

function link(...items: ItemText[]): Map<string, LinkedItem> {
  const text = items.map(itemText).join('\n');
  const linked = linkItems(scanDocuments([{ file: 'x.md', text }]).items);
  return new Map(linked.map((one) => [one.item.id, one]));
}

/** Verdict, deep coverage, and states of the links of each item. */
function states(...items: ItemText[]): Record<string, string> {
  return Object.fromEntries(
    [...link(...items)].map(([id, { defect, deep, outgoing, incoming }]) => [
      id,
      [
        defect ? 'defect' : 'ok',
        deep,
        ...outgoing.map(({ status }) => `>${status}`),
        ...incoming.map(({ status }) => `<${status}`),
      ].join(' '),
    ]),
  );
}

const GOAL = { id: 'goal~a~2', needs: 'req' };

describe('links', () => {
  it('[utest->req~trace.link~1] covers and covered', () => {
    assert.deepEqual(states(GOAL, { id: 'req~a~1', covers: ['goal~a~2'] }), {
      'goal~a~2': 'ok covered <covered',
      'req~a~1': 'ok covered >covers',
    });
  });

  it('[utest->req~trace.link~1] orphaned: what it covers does not exist', () => {
    assert.deepEqual(states({ id: 'req~a~1', covers: ['goal~none~1'] }), {
      'req~a~1': 'defect covered >orphaned',
    });
  });

  it('[utest->req~trace.link~1] outdated and predated, at both ends', () => {
    assert.deepEqual(states(GOAL, { id: 'req~a~1', covers: ['goal~a~1'] }), {
      'goal~a~2': 'defect uncovered <outdated',
      'req~a~1': 'defect covered >outdated',
    });
    assert.deepEqual(states(GOAL, { id: 'req~a~1', covers: ['goal~a~3'] }), {
      'goal~a~2': 'defect uncovered <predated',
      'req~a~1': 'defect covered >predated',
    });
  });

  it('[utest->req~trace.link~1] unwanted: of a type that is not needed, at both ends', () => {
    assert.deepEqual(states(GOAL, { id: 'dsn~a~1', covers: ['goal~a~2'] }), {
      'goal~a~2': 'defect uncovered <unwanted',
      'dsn~a~1': 'defect covered >unwanted',
    });
  });

  it('[utest->req~trace.link~1] duplicates, and ambiguous for who covers one', () => {
    const linked = linkItems(
      scanDocuments([
        {
          file: 'x.md',
          text: [GOAL, GOAL, { id: 'req~a~1', covers: ['goal~a~2'] }].map(itemText).join('\n'),
        },
      ]).items,
    );
    assert.deepEqual(
      linked.map(({ defect, duplicates, outgoing }) => [
        defect,
        duplicates.length,
        outgoing.map(({ status }) => status).join(),
      ]),
      [
        [true, 1, ''],
        [true, 1, ''],
        [true, 0, 'ambiguous'],
      ],
    );
  });

  it('[utest->req~trace.link~1] coverage counts for each needed type, not for any tag', () => {
    const linked = link(
      { id: 'req~a~1', needs: 'impl, utest' },
      { id: 'impl~a~1', covers: ['req~a~1'] },
      { id: 'impl~b~1', covers: ['req~a~1'] },
    );
    const item = linked.get('req~a~1')!;
    assert.deepEqual([item.shallow, item.missing, item.defect], [false, ['utest'], true]);
  });

  it('[utest->req~trace.link~1] covered, but not all the way down', () => {
    assert.deepEqual(states(GOAL, { id: 'req~a~1', covers: ['goal~a~2'], needs: 'impl' }), {
      'goal~a~2': 'defect uncovered <covered',
      'req~a~1': 'defect uncovered >covers',
    });
  });

  it('[utest->req~trace.link~1] a cycle is found, and ends', () => {
    const cycle = states(
      { id: 'a~x~1', needs: 'b', covers: ['b~x~1'] },
      { id: 'b~x~1', needs: 'a', covers: ['a~x~1'] },
    );
    assert.deepEqual(Object.keys(cycle).length, 2);
    assert.match(cycle['a~x~1']!, /^defect cycle/);
  });

  it('[utest->req~trace.link~1] a rejected item is no defect, unless it exists twice', () => {
    const rejected = { id: 'req~a~1', status: 'rejected', needs: 'impl', covers: ['goal~none~1'] };
    assert.match(states(rejected)['req~a~1']!, /^ok uncovered >orphaned/);
    const both = linkItems(
      scanDocuments([{ file: 'x.md', text: itemText(rejected) + itemText(rejected) }]).items,
    );
    assert.ok(both.every(({ defect }) => defect));
  });
});
