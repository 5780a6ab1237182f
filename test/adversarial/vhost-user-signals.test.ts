/** Notifications that nobody takes, error descriptors, and descriptors that are never signalled. */
import { strict as assert } from 'node:assert';
import { closeDescriptor, readCounter } from '../../src/host/descriptors.ts';
import { within } from '../support/vhost/connection.ts';
import { fullEvent } from '../support/full-readers.ts';
import { TWO_PAIRS } from '../support/vhost/gateway-host.ts';
import { Request, u64, requestName } from '../support/vhost/message.ts';
import type { NetGuest } from '../support/vhost/net-guest.ts';
import { bad, Refusals } from '../support/vhost/refusal.ts';
import { OTHER_NAMES, OtherDescriptors } from '../support/vhost/other-descriptors.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const RECEIVE = 0;
const TRANSMIT = 1;
const PACKETS = 5;

describe('vhost-user notifications that nobody takes', () => {
  const suite = vhostSuite(
    TWO_PAIRS.map(({ id }) => ({ id, needsReset: id === 'a' })),
    { neighbours: true },
  );

  async function pair(): Promise<{ a: NetGuest; b: NetGuest }> {
    return { b: await suite.running('b'), a: await suite.running('a') };
  }

  /** Packets go both ways, so that both rings of a are to be notified again and again. */
  async function assertTalk({ a, b }: { a: NetGuest; b: NetGuest }): Promise<void> {
    const ends = [
      { id: 'a', guest: a },
      { id: 'b', guest: b },
    ] as const;
    for (let n = 0; n < 3; n++) {
      await suite.assertTraffic(ends[0], ends[1], PACKETS);
      await suite.assertTraffic(ends[1], ends[0], PACKETS);
    }
  }

  const kept = (event: number): number => {
    suite.atEnd(() => closeDescriptor(event));
    return event;
  };

  const callBy = (guest: NetGuest, index: number, descriptor: number): Promise<void> =>
    guest.frontEnd.setU64(Request.SET_VRING_CALL, index, [descriptor]);

  it(
    '[utest->req~vhost.notification~1] a counter that was full and blocking is counted up again when it is read',
    suite.beside(async () => {
      const guests = await pair();
      const event = kept(fullEvent());
      for (const index of [RECEIVE, TRANSMIT]) await callBy(guests.a, index, event);
      await assertTalk(guests);
      // Its owner takes notice again: notifications go on.
      assert.equal(readCounter(event), 2 ** 64);
      await assertTalk(guests);
      assert.ok(await within(2000, () => readCounter(event) || undefined));
    }),
  );

  async function breakRing({ a }: { a: NetGuest }): Promise<void> {
    const { ring } = a.port.transmit;
    const before = suite.host.troubleLines('a').length;
    ring.setAvailIndex(ring.availIndex + ring.size + 1);
    const told = await within(
      5000,
      () => suite.host.troubleLines('a').length > before || undefined,
    );
    assert.ok(told, 'the broken ring is told');
  }

  it(
    '[utest->req~vhost.notification~1] an error descriptor tells that the device needs a reset',
    suite.beside(async () => {
      const guests = await pair();
      await breakRing(guests);
      const { error } = guests.a.ring(TRANSMIT);
      assert.equal(await within(5000, () => readCounter(error) || undefined), 1);
    }),
  );

  it(
    '[utest->req~vhost.notification~1] an error descriptor that is full and blocking holds nobody up',
    suite.beside(async () => {
      const guests = await pair();
      const event = kept(fullEvent());
      await guests.a.frontEnd.setU64(Request.SET_VRING_ERR, RECEIVE, [event]);
      await breakRing(guests);
      const { error } = guests.a.ring(TRANSMIT);
      assert.equal(await within(5000, () => readCounter(error) || undefined), 1);
      await guests.a.frontEnd.assertUsable();
    }),
  );
});

describe('vhost-user descriptors that cannot be signalled', function () {
  this.timeout(60_000);
  const suite = vhostSuite(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id })),
    { neighbours: true },
  );
  let others: OtherDescriptors;
  let refusals: Refusals;
  before(async () => {
    others = new OtherDescriptors();
    refusals = new Refusals(suite.host);
    await refusals.begin();
  });
  after(() => {
    refusals.end();
    others.close();
  });

  for (const request of [Request.SET_VRING_CALL, Request.SET_VRING_ERR]) {
    for (const name of OTHER_NAMES) {
      const message = () =>
        bad(request, `with ${name}`, {
          payload: u64(RECEIVE),
          descriptors: [others.named[name]],
        });
      it(
        `[utest->req~vhost.notification~1] ${requestName(request)} with ${name} is refused`,
        suite.beside(() => refusals.check(message())),
      );
    }
  }
});
