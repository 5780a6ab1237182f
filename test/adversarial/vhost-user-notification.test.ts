/** Call, kick and error descriptors of a hostile front-end: full, closed, blocking, and not its own. */
import { strict as assert } from 'node:assert';
import { writeSync } from 'node:fs';
import { closeDescriptor, createEventFd, readCounter } from '../../src/host/descriptors.ts';
import { OpenFlag, setStatusFlags, statusFlags } from '../../src/host/native/descriptor.ts';
import { UnixSocket } from '../../src/host/unix-socket.ts';
import { pause } from '../support/vhost/connection.ts';
import { Request, u64 } from '../support/vhost/message.ts';
import type { NetGuest } from '../support/vhost/net-guest.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const PARTITIONS = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
const RECEIVE = 0;
const TRANSMIT = 1;
/** One more would make a writer wait. */
const FULL = 2n ** 64n - 2n;

describe('vhost-user descriptors from a hostile front-end', function () {
  this.timeout(60_000);
  const suite = vhostSuite(PARTITIONS, { neighbours: true });
  let a: NetGuest;
  let b: NetGuest;

  beforeEach(async () => {
    b = await suite.running('b', 'qemu');
    a = await suite.running('a', 'qemu');
  });

  async function assertTalk(count = 5): Promise<void> {
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, count);
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, count);
  }

  function event(count = 0n): number {
    const descriptor = createEventFd();
    suite.atEnd(() => closeDescriptor(descriptor));
    if (count > 0n) writeSync(descriptor, u64(count));
    return descriptor;
  }

  function block(descriptor: number): void {
    setStatusFlags(descriptor, statusFlags(descriptor) & ~OpenFlag.NON_BLOCKING);
  }

  async function callThrough(descriptor: number): Promise<void> {
    for (const index of [RECEIVE, TRANSMIT])
      await a.frontEnd.setU64(Request.SET_VRING_CALL, index, [descriptor]);
  }

  it(
    '[utest->req~vhost.notification~1] a call counter that is full is passed over',
    suite.beside(async () => {
      const descriptor = event(FULL);
      await callThrough(descriptor);
      await assertTalk();
      assert.ok(readCounter(descriptor) > 0);
    }),
  );

  it(
    '[utest->req~vhost.notification~1] a call counter that would make its writer wait is made not to',
    suite.beside(async () => {
      const descriptor = event(FULL);
      block(descriptor);
      await callThrough(descriptor);
      await assertTalk();
    }),
  );

  it(
    '[utest->req~vhost.notification~1] a call counter that is full and made to block behind the back-end’s back holds nobody up',
    suite.beside(async () => {
      const descriptor = event();
      await callThrough(descriptor);
      await assertTalk();
      readCounter(descriptor);
      writeSync(descriptor, u64(FULL));
      block(descriptor);
      // Should it wait, then not for ever: the test is to fail, not to hang.
      const watchdog = setTimeout(() => readCounter(descriptor), 3000);
      const started = performance.now();
      await assertTalk(8);
      const took = performance.now() - started;
      clearTimeout(watchdog);
      assert.ok(took < 2500, `traffic went on only after ${Math.round(took)} ms`);
    }),
  );

  it(
    '[utest->req~vhost.notification~1] a call socket that nobody reads fills up and is passed over',
    suite.beside(async () => {
      const [own, theirs] = UnixSocket.pair();
      suite.atEnd(() => own.close());
      block(theirs.descriptor);
      while (theirs.send(Buffer.alloc(4096), 4096) > 0);
      await callThrough(theirs.descriptor);
      await assertTalk();
      theirs.close();
      await assertTalk();
    }),
  );

  it(
    '[utest->req~vhost.notification~1] a call socket whose reader has gone ends nothing',
    suite.beside(async () => {
      const [own, theirs] = UnixSocket.pair();
      await callThrough(theirs.descriptor);
      await assertTalk();
      own.close();
      await assertTalk();
      theirs.close();
      await assertTalk();
    }),
  );

  it(
    '[utest->req~vhost.notification~1] a front-end that has its own connection called ends that alone',
    suite.beside(async () => {
      const { connection } = a.frontEnd;
      // What it is told it sends back, as if it were a message: 8 bytes, and then 8 more.
      for (const index of [RECEIVE, TRANSMIT]) {
        await connection.send({
          request: Request.SET_VRING_CALL,
          payload: u64(index),
          descriptors: [connection.descriptor],
        });
      }
      assert.equal(await connection.next(), 'closed');
      a.end();
      a = await suite.running('a', 'qemu');
      await assertTalk();
    }),
  );

  it(
    '[utest->req~vhost.notification~1] one descriptor for everything is as good as many',
    suite.beside(async () => {
      const one = event();
      for (const index of [RECEIVE, TRANSMIT]) {
        for (const request of [
          Request.SET_VRING_CALL,
          Request.SET_VRING_ERR,
          Request.SET_VRING_KICK,
        ])
          await a.frontEnd.setU64(request, index, [one]);
      }
      await assertTalk();
      assert.ok(readCounter(one) > 0);
    }),
  );

  it(
    '[utest->req~vhost.notification~1] kicks by the hundred thousand cost nobody anything',
    suite.beside(async () => {
      for (let n = 0; n < 100_000; n++) {
        a.kick(n % 2);
        if (n % 1000 === 0) await pause(0);
      }
      await assertTalk();
    }),
  );

  it(
    '[utest->req~vhost.notification~1] kick descriptors that are full, at their end or no counters do no harm',
    suite.beside(async () => {
      const [own, theirs] = UnixSocket.pair();
      own.close();
      for (const descriptor of [event(FULL), theirs.descriptor]) {
        for (const index of [RECEIVE, TRANSMIT]) {
          await a.frontEnd.acknowledged({
            request: Request.SET_VRING_KICK,
            payload: u64(index),
            descriptors: [descriptor],
          });
        }
        await assertTalk();
      }
      theirs.close();
    }),
  );

  it(
    '[utest->req~vhost.notification~1] a channel for requests of the back-end that nobody reads, or that has ended, does no harm',
    suite.beside(async () => {
      a.channel!.close();
      for (let n = 0; n < 10; n++) {
        b.end();
        b = await suite.running('b', 'qemu');
      }
      await assertTalk();
      for (let n = 0; n < 50; n++) {
        const [own, theirs] = UnixSocket.pair();
        if (n % 2 === 0) own.close();
        await a.frontEnd.set(Request.SET_BACKEND_REQ_FD, Buffer.alloc(0), [theirs.descriptor]);
        theirs.close();
        own.close();
      }
      await assertTalk();
    }),
  );

  it(
    '[utest->req~vhost.notification~1] call descriptors that change with every packet lose none',
    suite.beside(async () => {
      const two = [event(), event()];
      for (let n = 0; n < 100; n++) {
        await a.frontEnd.setU64(Request.SET_VRING_CALL, RECEIVE, [two[n % 2]!]);
        await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, 1);
      }
    }),
  );
});
