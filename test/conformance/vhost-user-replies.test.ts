/** Replies and acknowledgements: their request, flags, size and number, for every honest message. */
import { strict as assert } from 'node:assert';
import {
  configAccess,
  HeaderFlag,
  type Outgoing,
  PROTOCOL_FEATURES,
  Request,
  requestName,
  singleRegion,
  u32,
  u64,
} from '../support/vhost/message.ts';
import { type NetGuest, VERSION_1 } from '../support/vhost/net-guest.ts';
import { negotiateProtocol } from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const NEED_REPLY = HeaderFlag.VERSION | HeaderFlag.NEED_REPLY;
const ALL = 2n ** 64n - 1n;
/** Replies are awaited by a front-end that does nothing else meanwhile. */
const REPLY_WITHIN_MS = 1000;

/** Requests that have a reply of their own, with its size. */
const QUESTIONS: readonly (readonly [number, Buffer | undefined, number])[] = [
  [Request.GET_FEATURES, undefined, 8],
  [Request.GET_PROTOCOL_FEATURES, undefined, 8],
  [Request.GET_QUEUE_NUM, undefined, 8],
  [Request.GET_MAX_MEM_SLOTS, undefined, 8],
  [Request.GET_STATUS, undefined, 8],
  [Request.GET_CONFIG, configAccess(0, 6), 18],
  [Request.GET_VRING_BASE, u32(0, 0), 8],
  [Request.GET_VRING_BASE, u32(1, 0), 8],
];

describe('vhost-user replies', () => {
  const suite = vhostSuite([{ id: 'a' }, { id: 'b' }]);

  async function negotiated(): Promise<NetGuest> {
    const guest = await suite.guest('a');
    await negotiateProtocol(guest.frontEnd, ALL);
    return guest;
  }

  /** A life of a device in messages that have no reply of their own. */
  function commands(guest: NetGuest): Outgoing[] {
    const { ram } = guest;
    const [region] = ram.regions;
    const moved = { ...region!, guest: region!.guest + 2 ** 32, user: region!.user + 2 ** 32 };
    const perRing = guest.rings.flatMap(({ index, double, kick, call, error }) => [
      { request: Request.SET_VRING_NUM, payload: u32(index, double.size) },
      { request: Request.SET_VRING_BASE, payload: u32(index, 0) },
      { request: Request.SET_VRING_ADDR, payload: guest.addresses(index) },
      { request: Request.SET_VRING_CALL, payload: u64(index), descriptors: [call] },
      { request: Request.SET_VRING_ERR, payload: u64(index), descriptors: [error] },
      { request: Request.SET_VRING_KICK, payload: u64(index), descriptors: [kick] },
      { request: Request.SET_VRING_ENABLE, payload: u32(index, 1) },
    ]);
    return [
      { request: Request.SET_OWNER },
      { request: Request.SET_FEATURES, payload: u64(VERSION_1 | PROTOCOL_FEATURES) },
      { request: Request.SET_STATUS, payload: u64(11) },
      { request: Request.SET_MEM_TABLE, payload: ram.table, descriptors: ram.descriptors },
      ...perRing,
      { request: Request.SET_STATUS, payload: u64(15) },
      { request: Request.SET_VRING_ENABLE, payload: u32(0, 0) },
      { request: Request.RESET_DEVICE },
      { request: Request.REM_MEM_REG, payload: singleRegion(region!) },
      { request: Request.ADD_MEM_REG, payload: singleRegion(moved), descriptors: [ram.descriptor] },
      { request: Request.RESET_OWNER },
    ];
  }

  it('[utest->req~vhost.replies~1] every request with a reply gets one of its own number, flags and size', async () => {
    const { frontEnd } = await negotiated();
    for (const [request, payload, bytes] of QUESTIONS) {
      assert.equal((await frontEnd.get(request, payload)).length, bytes, requestName(request));
    }
    await frontEnd.assertUsable();
  });

  it('[utest->req~vhost.replies~1] a request with a reply gets no second answer when it needs one', async () => {
    const { frontEnd } = await negotiated();
    for (const [request, payload, bytes] of QUESTIONS) {
      assert.equal((await frontEnd.get(request, payload, NEED_REPLY)).length, bytes);
      await frontEnd.assertUsable();
    }
  });

  it('[utest->req~vhost.reply-ack~1] every message that needs a reply gets exactly one, of zero', async () => {
    const guest = await negotiated();
    for (const message of commands(guest)) {
      assert.ok(await guest.frontEnd.acknowledged(message), requestName(message.request));
    }
    await guest.frontEnd.assertUsable();
  });

  it('[utest->req~vhost.reply-ack~1] a message that needs no reply gets none', async () => {
    const guest = await negotiated();
    for (const message of commands(guest)) await guest.frontEnd.connection.send(message);
    await guest.frontEnd.assertUsable();
  });

  it('[utest->req~vhost.reply-ack~1] messages that are sent at once are answered in their order', async () => {
    const guest = await negotiated();
    const sent = commands(guest);
    for (const message of sent)
      await guest.frontEnd.connection.send({ ...message, flags: NEED_REPLY });
    for (const { request } of sent) {
      const { payload } = await guest.frontEnd.reply(request);
      assert.equal(payload.readBigUInt64LE(), 0n, requestName(request));
    }
    await guest.frontEnd.assertUsable();
  });

  it('[utest->req~vhost.replies~1] questions between commands are answered in their place', async () => {
    const guest = await negotiated();
    const sent = commands(guest);
    for (const message of sent) {
      await guest.frontEnd.connection.send(message);
      await guest.frontEnd.connection.send({ request: Request.GET_STATUS });
    }
    const statuses: bigint[] = [];
    for (const _ of sent)
      statuses.push((await guest.frontEnd.reply(Request.GET_STATUS)).payload.readBigUInt64LE());
    const set = sent.findIndex(({ request }) => request === Request.SET_STATUS);
    assert.ok(statuses.slice(0, set).every((status) => status === 0n));
    assert.equal(statuses[set], 11n);
  });

  it('[utest->req~vhost.replies~1] a reply comes soon, also while the data plane has to act', async () => {
    const guest = await suite.running('a', 'qemu');
    for (let n = 0; n < 5; n++) {
      await guest.frontEnd.connection.send({ request: Request.GET_VRING_BASE, payload: u32(0, 0) });
      const message = await guest.frontEnd.connection.next(REPLY_WITHIN_MS);
      assert.notEqual(message, 'silence');
      await guest.startRing(0, 0);
    }
  });
});
