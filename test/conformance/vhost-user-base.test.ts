/** The index of a ring over its stops: SET_VRING_BASE, GET_VRING_BASE, status and reset. */
import { strict as assert } from 'node:assert';
import { pause } from '../support/vhost/connection.ts';
import { packet } from '../support/vhost/guest-port.ts';
import { Request, u32 } from '../support/vhost/message.ts';
import type { NetGuest } from '../support/vhost/net-guest.ts';
import { qemuConnect, qemuStart } from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const RECEIVE = 0;
const TRANSMIT = 1;

describe('vhost-user ring index', () => {
  const suite = vhostSuite([{ id: 'a' }, { id: 'b' }]);
  let a: NetGuest;
  let b: NetGuest;

  beforeEach(async () => {
    b = await suite.running('b', 'qemu');
    a = await suite.guest('a');
    await qemuConnect(a);
  });

  async function assertTalk(count = 5): Promise<void> {
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, count);
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, count);
  }

  /** Both rings as if they had run until this index. */
  function wind(index: number): void {
    for (const { ring } of [a.port.receive, a.port.transmit]) ring.setUsedIndex(index);
    a.port.receive.rewind(index);
    a.port.transmit.rewind(index);
  }

  for (const index of [1, 63, 64, 32767, 65530, 65535]) {
    it(`[utest->req~vhost.base~1] a ring starts at index ${index}, and goes on from there`, async () => {
      wind(index);
      await qemuStart(a, [index, index]);
      a.port.supply();
      await assertTalk(10);
      const next = (index + 10) & 0xffff;
      assert.equal(await a.frontEnd.base(RECEIVE), next);
      assert.equal(await a.frontEnd.base(TRANSMIT), next);
      assert.equal(a.port.receive.ring.usedIndex, next);
    });
  }

  it('[utest->req~vhost.base~1] a front-end that says 0 for rings that have run goes on behind the last used', async () => {
    wind(1234);
    await qemuStart(a, [0, 0]);
    a.port.supply();
    await assertTalk(10);
    assert.equal(await a.frontEnd.base(TRANSMIT), 1244);
  });

  it('[utest->req~vhost.base~1] a ring that was never set up has index 0', async () => {
    assert.equal(await a.frontEnd.base(RECEIVE), 0);
    assert.equal(await a.frontEnd.base(TRANSMIT), 0);
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
  });

  it('[utest->req~vhost.base~1] an index that was set is returned by a ring that was not started', async () => {
    await a.frontEnd.setState(Request.SET_VRING_BASE, TRANSMIT, 77);
    assert.equal(await a.frontEnd.base(TRANSMIT), 77);
  });

  it('[utest->req~vhost.base~1] the index survives a status of 0 before it is asked for', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk(9);
    await a.frontEnd.setU64(Request.SET_STATUS, 0);
    assert.equal(await a.frontEnd.base(RECEIVE), 9);
    assert.equal(await a.frontEnd.base(TRANSMIT), 9);
  });

  it('[utest->req~vhost.status~1] a status of 0 stops all rings', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
    await a.frontEnd.setU64(Request.SET_STATUS, 0);
    const before = a.ram.snapshot();
    b.port.send(packet(suite.host.mac('a'), suite.host.mac('b'), 1));
    await pause(40);
    assert.ok(a.ram.snapshot().equals(before));
    assert.equal(await a.frontEnd.getU64(Request.GET_STATUS), 0n);
  });

  it('[utest->req~vhost.status~1] a device that is reset has stopped, and starts anew on the same connection', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
    await a.frontEnd.set(Request.RESET_DEVICE);
    const before = a.ram.snapshot();
    b.port.send(packet(suite.host.mac('a'), suite.host.mac('b'), 1));
    await pause(40);
    assert.ok(a.ram.snapshot().equals(before));
    assert.equal(await a.frontEnd.getU64(Request.GET_STATUS), 0n);
    a.renew();
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
  });

  it('[utest->req~vhost.status~1] the status is what was set, bit by bit', async () => {
    assert.equal(await a.frontEnd.getU64(Request.GET_STATUS), 0n);
    await a.frontEnd.setU64(Request.SET_FEATURES, a.frontEnd.offered);
    for (const status of [1, 3, 11]) {
      await a.frontEnd.setU64(Request.SET_STATUS, status);
      assert.equal(await a.frontEnd.getU64(Request.GET_STATUS), BigInt(status));
    }
  });

  it('[utest->req~vhost.ring-states~1] the message that once reset an owner does no harm', async () => {
    await qemuStart(a);
    a.port.supply();
    await assertTalk();
    await a.frontEnd.set(Request.RESET_OWNER);
    await a.frontEnd.assertUsable();
    for (const { index } of a.rings) await a.frontEnd.set(Request.SET_VRING_ENABLE, u32(index, 1));
    await assertTalk();
  });
});
