/** A guest with a GPU over vhost-user, driven as QEMU drives it: what it draws is what its front-end is shown. */
import { strict as assert } from 'node:assert';
import { openDescriptors } from '../../src/host/descriptors.ts';
import { pause, within } from '../support/vhost/connection.ts';
import { Tell } from '../support/vhost/display-double.ts';
import { Gpu, type GpuGuest, RING_RESET } from '../support/vhost/gpu-guest.ts';
import { gpuSuite } from '../support/vhost/gpu-host.ts';
import {
  configAccess,
  PROTOCOL_FEATURES,
  ProtocolBit,
  Request,
  u64,
} from '../support/vhost/message.ts';
import { negotiateProtocol, qemuAttach } from '../support/vhost/sequences.ts';
import { FrontEnd } from '../support/vhost/front-end.ts';

const WIDTH = 320;
const HEIGHT = 240;
const ALL = [0, 0, WIDTH, HEIGHT] as const;
const EVERYTHING = 2n ** 64n - 1n;
const VERSION_1 = 1n << 32n;

/** A picture in which every pixel is different. */
function pattern(width: number, height: number, seed: number): Uint32Array {
  return Uint32Array.from({ length: width * height }, (_, n) => (seed << 20) | n);
}

describe('vhost-user: a guest with a GPU', () => {
  const { host } = gpuSuite();

  /** A guest whose scanout shows a picture of its own. */
  async function drawing(partition = 'a', seed = 1): Promise<{ guest: GpuGuest; pixels: number }> {
    const guest = await host().guest(partition);
    await guest.run();
    const pixels = await guest.create(1, WIDTH, HEIGHT);
    guest.paint(pixels, pattern(WIDTH, HEIGHT, seed));
    await guest.show(0, 1, ALL);
    await guest.flush(1, ALL, WIDTH);
    return { guest, pixels };
  }

  describe('before it runs', () => {
    it('[utest->req~vhost.features~1] exactly the protocol features of a GPU are offered', async () => {
      const a = await FrontEnd.served(host().socket('a'));
      const bits = [
        ...[ProtocolBit.MQ, ProtocolBit.REPLY_ACK, ProtocolBit.BACKEND_REQ, ProtocolBit.CONFIG],
        ...[ProtocolBit.RESET_DEVICE, ProtocolBit.CONFIGURE_MEM_SLOTS, ProtocolBit.STATUS],
      ];
      const offered = await a.getU64(Request.GET_PROTOCOL_FEATURES);
      assert.equal(
        offered,
        bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n),
      );
      a.close();
    });

    it('[utest->req~vhost.net-messages~1] queues are counted one by one', async () => {
      const guest = await host().guest('a');
      await qemuAttach(guest);
      assert.equal(await guest.frontEnd.getU64(Request.GET_QUEUE_NUM), 2n);
    });

    it('[utest->req~vhost.gpu-features~1] RING_RESET is taken although it was not offered, and no other bit', async () => {
      const guest = await host().guest('a');
      const { frontEnd } = guest;
      await qemuAttach(guest);
      assert.equal(frontEnd.offered & RING_RESET, 0n);
      const taken = (bits: bigint) =>
        frontEnd.acknowledged({ request: Request.SET_FEATURES, payload: u64(bits) });
      const honest = VERSION_1 | PROTOCOL_FEATURES;
      assert.equal(await taken(honest | RING_RESET), true);
      for (let bit = 0n; bit < 64n; bit++) {
        const one = 1n << bit;
        if (one === RING_RESET || ((frontEnd.offered | honest) & one) !== 0n) continue;
        assert.equal(await taken(honest | one), false, `bit ${bit}`);
        assert.equal(await taken(honest | one | RING_RESET), false, `bit ${bit} with RING_RESET`);
      }
    });

    it('[utest->req~vhost.config~1] the configuration says how many scanouts there are', async () => {
      for (const [partition, scanouts] of [
        ['a', 1],
        ['b', 2],
      ] as const) {
        const guest = await host().guest(partition);
        await qemuAttach(guest);
        const reply = await guest.frontEnd.get(Request.GET_CONFIG, configAccess(0, 16));
        const words = [0, 4, 8, 12].map((at) => reply.readUInt32LE(12 + at));
        assert.deepEqual(words, [0, 0, scanouts, 0]);
        guest.end();
      }
    });

    it('[utest->req~vhost.config~1] events may be cleared, alone or with all that is there; nothing else may be written', async () => {
      const guest = await host().guest('a');
      const { frontEnd } = guest;
      await qemuAttach(guest);
      const written = (offset: number, size: number, flags = 0) =>
        frontEnd.acknowledged({
          request: Request.SET_CONFIG,
          payload: configAccess(offset, size, { flags, bytes: Buffer.alloc(size, 0xff) }),
        });
      assert.equal(await written(4, 4), true);
      assert.equal(await written(0, 16), true, 'QEMU writes everything');
      const before = await frontEnd.get(Request.GET_CONFIG, configAccess(0, 16));
      assert.equal(before.readUInt32LE(12 + 8), 1, 'and only that field is taken');
      assert.equal(await written(0, 16, 1), false, 'a migration');
      const wrong = [
        [0, 4],
        [8, 4],
        [8, 8],
        [4, 2],
        [6, 4],
        [16, 4],
        [0, 0],
        [0xffffffff, 4],
        [252, 8],
      ] as const;
      for (const [offset, size] of wrong) {
        assert.equal(await written(offset, size), false, `${size} bytes at ${offset}`);
      }
      await frontEnd.assertUsable();
    });

    it('[utest->req~vhost.net-messages~1] messages for a network device are refused', async () => {
      const guest = await host().guest('a');
      await negotiateProtocol(guest.frontEnd, EVERYTHING);
      for (const request of [Request.SEND_RARP, Request.NET_SET_MTU]) {
        const payload = u64(1500);
        assert.equal(await guest.frontEnd.acknowledged({ request, payload }), false);
      }
    });
  });

  describe('draws', () => {
    it('[utest->req~vhost.gpu-updates~1] and its display shows it, pixel for pixel', async () => {
      const { guest, pixels } = await drawing();
      await guest.display!.shows(0, WIDTH, pattern(WIDTH, HEIGHT, 1));
      const known = guest.display!.told.length;
      const next = pattern(WIDTH, HEIGHT, 1);
      next.fill(0xabcdef, 10 * WIDTH + 5, 10 * WIDTH + 12);
      guest.paint(pixels, next);
      await guest.flush(1, [5, 10, 7, 1], WIDTH);
      await guest.display!.shows(0, WIDTH, next);
      const told = guest.display!.told.slice(known).map(({ words }) => words);
      assert.deepEqual(told, [[0, 5, 10, 7, 1]], 'what changed, and nothing else');
    });

    it('[utest->req~vhost.gpu-updates~1] on every scanout its own, with a cursor', async () => {
      const guest = await host().guest('b');
      const display = await guest.run();
      for (const [scanout, width, height] of [
        [0, 160, 120],
        [1, 128, 96],
      ] as const) {
        const id = scanout + 1;
        guest.paint(await guest.create(id, width, height), pattern(width, height, id));
        await guest.show(scanout, id, [0, 0, width, height]);
        await guest.flush(id, [0, 0, width, height], width);
      }
      await display.shows(0, 160, pattern(160, 120, 1));
      await display.shows(1, 128, pattern(128, 96, 2));
      guest.paint(await guest.create(3, 64, 64, Gpu.FORMAT_BGRA), pattern(64, 64, 3));
      const transfer = [0, 0, 64, 64, 0, 0, 3, 0];
      await guest.succeed(Gpu.TRANSFER_TO_HOST_2D, transfer);
      await guest.cursor(1, 3, 5, 6, [1, 2]);
      await display.until(() => display.cursors.has(1), 'the cursor');
      const { x, y, visible, hot, pixels } = display.cursors.get(1)!;
      assert.deepEqual([x, y, visible, hot], [5, 6, true, [1, 2]]);
      assert.deepEqual(pixels, pattern(64, 64, 3));
      await guest.succeed(Gpu.MOVE_CURSOR, [1, 9, 8, 0, 0, 0, 0, 0], 1);
      await display.until(() => display.cursors.get(1)!.x === 9, 'it moves');
      await guest.cursor(1, 0, 0, 0, [0, 0]);
      await display.until(() => !display.cursors.get(1)!.visible, 'it is hidden');
    });

    it('[utest->req~vhost.gpu-channel~1] and goes on where it was, when it was paused: another channel, the same picture', async () => {
      const { guest } = await drawing();
      await guest.display!.shows(0, WIDTH, pattern(WIDTH, HEIGHT, 1));
      const lines = host().trouble('a').length;
      for (let n = 0; n < 3; n++) {
        const bases = await guest.stop();
        assert.deepEqual(bases, [5 + n, 0], 'commands answered so far');
        await guest.start(bases);
        await guest.display!.shows(0, WIDTH, pattern(WIDTH, HEIGHT, 1));
        await guest.succeed(Gpu.RESOURCE_FLUSH, [...ALL, 1, 0]);
      }
      assert.equal(host().trouble('a').length, lines);
    });

    it('[utest->req~vhost.gpu-channel~1] and a channel in place of another closes that one', async () => {
      const { guest } = await drawing();
      const old = guest.display!;
      await old.shows(0, WIDTH, pattern(WIDTH, HEIGHT, 1));
      guest.display = undefined;
      const display = await guest.handDisplayOver();
      await display.shows(0, WIDTH, pattern(WIDTH, HEIGHT, 1));
      await old.until(() => old.ended, 'the old one is closed');
      old.close();
    });

    it('[utest->req~vhost.reconnect~1] and the next guest after one that was killed sees nothing of it', async () => {
      const { guest } = await drawing('a', 5);
      await guest.display!.shows(0, WIDTH, pattern(WIDTH, HEIGHT, 5));
      guest.end();
      const next = await host().guest('a');
      const display = await next.run();
      await pause(100);
      display.read();
      assert.equal(display.count(Tell.SCANOUT) + display.count(Tell.UPDATE), 0);
      const answer = await next.command(Gpu.RESOURCE_FLUSH, [...ALL, 1, 0]);
      assert.notEqual(answer.readUInt32LE(0), Gpu.OK_NODATA, 'its resources are gone');
      next.paint(await next.create(1, WIDTH, HEIGHT), pattern(WIDTH, HEIGHT, 6));
      await next.show(0, 1, ALL);
      await next.flush(1, ALL, WIDTH);
      await display.shows(0, WIDTH, pattern(WIDTH, HEIGHT, 6));
    });

    it('[utest->req~vhost.descriptor-ownership~1] and leaves no descriptor behind', async () => {
      const ended = await host().guest('a');
      ended.end();
      await pause(50);
      const before = openDescriptors();
      for (let n = 0; n < 3; n++) {
        const { guest } = await drawing('a', n);
        await guest.display!.shows(0, WIDTH, pattern(WIDTH, HEIGHT, n));
        await guest.handDisplayOver();
        guest.end();
      }
      const back = await within(5000, () => (openDescriptors() <= before ? true : undefined));
      assert.ok(back, `${openDescriptors()} descriptors instead of ${before}`);
    });
  });
});
