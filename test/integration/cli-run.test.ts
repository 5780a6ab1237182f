/** The command `run`: its exit codes, its document, and an orderly end. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { gateway, startGateway, TestDirectory } from '../support/command-line.ts';
import { parametersOf, type GuestConfig } from '../../src/schedule/gateway-config.ts';
import { first, twoPartitions, type ConfigDraft } from '../support/two-partitions.ts';

interface Report {
  readonly config: { readonly sha256: string };
  readonly majorFrames: number;
  readonly flows: readonly {
    readonly id: string;
    readonly requests: number;
    readonly violations: number;
    readonly hostBreaches: number;
  }[];
  readonly safeState: string | null;
}

const withoutFlows = (draft: ConfigDraft) => {
  draft.flows = [];
};

describe('command line: run', function () {
  this.timeout(30_000);
  let directory: TestDirectory;
  beforeEach(() => {
    directory = new TestDirectory();
  });
  afterEach(() => {
    directory.remove();
  });

  const config = (change: (draft: ConfigDraft) => void) =>
    directory.write('config.json', JSON.stringify(twoPartitions(change)));

  it(
    '[utest->req~cfg.identity~1] with --json one document on stdout, with the' +
      ' SHA-256 of the file; exit code 0',
    () => {
      const file = config(withoutFlows);
      const { code, stdout } = gateway([
        'run',
        file,
        '--duration',
        '0.3',
        '--json',
        '--no-dashboard',
      ]);
      assert.match(stdout, /^\{\n[^]*\n\}\n$/);
      const report = JSON.parse(stdout) as Report;
      assert.equal(
        report.config.sha256,
        createHash('sha256').update(readFileSync(file)).digest('hex'),
      );
      assert.ok(report.majorFrames > 0);
      assert.deepEqual([report.safeState, code], [null, 0]);
    },
  );

  it('[utest->req~cli.errors~1] --json with a file writes the document there, and a table to stdout', () => {
    const target = directory.file('report.json');
    const { code, stdout } = gateway([
      'run',
      config(withoutFlows),
      '--duration',
      '0.3',
      '--json',
      target,
    ]);
    assert.ok((JSON.parse(readFileSync(target, 'utf8')) as Report).majorFrames > 0);
    assert.match(stdout, /^window +partition +served/m);
    assert.equal(code, 0);
  });

  it(
    '[utest->req~time.run-proven~1] what waits beyond its bound is counted, and the exit code' +
      ' is 1 unless the host is to blame',
    () => {
      const file = config((draft) => {
        // Bursts of eight against a contract of one, and one request in a window.
        const { guest } = first(draft.partitions);
        Object.assign(guest, { parameters: { ...parametersOf(guest as GuestConfig), burst: 8 } });
        const [window] = draft.schedule.windows;
        first(window!.queues).requestsMax = 1;
        // Only a start that is late by this much is the host's doing.
        draft.costs.windowSwitchNs = 4_000_000;
        Object.assign(window!, { durationUs: 4500 });
        Object.assign(draft.schedule.windows[1]!, { offsetUs: 4600, durationUs: 4050 });
        Object.assign(draft.schedule.windows[2]!, { offsetUs: 8700, durationUs: 5000 });
        draft.schedule.majorFrameUs = 14_000;
        first(draft.flows).arrival.periodUs = 14_000;
        first(draft.flows).deadlineUs = 30_000;
      });
      const { code, stdout } = gateway(['run', file, '--duration', '6', '--json']);
      const [flow] = (JSON.parse(stdout) as Report).flows;
      assert.ok(flow!.requests > 0, 'the traffic program has sent nothing');
      assert.ok(flow!.violations + flow!.hostBreaches > 0);
      assert.equal(code, flow!.violations > 0 ? 1 : 0);
    },
  );

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(
      `[utest->req~cli.errors~1] ${signal} ends it in order, with its document and` +
        ` exit code 0`,
      async () => {
        const child = startGateway(['run', config(withoutFlows), '--json']);
        let stdout = '';
        child.stdout!.on('data', (text: Buffer) => {
          stdout += text.toString();
        });
        let stderr = '';
        child.stderr!.on('data', (text: Buffer) => {
          stderr += text.toString();
        });
        for (let n = 0; n < 100 && !stderr.includes('-> normal'); n++) await after(50);
        child.kill(signal);
        const [code] = (await once(child, 'close')) as [number | null];
        assert.equal(code, 0, stderr);
        assert.ok((JSON.parse(stdout) as Report).majorFrames > 0);
      },
    );
  }
});

describe('regressions: run', function () {
  this.timeout(30_000);

  it('[utest->req~cli.errors~1] a duration of 35 days does not end at once', async () => {
    const directory = new TestDirectory();
    const file = directory.write('config.json', JSON.stringify(twoPartitions(withoutFlows)));
    const child = startGateway(['run', file, '--duration', '3000000', '--json']);
    const closed = once(child, 'close');
    child.stdout!.resume();
    child.stderr!.resume();
    try {
      const ended = await Promise.race([closed.then(() => 'ended'), after(2500, 'runs')]);
      assert.equal(ended, 'runs');
    } finally {
      child.kill('SIGINT');
      await closed;
      directory.remove();
    }
  });
});
