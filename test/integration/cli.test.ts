/** The command line: every wrong use a sentence and exit code 2, every right one what the contract says. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, truncateSync } from 'node:fs';
import { BROKEN_CONFIGS } from '../support/broken-configs.ts';
import { gateway, TestDirectory } from '../support/command-line.ts';
import { twoPartitions } from '../support/two-partitions.ts';

const COCKPIT = 'test/support/three-guests.json';
const PROBLEM = /^(.+):(\d+):(\d+): error: (.+)$/;

function sha256sum(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function sortedKeys(value: object): string[] {
  return Object.keys(value).sort();
}

/** The one document on stdout, and nothing around it. */
function documentOf(stdout: string): Record<string, unknown> {
  assert.match(stdout, /^\{\n[^]*\n\}\n$/);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const COMMANDS = [
  'attach CONFIG PARTITION',
  'bench NAME',
  'check CONFIG',
  'doctor',
  'explain CONFIG FLOW',
  'run CONFIG',
  'trace',
  'trace diff REV1 REV2',
  'trace review ID\\|all',
];

describe('command line: wrong use', () => {
  for (const [words, sentence] of [
    [[], 'a command is missing'],
    [['chek', COCKPIT], 'unknown command "chek". Did you mean "check"?'],
    [['frobnicate'], 'unknown command "frobnicate".'],
    [['--json'], 'unknown command "--json".'],
    [['check'], 'CONFIG is missing'],
    [['run', '--duration', '1'], 'CONFIG is missing'],
    [['check', COCKPIT, 'more.json'], '"more.json" is one argument too many'],
    [['check', COCKPIT, '--jsn'], 'unknown option --jsn. Did you mean "json"?'],
    [['check', COCKPIT, '--json=yes'], '--json takes no value'],
    [['check', COCKPIT, '--dump-pci'], '--dump-pci needs a value'],
    [
      ['run', COCKPIT, '--no-dashbord'],
      'unknown option --no-dashbord. Did you mean "no-dashboard"?',
    ],
    ...['abc', '0', '1e400'].map(
      (value) =>
        [
          ['run', COCKPIT, `--duration=${value}`],
          `--duration needs a number above 0, not "${value}"`,
        ] as const,
    ),
  ] as readonly (readonly [readonly string[], string])[]) {
    it(`[utest->req~cli.errors~1] "${words.join(' ')}" is answered: ${sentence}`, () => {
      const { code, stdout, stderr } = gateway(words);
      const [first, usage] = stderr.split('\n');
      assert.deepEqual(
        [code, stdout, first, usage],
        [2, '', `virtio-gateway: error: ${sentence}`, 'usage:'],
      );
    });
  }

  it('[utest->req~cli.errors~1] help is no mistake: the usage goes to stdout', () => {
    for (const word of ['help', '--help']) {
      const { code, stdout, stderr } = gateway([word]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(
        stdout,
        new RegExp(
          ['usage:', ...COMMANDS.map((command) => ` {2}virtio-gateway ${command}.*`)].join('\n'),
        ),
      );
    }
  });
});

describe('command line: files', () => {
  let directory: TestDirectory;
  beforeEach(() => {
    directory = new TestDirectory();
  });
  afterEach(() => {
    directory.remove();
  });

  const assertUnreadable = (file: string, sentence: string): void => {
    const { code, stdout, stderr } = gateway(['check', file]);
    assert.deepEqual(
      [code, stdout, stderr],
      [2, '', `virtio-gateway: error: ${file}: ${sentence}\n`],
    );
  };

  it('[utest->req~cli.errors~1] a missing file', () => {
    assertUnreadable(directory.file('none.json'), 'no such file');
  });

  it('[utest->req~cli.errors~1] a missing file is the same sentence for run', () => {
    const file = directory.file('none.json');
    assert.deepEqual(gateway(['run', file, '--json']), gateway(['check', file]));
  });

  it('[utest->req~cli.errors~1] a directory', () => {
    assertUnreadable(directory.path, 'it is a directory');
  });

  it('[utest->req~cli.errors~1] a FIFO without a writer is answered, and not waited for', () => {
    execFileSync('mkfifo', [directory.file('fifo')]);
    assertUnreadable(directory.file('fifo'), 'not a regular file');
  });

  it('[utest->req~cli.errors~1] 10 MiB (catalogue 81)', () => {
    const file = directory.write('large.json', '');
    truncateSync(file, 10 * 1024 * 1024);
    assertUnreadable(file, '10485760 bytes; a configuration has at most 1048576');
  });

  it('[utest->req~cli.errors~1] a file that cannot be written', () => {
    const file = directory.file('none/pci');
    const { code, stderr } = gateway(['check', COCKPIT, '--dump-pci', file]);
    assert.deepEqual([code, stderr], [2, `virtio-gateway: error: ${file}: no such file\n`]);
  });

  it('[utest->req~cli.errors~1] a stack trace is shown with --debug only', () => {
    const { code, stderr } = gateway(['check', directory.file('none.json'), '--debug']);
    assert.equal(code, 2);
    assert.match(stderr, /no such file\n\s+at /);
  });
});

describe('command line: check of a wrong configuration', () => {
  let directory: TestDirectory;
  beforeEach(() => {
    directory = new TestDirectory();
  });
  afterEach(() => {
    directory.remove();
  });

  for (const name of ['syntax-comment', 'schema-bad-enum', 'windows-overlap']) {
    it(
      `[utest->req~cfg.all-errors~1] ${name}.json: file, line, column and message` +
        ` on stderr, exit code 2`,
      () => {
        const file = `config/invalid/${name}.json`;
        const { code, stdout, stderr } = gateway(['check', file]);
        const [, shownFile, line, column] = PROBLEM.exec(stderr.trimEnd())!;
        assert.deepEqual([code, stdout], [2, '']);
        assert.deepEqual([shownFile, `${line}:${column}`], [file, BROKEN_CONFIGS[name]!.at]);
      },
    );
  }

  const several = () =>
    directory.write(
      'several.json',
      JSON.stringify(
        twoPartitions((draft) => {
          draft.flows[0]!.route = 'nowhere';
          draft.schedule.windows[1]!.offsetUs = 999;
          draft.partitions[0]!.devices[0]!.queueSize = 100;
        }),
        null,
        2,
      ),
    );

  it('[utest->req~cfg.all-errors~1] several mistakes are several lines, in the order of the file', () => {
    const file = several();
    const { code, stderr } = gateway(['check', file]);
    const found = stderr
      .trimEnd()
      .split('\n')
      .map((line) => PROBLEM.exec(line)!);
    assert.deepEqual(
      found.map(([, shown]) => shown),
      [file, file, file],
    );
    const lines = found.map(([, , line]) => Number(line));
    assert.deepEqual(
      lines,
      lines.toSorted((a, b) => a - b),
    );
    assert.equal(code, 2);
  });

  it(
    '[utest->req~cfg.all-errors~1] with --json the document has the same problems' +
      ' as stderr, and no plan',
    () => {
      const file = several();
      const { code, stdout, stderr } = gateway(['check', file, '--json']);
      const { errors, ...rest } = documentOf(stdout) as {
        errors: { path: string; line: number; column: number; message: string }[];
      };
      const lines = errors.map(
        ({ line, column, message }) => `${file}:${line}:${column}: error: ${message}`,
      );
      assert.deepEqual(lines, stderr.trimEnd().split('\n'));
      assert.deepEqual(
        errors.map(sortedKeys),
        [1, 2, 3].map(() => ['column', 'line', 'message', 'path']),
      );
      assert.deepEqual(rest, {
        ok: false,
        config: { sha256: sha256sum(file), name: null, revision: null },
        majorFrameNs: null,
        utilisation: null,
        memoryMiB: null,
        windows: [],
        displays: [],
        flows: [],
        warnings: [],
      });
      assert.equal(code, 2);
    },
  );

  it('[utest->req~cfg.semantic~1] run refuses it in the same way', () => {
    const file = several();
    const checked = gateway(['check', file]);
    assert.deepEqual(gateway(['run', file, '--duration', '5', '--json']), {
      ...checked,
      stdout: '',
    });
  });
});

describe('command line: check of a right configuration', () => {
  it('[utest->req~cli.errors~1] a table on stdout, nothing on stderr, exit code 0', () => {
    const { code, stdout, stderr } = gateway(['check', COCKPIT]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^cockpit: /);
    assert.match(stdout, /^telematics +telematics +1500\.0 µs +1000\.0 µs /m);
    assert.match(stdout, /^vehicle-status +12000\.0 µs +4830\.6 µs +5062\.4 µs .* holds$/m);
  });

  it('[utest->req~cfg.identity~1] with --json one document, with the SHA-256 of the file', () => {
    const { code, stdout, stderr } = gateway(['check', COCKPIT, '--json']);
    const { windows, flows, ...rest } = documentOf(stdout) as {
      windows: object[];
      flows: object[];
      memoryMiB: number;
    };
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(rest, {
      ok: true,
      config: {
        sha256: createHash('sha256').update(readFileSync(COCKPIT)).digest('hex'),
        name: 'cockpit',
        revision: 1,
      },
      majorFrameNs: 10_000_000,
      utilisation: 0.4,
      memoryMiB: rest.memoryMiB,
      displays: [],
      warnings: [],
      errors: [],
    });
    assert.ok(rest.memoryMiB >= 12 && rest.memoryMiB < 4096);
    assert.deepEqual(windows.slice(3), [
      {
        id: 'cluster-late',
        partition: 'cluster',
        offsetNs: 5_000_000,
        durationNs: 250_000,
        quota: { 'cluster.net0.transmitq0': 8 },
      },
      { id: 'control', partition: null, offsetNs: 8_000_000, durationNs: 1_000_000, quota: {} },
    ]);
    assert.deepEqual(flows.map(sortedKeys), [
      [
        'assumptions',
        'backlogMax',
        'boundNs',
        'counterexample',
        'critical',
        'deadlineNs',
        'exact',
        'id',
        'notifiedBoundNs',
        'remedies',
        'schedulable',
        'shortage',
      ],
    ]);
  });

  it('[utest->req~cli.errors~1] options may stand before the file', () => {
    assert.equal(
      gateway(['check', '--json', COCKPIT]).stdout,
      gateway(['check', COCKPIT, '--json']).stdout,
    );
  });
});

describe('benches from the command line', () => {
  it('[utest->req~cli.errors~1] a bench whose client is missing says what installs it, and is no success', () => {
    const { code, stdout, stderr } = gateway(['bench', 'vhost-user'], undefined, { PATH: '' });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /dpdk-testpmd, stdbuf are missing: run test\/install-clients/);
  });

  it('[utest->req~cli.errors~1] an unknown bench names those that there are', () => {
    const { code, stderr } = gateway(['bench', 'vhost']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /no bench "vhost"; there are dashboard, forwarding, gpu, guests, interference, memory, trace, vhost-user/,
    );
  });
});
