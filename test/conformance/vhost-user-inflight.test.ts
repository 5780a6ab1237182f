/** The record of buffers in flight: a front-end that kept it finds every buffer of its rings again. */
import { strict as assert } from 'node:assert';
import { closeDescriptor } from '../../src/host/descriptors.ts';
import { inflight, Request } from '../support/vhost/message.ts';
import { negotiateProtocol, start } from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const EVERYTHING = 2n ** 64n - 1n;
/** What a front-end that lost count would say. */
const WRONG_BASE = 40;

describe('vhost-user buffers in flight', () => {
  const suite = vhostSuite();

  it('[utest->req~vhost.inflight~1] rings go on behind their used index, whatever index comes with the record', async () => {
    const b = await suite.running('b');
    const a = await suite.running('a');
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, 6);
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, 6);
    const again = await a.reconnected(suite.host.socket('a'));
    suite.atEnd(() => again.end());
    await negotiateProtocol(again.frontEnd, EVERYTHING);
    const wanted = inflight({ queues: 2, queueSize: 64 });
    await again.frontEnd.connection.send({ request: Request.GET_INFLIGHT_FD, payload: wanted });
    const record = await again.frontEnd.reply(Request.GET_INFLIGHT_FD);
    assert.equal(record.descriptors.length, 1);
    assert.deepEqual(record.payload.subarray(16, 20), wanted.subarray(16, 20));
    await again.frontEnd.set(Request.SET_INFLIGHT_FD, record.payload, record.descriptors);
    for (const descriptor of record.descriptors) closeDescriptor(descriptor);
    await start('qemu', again, [WRONG_BASE, WRONG_BASE]);
    await suite.assertTraffic({ id: 'a', guest: again }, { id: 'b', guest: b }, 6);
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: again }, 6);
  });
});
