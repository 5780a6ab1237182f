/** Ring messages that lie, come out of order or at the wrong time, from a front-end of a running guest. */
import { strict as assert } from 'node:assert';
import { within } from '../support/vhost/connection.ts';
import type { FrontEnd } from '../support/vhost/front-end.ts';
import { USER_BASE } from '../support/vhost/guest-ram.ts';
import {
  NO_DESCRIPTOR,
  type Outgoing,
  PROTOCOL_FEATURES,
  Request,
  type RingAddresses,
  ringAddresses,
  u32,
  u64,
} from '../support/vhost/message.ts';
import { type NetGuest, VERSION_1 } from '../support/vhost/net-guest.ts';
import { bad, type BadMessage, Refusals } from '../support/vhost/refusal.ts';
import { qemuConnect, qemuStart, start } from '../support/vhost/sequences.ts';
import { StrangeDescriptors } from '../support/vhost/strange-descriptors.ts';
import { vhostSuite } from '../support/vhost/suite.ts';

const PARTITIONS = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id }));
const RAM = 2 ** 19;
const QUIET_MS = 3;
const TOP = 2n ** 64n;
const SIZE = 64;
/** Bytes of the three parts of a ring of 64. */
const PARTS = { desc: 1024, avail: 134, used: 518 } as const;

const GOOD: RingAddresses = {
  desc: USER_BASE + 0x10000,
  used: USER_BASE + 0x11000,
  avail: USER_BASE + 0x12000,
};

describe('vhost-user rings from a hostile front-end', function () {
  this.timeout(60_000);
  const suite = vhostSuite(PARTITIONS, { neighbours: true });
  const strange = new StrangeDescriptors();
  let refusals: Refusals;
  before(async () => {
    refusals = new Refusals(suite.host);
    await refusals.begin();
  });
  after(() => {
    refusals.end();
    strange.close();
  });

  /** Indices that no ring has, in words of 32 bits. */
  const INDICES = [2, 3, 0x100, 0x10000, 0x10001, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
  const wrongIndices: readonly BadMessage[] = INDICES.flatMap((index) => {
    const what = `of ring 0x${index.toString(16)}`;
    return [
      bad(Request.SET_VRING_NUM, what, { payload: u32(index, SIZE) }),
      bad(Request.SET_VRING_BASE, what, { payload: u32(index, 0) }),
      bad(Request.SET_VRING_ADDR, what, { payload: ringAddresses(index, GOOD) }),
      bad(Request.SET_VRING_ENABLE, what, { payload: u32(index, 0) }),
      bad(Request.GET_VRING_BASE, what, { payload: u32(index, 0) }, { closes: true }),
    ];
  });
  /** The same in the 64 bits of a message with a descriptor: index, a flag, and nothing else. */
  const WIDE = [2, 0x7f, 0xff, 0x200, 0x1_0000_0000, 0x1_0000_0001, 2n ** 63n, TOP - 1n - 0x100n];
  const wrongWide: readonly BadMessage[] = WIDE.flatMap((value) =>
    [Request.SET_VRING_KICK, Request.SET_VRING_CALL, Request.SET_VRING_ERR].map((request) =>
      bad(request, `of 0x${value.toString(16)}`, () => ({
        payload: u64(value),
        descriptors: [strange.event],
      })),
    ),
  );
  for (const message of [...wrongIndices, ...wrongWide]) {
    it(
      `[utest->req~vhost.ring-setup~1] ${message.title} is refused`,
      suite.beside(() => refusals.check(message)),
    );
  }

  const descriptors = (request: number, count: number, value = 1) =>
    bad(request, `0x${value.toString(16)} with ${count} descriptors`, () => ({
      payload: u64(value),
      descriptors: Array.from({ length: count }, () => strange.event),
    }));
  const EVENTS = [Request.SET_VRING_KICK, Request.SET_VRING_CALL, Request.SET_VRING_ERR];
  for (const message of EVENTS.flatMap((request) => [
    descriptors(request, 0),
    descriptors(request, 2),
    descriptors(request, 20),
    descriptors(request, 1, 1 | NO_DESCRIPTOR),
  ])) {
    it(
      `[utest->req~vhost.descriptor-ownership~1] ${message.title} is refused`,
      suite.beside(() => refusals.check(message)),
    );
  }

  const kinds = () => {
    const { directory, device, diskFile, memory } = strange;
    return { directory, device, diskFile, memory };
  };
  for (const kind of ['directory', 'device', 'diskFile', 'memory'] as const) {
    for (const request of [Request.SET_VRING_CALL, Request.SET_VRING_ERR]) {
      const message = bad(request, `with a descriptor of kind ${kind}`, () => ({
        payload: u64(1),
        descriptors: [kinds()[kind]],
      }));
      it(
        `[utest->req~vhost.notification~1] ${message.title} is refused`,
        suite.beside(() => refusals.check(message)),
      );
    }
  }

  /** What is wrong with a ring that does not run; each on a guest whose second ring is stopped. */
  const address = (changes: Partial<RingAddresses>): Outgoing => ({
    request: Request.SET_VRING_ADDR,
    payload: ringAddresses(1, { ...GOOD, ...changes }),
  });
  const size = (value: number): Outgoing => ({
    request: Request.SET_VRING_NUM,
    payload: u32(1, value),
  });
  const setups: readonly (readonly [string, Outgoing])[] = [
    ...[0, 3, 63, 65, 128, 0x8000, 0x10000, 0x10040, 0x8000_0000, 0xffff_ffff].map(
      (value) => [`a size of ${value}`, size(value)] as const,
    ),
    ...(['desc', 'avail', 'used'] as const).flatMap((part) =>
      [
        ['below the memory', USER_BASE - 4096],
        ['across the end of the memory', USER_BASE + RAM - PARTS[part] + 16],
        ['behind the memory', USER_BASE + RAM],
        ['at 0', 0],
        ['at a guest address', 0x1_4000_0000],
        ['where the sum wraps', TOP - 16n],
        ['above 2^53', 2n ** 53n],
        ['above 2^63', 2n ** 63n + BigInt(USER_BASE)],
        ['off its alignment', USER_BASE + 0x20000 + (part === 'avail' ? 1 : 2)],
      ].map(([where, at]) => [`${part} ${where}`, address({ [part]: at })] as const),
    ),
    ['a log that is not offered', address({ flags: 1 })],
    ['unknown flags', address({ flags: 2 })],
    ['all flags', address({ flags: 0xffff_ffff })],
  ];

  /** Sets the stopped ring up with one lie and starts it: some step is refused, and it never runs. */
  async function assertNotStarted(guest: NetGuest, lie: Outgoing, base: number): Promise<void> {
    const { frontEnd } = guest;
    const honest: Outgoing[] = [
      { request: Request.SET_VRING_NUM, payload: u32(1, SIZE) },
      { request: Request.SET_VRING_BASE, payload: u32(1, base) },
      { request: Request.SET_VRING_ADDR, payload: guest.addresses(1) },
    ];
    const steps = honest.map((step) => (step.request === lie.request ? lie : step));
    const before = guest.ram.snapshot();
    let refused = 0;
    for (const step of steps) if (!(await frontEnd.acknowledged(step))) refused++;
    if (refused === 0) {
      const kick = { payload: u64(1), descriptors: [guest.ring(1).kick] };
      const started = await frontEnd.acknowledged({ request: Request.SET_VRING_KICK, ...kick });
      assert.equal(started, false, 'no step was refused');
    }
    await frontEnd.assertUsable(QUIET_MS);
    assert.ok(guest.ram.snapshot().equals(before), 'nothing was written');
  }

  for (const [title, lie] of setups) {
    it(
      `[utest->req~vhost.ring-setup~1] a ring with ${title} never runs, and runs when it is set right`,
      suite.beside(async () => {
        const { guest } = refusals;
        const base = await guest.frontEnd.base(1);
        await assertNotStarted(guest, lie, base);
        await guest.startRing(1, base);
        await refusals.assertTalk();
      }),
    );
  }

  /** Something that the text neither allows nor forbids: any answer will do, and no harm. */
  async function anyAnswer(frontEnd: FrontEnd, message: Outgoing): Promise<boolean> {
    const answer = await frontEnd.acknowledged(message);
    await frontEnd.assertUsable();
    return answer;
  }

  /** A fresh guest of e, started by the honest sequence after `mischief`, talks to f. */
  async function assertRecovers(mischief: (e: NetGuest) => Promise<void>): Promise<void> {
    const f = await suite.running('f', 'qemu');
    const e = await suite.guest('e');
    await qemuConnect(e);
    await mischief(e);
    await qemuStart(e);
    e.port.supply();
    await suite.assertTraffic({ id: 'e', guest: e }, { id: 'f', guest: f }, 3);
    await suite.assertTraffic({ id: 'f', guest: f }, { id: 'e', guest: e }, 3);
  }

  const early: readonly (readonly [string, (e: NetGuest) => Outgoing[]])[] = [
    [
      'kicked before they are set up',
      (e) =>
        [0, 1].map((n) => ({
          request: Request.SET_VRING_KICK,
          payload: u64(n),
          descriptors: [e.ring(n).kick],
        })),
    ],
    [
      'polled before they are set up',
      () =>
        [0, 1].map((n) => ({ request: Request.SET_VRING_KICK, payload: u64(n | NO_DESCRIPTOR) })),
    ],
    [
      'placed before there is memory',
      (e) => [
        { request: Request.SET_VRING_NUM, payload: u32(0, SIZE) },
        { request: Request.SET_VRING_ADDR, payload: e.addresses(0) },
        {
          request: Request.SET_VRING_KICK,
          payload: u64(0),
          descriptors: [e.ring(0).kick],
        },
      ],
    ],
    [
      'placed before they have a size',
      (e) => [{ request: Request.SET_VRING_ADDR, payload: e.addresses(1) }],
    ],
    ['owned twice', () => [{ request: Request.SET_OWNER }, { request: Request.SET_OWNER }]],
    [
      'reset before they are there',
      () => [{ request: Request.RESET_DEVICE }, { request: Request.RESET_OWNER }],
    ],
    [
      'enabled with a strange number',
      () =>
        [2, 0xffff_ffff].map((on) => ({
          request: Request.SET_VRING_ENABLE,
          payload: u32(0, on),
        })),
    ],
    [
      'given an index of more than 16 bits',
      () =>
        [0x10000, 0xffff_ffff].map((index) => ({
          request: Request.SET_VRING_BASE,
          payload: u32(1, index),
        })),
    ],
    [
      'given a status of more than 8 bits',
      () =>
        [0x100, 0xffff_ffff].map((status) => ({
          request: Request.SET_STATUS,
          payload: u64(status),
        })),
    ],
  ];
  for (const [title, messages] of early) {
    it(
      `[utest->req~vhost.ring-setup~1] rings that are ${title} do no harm, and start when they are set right`,
      suite.beside(() =>
        assertRecovers(async (e) => {
          for (const message of messages(e)) await anyAnswer(e.frontEnd, message);
          assert.ok((await e.frontEnd.base(0)) <= 0xffff);
          assert.ok((await e.frontEnd.base(1)) <= 0xffff);
          assert.ok((await e.frontEnd.getU64(Request.GET_STATUS)) <= 0xffn);
          await e.frontEnd.setU64(Request.SET_STATUS, 0);
        }),
      ),
    );
  }

  const running: readonly (readonly [string, (e: NetGuest) => Outgoing])[] = [
    ['another size', () => ({ request: Request.SET_VRING_NUM, payload: u32(1, 32) })],
    ['another index', () => ({ request: Request.SET_VRING_BASE, payload: u32(1, 1000) })],
    ['other addresses', () => address({})],
    [
      'other features',
      () => ({
        request: Request.SET_FEATURES,
        payload: u64(VERSION_1 | PROTOCOL_FEATURES),
      }),
    ],
    [
      'another kick',
      (e) => ({
        request: Request.SET_VRING_KICK,
        payload: u64(1),
        descriptors: [e.ring(0).kick],
      }),
    ],
  ];
  for (const [title, message] of running) {
    it(
      `[utest->req~vhost.ring-setup~1] a ring that is served gets ${title}: refused and served on, or carried out`,
      suite.beside(async () => {
        const f = await suite.running('f', 'qemu');
        const e = await suite.running('e', 'qemu');
        await suite.assertTraffic({ id: 'e', guest: e }, { id: 'f', guest: f }, 3);
        const taken = await anyAnswer(e.frontEnd, message(e));
        if (!taken) await suite.assertTraffic({ id: 'e', guest: e }, { id: 'f', guest: f }, 3);
        e.end();
        const again = await suite.running('e', 'qemu');
        await suite.assertTraffic({ id: 'e', guest: again }, { id: 'f', guest: f }, 3);
      }),
    );
  }

  it(
    '[utest->req~vhost.ring-setup~1] rings that lie over each other and over their own buffers do no harm',
    suite.beside(async () => {
      const f = await suite.running('f', 'qemu');
      const e = await suite.running('e', 'qemu');
      await e.frontEnd.base(0);
      await e.frontEnd.base(1);
      const same = { desc: GOOD.desc, avail: GOOD.desc, used: GOOD.desc };
      for (const index of [0, 1]) {
        await anyAnswer(e.frontEnd, {
          request: Request.SET_VRING_ADDR,
          payload: ringAddresses(index, same),
        });
        await anyAnswer(e.frontEnd, {
          request: Request.SET_VRING_KICK,
          payload: u64(index),
          descriptors: [e.ring(index).kick],
        });
      }
      for (let n = 0; n < 8; n++)
        e.ram.arena.u8.fill(
          n,
          e.ram.at(e.ram.regions[0]!.guest + 0x10000),
          e.ram.at(e.ram.regions[0]!.guest + 0x10400),
        );
      e.end();
      const again = await suite.running('e', 'qemu');
      await suite.assertTraffic({ id: 'e', guest: again }, { id: 'f', guest: f });
    }),
  );

  it(
    '[utest->req~vhost.control-budget~1] sizes, enables and bases by the hundred cost nothing that stays',
    suite.beside(async () => {
      const e = await suite.guest('e');
      await qemuConnect(e);
      for (let n = 0; n < 300; n++) {
        await e.frontEnd.tell(Request.SET_VRING_NUM, u32(n % 2, SIZE >> (n % 5)));
        await e.frontEnd.tell(Request.SET_VRING_BASE, u32(n % 2, n & 0xffff));
        await e.frontEnd.tell(Request.SET_VRING_ENABLE, u32(n % 2, n & 1));
      }
      await e.frontEnd.assertUsable();
    }),
  );

  it(
    '[utest->req~vhost.ring-stopped~1] rings start and stop again and again under load',
    suite.beside(async () => {
      const f = await suite.running('f', 'qemu');
      const e = await suite.guest('e');
      await start('qemu', e);
      e.port.supply();
      for (let n = 0; n < 30; n++) {
        await suite.assertTraffic({ id: 'e', guest: e }, { id: 'f', guest: f }, 1);
        const base = await e.frontEnd.base(1);
        assert.equal(base, (n + 1) & 0xffff);
        const { ring } = e.port.transmit;
        assert.ok(await within(2000, () => ring.usedIndex === base || undefined));
        await e.startRing(1, base);
      }
    }),
  );
});
