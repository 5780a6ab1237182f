/** `run` with its dashboard: where it is served, what becomes of a port that is taken, and its end. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import net from 'node:net';
import { startGateway, gateway, TestDirectory } from '../support/command-line.ts';
import { DashboardClient } from '../support/dashboard-client.ts';
import { until } from '../support/running-gateway.ts';
import { twoPartitions } from '../support/two-partitions.ts';

describe('command line: dashboard', function () {
  this.timeout(40_000);
  let directory: TestDirectory;
  let file: string;
  beforeEach(() => {
    directory = new TestDirectory();
    file = directory.write('config.json', JSON.stringify(twoPartitions(() => {})));
  });
  afterEach(() => directory.remove());

  /** Starts a run, waits for a line on stderr, does something, and stops it; its document. */
  async function running(
    words: readonly string[],
    pattern: RegExp,
    act: (match: RegExpExecArray) => Promise<void>,
  ): Promise<Record<string, unknown>> {
    const child = startGateway(['run', file, '--json', ...words]);
    const closed = once(child, 'close');
    let [stdout, stderr] = ['', ''];
    child.stdout!.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr!.on('data', (text: Buffer) => (stderr += text.toString()));
    try {
      await until(() => pattern.test(stderr) || child.exitCode !== null, String(pattern));
      const match = pattern.exec(stderr);
      assert.ok(match, stderr);
      await act(match);
    } finally {
      child.kill('SIGINT');
      await closed;
    }
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('[utest->req~dash.served~1] it says where, and the last that a page is told is the document of the run', async () => {
    let client: DashboardClient | undefined;
    const document = await running(
      ['--dashboard-port', '0'],
      /^dashboard: (http:\/\/127\.0\.0\.1:\d+\/)$/m,
      async ([, url]) => {
        client = await DashboardClient.connect(url!);
        await client.receives('schedule', 3);
        const [hello] = client.of('hello');
        assert.deepEqual(
          hello!.partitions.map(({ id }) => id),
          twoPartitions(() => {}).partitions.map(({ id }) => id),
        );
        assert.ok(client.of('schedule').some(({ visits }) => visits.length > 0));
      },
    );
    await client!.isClosed();
    const [ended] = client!.of('ended');
    assert.deepEqual(ended!.numbers, document);
  });

  it('[utest->req~dash.served~1] where a named port is taken the run does not start', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as net.AddressInfo;
    const { code, stderr } = gateway(['run', file, '--dashboard-port', String(port)]);
    taken.close();
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`error: port ${port} of 127\\.0\\.0\\.1 is not to be had`));
  });

  it('[utest->req~dash.served~1] where the usual port is taken it takes another', async () => {
    const taken = net.createServer();
    // Whoever else has it serves the purpose as well.
    taken.on('error', () => {}).listen(8480, '127.0.0.1');
    try {
      await running([], /^dashboard: http:\/\/127\.0\.0\.1:(\d+)\/$/m, async ([, port]) => {
        assert.notEqual(port, '8480');
        assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
      });
    } finally {
      taken.close();
    }
  });

  it('[utest->req~dash.served~1] with --no-dashboard there is none', () => {
    const { code, stderr } = gateway(['run', file, '--no-dashboard', '--duration', '0.3']);
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /dashboard/);
  });

  it('[utest->req~dash.served~1] what is no port is an error of usage', () => {
    const { code, stderr } = gateway(['run', file, '--dashboard-port', 'http']);
    assert.equal(code, 2);
    assert.match(stderr, /--dashboard-port needs a port from 0 to 65535, not "http"/);
  });
});
