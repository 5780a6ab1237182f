/** What `run` shows a person: one line where nobody watches, a table in its place on a terminal. */
import { strict as assert } from 'node:assert';
import { finalTable, LiveTable } from '../../../src/cli/run-tables.ts';
import { runReport, type RunReport } from '../../../src/control-plane/run-report.ts';
import { Rig } from '../../support/rig.ts';

/** Two packets that arrive and one that finds no buffer, or a plan whose windows were never visited. */
function report(frames: number): RunReport {
  const rig = new Rig();
  rig.supply('b', 2);
  if (frames > 0) {
    rig.frames(1);
    for (let n = 0; n < 3; n++) rig.send('a', rig.packet('a', 'b', 100));
    rig.frames(frames);
  }
  return runReport({
    plan: rig.plan,
    counters: rig.counters,
    config: { sha256: 'abc', name: 'rig', revision: 1 },
    durationNs: 1e9,
    modes: ['normal', 'isolated'],
    statistics: rig.plan.layout.partitions.map(() => undefined),
    lostEvents: 0,
    safeState: undefined,
  });
}

function written(isTTY: boolean): { out: NodeJS.WriteStream; text: string[] } {
  const text: string[] = [];
  const out = { isTTY, write: (chunk: string) => text.push(chunk) };
  return { out: out as unknown as NodeJS.WriteStream, text };
}

function cellsOf(text: string, first: string): string[] {
  const line = text.split('\n').find((one) => one.trim().startsWith(first))!;
  return line.trim().split(/ {2,}/);
}

describe('tables of a run', () => {
  it('[utest->req~diag.counters~1] routes: what was sent, delivered and dropped, with the reason', () => {
    const text = finalTable(report(2));
    assert.deepEqual(cellsOf(text, 'a-b').slice(0, 3), ['a-b', '3', '2']);
    assert.match(cellsOf(text, 'a-b')[3]!, /^\S+ 1$/);
    assert.match(text, /a normal, b isolated$/);
  });

  it('[utest->req~diag.counters~1] windows that were never visited spent nothing, not an average of nothing', () => {
    const text = finalTable(report(0));
    assert.doesNotMatch(text, /NaN|Infinity/);
    assert.match(text, /^0 major frames, 0 skipped;/m);
    assert.equal(cellsOf(text, 'a-b')[3], '-');
  });

  it('[utest->req~diag.counters~1] where nobody watches each look is one line, and nothing is removed', () => {
    const { out, text } = written(false);
    const live = new LiveTable(out);
    live.show(report(1));
    live.show(report(2));
    live.end();
    assert.equal(text.length, 2);
    for (const line of text) assert.match(line, /^\d+ major frames, [^\n]*\n$/);
  });

  it('[utest->req~diag.counters~1] on a terminal the next table takes the place of the last', () => {
    const { out, text } = written(true);
    const live = new LiveTable(out);
    live.show(report(1));
    const lines = text[0]!.split('\n').length - 1;
    live.show(report(2));
    assert.equal(text[1], `\x1b[${lines}A\x1b[0J`);
    live.end();
    assert.equal(text[3], text[1]);
    live.end();
    assert.equal(text.length, 4, 'what is gone is not removed again');
  });
});
