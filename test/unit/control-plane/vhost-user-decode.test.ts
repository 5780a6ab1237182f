/** vhost-user messages in words: one sentence for each, whatever bytes a front-end sends. */
import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import {
  messageText,
  outcomeText,
  WORDINGS,
} from '../../../src/control-plane/vhost-user/decode.ts';
import {
  DONE,
  Message,
  refused,
  replyU64,
  type Outcome,
} from '../../../src/control-plane/vhost-user/message.ts';
import { REQUESTS } from '../../../src/control-plane/vhost-user/requests/index.ts';
import { FrontendRequest } from '../../../src/wire/vhost-user.ts';
import { seededRuns } from '../../support/seeded-runs.ts';
import {
  configAccess,
  inflight,
  memoryTable,
  NO_DESCRIPTOR,
  Request,
  requestName,
  ringAddresses,
  singleRegion,
  u32,
  u64,
} from '../../support/vhost/message.ts';

function message(
  request: number,
  payload: Uint8Array = Buffer.alloc(0),
  descriptors = 0,
  needsReply = false,
) {
  const view = new DataView(new Uint8Array(payload).buffer);
  return new Message(request, view, new Array<number>(descriptors).fill(-1), needsReply);
}

const NET = 'virtio-net';
const GPU = 'virtio-gpu';
const reply = (payload: Buffer): Outcome => ({ kind: 'reply', payload: new Uint8Array(payload) });

const MESSAGES: readonly (readonly [string, Message])[] = [
  ['GET_FEATURES', message(Request.GET_FEATURES)],
  [
    'SET_FEATURES 0x140000020 (VIRTIO_F_VERSION_1 VIRTIO_NET_F_MAC VHOST_USER_F_PROTOCOL_FEATURES)',
    message(Request.SET_FEATURES, u64(0x1_4000_0020n)),
  ],
  ['SET_FEATURES 0x0', message(Request.SET_FEATURES, u64(0))],
  ['SET_FEATURES 0x40000000000', message(Request.SET_FEATURES, u64(1n << 42n))],
  ['SET_OWNER needs a reply', message(Request.SET_OWNER, undefined, 0, true)],
  [
    'SET_PROTOCOL_FEATURES 0x228 (REPLY_ACK BACKEND_REQ CONFIG)',
    message(Request.SET_PROTOCOL_FEATURES, u64(0x228)),
  ],
  ['SET_BACKEND_REQ_FD 1 descriptor', message(Request.SET_BACKEND_REQ_FD, undefined, 1)],
  ['SET_STATUS 0xf', message(Request.SET_STATUS, u64(0xf))],
  ['NET_SET_MTU 1500 bytes', message(Request.NET_SET_MTU, u64(1500))],
  ['NET_SET_MTU 0x20000000000000 bytes', message(Request.NET_SET_MTU, u64(1n << 53n))],
  ['SEND_RARP 52 54 00 00 00 01 00 00', message(Request.SEND_RARP, u64(0x0100_0000_5452n))],
  [
    'SET_MEM_TABLE 2 regions: 0x1000 bytes at guest 0x0, user 0x7f0000000000, file 0x0; ' +
      '0x2000 bytes at guest 0x100000000, user 0x7f0000100000, file 0x1000, 2 descriptors',
    message(
      Request.SET_MEM_TABLE,
      memoryTable([
        { guest: 0, size: 0x1000, user: 0x7f00_0000_0000, offset: 0 },
        { guest: 0x1_0000_0000, size: 0x2000, user: 0x7f00_0010_0000, offset: 0x1000 },
      ]),
      2,
    ),
  ],
  [
    'SET_MEM_TABLE 4294967295 regions: 0x1000 bytes at guest 0x0, user 0x0, file 0x0',
    message(
      Request.SET_MEM_TABLE,
      memoryTable([{ guest: 0, size: 0x1000, user: 0, offset: 0 }], { count: 0xffff_ffff }),
    ),
  ],
  [
    'ADD_MEM_REG 0x3000 bytes at guest 0x1000, user 0x2000, file 0x4000, 1 descriptor',
    message(
      Request.ADD_MEM_REG,
      singleRegion({ guest: 0x1000, size: 0x3000, user: 0x2000, offset: 0x4000 }),
      1,
    ),
  ],
  ['SET_VRING_NUM ring 0, 256 entries', message(Request.SET_VRING_NUM, u32(0, 256))],
  ['SET_VRING_BASE ring 1, base 0x8000', message(Request.SET_VRING_BASE, u32(1, 0x8000))],
  [
    'SET_VRING_ADDR ring 2, desc 0x1000, driver 0x2000, device 0x3000',
    message(
      Request.SET_VRING_ADDR,
      ringAddresses(2, { desc: 0x1000, avail: 0x2000, used: 0x3000 }),
    ),
  ],
  [
    'SET_VRING_ADDR ring 0, desc 0x0, driver 0x0, device 0x0, flags 0x1',
    message(Request.SET_VRING_ADDR, ringAddresses(0, { flags: 1, desc: 0, avail: 0, used: 0 })),
  ],
  ['SET_VRING_KICK ring 3, 1 descriptor', message(Request.SET_VRING_KICK, u64(3), 1)],
  ['SET_VRING_CALL ring 3, none', message(Request.SET_VRING_CALL, u64(3 | NO_DESCRIPTOR))],
  ['SET_VRING_ENABLE ring 1, on', message(Request.SET_VRING_ENABLE, u32(1, 1))],
  ['SET_VRING_ENABLE ring 1, off', message(Request.SET_VRING_ENABLE, u32(1, 0))],
  ['GET_VRING_BASE ring 1', message(Request.GET_VRING_BASE, u32(1, 0))],
  ['GET_CONFIG 6 bytes at 0', message(Request.GET_CONFIG, configAccess(0, 6))],
  [
    'SET_CONFIG 2 bytes at 4: ab cd',
    message(Request.SET_CONFIG, configAccess(4, 2, { bytes: Buffer.from([0xab, 0xcd]) })),
  ],
  [
    'GET_INFLIGHT_FD 2 queues of 256, 0x0 bytes',
    message(Request.GET_INFLIGHT_FD, inflight({ queues: 2, queueSize: 256 })),
  ],
];

const ANSWERS: readonly (readonly [string, number, Outcome])[] = [
  ['done', Request.SET_OWNER, DONE],
  ['refused: ring 9 does not exist', Request.SET_VRING_NUM, refused('ring 9 does not exist')],
  ['reply 0x100000000 (VIRTIO_F_VERSION_1)', Request.GET_FEATURES, replyU64(0, 1)],
  ['reply 0x9 (MQ REPLY_ACK)', Request.GET_PROTOCOL_FEATURES, replyU64(9)],
  ['reply 2 pairs', Request.GET_QUEUE_NUM, replyU64(2)],
  ['reply 32 slots', Request.GET_MAX_MEM_SLOTS, replyU64(32)],
  ['reply 0xb', Request.GET_STATUS, replyU64(0xb)],
  ['reply ring 1, base 0x80058005', Request.GET_VRING_BASE, reply(u32(1, 0x8005_8005))],
  [
    'reply 2 bytes at 0: 52 54',
    Request.GET_CONFIG,
    reply(configAccess(0, 2, { bytes: Buffer.from([0x52, 0x54]) })),
  ],
  ['reply nothing (an error)', Request.GET_CONFIG, reply(Buffer.alloc(0))],
  [
    'reply 2 queues of 64, 0x1000 bytes, 1 descriptor',
    Request.GET_INFLIGHT_FD,
    {
      kind: 'reply',
      payload: new Uint8Array(inflight({ mmapSize: 4096, queues: 2, queueSize: 64 })),
      descriptor: 7,
    },
  ],
];

describe('vhost-user messages in words', () => {
  it('[utest->req~vhost.decode~1] every request of the back-end has its words, and no other', () => {
    const byNumber = (a: number, b: number) => a - b;
    assert.deepEqual(
      Object.keys(WORDINGS).map(Number).sort(byNumber),
      REQUESTS.map(({ id }) => id).sort(byNumber),
    );
    assert.deepEqual(
      Object.values(FrontendRequest).filter((id) => !Object.hasOwn(WORDINGS, id)),
      [],
    );
  });

  it('[utest->req~vhost.decode~1] every request with a payload says it, and every one with a reply says that', () => {
    for (const { id, name, bytes, replies } of REQUESTS) {
      assert.equal(WORDINGS[id]!.payload !== undefined, bytes !== 0, name);
      assert.equal(WORDINGS[id]!.reply !== undefined, replies === true, name);
    }
  });

  for (const [text, decoded] of MESSAGES) {
    it(`[utest->req~vhost.decode~1] ${text}`, () => assert.equal(messageText(decoded, NET), text));
  }

  for (const [text, request, outcome] of ANSWERS) {
    it(`[utest->req~vhost.decode~1] ${requestName(request)} -> ${text}`, () => {
      assert.equal(outcomeText(message(request), outcome, NET), text);
    });
  }

  it('[utest->req~vhost.decode~1] a GPU has features and queues of its own kind', () => {
    const bits = message(Request.SET_FEATURES, u64(0x1_0000_0002n));
    assert.equal(
      messageText(bits, GPU),
      'SET_FEATURES 0x100000002 (VIRTIO_F_VERSION_1 VIRTIO_GPU_F_EDID)',
    );
    const queues = outcomeText(message(Request.GET_QUEUE_NUM), replyU64(2), GPU);
    assert.equal(queues, 'reply 2 queues');
    const socket = message(Request.GPU_SET_SOCKET, undefined, 1);
    assert.equal(messageText(socket, GPU), 'GPU_SET_SOCKET 1 descriptor');
  });

  it('[utest->req~vhost.decode~1] a payload of another length is told by its length', () => {
    assert.equal(
      messageText(message(Request.SET_VRING_NUM, Buffer.alloc(7)), NET),
      'SET_VRING_NUM a payload of 7 bytes',
    );
    assert.equal(
      messageText(message(999, Buffer.alloc(3), 2, true), NET),
      'request 999 a payload of 3 bytes, 2 descriptors, needs a reply',
    );
  });

  it('[utest->req~vhost.decode~1] any bytes become one line of bounded length', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...Object.values(FrontendRequest)), fc.nat(50)),
        fc.uint8Array({ maxLength: 1032 }),
        (request, bytes) => {
          const text = messageText(message(request, bytes), NET);
          assert.ok(!text.includes('\n') && text.length < 4096, text);
        },
      ),
      seededRuns(31, 2000),
    );
  });
});
