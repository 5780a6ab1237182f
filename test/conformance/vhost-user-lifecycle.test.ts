/** Sockets and connections: who is served, who is refused, and what is left of a connection that ended. */
import { strict as assert } from 'node:assert';
import { existsSync, statSync } from 'node:fs';
import { openDescriptors } from '../../src/host/descriptors.ts';
import { pause, within } from '../support/vhost/connection.ts';
import { FrontEnd } from '../support/vhost/front-end.ts';
import { GatewayHost } from '../support/vhost/gateway-host.ts';
import { packet } from '../support/vhost/guest-port.ts';
import { Request } from '../support/vhost/message.ts';
import { CLIENTS, stop } from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

describe('vhost-user connections', () => {
  const suite = vhostSuite([
    { id: 'a', unsealed: 'accept' },
    { id: 'b', unsealed: 'accept' },
  ]);

  /** As many descriptors as before, as soon as the gateway has seen everybody go. */
  async function assertDescriptors(count: number): Promise<void> {
    const back = await within(5000, () => (openDescriptors() <= count ? true : undefined));
    assert.ok(back, `${openDescriptors()} descriptors instead of ${count}`);
  }

  it('[utest->req~vhost.single-owner~1] a second front-end is refused, and the first one does not notice', async () => {
    const b = await suite.running('b', 'qemu');
    const a = await suite.running('a', 'qemu');
    for (let n = 0; n < 20; n++) {
      const second = FrontEnd.connect(suite.host.socket('a'));
      suite.atEnd(() => second.close());
      if (n % 2 === 1) await second.connection.send({ request: Request.GET_FEATURES });
      await second.assertClosed();
      second.close();
      await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, 2);
    }
    await a.frontEnd.assertUsable();
  });

  it('[utest->req~vhost.single-owner~1] sockets are the owner of the gateway alone', () => {
    assert.equal(statSync(suite.host.socket('a')).mode & 0o777, 0o600);
  });

  it('[utest->req~vhost.reconnect~1] a device is served again after its front-end has gone, at any time', async () => {
    const b = await suite.running('b', 'qemu');
    for (let life = 0; life < 30; life++) {
      const client = CLIENTS[life % 3]!;
      const a = await suite.running('a', client);
      await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, 2);
      await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, 2);
      if (life % 2 === 0) await stop(client, a);
      a.end();
    }
  });

  it('[utest->req~vhost.reconnect~1] memory of a guest that has gone is touched no more', async () => {
    const b = await suite.running('b', 'qemu');
    const a = await suite.running('a', 'qemu');
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
    a.frontEnd.close();
    const next = await FrontEnd.served(suite.host.socket('a'));
    suite.atEnd(() => next.close());
    const before = a.ram.snapshot();
    for (let n = 0; n < 5; n++) b.port.send(packet(suite.host.mac('a'), suite.host.mac('b'), n));
    await pause(40);
    assert.ok(a.ram.snapshot().equals(before));
  });

  it('[utest->req~vhost.reconnect~1] nothing of the front-end before is left to the next one', async () => {
    const first = await suite.running('a', 'qemu');
    first.end();
    const second = await suite.frontEnd('a');
    assert.equal(await second.getU64(Request.GET_STATUS), 0n);
    assert.equal(await second.base(0), 0);
    const { ram } = await suite.guest('b');
    const removed = { request: Request.REM_MEM_REG, payload: ram.single[0]! };
    assert.equal(await second.acknowledged(removed), false, 'the table is empty');
  });

  it('[utest->req~vhost.descriptor-ownership~1] whole lives leave no descriptor behind', async () => {
    const before = openDescriptors();
    for (let life = 0; life < 60; life++) {
      const a = await suite.running('a', CLIENTS[life % 3]!);
      if (life % 2 === 0) await stop(CLIENTS[life % 3]!, a);
      a.end();
    }
    await assertDescriptors(before);
  });

  it('[utest->req~vhost.descriptor-ownership~1] descriptors that others replace are closed', async () => {
    const a = await suite.running('a', 'dpdk');
    const before = openDescriptors();
    for (let n = 0; n < 300; n++) {
      const ring = a.ring(n % 2);
      await a.frontEnd.setU64(Request.SET_VRING_CALL, ring.index, [ring.call]);
      await a.frontEnd.setU64(Request.SET_VRING_ERR, ring.index, [ring.error]);
      await a.frontEnd.set(Request.SET_MEM_TABLE, a.ram.table, a.ram.descriptors);
    }
    // Error descriptors are kept from the first message on.
    assert.ok(openDescriptors() <= before + 2, `${openDescriptors()} instead of ${before}`);
  });

  it('[utest->req~vhost.descriptor-ownership~1] a gateway that stops gives back every descriptor and its sockets', async () => {
    const before = openDescriptors();
    const host = await GatewayHost.start([{ id: 'x' }, { id: 'y' }]);
    const left = await FrontEnd.served(host.socket('x'));
    const socket = host.socket('y');
    assert.ok(existsSync(socket));
    await host.stop();
    assert.equal(existsSync(socket), false);
    await left.assertClosed();
    left.close();
    await assertDescriptors(before);
  });
});
