/** The dashboard's server with real sockets: what a page is told, and how each kind of bad page ends. */
import { strict as assert } from 'node:assert';
import http from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import { Fault } from '../../src/base/fault.ts';
import { EventKind } from '../../src/channel/event-log.ts';
import { Dashboard } from '../../src/dashboard/dashboard.ts';
import { HostProblem } from '../../src/host/host-problem.ts';
import { DashboardClient, DeafClient } from '../support/dashboard-client.ts';
import { until } from '../support/running-gateway.ts';
import { SyntheticDisplay } from '../support/synthetic-display.ts';
import { IDENTITY, OpenDashboard, WatchedRig } from '../support/watched.ts';

const TICK_MS = 100;
/** Where everything of the rig's guests and devices lies. */
const ARENA_BYTES = 4 * 2 ** 20;

describe('dashboard: server', function () {
  this.timeout(30_000);
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each.close();
  });

  async function start(...words: Parameters<typeof OpenDashboard.start>): Promise<OpenDashboard> {
    const dashboard = await OpenDashboard.start(...words);
    opened.push(dashboard);
    return dashboard;
  }

  async function connect(url: string): Promise<DashboardClient> {
    const client = await DashboardClient.connect(url);
    opened.push(client);
    return client;
  }

  async function deaf(url: string): Promise<DeafClient> {
    const client = await DeafClient.connect(url);
    opened.push(client);
    return client;
  }

  it('[utest->req~dash.served~1] a page is told at once what is, and then what changes', async () => {
    const watched = new WatchedRig();
    watched.traffic();
    const { url } = await start(watched);
    const client = await connect(url);
    await client.receives('latency');
    assert.deepEqual(
      client.messages.slice(0, 4).map(({ type }) => type),
      ['hello', 'numbers', 'schedule', 'latency'],
    );
    assert.deepEqual(client.of('hello')[0]!.gateway, IDENTITY);
    assert.equal(client.of('schedule')[0]!.visits.length, 9);
    assert.equal(client.of('latency')[0]!.flows[0]!.id, 'telltale');
    const before = client.of('numbers').length;
    watched.rig.frames(5);
    await client.receives('numbers', before + 2);
    const { numbers } = client.of('numbers').at(-1)!;
    assert.deepEqual(numbers, JSON.parse(JSON.stringify(watched.numbers())));
  });

  it('[utest->req~dash.served~1] faults, modes, late ends and the safe state are told as they happen', async () => {
    const { url, watched } = await start();
    const client = await connect(url);
    await client.receives('hello');
    watched.transitions.next({ partition: 0, from: 'normal', to: 'isolated', cause: 'isolate' });
    const reaction = { action: 'isolate', log: true } as const;
    const fault = { partition: 1, queue: 1, code: Fault.DescriptorLoop, detail: '', reaction };
    watched.faults.next(fault);
    watched.faults.next({ ...fault, queue: -1, detail: 'because' });
    const event = { subject: 0, queue: 0, code: 1, timeNs: 0 };
    watched.reported.next({ ...event, kind: EventKind.OVERRUN });
    watched.reported.next({ ...event, kind: EventKind.FAULT });
    watched.enteredSafeState.next('the end');
    await client.receives('happenings');
    const entries = client.of('happenings').flatMap((message) => message.entries);
    assert.deepEqual(
      entries.map(({ kind, subject, text }) => [kind, subject, text]),
      [
        ['mode', 'a', 'normal to isolated (isolate)'],
        [
          'fault',
          'b',
          'descriptor-loop at a.net0.transmitq0: the chain visits a descriptor twice (2.7.5.2) (isolate)',
        ],
        ['fault', 'b', 'descriptor-loop: because (isolate)'],
        ['overrun', 'w-a', 'late end: host'],
        ['safe-state', '', 'the end'],
      ],
    );
    assert.ok(entries.every(({ sinceStartNs }) => sinceStartNs === 5e9));
  });

  it('[utest->req~dash.served~1] who comes later is told what happened before', async () => {
    const { url, watched } = await start();
    watched.enteredSafeState.next('the end');
    const client = await connect(url);
    await client.receives('happenings');
    assert.equal(client.of('happenings')[0]!.entries[0]!.text, 'the end');
  });

  it('[utest->req~dash.served~1] at the end every page has the last numbers, and is told that it is the end', async () => {
    const { url, watched, dashboard } = await start();
    const client = await connect(url);
    await client.receives('hello');
    watched.traffic();
    const last = watched.numbers();
    await dashboard.close(last);
    const [code, reason] = await client.isClosed();
    assert.deepEqual([code, reason], [1000, 'the run has ended']);
    const ended = client.messages.at(-1)!;
    assert.ok(ended.type === 'ended');
    assert.deepEqual(ended.numbers, JSON.parse(JSON.stringify(last)));
    assert.equal(ended.latency[0]!.bars.length > 0, true);
    await assert.rejects(DashboardClient.connect(url));
  });

  it('[utest->req~dash.no-interference~1] without a page nothing is computed; with one, numbers at most ten times a second', async () => {
    const { url, watched } = await start();
    await after(5 * TICK_MS);
    assert.equal(watched.asked, 0);
    const client = await connect(url);
    await client.receives('hello');
    await after(10 * TICK_MS);
    assert.ok(watched.asked <= 11, `${watched.asked} times in a second`);
    client.close();
    await until(() => client.closed !== undefined, 'closed');
    await after(2 * TICK_MS);
    const { asked } = watched;
    await after(5 * TICK_MS);
    assert.equal(watched.asked, asked);
  });

  it('[utest->req~dash.no-interference~1] no page changes a byte that the data plane reads', async () => {
    const watched = new WatchedRig();
    watched.traffic();
    const { u8 } = watched.rig.plane.arena;
    const arena = u8.slice(0, ARENA_BYTES);
    const counters = watched.counters.words.slice();
    const { url } = await start(watched);
    const client = await connect(url);
    await client.receives('latency', 2);
    assert.equal(Buffer.compare(u8.subarray(0, ARENA_BYTES), arena), 0);
    assert.deepEqual(watched.counters.words, counters);
  });

  it('[utest->req~dash.stalled-dropped~1] a page that never reads is dropped, and the others go on', async () => {
    // So many bytes that the kernel's buffers between the two cannot hold them.
    const flood = new WatchedRig();
    const numbers = flood.numbers();
    const bulk = 'x'.repeat(2 ** 20);
    flood.numbers = () => ({ ...numbers, safeState: bulk });
    const { url, dashboard } = await start(flood, { behindTicksMax: 3 });
    await deaf(url);
    const reading = await connect(url);
    assert.equal(dashboard.viewerCount, 2);
    await until(() => dashboard.viewerCount === 1, 'the end of the page that never reads');
    const { length } = reading.of('numbers');
    await reading.receives('numbers', length + 3);
    assert.equal(reading.closed, undefined);
  });

  it('[utest->req~dash.stalled-dropped~1] a page for which too much waits is dropped at once', async () => {
    const flood = new WatchedRig();
    const numbers = flood.numbers();
    const bulk = 'x'.repeat(2 ** 20);
    flood.numbers = () => ({ ...numbers, safeState: bulk });
    const { url, dashboard } = await start(flood, {
      bufferedBytesBehind: 2 ** 30,
      bufferedBytesMax: 3 * 2 ** 20,
      behindTicksMax: 1000,
    });
    await deaf(url);
    assert.equal(dashboard.viewerCount, 1);
    await until(() => dashboard.viewerCount === 0, 'the end of the page that never reads');
  });

  it('[utest->req~dash.stalled-dropped~1] a page that does not answer is dropped, however little it is told', async () => {
    const { url, dashboard } = await start(new WatchedRig(), { pingTicks: 2, silentTicksMax: 8 });
    await deaf(url);
    const answering = await connect(url);
    assert.equal(dashboard.viewerCount, 2);
    await until(() => dashboard.viewerCount === 1, 'the end of the page that never answers');
    await after(10 * TICK_MS);
    assert.equal(answering.closed, undefined);
  });

  it('[utest->req~dash.bounded~1] more pages than are taken are told to try again later', async () => {
    const { url } = await start(new WatchedRig(), { viewersMax: 2 });
    const [one] = [await connect(url), await connect(url)];
    const third = await connect(url);
    assert.deepEqual(await third.isClosed(), [1013, 'too many viewers']);
    assert.deepEqual(third.messages, []);
    one!.close();
    await until(() => one!.closed !== undefined, 'closed');
    await after(TICK_MS);
    const fourth = await connect(url);
    await fourth.receives('hello');
  });

  it('[utest->req~dash.read-only~1] a page that says anything else than that it has drawn is shown out', async () => {
    const { url } = await start();
    for (const word of ['stop', '', 'drawn', 'drawn 0', Uint8Array.of(1), '{"type":"stop"}']) {
      const client = await connect(url);
      await client.receives('hello');
      client.say(word);
      assert.deepEqual(await client.isClosed(), [1008, 'read-only'], String(word));
    }
    const client = await connect(url);
    client.say('x'.repeat(1000));
    assert.equal((await client.isClosed())[0], 1009);
  });

  it('[utest->req~dash.contained~1] a mistake of the dashboard ends the dashboard, and says why', async () => {
    const broken = () => {
      throw new Error('nothing to see');
    };
    const display = new SyntheticDisplay(64, 64);
    for (const watched of [
      Object.assign(new WatchedRig(), { numbers: broken }),
      new WatchedRig([Object.assign(display, { pixels: broken })]),
    ]) {
      const url = await new Dashboard(watched).open(0);
      const client = await connect(url);
      await client.isClosed();
      assert.deepEqual(watched.said, [
        'dashboard: ended by a mistake of its own: Error: nothing to see',
      ]);
      await assert.rejects(connect(url));
    }
  });

  it('[utest->req~dash.served~1] a port that is taken is a problem with a name', async () => {
    const { url } = await start();
    const { port } = new URL(url);
    const { dashboard } = await start();
    await assert.rejects(dashboard.open(Number(port)), (error: Error) => {
      assert.ok(error instanceof HostProblem);
      assert.match(error.message, new RegExp(`port ${port} .*EADDRINUSE`));
      return true;
    });
  });

  it('[utest->req~dash.same-origin~1] over the wire: files by own names only, sockets for own pages only', async () => {
    const { url } = await start();
    const { port } = new URL(url);
    const get = (path: string, headers: http.OutgoingHttpHeaders, method = 'GET') =>
      new Promise<http.IncomingMessage>((resolve, reject) => {
        const request = http.request(
          { host: '127.0.0.1', port, path, method, headers },
          (response) => {
            response.resume();
            resolve(response);
          },
        );
        request.on('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response);
        });
        request.on('error', reject);
        request.end();
      });
    const own = `127.0.0.1:${port}`;
    assert.equal((await get('/', {})).statusCode, 200);
    assert.equal((await get('/?theme=dark', {}, 'HEAD')).statusCode, 200);
    assert.equal((await get('/', { host: `evil.example:${port}` })).statusCode, 421);
    assert.equal((await get('/', {}, 'POST')).statusCode, 405);
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const socket = async (path: string, headers: http.OutgoingHttpHeaders) =>
      (await get(path, { ...upgrade, ...headers })).statusCode;
    assert.equal(await socket('/live', { origin: `http://${own}` }), 101);
    assert.equal(await socket('/live', { origin: 'http://evil.example' }), 403);
    assert.equal(await socket('/live', {}), 403);
    assert.equal(await socket('/other', { origin: `http://${own}` }), 404);
  });

  it('[utest->req~dash.read-only~1] every file that the page names is there', async () => {
    const { url } = await start();
    const text = async (path: string) => {
      const response = await fetch(new URL(path, url));
      assert.equal(response.status, 200, path);
      return response.text();
    };
    const page = await text('/');
    const named = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]!);
    assert.ok(named.length >= 5);
    const seen = new Set<string>();
    for (const path of named) seen.add(path);
    for (const path of seen) {
      const script = await text(path);
      for (const [, module] of script.matchAll(/from '(?:\.)?(\/[\w.-]+\.js)'/g)) seen.add(module!);
    }
    assert.ok(seen.size >= 15, [...seen].join());
  });
});
