/** Benches that need no client, with few rounds: they measure for real, and their figures hang together. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { dashboard } from '../../src/cli/bench/dashboard.ts';
import { forwarding } from '../../src/cli/bench/forwarding.ts';
import { drawOver } from '../../src/cli/bench/gpu.ts';
import type { Spread } from '../../src/cli/bench/spread.ts';
import { traceBench } from '../../src/cli/bench/trace.ts';
import { builtPath } from '../../src/host/files.ts';
import { describeWithClients } from '../support/clients/missing-clients.ts';
import { Players, QEMU } from '../support/clients/players.ts';

/** A browser that reads all and draws nothing: its last word is where. */
const CHROMIUM = `#!/bin/sh
for url; do :; done
exec "${process.execPath}" -e 'process.stdin.unref(); process.argv[2] = process.argv[1];
  require("${builtPath('cli/bench/dashboard-reader.js')}"); process.stdin.emit("data", "on")' "$url"`;

function assertSpread({ median, min, max }: Spread): void {
  assert.ok(0 < min && min <= median && median <= max, `${min} ${median} ${max}`);
}

describe('benches in this process', function () {
  this.timeout(60_000);
  const said: string[] = [];
  const progress = (line: string): void => void said.push(line);
  beforeEach(() => (said.length = 0));

  it('[utest->req~cli.bench~1] forwarding: every packet arrives at every size, beside a plain copy', () => {
    const { document, text } = forwarding(progress, { rounds: 3, bursts: 4 });
    const { runs, sizes } = document as {
      runs: number;
      sizes: (Record<'copyNs' | 'ringToRingNs' | 'wholePathNs' | 'pathToRing', Spread> & {
        bytes: number;
      })[];
    };
    assert.equal(runs, 3);
    assert.deepEqual(
      sizes.map(({ bytes }) => bytes),
      [64, 256, 1514],
    );
    for (const { copyNs, ringToRingNs, wholePathNs, pathToRing } of sizes)
      for (const spread of [copyNs, ringToRingNs, wholePathNs, pathToRing]) assertSpread(spread);
    assert.match(text, /^nanoseconds per packet[^]*^ +1514 .*\d \(\d/m);
    assert.deepEqual(said, ['64 bytes', '256 bytes', '1514 bytes']);
  });

  it('[utest->req~cli.bench~1] trace: a project of the size that was asked for is sound, and its times are there', () => {
    const { document, text } = traceBench(progress, { items: 150, runs: 2 });
    const { traceMs, withReportsMs, ...counts } = document as Record<string, number> &
      Record<'traceMs' | 'withReportsMs', Spread>;
    assert.deepEqual(counts, { runs: 2, items: 150, tags: 200, links: 300, defects: 0 });
    assertSpread(traceMs);
    assert.ok(withReportsMs.min > traceMs.min);
    assert.match(text, /^150 items, 200 tags, 300 links: traced in \d+ ms \(\d+-\d+\), with all /);
    assert.deepEqual(said, ['1 of 2', '2 of 2']);
  });
});

describe('the dashboard bench', function () {
  this.timeout(60_000);
  const PHASES = {
    reader: { pairs: 2, seconds: 0.3, patienceMs: 15_000, settleMs: 50, blocks: 2 },
    browser: { pairs: 1, seconds: 0.3, patienceMs: 15_000, settleMs: 50, blocks: 1 },
  };
  const IMPATIENT = { ...PHASES, browser: { ...PHASES.browser, patienceMs: 100 } };
  interface Lateness {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  }
  interface Observation {
    readonly alone: Lateness;
    readonly lookedAt: Lateness;
    readonly ratioP99: number;
    readonly blocks: Spread;
  }

  function assertObservation({ alone, lookedAt, ratioP99, blocks }: Observation): void {
    for (const { p50, p99, p999, max } of [alone, lookedAt])
      assert.ok(0 < p50 && p50 <= p99 && p99 <= p999 && p999 <= max);
    assert.equal(ratioP99, lookedAt.p99 / alone.p99);
    assertSpread(blocks);
  }

  let players: Players;
  beforeEach(() => (players = new Players()));
  afterEach(() => players.remove());

  it('[utest->req~cli.bench~1] viewers come and go while windows start, each counted where it looks', async () => {
    players.add('chromium', CHROMIUM);
    const said: string[] = [];
    const { document, text } = await dashboard((line) => void said.push(line), PHASES);
    const { reader, browser } = document as Record<'reader' | 'browser', Observation>;
    assertObservation(reader);
    assertObservation(browser);
    assert.match(text, /^with a reader +\d[^]*^without a browser +\d[^]*a browser that draws: \d/m);
    assert.deepEqual(said, ['a reader comes and goes', 'a browser comes and goes']);
  });

  it('[utest->req~cli.bench~1] without a browser it says that none was measured', async () => {
    process.env['PATH'] = players.files.path;
    const { document, text } = await dashboard(() => undefined, PHASES);
    const { reader, browser } = document as { reader: Observation; browser: null };
    assertObservation(reader);
    assert.equal(browser, null);
    assert.match(text, /chromium is missing: not measured$/);
  });

  it('[utest->req~cli.bench~1] a browser that does not look fails the bench, and is ended', async () => {
    players.add('chromium', '#!/bin/sh\nsleep 60');
    await assert.rejects(
      dashboard(() => undefined, IMPATIENT),
      /^Error: not within 100 ms: 1 look$/,
    );
  });
});

describe('the reader of the dashboard bench', function () {
  this.timeout(30_000);

  it('[utest->req~cli.bench~1] looks when it is told to, from the origin of the page, and ends with its input', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const words = [builtPath('cli/bench/dashboard-reader.js'), `${origin}/`];
    const reader = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'inherit'] });
    const exited = once(reader, 'exit');
    try {
      for (let round = 0; round < 2; round++) {
        const connection = once(server, 'connection');
        reader.stdin.write('off\non\n');
        const [socket, request] = (await connection) as [WebSocket, IncomingMessage];
        assert.deepEqual([request.url, request.headers.origin], ['/live', origin]);
        socket.send('{"of":"the page"}');
        socket.send(Buffer.from('not JSON'));
        // An answer says that it has read what came before.
        const answered = once(socket, 'pong');
        socket.ping();
        await answered;
        const closed = once(socket, 'close');
        reader.stdin.write('off\n');
        await closed;
      }
      reader.stdin.end();
      assert.deepEqual(await exited, [0, null]);
    } finally {
      reader.kill('SIGKILL');
      server.close();
    }
  });
});

/** What draw.c says, at a rate that is not to be had by drawing. */
const DRAW = `#!/bin/sh
for step; do
  [ "$step" != picture ] || continue
  name=\${step%=*}; count=\${step#*=}
  echo "$name begins"
  sleep 0.1
  echo "$name: $count in 0.1 s, $count.5 per second"
  echo "$name=$count done"
done`;

describeWithClients('the display bench as it drives its guest', ['display'], (suite) => {
  suite.timeout(60_000);
  let players: Players;
  beforeEach(() => {
    players = new Players();
    players.add('qemu-system-x86_64', QEMU);
    players.add('draw', DRAW);
  });
  afterEach(() => players.remove());

  for (const system of ['gateway', 'peer'] as const)
    it(`[utest->req~cli.bench~1] the guest draws over the ${system}, and what comes before the warm-up has ended does not count`, async () => {
      const { dirty, flip } = await drawOver(system, { dirty: 7, flip: 5 });
      assert.deepEqual([dirty.count, dirty.perSecond], [7, 7.5]);
      assert.deepEqual([flip.count, flip.perSecond], [5, 5.5]);
      for (const { backEndNs, count } of [dirty, flip])
        assert.ok(backEndNs >= 0 && backEndNs * count < 1e9);
    });
});
