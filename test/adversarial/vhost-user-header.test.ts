/** Headers, requests and sizes that the protocol does not have, from a front-end of a running guest. */
import { strict as assert } from 'node:assert';
import { within } from '../support/vhost/connection.ts';
import {
  configAccess,
  HeaderFlag,
  inflight,
  ProtocolBit,
  Request,
  requestName,
  u32,
  u64,
} from '../support/vhost/message.ts';
import { bad, type BadMessage, Refusals } from '../support/vhost/refusal.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const PARTITIONS = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id }));
/** The longest payload: a configuration access of 256 bytes. */
const PAYLOAD_MAX = 268;

const HEADERS: readonly BadMessage[] = [
  ...[0, 2, 3].map((version) =>
    bad(Request.SET_OWNER, `of version ${version}`, { flags: version }, { closes: true }),
  ),
  ...[HeaderFlag.REPLY, 0x10, 0x8000_0000, 0xffff_fff0].map((flag) =>
    bad(
      Request.SET_OWNER,
      `with flag 0x${flag.toString(16)}`,
      { flags: (flag | HeaderFlag.VERSION) >>> 0 },
      { closes: true },
    ),
  ),
  ...[PAYLOAD_MAX + 1000, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff].map((size) =>
    bad(
      Request.SET_FEATURES,
      `that announces ${size} bytes`,
      { payload: u64(0), size },
      { closes: true },
    ),
  ),
];

const UNKNOWN = [0, 44, 100, 255, 256 + Request.SET_OWNER, 0x10003, 0x8000_0003, 0xffff_ffff];

/** Messages of protocol features that are not offered. */
const NOT_OFFERED: readonly BadMessage[] = [
  bad(Request.SET_LOG_BASE, 'without logging', { payload: u64(4096, 0) }),
  bad(Request.SET_LOG_BASE, 'whose size and offset wrap', { payload: u64(2n ** 64n - 1n, 8192) }),
  bad(Request.SET_LOG_FD, 'without logging', {}),
  bad(Request.IOTLB_MSG, 'without address translation', { payload: Buffer.alloc(32) }),
  bad(Request.SET_VRING_ENDIAN, 'without foreign byte order', { payload: u32(0, 0) }),
  bad(Request.CREATE_CRYPTO_SESSION, 'of a network device', { payload: Buffer.alloc(64) }),
  bad(Request.CLOSE_CRYPTO_SESSION, 'of a network device', { payload: u64(0) }),
  bad(Request.POSTCOPY_ADVISE, 'without page faults', {}),
  bad(Request.POSTCOPY_LISTEN, 'without page faults', {}),
  bad(Request.POSTCOPY_END, 'without page faults', {}),
  bad(Request.GPU_SET_SOCKET, 'of a network device', {}),
  bad(Request.VRING_KICK, 'without kicks in messages', { payload: u32(0, 0) }),
  bad(Request.GET_SHARED_OBJECT, 'without shared objects', { payload: Buffer.alloc(16) }),
  bad(Request.SET_DEVICE_STATE_FD, 'without device state', { payload: u32(0, 0) }),
  bad(Request.CHECK_DEVICE_STATE, 'without device state', {}),
];

/** The exact size of every payload that has one. */
const SIZES: readonly (readonly [number, number])[] = [
  [Request.SET_FEATURES, 8],
  [Request.SET_OWNER, 0],
  [Request.RESET_OWNER, 0],
  [Request.SET_VRING_NUM, 8],
  [Request.SET_VRING_ADDR, 40],
  [Request.SET_VRING_BASE, 8],
  [Request.SET_VRING_KICK, 8],
  [Request.SET_VRING_CALL, 8],
  [Request.SET_VRING_ERR, 8],
  [Request.SET_PROTOCOL_FEATURES, 8],
  [Request.SET_VRING_ENABLE, 8],
  [Request.SEND_RARP, 8],
  [Request.NET_SET_MTU, 8],
  [Request.SET_BACKEND_REQ_FD, 0],
  [Request.RESET_DEVICE, 0],
  [Request.ADD_MEM_REG, 40],
  [Request.REM_MEM_REG, 40],
  [Request.SET_STATUS, 8],
];
const QUESTION_SIZES: readonly (readonly [number, number])[] = [
  [Request.GET_FEATURES, 0],
  [Request.GET_VRING_BASE, 8],
  [Request.GET_PROTOCOL_FEATURES, 0],
  [Request.GET_QUEUE_NUM, 0],
  [Request.GET_MAX_MEM_SLOTS, 0],
  [Request.GET_STATUS, 0],
];

function otherSizes([request, size]: readonly [number, number], closes: boolean): BadMessage[] {
  return [size - 1, size + 1, ...(size === 8 ? [] : [PAYLOAD_MAX])]
    .filter((bytes) => bytes >= 0 && bytes !== size)
    .map((bytes) =>
      bad(request, `of ${bytes} bytes`, { payload: Buffer.alloc(bytes) }, { closes }),
    );
}

const TRACKED = 1n << BigInt(ProtocolBit.INFLIGHT_SHMFD);

describe('vhost-user headers', function () {
  this.timeout(60_000);
  const suite = vhostSuite(PARTITIONS, { neighbours: true });
  let refusals: Refusals;
  before(async () => {
    refusals = new Refusals(suite.host);
    await refusals.begin();
  });
  after(() => refusals.end());

  it('[utest->req~vhost.refusal~1] what is refused is logged with its request, and so is the end of a connection', async () => {
    const f = await suite.frontEnd('f');
    const lines = () => suite.host.troubleLines('f');
    assert.equal(await f.acknowledged({ request: 99 }), false);
    await within(2000, () => (lines().length > 0 ? true : undefined));
    assert.equal(lines().length, 1);
    assert.match(lines()[0]!, /request 99/);
    await f.connection.send({ request: 98 });
    await f.assertClosed();
    await within(2000, () => (lines().length > 1 ? true : undefined));
    const more = lines().slice(1);
    assert.ok(more.length <= 2 && more.every((line) => line.includes('request 98')));
    assert.ok(more.some((line) => line.includes('closed')));
  });

  for (const message of HEADERS) {
    it(
      `[utest->req~vhost.broken-framing~1] ${message.title} ends the connection`,
      suite.beside(() => refusals.check(message)),
    );
  }

  for (const request of UNKNOWN) {
    for (const payload of [Buffer.alloc(0), u64(0)]) {
      const message = bad(request, `of ${payload.length} bytes`, { payload });
      it(
        `[utest->req~vhost.refusal~1] unknown ${message.title} is refused, and changes nothing`,
        suite.beside(() => refusals.check(message)),
      );
    }
  }

  for (const message of NOT_OFFERED) {
    it(
      `[utest->req~vhost.features~1] ${message.title} is refused`,
      suite.beside(() => refusals.check(message)),
    );
  }

  for (const message of SIZES.flatMap((entry) => otherSizes(entry, false))) {
    it(
      `[utest->req~vhost.framing~1] ${message.title} is refused`,
      suite.beside(() => refusals.check(message)),
    );
  }

  for (const message of QUESTION_SIZES.flatMap((entry) => otherSizes(entry, true))) {
    it(
      `[utest->req~vhost.framing~1] ${message.title} has no answer`,
      suite.beside(() => refusals.check(message)),
    );
  }

  it(
    '[utest->req~vhost.framing~1] configuration accesses whose payload has another size are not carried out',
    suite.beside(async () => {
      for (const [size, bytes] of [
        [6, 5],
        [6, 7],
        [0, 6],
        [256, 0],
      ] as const) {
        const payload = configAccess(0, size, { bytes: Buffer.alloc(bytes) });
        await refusals.check(bad(Request.SET_CONFIG, `of ${size} with ${bytes}`, { payload }));
      }
    }),
  );

  it(
    '[utest->req~vhost.framing~1] records of buffers in flight with absurd numbers are refused',
    suite.beside(async () => {
      const offered = (await suite.frontEnd('f')).protocolOffered;
      const absurd = [
        { queues: 0, queueSize: 64 },
        { queues: 0xffff, queueSize: 0xffff },
        { queues: 2, queueSize: 0 },
        { queues: 3, queueSize: 64 },
        { queues: 2, queueSize: 0x8000 },
      ].map((fields) => Buffer.concat([inflight(fields), Buffer.alloc(4)]));
      const closes = (offered & TRACKED) !== 0n;
      for (const payload of absurd) {
        const name = requestName(Request.GET_INFLIGHT_FD);
        await refusals.check(bad(Request.GET_INFLIGHT_FD, name, { payload }, { closes }));
      }
    }),
  );
});
