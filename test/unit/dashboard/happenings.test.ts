/** What happened lately: counted instead of repeated, bounded, and told from where a page has stopped. */
import { strict as assert } from 'node:assert';
import { Happenings } from '../../../src/dashboard/happenings.ts';

const texts = (happenings: Happenings, mark = 0) =>
  happenings.since(mark).map(({ text, count }) => `${text} ${count}`);

describe('dashboard: happenings', () => {
  it('[utest->req~dash.bounded~1] the same again is one entry with a higher count, and the latest', () => {
    const happenings = new Happenings();
    happenings.note('fault', 'a', 'one', 10);
    happenings.note('fault', 'a', 'two', 20);
    happenings.note('fault', 'a', 'one', 30);
    assert.deepEqual(texts(happenings), ['two 1', 'one 2']);
    const [, one] = happenings.since(0);
    assert.deepEqual([one!.id, one!.sinceStartNs], [1, 30]);
  });

  it('[utest->req~dash.bounded~1] kind, subject and text make the difference', () => {
    const happenings = new Happenings();
    happenings.note('fault', 'a', 'x', 1);
    happenings.note('overrun', 'a', 'x', 2);
    happenings.note('fault', 'b', 'x', 3);
    assert.equal(happenings.since(0).length, 3);
  });

  it('[utest->req~dash.bounded~1] behind a mark there is only what came or came again since', () => {
    const happenings = new Happenings();
    assert.equal(happenings.mark, 0);
    happenings.note('mode', 'a', 'one', 1);
    const { mark } = happenings;
    assert.deepEqual(texts(happenings, mark), []);
    happenings.note('mode', 'a', 'two', 2);
    happenings.note('mode', 'a', 'one', 3);
    assert.deepEqual(texts(happenings, mark), ['two 1', 'one 2']);
  });

  it('[utest->req~dash.bounded~1] a flood of different ones keeps the last hundred', () => {
    const happenings = new Happenings();
    for (let n = 0; n < 10_000; n++) happenings.note('fault', 'a', String(n), n);
    const kept = happenings.since(0).map(({ text }) => Number(text));
    assert.deepEqual(
      kept,
      Array.from({ length: 100 }, (_, n) => 9900 + n),
    );
  });
});
