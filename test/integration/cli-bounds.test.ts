/** Bounds on the command line: tables that hold, tables that do not, and what would help. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { gateway, TestDirectory } from '../support/command-line.ts';
import { first, twoPartitions, type ConfigDraft } from '../support/two-partitions.ts';

interface FlowDocument {
  readonly id: string;
  readonly boundNs: number | null;
  readonly schedulable: boolean;
  readonly shortage: string | null;
  readonly counterexample: readonly string[];
  readonly remedies: readonly string[];
  readonly assumptions: readonly string[];
  readonly critical: { readonly window: string; readonly arrivalsNs: readonly number[] } | null;
}

describe('command line: bounds', () => {
  let directory: TestDirectory;
  beforeEach(() => {
    directory = new TestDirectory();
  });
  afterEach(() => {
    directory.remove();
  });

  const file = (change: (draft: ConfigDraft) => void) =>
    directory.write('gateway.json', JSON.stringify(twoPartitions(change)));

  const document = (change: (draft: ConfigDraft) => void) => {
    const { code, stdout } = gateway(['check', file(change), '--json']);
    const parsed = JSON.parse(stdout) as { ok: boolean; warnings: string[]; flows: FlowDocument[] };
    return { code, ...parsed, flow: parsed.flows[0]! };
  };

  const tooLate = (draft: ConfigDraft) => {
    first(draft.flows).deadlineUs = 9000;
  };

  it('[utest->req~time.counterexample~1] a deadline that does not hold is refused with exit code 3', () => {
    const path = file(tooLate);
    const { code, stdout, stderr } = gateway(['check', path]);
    assert.equal(code, 3);
    assert.match(stdout, /^vehicle-status .* DOES NOT HOLD$/m);
    assert.match(
      stderr,
      /^flow "vehicle-status" is not schedulable: the bound is 27\.4 µs beyond the deadline/m,
    );
    assert.match(stderr, /just too late for window "cluster"/);
    assert.match(stderr, /would hold with: window "cluster" 27\.4 µs longer; or /);
  });

  it('[utest->req~time.counterexample~1] the document has the arrivals, what is short, and what would help', () => {
    const { code, ok, flow } = document(tooLate);
    assert.deepEqual([code, ok, flow.schedulable], [3, false, false]);
    assert.deepEqual(flow.critical!.arrivalsNs, [995_801]);
    assert.equal(flow.counterexample.length, 3);
    assert.equal(flow.remedies.at(-1), 'a deadline of 9027.4 µs');
  });

  it('[utest->req~time.counterexample~1] every remedy that is named makes the table hold', () => {
    const longer = document((draft) => {
      tooLate(draft);
      first(draft.schedule.windows).durationUs += 27.4;
    });
    assert.deepEqual([longer.code, longer.flow.boundNs], [0, 9_000_000]);
    const justShort = document((draft) => {
      tooLate(draft);
      first(draft.schedule.windows).durationUs += 27.399;
    });
    assert.equal(justShort.code, 3);
    const visit = /one more window of ([\d.]+) µs for \S+ at ([\d.]+) µs/.exec(
      document(tooLate).flow.remedies.join(),
    )!;
    const further = document((draft) => {
      tooLate(draft);
      const [model] = draft.schedule.windows;
      const [durationUs, offsetUs] = visit.slice(1).map(Number) as [number, number];
      draft.schedule.windows.push({ ...model!, id: 'further', offsetUs, durationUs });
    });
    assert.equal(further.code, 0);
  });

  it('[utest->req~time.counterexample~1] more than is served: rates are named, and no bound is', () => {
    const { code, flow } = document((draft) => {
      first(draft.flows).arrival.periodUs = 1000;
      Object.assign(draft.network.routes[0]!, {
        packetsPerMajorFrame: 40,
        bytesPerMajorFrame: 100_000,
      });
    });
    assert.deepEqual([code, flow.boundNs], [3, null]);
    assert.match(
      flow.shortage!,
      /^10 requests come to cluster\.net0\.transmitq0 per major frame .* 8 are served/,
    );
    assert.match(
      flow.remedies[0]!,
      /^10 requests of 8 sure in window "cluster" \(raise requestsMax\)/,
    );
  });

  it('[utest->req~time.counterexample~1] a route that would drop what the contract allows', () => {
    const { code, flow } = document((draft) => {
      draft.network.routes[0]!.packetsPerMajorFrame = 1;
    });
    assert.equal(code, 3);
    assert.match(flow.shortage!, /^route "cluster-to-telematics" carries 1 packets .* dropped$/);
    assert.match(
      flow.remedies[0]!,
      /^packetsPerMajorFrame \d+ and bytesPerMajorFrame \d+ of route/,
    );
  });

  it('[utest->req~time.run-proven~1] run refuses what does not hold with exit code 3', () => {
    const { code, stdout, stderr } = gateway(['run', file(tooLate), '--duration', '5']);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /^flow "vehicle-status" is not schedulable/);
  });

  it('[utest->req~time.narrow~1] a window that fits exactly is warned of, on stderr and in the document', () => {
    const exact = (draft: ConfigDraft) => {
      const [window] = draft.schedule.windows;
      first(window!.queues).requestsMax = 200;
      // Its bytes do not bind, 100 requests of 3.2 µs behind the switch do.
      first(window!.queues).bytesMax = 1_000_000;
      window!.durationUs = 20 + 100 * 3.2;
      draft.network.routes[0]!.bytesPerMajorFrame = 1_000_000;
    };
    const { code, warnings } = document(exact);
    assert.equal(code, 0);
    assert.match(
      warnings[0]!,
      /^window "cluster": 100 requests of cluster\.net0\.transmitq0 fit with 0 µs to spare/,
    );
    assert.match(
      gateway(['check', file(exact)]).stderr,
      /gateway\.json: warning: window "cluster": 100 requests/,
    );
    const [lacking] = document((draft) => {
      exact(draft);
      first(draft.schedule.windows).durationUs -= 0.01;
    }).warnings;
    assert.equal(
      lacking,
      'window "cluster": 0.01 µs more would serve one more of cluster.net0.transmitq0',
    );
  });

  it('[utest->req~time.narrow~1] a ring that is shorter than the backlog is warned of', () => {
    const { warnings } = document((draft) => {
      first(first(draft.partitions).devices).queueSize = 4;
      Object.assign(first(first(draft.partitions).devices), { descriptorsMax: 4 });
      first(draft.flows).arrival.burst = 5;
      draft.network.routes[0]!.packetsPerMajorFrame = 20;
      draft.network.routes[0]!.bytesPerMajorFrame = 50_000;
    });
    assert.match(warnings[0]!, /10 requests may wait, cluster\.net0\.transmitq0 has 4 entries/);
  });

  it('[utest->req~time.assumptions~1] what a bound takes for granted is said with it', () => {
    const { flow } = document(() => {});
    assert.deepEqual(flow.assumptions.length, 2);
    assert.match(flow.assumptions[0]!, /carries vehicle-status only, within the arrival contract/);
    assert.match(flow.assumptions[1]!, /telematics\.net0 has receive buffers for \d packets/);
  });
});

describe('command line: explanations', () => {
  let directory: TestDirectory;
  beforeEach(() => {
    directory = new TestDirectory();
  });
  afterEach(() => {
    directory.remove();
  });

  it('[utest->req~time.explained~1] explain shows the arithmetic of one flow', () => {
    const { code, stdout, stderr } = gateway([
      'explain',
      'test/support/three-guests.json',
      'vehicle-status',
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^busy window from a = 195\.8 µs, the cut-off of "cluster-early"$/m);
    assert.match(stdout, /R = max \(F\(n\) - a - A\) = 4830\.6 µs/);
  });

  it('[utest->req~time.explained~1] a flow that there is not, a wrong file, and one that does not hold', () => {
    const none = gateway(['explain', 'test/support/three-guests.json', 'vehicle-state']);
    assert.equal(none.code, 2);
    assert.match(
      none.stderr,
      /no flow "vehicle-state", it has vehicle-status\. Did you mean "vehicle-status"\?/,
    );
    assert.equal(gateway(['explain', 'config/invalid/windows-overlap.json', 'x']).code, 2);
    const late = twoPartitions((draft) => {
      first(draft.flows).deadlineUs = 1;
    });
    const file = directory.write('late.json', JSON.stringify(late));
    assert.equal(gateway(['explain', file, 'vehicle-status']).code, 3);
    const flowless = directory.write('none.json', JSON.stringify({ ...late, flows: [] }));
    assert.match(gateway(['explain', flowless, 'x']).stderr, /has no flow "x", it has none/);
  });

  it('[utest->req~time.compared~1] check against another file says which bounds moved and why', () => {
    const file = directory.write('later.json', JSON.stringify(twoPartitions()));
    const moved = directory.write(
      'now.json',
      JSON.stringify(
        twoPartitions((draft) => {
          first(draft.schedule.windows).durationUs = 500;
        }),
      ),
    );
    const { code, stdout } = gateway(['check', moved, '--against', file]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^vehicle-status: 9027\.4 µs -> 9527\.4 µs \(end of window "cluster" 1000 µs -> 500 µs; /m,
    );
    assert.match(gateway(['check', file, '--against', file]).stdout, /no bound moved/);
    const json = JSON.parse(gateway(['check', moved, '--against', file, '--json']).stdout) as {
      moved: { flow: string; beforeNs: number }[];
    };
    assert.deepEqual(json.moved[0]!.beforeNs, 9_027_400);
    assert.equal(
      gateway(['check', moved, '--against', 'config/invalid/windows-overlap.json']).code,
      2,
    );
  });

  it('[utest->req~time.picture~1] check --svg writes the picture', () => {
    const svg = directory.file('schedule.svg');
    assert.equal(gateway(['check', 'test/support/three-guests.json', '--svg', svg]).code, 0);
    assert.match(readFileSync(svg, 'utf8'), /<svg [^]*R = 4830\.6 µs/);
  });
});
