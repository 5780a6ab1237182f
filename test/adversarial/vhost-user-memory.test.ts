/** Memory tables and regions that lie, from a front-end of a running guest. */
import { strict as assert } from 'node:assert';
import { GUEST_BASE, USER_BASE } from '../support/vhost/guest-ram.ts';
import { memoryTable, type RegionFields, Request, singleRegion } from '../support/vhost/message.ts';
import { bad, type BadMessage, Refusals } from '../support/vhost/refusal.ts';
import { StrangeDescriptors } from '../support/vhost/strange-descriptors.ts';
import { vhostSuite } from '../support/vhost/suite.ts';
import { pause } from '../support/vhost/connection.ts';
import { packet } from '../support/vhost/guest-port.ts';
import { start } from '../support/vhost/sequences.ts';

const PARTITIONS = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ id }));
const MIB = 2 ** 20;
/** What the configuration grants each partition. */
const QUOTA = 2 * MIB;
/** A guest of this file has this much already. */
const TAKEN = MIB / 2;
const SIZE = 65536;
const TOP = 2n ** 64n;

const GOOD: RegionFields = { guest: 0x5_0000_0000, user: 0x7e00_0000_0000, offset: 0, size: SIZE };

describe('vhost-user memory from a hostile front-end', function () {
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

  /** The region in a table of its own, and as one more beside the guest's. */
  function both(what: string, region: Partial<RegionFields>, file = strange.memory): BadMessage[] {
    const lies = { ...GOOD, ...region };
    const descriptors = [file];
    return [
      bad(Request.SET_MEM_TABLE, what, { payload: memoryTable([lies]), descriptors }),
      bad(Request.ADD_MEM_REG, what, { payload: singleRegion(lies), descriptors }),
    ];
  }

  function check(tag: string, cases: readonly BadMessage[]): void {
    for (const message of cases) {
      const test = suite.beside(() => refusals.check(message));
      if (tag === 'checked') {
        it(`[utest->req~vhost.memory-checked~1] ${message.title} is refused`, test);
      } else if (tag === 'sealed') {
        it(`[utest->req~vhost.memory-sealed~1] ${message.title} is refused`, test);
      } else it(`[utest->req~vhost.memory-table~1] ${message.title} is refused`, test);
    }
  }

  check('checked', [
    ...both('with a region of no bytes', { size: 0 }),
    ...both('whose guest addresses wrap', { guest: TOP - 4096n }),
    ...both('whose user addresses wrap', { user: TOP - 4096n }),
    ...both('whose file offset wraps', { offset: TOP - 4096n }),
    ...both('whose size wraps everything', { size: TOP - 1n }),
    ...both('with a size above 2^53', { size: 2n ** 53n + 4096n }),
    ...both('longer than its file', { size: SIZE + 4096 }),
    ...both('one page beyond its file', { offset: 4096 }),
    ...both('far beyond its file', { offset: 2n ** 40n }),
    ...both('of more than 4 GiB', { size: 2n ** 32n + 4096n }),
  ]);
  check(
    'checked',
    both('above the memory of its partition', { size: QUOTA + 4096 }, strange.file(4 * MIB)),
  );
  check(
    'checked',
    both(
      'of more than 4 GiB in a file that has them',
      { size: 2n ** 32n + 4096n },
      strange.file(5 * 1024 * MIB),
    ),
  );

  const { event, directory, device, zero, pipe, socket, diskFile } = strange;
  const notMemory = { event, directory, device, zero, pipe, socket, diskFile };
  for (const [kind, descriptor] of Object.entries(notMemory))
    check('checked', both(`with a descriptor of kind ${kind}`, {}, descriptor));
  check('checked', both('with an empty file', {}, strange.emptyMemory));
  check('checked', both('with a file to read only', {}, strange.readOnlyMemory));
  check('sealed', both('with a file that can shrink', {}, strange.unsealedMemory));

  const table = (what: string, regions: readonly RegionFields[], files: number, options = {}) =>
    bad(Request.SET_MEM_TABLE, what, {
      payload: memoryTable(regions, options),
      descriptors: Array.from({ length: files }, () => strange.memory),
    });
  const apart = (n: number): RegionFields => ({
    guest: 0x5_0000_0000 + n * 0x1000_0000,
    user: 0x7e00_0000_0000 + n * 0x1000_0000,
    offset: 0,
    size: 4096,
  });
  const regions = (count: number) => Array.from({ length: count }, (_, n) => apart(n));

  check('table', [
    table('of no regions', [], 0),
    table('of no regions but with room', [GOOD], 0, { count: 0 }),
    table('that announces more than it has', [GOOD], 1, { count: 2 }),
    table('that announces 2^32-1 regions', [GOOD], 1, { count: 0xffff_ffff }),
    table('that announces 2^31 regions', [GOOD], 1, { count: 0x8000_0000 }),
    table('with padding', [GOOD], 1, { padding: 1 }),
    table('with fewer descriptors than regions', regions(3), 2),
    table('with more descriptors than regions', regions(3), 4),
    table('without descriptors', regions(2), 0),
    table('whose guest addresses overlap', [GOOD, { ...apart(3), guest: 0x5_0000_f000 }], 2),
    table('whose user addresses overlap', [GOOD, { ...apart(3), user: 0x7e00_0000_f000 }], 2),
    table('with one region twice', [GOOD, GOOD], 2),
    table('whose last region is empty', [GOOD, { ...apart(3), size: 0 }], 2),
  ]);

  const one = (request: number, what: string, region: Partial<RegionFields>, files = 1) =>
    bad(request, what, {
      payload: singleRegion({ ...GOOD, ...region }),
      descriptors: Array.from({ length: files }, () => strange.memory),
    });
  check('table', [
    one(Request.ADD_MEM_REG, 'over the guest’s addresses', { guest: GUEST_BASE }),
    one(Request.ADD_MEM_REG, 'over the end of the guest’s addresses', {
      guest: GUEST_BASE + TAKEN - 4096,
    }),
    one(Request.ADD_MEM_REG, 'over the guest’s user addresses', { user: USER_BASE }),
    one(Request.ADD_MEM_REG, 'around the guest’s addresses', { guest: 4096, size: TOP - 8192n }),
    one(Request.ADD_MEM_REG, 'without a descriptor', {}, 0),
    one(Request.ADD_MEM_REG, 'with two descriptors', {}, 2),
    one(Request.REM_MEM_REG, 'that is not there', {}, 0),
    one(
      Request.REM_MEM_REG,
      'of another size',
      { guest: GUEST_BASE, user: USER_BASE, size: 4096 },
      0,
    ),
    one(Request.REM_MEM_REG, 'at another user address', { guest: GUEST_BASE, size: TAKEN }, 0),
    one(
      Request.REM_MEM_REG,
      'with two descriptors',
      { guest: GUEST_BASE, user: USER_BASE, size: TAKEN },
      2,
    ),
  ]);

  it(
    '[utest->req~vhost.memory-private~1] a memory file that another partition has is refused',
    suite.beside(async () => {
      const first = await suite.frontEnd('f');
      const shared = [strange.file(SIZE)];
      const payload = memoryTable([GOOD]);
      const message = { request: Request.SET_MEM_TABLE, payload, descriptors: shared };
      assert.equal(await first.acknowledged(message), true);
      const second = await suite.frontEnd('e');
      assert.equal(await second.acknowledged(message), false);
      const added = {
        request: Request.ADD_MEM_REG,
        payload: singleRegion(GOOD),
        descriptors: shared,
      };
      assert.equal(await second.acknowledged(added), false);
      first.close();
      await suite.frontEnd('f');
      assert.equal(
        await second.acknowledged(message),
        true,
        'it is free when the other one has gone',
      );
    }),
  );

  it(
    '[utest->req~vhost.memory-checked~1] regions together may have what the configuration grants, and not a page more',
    suite.beside(async () => {
      const e = await suite.frontEnd('e');
      const file = strange.file(2 * QUOTA);
      const half = QUOTA / 2;
      const add = (n: number, size: number) =>
        e.acknowledged({
          request: Request.ADD_MEM_REG,
          payload: singleRegion({ ...apart(n), offset: n * half, size }),
          descriptors: [file],
        });
      assert.equal(await add(0, half), true);
      assert.equal(await add(1, half + 4096), false);
      assert.equal(await add(1, half), true);
      assert.equal(await add(2, 4096), false);
      await e.assertUsable();
    }),
  );

  for (const [what, replace] of [
    ['removed', Request.REM_MEM_REG],
    ['replaced', Request.SET_MEM_TABLE],
  ] as const) {
    it(
      `[utest->req~vhost.memory-table~1] memory that is ${what} under running rings is touched no more`,
      suite.beside(async () => {
        const f = await suite.running('f', 'qemu');
        const e = await suite.running('e', 'qemu');
        await suite.assertTraffic({ id: 'e', guest: e }, { id: 'f', guest: f });
        const removal = replace === Request.REM_MEM_REG;
        // Refused or carried out: the back-end may hold on to what runs, or stop it.
        const taken = await e.frontEnd.acknowledged({
          request: replace,
          payload: removal ? e.ram.single[0]! : memoryTable([GOOD]),
          descriptors: removal ? [] : [strange.memory],
        });
        if (taken) {
          for (let n = 0; n < 4; n++) {
            f.port.send(packet(suite.host.mac('e'), suite.host.mac('f'), n));
            e.port.send(packet(suite.host.mac('f'), suite.host.mac('e'), n));
          }
          const before = e.ram.snapshot();
          await pause(40);
          assert.ok(e.ram.snapshot().equals(before), 'it was taken away');
        } else await suite.assertTraffic({ id: 'e', guest: e }, { id: 'f', guest: f });
        e.end();
        const again = await suite.running('e', 'qemu');
        await suite.assertTraffic({ id: 'e', guest: again }, { id: 'f', guest: f });
      }),
    );
  }

  it(
    '[utest->req~vhost.memory-table~1] tables that change under load never mix',
    suite.beside(async () => {
      const f = await suite.running('f', 'qemu');
      const e = await suite.guest('e');
      await start('dpdk', e);
      e.port.supply();
      const bothTables = [
        { payload: e.ram.table, descriptors: e.ram.descriptors },
        {
          payload: memoryTable([...e.ram.regions, apart(1)]),
          descriptors: [...e.ram.descriptors, strange.memory],
        },
      ];
      for (let n = 0; n < 60; n++) {
        const message = { request: Request.SET_MEM_TABLE, ...bothTables[n % 2]! };
        assert.equal(await e.frontEnd.acknowledged(message), true);
        await suite.assertTraffic({ id: 'e', guest: e }, { id: 'f', guest: f }, 1);
        await suite.assertTraffic({ id: 'f', guest: f }, { id: 'e', guest: e }, 1);
      }
    }),
  );
});
