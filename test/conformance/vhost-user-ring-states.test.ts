/** Ring states: started and enabled are independent, and a ring is served as the two together say. */
import { strict as assert } from 'node:assert';
import { pause, within } from '../support/vhost/connection.ts';
import { packet } from '../support/vhost/guest-port.ts';
import { NO_DESCRIPTOR, PROTOCOL_FEATURES, Request, u64 } from '../support/vhost/message.ts';
import { type NetGuest, VERSION_1 } from '../support/vhost/net-guest.ts';
import { qemuConnect, qemuStart, qemuStop } from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

/** Many major frames: what has not happened by then does not happen. */
const LONG_MS = 40;
const RECEIVE = 0;
const TRANSMIT = 1;

describe('vhost-user ring states', () => {
  const suite = vhostSuite([{ id: 'a' }, { id: 'b' }]);
  let a: NetGuest;
  let b: NetGuest;

  /** Two guests that run, except that a's rings are as its front-end makes them. */
  beforeEach(async () => {
    b = await suite.running('b', 'qemu');
    a = await suite.guest('a');
    await qemuConnect(a);
  });

  const toB = (number: number) => packet(suite.host.mac('b'), suite.host.mac('a'), number);
  const toA = (number: number) => packet(suite.host.mac('a'), suite.host.mac('b'), number);

  async function assertTalk(count = 5): Promise<void> {
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, count);
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, count);
  }

  /** Every ring of a is set up, and no more. */
  async function prepare(features = a.frontEnd.offered): Promise<void> {
    const { frontEnd, ram } = a;
    await frontEnd.setU64(Request.SET_FEATURES, features);
    await frontEnd.set(Request.SET_MEM_TABLE, ram.table, ram.descriptors);
    for (const { index, double } of a.rings) {
      await frontEnd.setState(Request.SET_VRING_NUM, index, double.size);
      await frontEnd.setState(Request.SET_VRING_BASE, index, 0);
      await frontEnd.set(Request.SET_VRING_ADDR, a.addresses(index));
      await a.enable(index, 0);
    }
    a.port.supply();
  }

  async function startAll(): Promise<void> {
    for (const { index, kick } of a.rings)
      await a.frontEnd.setU64(Request.SET_VRING_KICK, index, [kick]);
  }

  /** What b sends is not delivered, and no ring of a moves. */
  async function assertUntouched(): Promise<void> {
    const before = a.ram.snapshot();
    assert.ok(b.port.send(toA(1)));
    await pause(LONG_MS);
    assert.ok(a.ram.snapshot().equals(before), 'no byte of the guest changes');
    assert.deepEqual(b.port.received(), []);
  }

  it('[utest->req~vhost.ring-states~1] a ring that is enabled but not started is not served', async () => {
    await prepare();
    for (const { index } of a.rings) await a.enable(index);
    assert.ok(a.port.send(toB(1)));
    await assertUntouched();
    await startAll();
    assert.equal((await b.receives(1)).length, 1);
    await assertTalk();
  });

  it('[utest->req~vhost.ring-states~1] one ring started but disabled: what is transmitted is discarded', async () => {
    await prepare();
    await startAll();
    await a.enable(RECEIVE);
    for (let n = 0; n < 3; n++) a.port.send(toB(n));
    const { transmit } = a.port;
    assert.ok(await within(2000, () => transmit.ring.usedIndex === 3 || undefined), 'discarded');
    assert.deepEqual(b.port.received(), []);
    await a.enable(TRANSMIT);
    await assertTalk();
  });

  it('[utest->req~vhost.all-disabled~1] every ring started but disabled: none is touched until one is enabled', async () => {
    await prepare();
    await startAll();
    for (let n = 0; n < 3; n++) a.port.send(toB(n));
    await assertUntouched();
    // The other one first would make the device one in use, which discards what a disabled ring sends.
    for (const index of [TRANSMIT, RECEIVE]) await a.enable(index);
    assert.equal((await b.receives(3)).length, 3);
    await assertTalk();
  });

  it('[utest->req~vhost.ring-states~1] enabled before it is started, a ring is served from its start on', async () => {
    for (const { index } of a.rings) await a.enable(index);
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
  });

  it('[utest->req~vhost.ring-states~1] rings are disabled and enabled while they run, each by itself', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
    await a.enable(TRANSMIT, 0);
    const { transmit } = a.port;
    assert.ok(a.port.send(toB(7)));
    const { ring } = transmit;
    assert.ok(await within(2000, () => ring.usedIndex === ring.availIndex || undefined));
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a });
    assert.deepEqual(b.port.received(), []);
    await a.enable(TRANSMIT);
    await a.enable(RECEIVE, 0);
    b.port.send(toA(8));
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
    await pause(LONG_MS);
    assert.deepEqual(a.port.received(), []);
    await a.enable(RECEIVE);
    await assertTalk();
  });

  it('[utest->req~vhost.ring-states~1] the enabled state survives a stop', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
    const bases = await qemuStop(a);
    a.port.receive.rewind(bases[RECEIVE]!);
    a.port.transmit.rewind(bases[TRANSMIT]!);
    await prepareAgain(bases);
    a.port.supply();
    await assertTalk();
  });

  /** Starts the rings without a word about enabling them. */
  async function prepareAgain(bases: readonly number[]): Promise<void> {
    for (const { index } of a.rings) await a.startRing(index, bases[index]);
  }

  it('[utest->req~vhost.ring-states~1] features without the bit of the protocol features enable all rings at once', async () => {
    await prepare();
    await startAll();
    await a.frontEnd.setU64(Request.SET_FEATURES, a.frontEnd.offered & ~PROTOCOL_FEATURES);
    await assertTalk();
  });

  it('[utest->req~vhost.ring-states~1] a front-end that knows no protocol features need not enable its rings', async () => {
    const guest = await suite.fresh(a, 'a');
    a = guest;
    const { frontEnd, ram } = a;
    await frontEnd.getU64(Request.GET_FEATURES);
    await frontEnd.tell(Request.SET_OWNER);
    await frontEnd.tell(Request.SET_FEATURES, u64(VERSION_1));
    await frontEnd.tell(Request.SET_MEM_TABLE, ram.table, ram.descriptors);
    for (const { index } of a.rings) await a.startRing(index);
    a.port.supply();
    await frontEnd.assertUsable();
    await assertTalk();
  });

  it('[utest->req~vhost.ring-states~1] a kick message without a descriptor starts a ring that is polled', async () => {
    await prepare();
    for (const { index } of a.rings) {
      await a.enable(index);
      await a.frontEnd.setU64(Request.SET_VRING_KICK, index | NO_DESCRIPTOR);
    }
    await assertTalk();
  });

  it('[utest->req~vhost.ring-states~1] buffers that were there before the start are used', async () => {
    await prepare();
    for (const { index } of a.rings) await a.enable(index);
    assert.ok(a.port.send(toB(3)));
    await startAll();
    assert.deepEqual(await b.receives(1), [toB(3)]);
  });

  it('[utest->req~vhost.ring-stopped~1] a ring whose index was asked for is left alone from the answer on', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
    for (const { index } of a.rings) a.ring(index).called();
    const bases = [await a.frontEnd.base(RECEIVE), await a.frontEnd.base(TRANSMIT)];
    assert.deepEqual(bases, [5, 5]);
    a.port.send(toB(9));
    await assertUntouched();
    for (const { index } of a.rings) assert.equal(a.ring(index).called(), 0, 'nor is it called');
    assert.equal(await a.frontEnd.base(TRANSMIT), 5, 'nor does its index move');
  });

  it('[utest->req~vhost.ring-stopped~1] one ring stops, and the other goes on', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
    await a.frontEnd.base(RECEIVE);
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
    const { usedIndex } = a.port.receive.ring;
    b.port.send(toA(1));
    await pause(LONG_MS);
    assert.equal(a.port.receive.ring.usedIndex, usedIndex);
  });

  it('[utest->req~vhost.ring-stopped~1] stopped under load, a ring changes nothing behind its answer', async () => {
    for (let round = 0; round < 10; round++) {
      await qemuStart(a);
      a.port.supply();
      const { receive } = a.port;
      for (let n = 0; n < 20; n++) assert.ok(b.port.send(toA(n)));
      await within(2000, () => (receive.ring.usedIndex > 0 ? true : undefined));
      await a.frontEnd.base(TRANSMIT);
      const base = await a.frontEnd.base(RECEIVE);
      const before = a.ram.snapshot();
      assert.equal(base, receive.ring.usedIndex, 'what was taken was used');
      await pause(5);
      assert.ok(a.ram.snapshot().equals(before), `round ${round}`);
      const { ring } = b.port.transmit;
      assert.ok(await within(2000, () => ring.usedIndex === ring.availIndex || undefined));
      a.renew();
    }
  });
});
