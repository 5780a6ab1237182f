/** What the tracer writes for people and for other tools. */
import { strict as assert } from 'node:assert';
import { EXPORTS } from '../../../src/traceability/exports/export.ts';
import { trace } from '../../../src/traceability/trace.ts';
import type { TraceInput } from '../../../src/traceability/trace-input.ts';
import { GOAL, project, REQUIREMENT, tag, TEST } from '../../support/trace-project.ts';

function written(name: string, input: TraceInput = project()): string {
  return EXPORTS[name]!(trace(input));
}

/** Tags of markup that do not close in the order in which they opened. */
function unbalanced(markup: string, empty: readonly string[]): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const match of markup.matchAll(/<(\/?)([A-Za-z][\w-]*)[^<>]*?(\/?)>/g)) {
    const [, close, name = '', self] = match;
    if (self || empty.includes(name.toLowerCase())) continue;
    if (!close) open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

const STRANGE = { ...REQUIREMENT, title: 'A <b> & "c" \'d\' | e \u0001' };

describe('exports of a trace', () => {
  for (const name of Object.keys(EXPORTS)) {
    it(`[utest->req~trace.report~1] ${name}: identical input gives identical bytes, in whatever order files are read`, () => {
      const input = project();
      assert.equal(written(name, input), written(name, structuredCloneOf(input)));
    });
  }

  it('[utest->req~trace.exports~1] the page holds every item, its chain, its code, its tests, and no reference to a network', () => {
    const html = written('traceability.html');
    assert.deepEqual(
      unbalanced(html.replace(/<script>[^]*?<\/script>/, ''), ['meta', 'input', 'br']),
      [],
    );
    for (const part of [
      'id="req~stop~1"',
      '<a class="id" href="#goal~safe~1">',
      '<a href="../../src/stop.ts#L3">src/stop.ts:3</a>',
      '<code>stop</code>',
      'it stops',
      'covered: passed, 3 ms',
      'boundary-values',
      '1 sources and 1 test files',
      '0 defects, 0 warnings',
    ]) {
      assert.ok(html.includes(part), part);
    }
    assert.doesNotMatch(html, /https?:|src=|@import/);
  });

  it('[utest->req~trace.exports~1] the page shows causes and consequences with different signs, and links as asked', () => {
    const input = project({ results: [{ result: 'failed' }] });
    const linkBase = 'https://code.example/{file}?line={line}';
    const html = written('traceability.html', {
      ...input,
      origin: { ...input.origin, linkBase, dirty: true },
    });
    assert.match(html, /<summary><span class="bad">◌<\/span> <span class="id">goal~safe~1/);
    assert.match(html, /<summary><span class="bad">✘<\/span> <span class="id">req~stop~1/);
    assert.match(html, /red because of .*goal~safe~1.* → .*req~stop~1/);
    assert.ok(html.includes('href="https://code.example/src/stop.ts?line=3"'));
    assert.ok(html.includes('c0ffee, with changes'));
  });

  it('[utest->req~trace.exports~1] text of items stays text in every markup', () => {
    const input = project({ items: [GOAL, STRANGE] });
    const html = written('traceability.html', input);
    assert.ok(html.includes('A &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; | e \ufffd'));
    assert.ok(written('requirements.reqif', input).includes('A &lt;b&gt; &amp; &quot;c&quot;'));
    assert.ok(written('matrix.md', input).includes('\\| e'));
  });

  it('[utest->req~trace.exports~1] the matrix has links and no results: it changes only when a link does', () => {
    const matrix = written('matrix.md');
    assert.match(
      matrix,
      new RegExp(
        '\\| req~stop~1 \\| Stops \\| B \\| goal~safe~1 \\| \\[src/stop.ts\\]\\(../src/stop.ts\\) stop ' +
          '\\| test \\| \\[test/stop.test.ts\\]',
      ),
    );
    assert.equal(written('matrix.md', project({ results: [{ result: 'failed' }] })), matrix);
    assert.equal(written('matrix.md', project({ test: `\n\n${TEST}` })), matrix);
  });

  it('[utest->req~trace.exports~1] JUnit has the properties of S-CORE for each test', () => {
    const xml = written(
      'junit.xml',
      project({ results: [{ seeds: [7, 8] }, { suite: 'packed', result: 'failed' }] }),
    );
    assert.deepEqual(unbalanced(xml.replace(/<\?.*\?>/, ''), []), []);
    for (const part of [
      '<testsuite name="covered" tests="1" failures="0" skipped="0" errors="0">',
      '<testsuite name="packed" tests="1" failures="1" skipped="0" errors="0">',
      'file="test/stop.test.ts" line="2" time="0.003"',
      '<property name="PartiallyVerifies" value="req~stop~1"/>',
      '<property name="TestType" value="requirements-based"/>',
      '<property name="DerivationTechnique" value="boundary-values"/>',
      '<property name="Description" value="it stops"/>',
      '<property name="Seed" value="7 8"/>',
      '<failure/>',
    ]) {
      assert.ok(xml.includes(part), part);
    }
  });

  it('[utest->req~trace.exports~1] LOBSTER gets requirements, implementation and activities with its tags', () => {
    const parsed = (name: string) => JSON.parse(written(`${name}.lobster`)) as Lobster;
    const [requirements, code, tests] = ['requirements', 'implementation', 'activities'].map(
      parsed,
    );
    assert.deepEqual(
      [requirements, code, tests].map((file) => [file!.schema, file!.version, file!.generator]),
      [
        ['lobster-req-trace', 4, 'virtio-gateway'],
        ['lobster-imp-trace', 3, 'virtio-gateway'],
        ['lobster-act-trace', 3, 'virtio-gateway'],
      ],
    );
    assert.deepEqual(requirements!.data[1], {
      ...{ tag: 'req stop@1', name: 'Stops', messages: [], just_up: [], just_down: [] },
      location: { kind: 'file', file: 'safety/items.md', line: 17, column: 2 },
      ...{ just_global: [], refs: ['goal safe@1'], framework: 'OpenFastTrace' },
      ...{ kind: 'software safety requirement', text: 'The door shall close.', status: 'approved' },
    });
    assert.deepEqual(
      [code!.data[0]!.refs, tests!.data[0]!.refs, tests!.data[0]!.status],
      [['req stop@1'], ['req stop@1'], 'ok'],
    );
  });

  it('[utest->req~trace.exports~1] sphinx-needs gets ids that it can read, with links both ways', () => {
    const needs = JSON.parse(written('needs.json')) as Needs;
    assert.deepEqual([needs.current_version, needs.project], ['1.2.3', 'virtio-gateway']);
    const version = needs.versions['1.2.3']!;
    assert.equal(version.needs_amount, 2);
    assert.deepEqual(version.needs['req_stop_1']!.links, ['goal_safe_1']);
    assert.deepEqual(version.needs['goal_safe_1']!.links_back, ['req_stop_1']);
    assert.equal(version.needs['req_stop_1']!.testlink, 'test/stop.test.ts#L2');
  });

  it('[utest->req~trace.exports~1] ReqIF is well formed: each reference has what it refers to', () => {
    const xml = written('requirements.reqif', project({ items: [GOAL, REQUIREMENT, REQUIREMENT] }));
    assert.deepEqual(unbalanced(xml.replace(/<\?.*\?>/, ''), []), []);
    const ids = [...xml.matchAll(/IDENTIFIER="([^"]*)"/g)].map((match) => match[1]!);
    assert.equal(new Set(ids).size, ids.length);
    const referred = [...xml.matchAll(/-REF>([^<]+)</g)].map((match) => match[1]!);
    assert.deepEqual(
      referred.filter((id) => !ids.includes(id)),
      [],
    );
    assert.ok(xml.includes('<SPEC-RELATION '));
  });

  it('[utest->req~trace.exports~1] SARIF names each finding at its place', () => {
    const input = project({ code: `// ${tag('impl', 'req~go~1')}\n` });
    const { runs } = JSON.parse(written('findings.sarif', input)) as Sarif;
    const orphan = runs[0]!.results.find(({ ruleId }) => ruleId === 'orphaned')!;
    assert.deepEqual(orphan.locations[0]!.physicalLocation, {
      artifactLocation: { uri: 'src/stop.ts' },
      region: { startLine: 1, startColumn: 11 },
    });
  });
});

interface Lobster {
  readonly schema: string;
  readonly version: number;
  readonly generator: string;
  readonly data: readonly { readonly refs: string[]; readonly status?: string }[];
}

interface Needs {
  readonly current_version: string;
  readonly project: string;
  readonly versions: Record<
    string,
    {
      readonly needs_amount: number;
      readonly needs: Record<string, { links: string[]; links_back: string[]; testlink: string }>;
    }
  >;
}

interface Sarif {
  readonly runs: {
    readonly results: {
      readonly ruleId: string;
      readonly locations: { readonly physicalLocation: object }[];
    }[];
  }[];
}

/** The same input, made anew. */
function structuredCloneOf(input: TraceInput): TraceInput {
  return structuredClone({ ...input });
}
