/** Kick and call descriptors: how a back-end that polls tells a driver of used buffers. */
import { strict as assert } from 'node:assert';
import { closeDescriptor, createEventFd, readCounter } from '../../src/host/descriptors.ts';
import { pause, within } from '../support/vhost/connection.ts';
import { NO_DESCRIPTOR, Request, u32, u64 } from '../support/vhost/message.ts';
import { EVENT_IDX, MAC, type NetGuest, VERSION_1 } from '../support/vhost/net-guest.ts';
import { qemuStart } from '../support/vhost/sequences.ts';
import { BASIC } from '../support/vhost/gateway-host.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const QUIET_MS = 40;
const RECEIVE = 0;
const TRANSMIT = 1;
const NO_INTERRUPT = 1;
const NO_NOTIFY = 1;

describe('vhost-user notifications', () => {
  const suite = vhostSuite([
    { id: 'a', offer: [...BASIC, 'VIRTIO_RING_F_EVENT_IDX'] },
    { id: 'b' },
  ]);
  let a: NetGuest;
  let b: NetGuest;

  async function begin(wanted = VERSION_1 | MAC): Promise<void> {
    b = await suite.running('b', 'qemu');
    a = await suite.running('a', 'qemu', { wanted });
    await pause(QUIET_MS);
    for (const { called } of a.rings) called();
  }

  async function toA(count = 3): Promise<void> {
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, count);
  }

  async function toB(count = 3): Promise<void> {
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, count);
  }

  function event(): number {
    const descriptor = createEventFd();
    suite.atEnd(() => closeDescriptor(descriptor));
    return descriptor;
  }

  async function counted(descriptor: number): Promise<number> {
    return (await within(2000, () => readCounter(descriptor) || undefined)) ?? 0;
  }

  it('[utest->req~vhost.notification~1] each ring is called through its own descriptor', async () => {
    await begin();
    await toA();
    assert.ok((await a.called(RECEIVE)) >= 1);
    await pause(QUIET_MS);
    assert.equal(a.ring(TRANSMIT).called(), 0);
    a.ring(RECEIVE).called();
    await toB();
    assert.ok((await a.called(TRANSMIT)) >= 1);
    await pause(QUIET_MS);
    assert.equal(a.ring(RECEIVE).called(), 0);
  });

  it('[utest->req~vhost.notification~1] a driver that wants no interrupts is not called', async () => {
    await begin();
    for (const { ring } of [a.port.receive, a.port.transmit]) ring.setAvailFlags(NO_INTERRUPT);
    await toA();
    await toB();
    await pause(QUIET_MS);
    assert.deepEqual(
      a.rings.map(({ called }) => called()),
      [0, 0],
    );
  });

  it('[utest->req~vhost.notification~1] with event indices a driver is called when its index is passed, and no sooner', async () => {
    await begin(VERSION_1 | MAC | EVENT_IDX);
    const { ring } = a.port.receive;
    ring.setUsedEvent(ring.usedIndex + 4);
    await toA(4);
    await pause(QUIET_MS);
    assert.equal(a.ring(RECEIVE).called(), 0);
    await toA(1);
    assert.ok((await a.called(RECEIVE)) >= 1);
  });

  it('[utest->req~vhost.notification~1] a back-end that polls asks for no kicks', async () => {
    await begin();
    assert.equal(a.port.transmit.ring.usedFlags, NO_NOTIFY);
    await toB();
    assert.equal(a.port.transmit.ring.usedFlags, NO_NOTIFY);
  });

  it('[utest->req~vhost.notification~1] a kick does no harm', async () => {
    await begin();
    for (let n = 0; n < 100; n++) a.kick(n % 2);
    await toB();
    await toA();
  });

  it('[utest->req~vhost.notification~1] a call descriptor for a ring that runs is written once, in case a call was lost', async () => {
    await begin();
    const descriptor = event();
    await a.frontEnd.setU64(Request.SET_VRING_CALL, RECEIVE, [descriptor]);
    assert.equal(await counted(descriptor), 1);
    await pause(QUIET_MS);
    assert.equal(readCounter(descriptor), 0);
  });

  it('[utest->req~vhost.notification~1] a call descriptor for a ring that does not run is not written', async () => {
    a = await suite.guest('a');
    const descriptor = event();
    await a.frontEnd.tell(Request.SET_VRING_CALL, u64(RECEIVE), [descriptor]);
    await a.frontEnd.assertUsable();
    await pause(QUIET_MS);
    assert.equal(readCounter(descriptor), 0);
  });

  it('[utest->req~vhost.notification~1] another call descriptor takes the place of the one before, while the ring runs', async () => {
    await begin();
    for (let n = 0; n < 5; n++) {
      const old = a.ring(RECEIVE).call;
      const descriptor = event();
      await a.frontEnd.setU64(Request.SET_VRING_CALL, RECEIVE, [descriptor]);
      await counted(descriptor);
      readCounter(old);
      await toA();
      assert.ok((await counted(descriptor)) >= 1);
      assert.equal(readCounter(old), 0);
      a.ring(RECEIVE).call = descriptor;
    }
  });

  it('[utest->req~vhost.notification~1] a driver that polls has no call descriptor', async () => {
    await begin();
    await a.frontEnd.setU64(Request.SET_VRING_CALL, RECEIVE | NO_DESCRIPTOR);
    await a.frontEnd.setU64(Request.SET_VRING_CALL, TRANSMIT | NO_DESCRIPTOR);
    for (const { called } of a.rings) called();
    await toA();
    await toB();
    await pause(QUIET_MS);
    assert.deepEqual(
      a.rings.map(({ called }) => called()),
      [0, 0],
    );
  });

  it('[utest->req~vhost.notification~1] a call descriptor may be a socket, and is written in whole counters', async () => {
    await begin();
    const theirs = a.callBySocket(RECEIVE);
    await a.frontEnd.setU64(Request.SET_VRING_CALL, RECEIVE, [theirs]);
    assert.equal(await a.called(RECEIVE), 8);
    await toA();
    assert.equal(await a.called(RECEIVE), 8);
  });

  it('[utest->req~vhost.ring-stopped~1] a ring that has stopped is not called, nor one that starts again before it works', async () => {
    await begin();
    await toA();
    const bases = [await a.frontEnd.base(RECEIVE), await a.frontEnd.base(TRANSMIT)];
    for (const { called } of a.rings) called();
    await pause(QUIET_MS);
    assert.deepEqual(
      a.rings.map(({ called }) => called()),
      [0, 0],
    );
    a.port.receive.rewind(bases[RECEIVE]!);
    a.port.transmit.rewind(bases[TRANSMIT]!);
    await a.frontEnd.set(Request.SET_VRING_ENABLE, u32(RECEIVE, 1));
    await qemuStart(a, bases);
    a.port.supply();
    await toA();
    await a.called(RECEIVE);
  });
});
