/** Runs the suites one after the other and ends with `N passed, N failed`; measured code is never instrumented. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { treeHash } from '../../src/host/tree-hash.ts';

const root = path.resolve(__dirname, '../../..');
const results = path.join(root, 'build/results');
const LONG_RECORD = path.join(root, 'traceability/long-run.json');
const bin = (name: string) => path.join(root, 'node_modules', name);

/** What the reporter writes. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
}

interface Suite {
  readonly name: string;
  readonly covered: boolean;
  /** Folders below build/test, or the files of one. */
  readonly folders: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Tidy comes late: it judges the coverage of the first suite. */
const DEFAULT: readonly Suite[] = [
  {
    name: 'covered',
    covered: true,
    folders: ['unit', 'conformance', 'property', 'adversarial', 'integration', 'fuzz'],
  },
  {
    name: 'packed',
    covered: false,
    folders: ['unit/net', 'adversarial/net-*.test.js', 'adversarial/double-fetch.test.js'],
    env: { TEST_RINGS: 'packed' },
  },
  { name: 'measured', covered: false, folders: ['litmus', 'timing'] },
  { name: 'system', covered: false, folders: ['system'] },
  { name: 'tidy', covered: false, folders: ['tidy'] },
  // Behind all others: it judges their results.
  { name: 'gate', covered: false, folders: ['gate'] },
];

/** Full counts: the same tests with their loops at the published numbers. */
const LONG: readonly Suite[] = [
  { name: 'property-long', covered: false, folders: ['property'], env: { TEST_RUNS: '100000' } },
  {
    name: 'timing-long',
    covered: false,
    folders: ['timing/response-time.test.js'],
    env: { TEST_RUNS: '100000' },
  },
  { name: 'litmus-long', covered: false, folders: ['litmus'], env: { TEST_STEPS: '100000000' } },
];

/** Soak and benches: what they print is recorded as it is. */
const COMMANDS: readonly (readonly string[])[] = [
  ['run', 'config/cockpit.json', '--duration', '60', '--json'],
  ['bench', 'forwarding', '--json'],
  ['bench', 'interference', '--json'],
  ['bench', 'memory', '--json'],
];

interface CommandResult {
  readonly command: string;
  readonly exitCode: number | null;
  readonly output: unknown;
}

function runCommand(words: readonly string[]): CommandResult {
  const command = `virtio-gateway ${words.join(' ')}`;
  console.log(`\n== ${command}`);
  const main = path.join(root, 'build/src/main.js');
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
  const { status, stdout } = spawnSync(process.execPath, [main, ...words], options);
  console.log(`exit code ${status}`);
  return { command, exitCode: status, output: JSON.parse(stdout || 'null') as unknown };
}

function run(suite: Suite): Counts {
  const specs = suite.folders.map((folder) =>
    folder.endsWith('.js') ? `build/test/${folder}` : `build/test/${folder}/**/*.test.js`,
  );
  const counts = path.join(results, `${suite.name}.json`);
  const mocha = [
    bin('mocha/bin/mocha.js'),
    '--reporter',
    'test/support/counting-reporter.cjs',
    ...specs,
  ];
  const words = suite.covered ? [bin('nyc/bin/nyc.js'), ...mocha] : mocha;
  console.log(`\n== ${suite.name}: ${suite.folders.join(', ')}`);
  const env = { ...process.env, ...suite.env, MOCHA_COUNTS: counts };
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit', env });
  if (!existsSync(counts)) return { passed: 0, failed: 1 };
  const found = JSON.parse(readFileSync(counts, 'utf8')) as Counts;
  // A runner that failed without a failed test (a crash, no tests at all) is a failure too.
  const silent = found.failed === 0 && (status !== 0 || found.passed === 0);
  return silent ? { ...found, failed: 1 } : found;
}

function main(which: string | undefined): void {
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  // What the results are about; the gate and the traceability report compare it with what is there.
  writeFileSync(path.join(results, 'run.json'), `${JSON.stringify({ tested: treeHash(root) })}\n`);
  const suites = which === 'long' ? LONG : DEFAULT;
  const counts = suites.map((suite) => ({ suite: suite.name, ...run(suite) }));
  const passed = counts.reduce((sum, { passed: n }) => sum + n, 0);
  const failed = counts.reduce((sum, { failed: n }) => sum + n, 0);
  if (which === 'long') {
    const commands = COMMANDS.map(runCommand);
    const record = { tested: treeHash(root), suites: counts, commands };
    writeFileSync(LONG_RECORD, `${JSON.stringify(record, null, 2)}\n`);
  }
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main(process.argv[2]);
