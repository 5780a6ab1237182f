/** Configuration space, queue pairs, MTU and announcements over vhost-user. */
import { strict as assert } from 'node:assert';
import { within } from '../support/vhost/connection.ts';
import type { FrontEnd } from '../support/vhost/front-end.ts';
import { BASIC } from '../support/vhost/gateway-host.ts';
import { packet } from '../support/vhost/guest-port.ts';
import { configAccess, HeaderFlag, Request, u64, type Wide } from '../support/vhost/message.ts';
import { VERSION_1 } from '../support/vhost/net-guest.ts';
import { giveMemory, qemuConnect, qemuStart, start } from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const MTU = 1400;
const PAIRS = 2;
/** The configuration of a network device: address, status, pairs, MTU. */
const CONFIG_BYTES = 12;
const LINK_UP = 1;
const BROADCAST = new Array<number>(6).fill(0xff);
const CONFIG_CHANGE = 2;
const MQ = 1n << 22n;

describe('vhost-user configuration', () => {
  const suite = vhostSuite([
    {
      id: 'a',
      queuePairs: PAIRS,
      mtu: MTU,
      offer: [
        ...BASIC,
        'VIRTIO_NET_F_MQ',
        'VIRTIO_NET_F_CTRL_VQ',
        'VIRTIO_NET_F_MTU',
        'VIRTIO_NET_F_STATUS',
      ],
    },
    { id: 'b' },
  ]);

  async function config(a: FrontEnd, offset: number, size: number): Promise<Buffer> {
    const reply = await a.get(Request.GET_CONFIG, configAccess(offset, size));
    assert.equal(reply.length, 12 + size, 'as many bytes as were asked for');
    assert.equal(reply.readUInt32LE(0), offset);
    assert.equal(reply.readUInt32LE(4), size);
    return reply.subarray(12);
  }

  async function taken(a: FrontEnd, request: number, payload: Buffer): Promise<boolean> {
    return a.acknowledged({ request, payload });
  }

  it('[utest->req~vhost.config~1] the configuration space is what the configuration file says', async () => {
    const a = await suite.frontEnd('a');
    const bytes = await config(a, 0, CONFIG_BYTES);
    assert.deepEqual([...bytes.subarray(0, 6)], suite.host.mac('a'));
    assert.equal(bytes.readUInt16LE(6), 0, 'no link leads anywhere yet');
    assert.equal(bytes.readUInt16LE(8), PAIRS);
    assert.equal(bytes.readUInt16LE(10), MTU);
  });

  it('[utest->req~vhost.config~1] every part of the configuration space is read as it is in the whole', async () => {
    const a = await suite.frontEnd('a');
    const whole = await config(a, 0, CONFIG_BYTES);
    for (let offset = 0; offset < CONFIG_BYTES; offset++) {
      for (let size = 1; offset + size <= CONFIG_BYTES; size++) {
        assert.ok((await config(a, offset, size)).equals(whole.subarray(offset, offset + size)));
      }
    }
  });

  it('[utest->req~vhost.config~1] an access that does not end inside the space is answered with nothing', async () => {
    for (const [offset, size] of [
      [0, 257],
      [256, 1],
      [255, 2],
      [0xffffffff, 1],
      [0xffffffff, 2],
      [0xfffffff0, 32],
    ] as const) {
      const a = await suite.frontEnd('a');
      const bytes = Buffer.alloc(Math.min(size, 256));
      await a.connection.send({
        request: Request.GET_CONFIG,
        payload: configAccess(offset, size, { bytes }),
      });
      const message = await a.connection.next();
      if (message !== 'closed') {
        assert.ok(typeof message !== 'string');
        assert.equal(message.payload.length, 0, `${offset} ${size}`);
      }
      a.close();
    }
  });

  it('[utest->req~vhost.config~1] read-only fields are not written', async () => {
    const a = await suite.frontEnd('a');
    const before = await config(a, 0, CONFIG_BYTES);
    for (const [offset, size] of [
      [0, 6],
      [6, 2],
      [0, CONFIG_BYTES],
      [0xffffffff, 2],
    ] as const) {
      const bytes = Buffer.alloc(size, 0xee);
      assert.equal(
        await taken(a, Request.SET_CONFIG, configAccess(offset, size, { bytes })),
        false,
      );
    }
    assert.ok((await config(a, 0, CONFIG_BYTES)).equals(before));
  });

  it('[utest->req~vhost.config~1] the link comes up with the one at its other end, and the front-end is told', async () => {
    const a = await suite.guest('a');
    await qemuConnect(a);
    const status = async () => (await config(a.frontEnd, 6, 2)).readUInt16LE(0);
    assert.equal(await status(), 0);
    await qemuStart(a);
    const b = await suite.running('b', 'qemu');
    const told = await within(5000, () => {
      const bytes = Buffer.alloc(12);
      const count = a.channel!.receive(bytes, bytes.length, []);
      return count > 0 ? bytes.subarray(0, count) : undefined;
    });
    assert.ok(told, 'a message on the channel of the back-end');
    assert.equal(told.readUInt32LE(0), CONFIG_CHANGE);
    assert.equal(told.readUInt32LE(4) & ~HeaderFlag.NEED_REPLY, HeaderFlag.VERSION);
    assert.equal(told.readUInt32LE(8), 0);
    assert.equal(await status(), LINK_UP);
    b.end();
    const end = performance.now() + 5000;
    while ((await status()) !== 0) assert.ok(performance.now() < end, 'the link goes down');
  });

  it('[utest->req~vhost.net-messages~1] queues are counted in pairs', async () => {
    const a = await suite.frontEnd('a');
    assert.equal(await a.getU64(Request.GET_QUEUE_NUM), BigInt(PAIRS));
    const b = await suite.frontEnd('b');
    assert.equal(await b.getU64(Request.GET_QUEUE_NUM), 1n);
  });

  it('[utest->req~vhost.net-messages~1] every pair that is enabled is served', async () => {
    const b = await suite.running('b', 'qemu');
    // QEMU keeps the control queue to itself: no command ever says how many pairs are in use.
    const a = await suite.running('a', 'qemu', { queuePairs: PAIRS, wanted: VERSION_1 | MQ });
    const sent = packet(suite.host.mac('b'), suite.host.mac('a'), 5);
    assert.ok(a.ports[1]!.send(sent));
    assert.deepEqual(await b.receives(1), [sent]);
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
  });

  it('[utest->req~vhost.net-messages~1] one pair of several is enough', async () => {
    const b = await suite.running('b', 'qemu');
    const a = await suite.running('a', 'qemu');
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b });
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a });
  });

  it('[utest->req~vhost.net-messages~1] an MTU is accepted within the configuration, and refused beyond it', async () => {
    const a = await suite.guest('a', { wanted: 2n ** 64n - 1n });
    await qemuConnect(a);
    await a.frontEnd.setU64(Request.SET_FEATURES, a.frontEnd.offered);
    await giveMemory(a);
    assert.equal(await taken(a.frontEnd, Request.NET_SET_MTU, u64(MTU)), true);
    const wrong: Wide[] = [0, 67, MTU + 1, 65536, 0x1_0000_0000 + MTU, 2n ** 63n, 2n ** 64n - 1n];
    for (const mtu of wrong) {
      assert.equal(await taken(a.frontEnd, Request.NET_SET_MTU, u64(mtu)), false, `MTU ${mtu}`);
    }
    await a.frontEnd.assertUsable();
  });

  it('[utest->req~vhost.net-messages~1] an announcement of the own address is sent, of another one refused', async () => {
    const b = await suite.running('b', 'qemu');
    const a = await suite.guest('a');
    await start('qemu', a);
    const mac = (bytes: readonly number[]) => Buffer.from([...bytes, 0, 0]);
    b.port.received();
    assert.equal(await taken(a.frontEnd, Request.SEND_RARP, mac(suite.host.mac('a'))), true);
    const foreign = mac(suite.host.mac('b'));
    assert.equal(await taken(a.frontEnd, Request.SEND_RARP, foreign), false);
    await a.frontEnd.assertUsable();
    for (const bytes of b.port.received()) {
      assert.deepEqual(bytes.slice(0, 6), BROADCAST);
      assert.deepEqual(bytes.slice(6, 12), suite.host.mac('a'));
      assert.deepEqual(bytes.slice(12, 14), [0x80, 0x35]);
    }
  });
});
