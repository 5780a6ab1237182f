/** Network front-ends as they are: the message orders of QEMU, DPDK virtio-user and user-mode Linux. */
import { strict as assert } from 'node:assert';
import { pause } from '../support/vhost/connection.ts';
import { Request, u32 } from '../support/vhost/message.ts';
import type { NetGuest } from '../support/vhost/net-guest.ts';
import {
  CLIENTS,
  qemuStart,
  qemuStop,
  start,
  stop,
  umlDriverStart,
  umlDriverStop,
} from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

describe('vhost-user front-ends', () => {
  const suite = vhostSuite([
    { id: 'a', unsealed: 'accept' },
    { id: 'b', unsealed: 'accept' },
  ]);

  async function assertTalk(a: NetGuest, b: NetGuest, count = 5): Promise<void> {
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, count);
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, count);
  }

  for (const client of CLIENTS) {
    it(`[utest->req~vhost.clients~1] ${client}: a pair starts, talks both ways, and is called`, async () => {
      const a = await suite.running('a', client);
      const b = await suite.running('b', client);
      await assertTalk(a, b, 20);
      for (const guest of [a, b]) for (const { index } of guest.rings) await guest.called(index);
    });

    it(`[utest->req~vhost.clients~1] ${client}: a guest stops, and the next one talks`, async () => {
      const b = await suite.running('b', 'qemu');
      for (let life = 0; life < 3; life++) {
        const a = await suite.running('a', client);
        await assertTalk(a, b);
        await stop(client, a);
        await a.frontEnd.assertUsable();
        a.end();
      }
    });
  }

  for (const version of [7, 10] as const) {
    it(`[utest->req~vhost.base~1] qemu ${version}: rings that stop are asked for their index and continue there`, async () => {
      const a = await suite.running('a', 'qemu');
      const b = await suite.running('b', 'qemu');
      await assertTalk(a, b, 7);
      const { receive, transmit } = a.port;
      assert.deepEqual(await qemuStop(a, version), [7, 7]);
      receive.rewind(7);
      transmit.rewind(7);
      await qemuStart(a, [7, 7]);
      a.port.supply();
      await assertTalk(a, b, 3);
      assert.equal(transmit.ring.usedIndex, 10);
    });
  }

  it('[utest->req~vhost.clients~1] uml: a driver that is loaded again finds its device, on the same connection', async () => {
    const a = await suite.running('a', 'uml');
    const b = await suite.running('b', 'qemu');
    await assertTalk(a, b);
    await umlDriverStop(a);
    a.renew();
    await umlDriverStart(a);
    a.port.supply();
    await assertTalk(a, b);
  });

  it('[utest->req~vhost.clients~1] dpdk: memory that is added while rings are disabled is used from then on', async () => {
    const half = 2 ** 18;
    const regions = [
      { guest: 0x7f00_0000_0000, user: 0x7f00_0000_0000, offset: 0, size: half },
      { guest: 0x7f80_0000_0000, user: 0x7f80_0000_0000, offset: half, size: half },
    ];
    const a = await suite.guest('a', { regions, tableRegions: 1 });
    const b = await suite.running('b', 'dpdk');
    await start('dpdk', a);
    a.port.supply();
    await assertTalk(a, b);
    for (const index of [0, 1]) await a.frontEnd.tell(Request.SET_VRING_ENABLE, u32(index, 0));
    a.ram.tableRegions = 2;
    await a.frontEnd.set(Request.SET_MEM_TABLE, a.ram.table, a.ram.descriptors);
    for (const index of [0, 1]) await a.enable(index);
    a.port.moveBuffers(a.ram, half);
    await assertTalk(a, b, 20);
  });

  it('[utest->req~vhost.reconnect~1] qemu: a front-end that connects again continues its rings where their used index is', async () => {
    const b = await suite.running('b', 'qemu');
    const a = await suite.running('a', 'qemu');
    await assertTalk(a, b, 6);
    const again = await a.reconnected(suite.host.socket('a'));
    suite.atEnd(() => again.end());
    await start('qemu', again, [6, 6]);
    await assertTalk(again, b, 6);
  });

  it('[utest->req~vhost.clients~1] a pair of different front-ends talks', async () => {
    const a = await suite.running('a', 'uml');
    const b = await suite.running('b', 'dpdk');
    await pause(10);
    await assertTalk(a, b, 10);
  });
});
