/** Guest memory over vhost-user: tables, regions by slots, several regions of one file, replacement while rings run. */
import { strict as assert } from 'node:assert';
import { closeDescriptor, createMemoryFile } from '../../src/host/descriptors.ts';
import { memoryTable, Request, singleRegion } from '../support/vhost/message.ts';
import type { NetGuest } from '../support/vhost/net-guest.ts';
import { DPDK_KNOWS, negotiateProtocol, start } from '../support/vhost/sequences.ts';
import { vhostSuite } from '../support/vhost/suite.ts';
import { packet } from '../support/vhost/guest-port.ts';
import { within } from '../support/vhost/connection.ts';

const HALF = 2 ** 18;
/** Low memory, a hole, and the rest of one file far behind it, as QEMU has it. */
const LOW_AND_HIGH = [
  { guest: 0, user: 0x7f00_0000_0000, offset: 0, size: HALF },
  { guest: 0x1_0000_0000, user: 0x7f00_8000_0000, offset: HALF, size: HALF },
];
const SPARE = { guest: 0x9_0000_0000, user: 0x7e00_0000_0000, offset: 0, size: 65536 };

describe('vhost-user memory', () => {
  const suite = vhostSuite([
    { id: 'a' },
    { id: 'b' },
    { id: 'two', devices: 2 },
    { id: 'lax', unsealed: 'accept' },
  ]);
  let b: NetGuest;

  async function assertTalk(a: NetGuest, count = 5): Promise<void> {
    await suite.assertTraffic({ id: 'a', guest: a }, { id: 'b', guest: b }, count);
    await suite.assertTraffic({ id: 'b', guest: b }, { id: 'a', guest: a }, count);
  }

  function file(bytes = 65536, seal = true): number {
    const descriptor = createMemoryFile('test', bytes, { seal });
    suite.atEnd(() => closeDescriptor(descriptor));
    return descriptor;
  }

  for (const client of ['qemu', 'dpdk'] as const) {
    it(`[utest->req~vhost.memory-table~1] ${client}: several regions of one file, with holes between them`, async () => {
      b = await suite.running('b', 'qemu');
      const a = await suite.guest('a', { regions: LOW_AND_HIGH });
      await start(client, a);
      a.port.supply();
      await assertTalk(a);
      a.port.moveBuffers(a.ram, HALF);
      await assertTalk(a);
    });
  }

  it('[utest->req~vhost.memory-table~1] a table that is set again while rings run loses nothing', async () => {
    b = await suite.running('b', 'qemu');
    const a = await suite.running('a', 'dpdk');
    const all = Array.from({ length: 200 }, (_, n) =>
      packet(suite.host.mac('b'), suite.host.mac('a'), n),
    );
    const found: number[][] = [];
    let next = 0;
    for (let round = 0; round < 20; round++) {
      for (; next < 10 * (round + 1); next++) assert.ok(a.port.send(all[next]!));
      await a.frontEnd.set(Request.SET_MEM_TABLE, a.ram.table, a.ram.descriptors);
      await within(2000, () => {
        found.push(...b.port.received());
        return found.length >= next ? true : undefined;
      });
    }
    assert.deepEqual(found, all);
    await assertTalk(a);
  });

  it('[utest->req~vhost.memory-table~1] a table with one bad region is refused whole, and the one before goes on', async () => {
    b = await suite.running('b', 'qemu');
    const a = await suite.running('a', 'dpdk');
    const [region] = a.ram.regions;
    const bad = [
      { ...SPARE, size: 0 },
      { ...SPARE, size: 2 * 65536 },
      { ...SPARE, guest: region!.guest },
    ];
    for (const second of bad) {
      const taken = await a.frontEnd.acknowledged({
        request: Request.SET_MEM_TABLE,
        payload: memoryTable([region!, second]),
        descriptors: [a.ram.descriptor, file()],
      });
      assert.equal(taken, false);
      await assertTalk(a);
    }
  });

  it('[utest->req~vhost.memory-table~1] a table takes the place of the one before', async () => {
    const a = await suite.guest('a');
    await negotiateProtocol(a.frontEnd, DPDK_KNOWS);
    await a.frontEnd.set(Request.SET_MEM_TABLE, memoryTable([SPARE]), [file()]);
    await a.frontEnd.set(Request.SET_MEM_TABLE, memoryTable([SPARE]), [file()]);
    a.ram.tableRegions = 1;
    b = await suite.running('b', 'qemu');
    await start('dpdk', a);
    a.port.supply();
    await assertTalk(a);
  });

  it('[utest->req~vhost.memory-table~1] as many regions as there are slots are added, and not one more', async () => {
    const a = await suite.frontEnd('a');
    const slots = Number(await a.getU64(Request.GET_MAX_MEM_SLOTS));
    assert.ok(slots >= 8 && slots <= 509, `${slots} slots`);
    const regions = Array.from({ length: slots + 1 }, (_, n) => ({
      guest: SPARE.guest + n * 4096,
      user: SPARE.user + n * 4096,
      offset: 0,
      size: 4096,
    }));
    const add = (n: number) => ({
      request: Request.ADD_MEM_REG,
      payload: singleRegion(regions[n]!),
      descriptors: [file(4096)],
    });
    for (let n = 0; n < slots; n++) assert.ok(await a.acknowledged(add(n)), `slot ${n}`);
    assert.equal(await a.acknowledged(add(slots)), false);
    await a.set(Request.REM_MEM_REG, singleRegion(regions[0]!));
    assert.ok(await a.acknowledged(add(slots)));
  });

  it('[utest->req~vhost.memory-table~1] a region is removed by its addresses and size; its offset means nothing', async () => {
    const a = await suite.frontEnd('a');
    for (let n = 0; n < 3; n++) {
      await a.set(Request.ADD_MEM_REG, singleRegion(SPARE), [file()]);
      await a.set(Request.REM_MEM_REG, singleRegion({ ...SPARE, offset: 4096 * n }));
    }
    const removed = { request: Request.REM_MEM_REG, payload: singleRegion(SPARE) };
    assert.equal(await a.acknowledged(removed), false, 'it is gone');
  });

  it('[utest->req~vhost.memory-table~1] a descriptor that comes with a removal is closed and not used', async () => {
    const a = await suite.frontEnd('a');
    await a.set(Request.ADD_MEM_REG, singleRegion(SPARE), [file()]);
    const outcome = await a.acknowledged({
      request: Request.REM_MEM_REG,
      payload: singleRegion(SPARE),
      descriptors: [file()],
    });
    assert.equal(typeof outcome, 'boolean');
    await a.assertUsable();
  });

  it('[utest->req~vhost.memory-private~1] two devices of one partition share one memory file', async () => {
    const left = await suite.guest('two', { bytes: 2 ** 20 });
    await start('dpdk', left);
    const right = await left.second(suite.host.socket('two', 'net1'));
    suite.atEnd(() => right.end());
    await start('dpdk', right);
    for (const guest of [left, right]) guest.port.supply();
    const sent = packet(suite.host.mac('two', 1), suite.host.mac('two', 0), 1);
    assert.ok(left.port.send(sent));
    assert.deepEqual(await right.receives(1), [sent]);
    left.frontEnd.close();
    const back = packet(suite.host.mac('two', 0), suite.host.mac('two', 1), 2);
    for (let n = 0; n < 5; n++) assert.ok(right.port.send(back));
    const { ring } = right.port.transmit;
    assert.ok(await within(2000, () => ring.usedIndex === ring.availIndex || undefined));
  });

  it('[utest->req~vhost.memory-sealed~1] a file that can shrink is refused, or accepted as the configuration has it', async () => {
    const request = Request.SET_MEM_TABLE;
    const payload = memoryTable([SPARE]);
    const strict = await suite.frontEnd('a');
    const descriptors = [file(65536, false)];
    assert.equal(await strict.acknowledged({ request, payload, descriptors }), false);
    const lax = await suite.frontEnd('lax');
    assert.equal(await lax.acknowledged({ request, payload, descriptors }), true);
  });
});
