/** Feature negotiation over vhost-user: exactly what the configuration offers, and what this back-end implements. */
import { strict as assert } from 'node:assert';
import {
  HeaderFlag,
  LOG_ALL,
  PROTOCOL_FEATURES,
  ProtocolBit,
  Request,
  u64,
} from '../support/vhost/message.ts';
import { FrontEnd } from '../support/vhost/front-end.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const OFFER = {
  VIRTIO_NET_F_CSUM: 0n,
  VIRTIO_NET_F_MTU: 3n,
  VIRTIO_NET_F_MAC: 5n,
  VIRTIO_NET_F_MRG_RXBUF: 15n,
  VIRTIO_NET_F_STATUS: 16n,
  VIRTIO_RING_F_INDIRECT_DESC: 28n,
  VIRTIO_RING_F_EVENT_IDX: 29n,
  VIRTIO_F_VERSION_1: 32n,
} as const;
const OFFERED = Object.values(OFFER).reduce<bigint>((bits, bit) => bits | (1n << bit), 0n);
const VERSION_1 = 1n << 32n;

const bits = (...numbers: readonly number[]) =>
  numbers.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
const IMPLEMENTED = bits(
  ProtocolBit.MQ,
  ProtocolBit.RARP,
  ProtocolBit.REPLY_ACK,
  ProtocolBit.MTU,
  ProtocolBit.BACKEND_REQ,
  ProtocolBit.CONFIG,
  ProtocolBit.RESET_DEVICE,
  ProtocolBit.CONFIGURE_MEM_SLOTS,
  ProtocolBit.STATUS,
);
const INFLIGHT = bits(ProtocolBit.INFLIGHT_SHMFD);

describe('vhost-user features', () => {
  const suite = vhostSuite([{ id: 'a', offer: Object.keys(OFFER), mtu: 1500 }, { id: 'b' }]);

  async function connected(partition = 'a'): Promise<FrontEnd> {
    const frontEnd = await FrontEnd.served(suite.host.socket(partition));
    suite.atEnd(() => frontEnd.close());
    return frontEnd;
  }

  it('[utest->req~vhost.features~1] the features of the configuration are offered, with the bit of the protocol features, and no others', async () => {
    const a = await connected();
    const offered = await a.getU64(Request.GET_FEATURES);
    assert.equal(offered.toString(16), (OFFERED | PROTOCOL_FEATURES).toString(16));
    const b = await connected('b');
    const basic = VERSION_1 | (1n << OFFER.VIRTIO_NET_F_MAC) | PROTOCOL_FEATURES;
    assert.equal((await b.getU64(Request.GET_FEATURES)).toString(16), basic.toString(16));
  });

  it('[utest->req~vhost.features~1] the offer stays the same, whatever was acknowledged', async () => {
    const a = await suite.frontEnd('a');
    const offered = await a.getU64(Request.GET_FEATURES);
    await a.tell(Request.SET_OWNER);
    assert.equal(await a.getU64(Request.GET_FEATURES), offered);
    await a.setU64(Request.SET_FEATURES, VERSION_1 | PROTOCOL_FEATURES);
    assert.equal(await a.getU64(Request.GET_FEATURES), offered);
  });

  it('[utest->req~vhost.features~1] exactly the protocol features that are implemented are offered', async () => {
    const a = await connected();
    const offered = await a.getU64(Request.GET_PROTOCOL_FEATURES);
    assert.equal((offered & ~INFLIGHT).toString(16), IMPLEMENTED.toString(16));
    assert.equal(offered & bits(ProtocolBit.LOG_SHMFD, ProtocolBit.HOST_NOTIFIER), 0n);
    assert.equal(offered & bits(ProtocolBit.PAGEFAULT, ProtocolBit.INBAND_NOTIFICATIONS), 0n);
  });

  it('[utest->req~vhost.features~1] protocol features are asked for and set before anything else', async () => {
    const a = await connected();
    const offered = await a.getU64(Request.GET_PROTOCOL_FEATURES);
    await a.tell(Request.SET_PROTOCOL_FEATURES, u64(offered));
    a.protocolFeatures = offered;
    await a.set(Request.SET_OWNER);
    await a.assertUsable();
  });

  it('[utest->req~vhost.features~1] every subset of the offered features with what is required is accepted', async () => {
    const a = await suite.frontEnd('a');
    for (const bit of Object.values(OFFER)) {
      const wanted = VERSION_1 | PROTOCOL_FEATURES | (1n << bit);
      await a.setU64(Request.SET_FEATURES, wanted);
    }
    await a.setU64(Request.SET_FEATURES, OFFERED | PROTOCOL_FEATURES);
    await a.setU64(Request.SET_FEATURES, OFFERED);
  });

  it('[utest->req~vhost.features~1] each feature that is not offered is refused, and the connection goes on', async () => {
    const a = await suite.frontEnd('a');
    for (let bit = 0n; bit < 64n; bit++) {
      if (((OFFERED | PROTOCOL_FEATURES) >> bit) & 1n) continue;
      const payload = u64(OFFERED | PROTOCOL_FEATURES | (1n << bit));
      const taken = await a.acknowledged({ request: Request.SET_FEATURES, payload });
      assert.equal(taken, false, `feature bit ${bit}`);
    }
    await a.assertUsable();
  });

  it('[utest->req~vhost.features~1] logging is refused where it is not offered', async () => {
    const a = await suite.frontEnd('a');
    const payload = u64(VERSION_1 | LOG_ALL | PROTOCOL_FEATURES);
    assert.equal(await a.acknowledged({ request: Request.SET_FEATURES, payload }), false);
  });

  it('[utest->req~vhost.features~1] a set without a feature that the configuration requires is refused', async () => {
    const a = await suite.frontEnd('a');
    const payload = u64((1n << OFFER.VIRTIO_NET_F_MAC) | PROTOCOL_FEATURES);
    assert.equal(await a.acknowledged({ request: Request.SET_FEATURES, payload }), false);
  });

  it('[utest->req~vhost.features~1] a feature that is not offered ends a connection without acknowledgements', async () => {
    const a = await connected();
    await a.tell(Request.SET_FEATURES, u64(VERSION_1 | (1n << 34n)));
    await a.assertClosed();
  });

  it('[utest->req~vhost.features~1] a protocol feature that is not offered ends the connection', async () => {
    for (const bit of [ProtocolBit.LOG_SHMFD, ProtocolBit.PAGEFAULT, 19, 20, 63]) {
      const a = await connected();
      await a.tell(Request.SET_PROTOCOL_FEATURES, u64(1n << BigInt(bit)));
      await a.assertClosed();
    }
  });

  it('[utest->req~vhost.reply-ack~1] before acknowledgements are negotiated a message that needs one gets none', async () => {
    const a = await connected();
    const flags = HeaderFlag.VERSION | HeaderFlag.NEED_REPLY;
    await a.connection.send({ request: Request.SET_OWNER, flags });
    await a.connection.send({ request: Request.SET_PROTOCOL_FEATURES, flags, payload: u64(0) });
    await a.assertUsable();
  });
});
