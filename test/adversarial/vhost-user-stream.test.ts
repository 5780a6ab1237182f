/** The byte stream of a hostile front-end: pieces, silence, floods, ends in the middle, descriptors everywhere. */
import { strict as assert } from 'node:assert';
import { openDescriptors } from '../../src/host/descriptors.ts';
import { BytewiseConnection, Connection, pause, within } from '../support/vhost/connection.ts';
import { FrontEnd } from '../support/vhost/front-end.ts';
import {
  encode,
  HEADER_BYTES,
  HeaderFlag,
  type Message,
  Request,
  u64,
} from '../support/vhost/message.ts';
import { start } from '../support/vhost/sequences.ts';
import { StrangeDescriptors } from '../support/vhost/strange-descriptors.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const PARTITIONS = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id }));
/** As published: 100,000. */
const FLOOD = Number(process.env.TEST_MESSAGES ?? 10_000);
const CHUNK = 256;
const MIB = 2 ** 20;
/** What a front-end may cost while it floods: buffers and log, not messages. */
const GROWTH_MAX = 96 * MIB;
const LOG_LINES_MAX = 100;
const QUESTION = encode({ request: Request.GET_FEATURES });
const FEATURES_REPLY_BYTES = HEADER_BYTES + 8;

describe('vhost-user streams from a hostile front-end', function () {
  this.timeout(120_000);
  const suite = vhostSuite(PARTITIONS, { neighbours: true });
  const strange = new StrangeDescriptors();
  after(() => strange.close());

  async function connected(): Promise<FrontEnd> {
    const frontEnd = await FrontEnd.served(suite.host.socket('a'));
    suite.atEnd(() => frontEnd.close());
    return frontEnd;
  }

  async function assertDescriptors(count: number): Promise<void> {
    const back = await within(5000, () => (openDescriptors() <= count ? true : undefined));
    assert.ok(back, `${openDescriptors()} descriptors instead of ${count}`);
  }

  for (const bytes of [1, 4, 8, 11]) {
    it(
      `[utest->req~vhost.control-budget~1] ${bytes} bytes of a header and then silence hold nobody up`,
      suite.beside(async () => {
        const a = await connected();
        await a.connection.sendBytes(QUESTION.subarray(0, bytes));
        await pause(100);
        await a.connection.sendBytes(QUESTION.subarray(bytes));
        const message = await a.connection.next();
        assert.notEqual(message, 'silence', 'answered when it is whole, or closed before');
      }),
    );
  }

  it(
    '[utest->req~vhost.control-budget~1] a payload that never comes holds nobody up, and is nobody’s when the next one connects',
    suite.beside(async () => {
      const a = await connected();
      await a.connection.sendBytes(encode({ request: Request.SET_FEATURES, size: 8 }));
      await pause(50);
      a.close();
      await (await connected()).assertUsable();
    }),
  );

  it(
    '[utest->req~vhost.framing~1] a guest whose front-end sends single bytes runs like any other',
    suite.beside(async () => {
      const b = await suite.running('b', 'qemu');
      const a = await suite.guest('a', { open: BytewiseConnection.open });
      await start('qemu', a);
      a.port.supply();
      await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
      await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a });
    }),
  );

  it(
    '[utest->req~vhost.framing~1] messages that are sent in one piece are told apart',
    suite.beside(async () => {
      const a = await connected();
      const all = [Request.GET_FEATURES, Request.GET_PROTOCOL_FEATURES, Request.GET_FEATURES];
      await a.connection.sendBytes(Buffer.concat(all.map((request) => encode({ request }))));
      for (const request of all) await a.reply(request);
      await a.assertUsable();
    }),
  );

  it(
    '[utest->req~vhost.descriptor-ownership~1] descriptors that do not come with a message’s first byte are its own or closed',
    suite.beside(async () => {
      const before = openDescriptors();
      for (const cut of [1, 6, 11, 12, 15, 19]) {
        const a = await suite.frontEnd('a');
        const flags = HeaderFlag.VERSION | HeaderFlag.NEED_REPLY;
        const bytes = encode({ request: Request.SET_VRING_CALL, payload: u64(0), flags });
        await a.connection.sendBytes(bytes.subarray(0, cut));
        await a.connection.sendBytes(bytes.subarray(cut), [strange.event]);
        const message = await a.connection.next();
        assert.notEqual(message, 'silence');
        a.close();
      }
      await assertDescriptors(before);
    }),
  );

  it(
    '[utest->req~vhost.descriptor-ownership~1] a hundred descriptors with every kind of message leave none behind',
    suite.beside(async () => {
      const before = openDescriptors();
      const many = new Array<number>(100).fill(strange.event);
      for (let request = 1; request <= 44; request++) {
        const a = await suite.frontEnd('a');
        await a.connection.send({ request, payload: u64(0), descriptors: many });
        await a.connection.next(20);
        a.close();
      }
      await assertDescriptors(before);
    }),
  );

  it(
    '[utest->req~vhost.descriptor-ownership~1] as many descriptors as a message can carry leave none behind',
    suite.beside(async () => {
      const before = openDescriptors();
      for (const count of [30, 33, 64, 200, 253]) {
        const a = await connected();
        const descriptors = new Array<number>(count).fill(strange.event);
        await a.connection.send({ request: Request.SET_OWNER, descriptors });
        await a.assertClosed();
        a.close();
      }
      await assertDescriptors(before);
    }),
  );

  it(
    '[utest->req~vhost.descriptor-ownership~1] descriptors with every single byte of a header do not pile up',
    suite.beside(async () => {
      const before = openDescriptors();
      const a = await connected();
      const twenty = new Array<number>(20).fill(strange.event);
      for (let n = 0; n < HEADER_BYTES - 1; n++) {
        if (!(await a.connection.sendBytes(QUESTION.subarray(n, n + 1), twenty))) break;
      }
      await pause(50);
      assert.ok(openDescriptors() <= before + 40, `${openDescriptors() - before} are held`);
      a.close();
      await assertDescriptors(before);
    }),
  );

  it(
    '[utest->req~vhost.reconnect~1] a front-end that goes in the middle of a message leaves nothing, wherever it goes',
    suite.beside(async () => {
      const { ram, frontEnd } = await suite.guest('e');
      frontEnd.close();
      const whole = encode({ request: Request.SET_MEM_TABLE, payload: ram.table });
      const before = openDescriptors();
      for (let cut = 1; cut <= whole.length; cut++) {
        const a = await connected();
        await a.connection.sendBytes(whole.subarray(0, cut), ram.descriptors);
        a.close();
      }
      await (await connected()).assertUsable();
      suite.endTest();
      await assertDescriptors(before);
    }),
  );

  /** Sends the same bytes again and again, and reads what comes back meanwhile. */
  async function flood(
    a: FrontEnd,
    bytes: Buffer,
    replies: (message: Message) => void,
  ): Promise<number> {
    const chunk = Buffer.concat(new Array<Buffer>(CHUNK).fill(bytes));
    let answered = 0;
    for (let sent = 0; sent < FLOOD; sent += CHUNK) {
      assert.ok(await a.connection.sendBytes(chunk), 'the connection holds');
      for (; answered < sent; answered++) {
        const message = await a.connection.next();
        assert.ok(typeof message !== 'string', `after ${answered} answers: ${String(message)}`);
        replies(message);
      }
    }
    return answered;
  }

  it(
    '[utest->req~vhost.control-budget~1] questions by the thousand are answered one by one, and cost no memory',
    suite.beside(async () => {
      const a = await connected();
      const before = process.memoryUsage().rss;
      const answered = await flood(a, QUESTION, ({ request, payload }) => {
        assert.equal(request, Request.GET_FEATURES);
        assert.equal(HEADER_BYTES + payload.length, FEATURES_REPLY_BYTES);
      });
      assert.ok(answered > FLOOD - 2 * CHUNK);
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < GROWTH_MAX, `${Math.round(grown / MIB)} MiB`);
    }),
  );

  it(
    '[utest->req~vhost.control-budget~1] refusals by the thousand cost no memory, and do not fill the log',
    suite.beside(async () => {
      const a = await suite.frontEnd('a');
      const flags = HeaderFlag.VERSION | HeaderFlag.NEED_REPLY;
      const before = process.memoryUsage().rss;
      const { length } = suite.host.running.lines;
      await flood(a, encode({ request: 99, flags }), ({ payload }) => {
        assert.notEqual(payload.readBigUInt64LE(), 0n);
      });
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < GROWTH_MAX, `${Math.round(grown / MIB)} MiB`);
      const lines = suite.host.running.lines.length - length;
      assert.ok(lines >= 1 && lines <= LOG_LINES_MAX, `${lines} lines`);
    }),
  );

  it(
    '[utest->req~vhost.control-budget~1] a front-end that asks and never listens is waited for by nobody',
    suite.beside(async () => {
      const a = await connected();
      const before = process.memoryUsage().rss;
      const chunk = Buffer.concat(new Array<Buffer>(CHUNK).fill(QUESTION));
      const end = performance.now() + 1000;
      while (performance.now() < end && a.connection.trySend(chunk) !== -2) await pause(1);
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < GROWTH_MAX, `${Math.round(grown / MIB)} MiB`);
      a.close();
      await (await connected()).assertUsable();
    }),
  );

  it(
    '[utest->req~vhost.single-owner~1] hundreds of connections to a socket that is served are refused, none of them is kept',
    suite.beside(async () => {
      const b = await suite.running('b', 'qemu');
      const a = await suite.running('a', 'qemu');
      const before = openDescriptors();
      for (let n = 0; n < 300; n++) {
        const other = await connectedSoon();
        if (n % 3 === 0) await other.sendBytes(QUESTION);
        if (n % 3 === 1) await other.sendBytes(QUESTION.subarray(0, 5), [strange.event]);
        other.close();
      }
      await assertDescriptors(before);
      await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
      await a.frontEnd.assertUsable();
    }),
  );

  /** The queue of a socket that accepts may be full for a moment. */
  async function connectedSoon(): Promise<Connection> {
    const found = await within(5000, () => {
      try {
        return Connection.open(suite.host.socket('a'));
      } catch {
        return undefined;
      }
    });
    assert.ok(found, 'connections are accepted');
    return found;
  }

  it(
    '[utest->req~vhost.reconnect~1] front-ends that come and go by the hundred leave a device that works',
    suite.beside(async () => {
      const before = openDescriptors();
      for (let n = 0; n < 300; n++) {
        const other = await connectedSoon();
        if (n % 2 === 0) await other.sendBytes(QUESTION);
        other.close();
      }
      const b = await suite.running('b', 'qemu');
      const a = await suite.running('a', 'qemu');
      await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
      suite.endTest();
      await assertDescriptors(before);
    }),
  );
});
