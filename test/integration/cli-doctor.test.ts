/** The command `doctor`, and the option `--realtime` of `run`. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { grantsText } from '../../src/cli/doctor.ts';
import { gateway } from '../support/command-line.ts';
import { repositoryPath } from '../support/judged.ts';

interface Document {
  readonly machine: { readonly cores: number };
  readonly grants: readonly {
    readonly item: string;
    readonly granted: boolean;
    readonly detail: string;
    readonly fix: string;
  }[];
}

describe('command line: doctor', function () {
  this.timeout(30_000);

  it('[utest->req~host.grants~1] with --json one document with every item and its fix; exit code 0', () => {
    const { code, stdout, stderr } = gateway(['doctor', '--json']);
    const { machine, grants } = JSON.parse(stdout) as Document;
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(machine.cores >= 1);
    const items = grants.map(({ item }) => item);
    for (const item of ['no real-time throttling', 'constant frequency', 'client linux.uml'])
      assert.ok(items.includes(item), item);
    const arena = grants.find(({ item }) => item === 'memory files in the arena')!;
    assert.deepEqual([arena.granted, arena.detail], [true, 'mapped, overlaid and copied from']);
  });

  it('[utest->req~host.grants~1] for people a table, then a line for each item that is missing', () => {
    const { code, stdout } = gateway(['doctor']);
    assert.equal(code, 0);
    assert.match(stdout, /^.*, \d+ cores, Node\.js v\d+.*\n\nhost +granted +found\nprocessors +/);
  });

  it('[utest->req~host.grants~1] what is granted needs no fix', () => {
    const granted = { item: 'a', granted: true, detail: 'there', fix: 'none' };
    const missing = { item: 'bb', granted: false, detail: 'not there', fix: 'do this' };
    assert.equal(grantsText([granted]), 'host  granted  found\na     yes      there');
    assert.equal(
      grantsText([granted, missing]),
      'host  granted  found\na     yes      there\nbb    no       not there\n\nto grant the rest:\n  bb: do this',
    );
  });

  it('[utest->req~cli.errors~1] it takes no file', () => {
    const { code, stderr } = gateway(['doctor', 'config/cockpit.json']);
    assert.equal(code, 2);
    assert.match(stderr, /"config\/cockpit\.json" is one argument too many/);
  });

  it('[utest->req~host.realtime~1] run --realtime says what the host grants and what was taken', () => {
    const main = repositoryPath('build/src/main.js');
    const words = [main, 'run', 'config/cockpit.json', '--duration', '1', '--json', '--realtime'];
    // A session of its own, because its priority is raised.
    const { status, stdout, stderr } = spawnSync('setsid', ['-w', process.execPath, ...words], {
      encoding: 'utf8',
      cwd: repositoryPath(),
      timeout: 20_000,
    });
    assert.match(stderr, /^host +granted +found\n/);
    assert.match(stderr, /^real time: .* of the arena are (locked|faulted in.*)$/m);
    const report = JSON.parse(stdout) as { majorFrames: number; safeState: string | null };
    assert.ok(report.majorFrames > 0);
    assert.equal(report.safeState, null);
    // 1 is a missed deadline, which a busy host can cause.
    assert.ok(status === 0 || status === 1, stderr);
  });

  it('[utest->req~host.realtime~1] without the option nothing is taken', () => {
    const { stderr } = gateway(['run', 'config/cockpit.json', '--duration', '0.5', '--json']);
    assert.doesNotMatch(stderr, /real time|granted/);
  });
});
