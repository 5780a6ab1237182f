/** The front-end that the conformance tests use is honest: another back-end serves it, in all its manners. */
import { strict as assert } from 'node:assert';
import path from 'node:path';
import { describeWithClients } from '../support/clients/missing-clients.ts';
import { Testpmd } from '../../src/cli/clients/testpmd.ts';
import { TestDirectory } from '../support/command-line.ts';
import { pause } from '../support/vhost/connection.ts';
import { packet } from '../support/vhost/guest-port.ts';
import { NetGuest } from '../support/vhost/net-guest.ts';
import { CLIENTS, qemuStart, qemuStop, start, stop } from '../support/vhost/sequences.ts';

/** That back-end takes a ring up when it next looks at its ports. */
const SETTLE_MS = 500;
const LEFT = [0x52, 0x54, 0, 0, 0, 1];
const RIGHT = [0x52, 0x54, 0, 0, 0, 2];

describeWithClients('front-ends of the tests at DPDK’s back-end', ['dpdk'], (suite) => {
  suite.timeout(60_000);
  let directory: TestDirectory;
  let testpmd: Testpmd;
  let guests: NetGuest[] = [];
  const socket = (n: number) => path.join(directory.path, `${n}.sock`);

  before(async () => {
    directory = new TestDirectory();
    testpmd = await Testpmd.start('back-end', {
      forward: 'io',
      ports: [0, 1].map((n) => ({ driver: 'vhost', socket: socket(n) })),
    });
    await testpmd.succeed('start');
  });

  afterEach(() => {
    for (const guest of guests.splice(0)) guest.end();
  });

  after(async () => {
    await testpmd?.kill();
    directory?.remove();
  });

  async function assertTalk(first: number): Promise<void> {
    const sent = Array.from({ length: 20 }, (_, n) => packet(RIGHT, LEFT, first + n));
    for (const bytes of sent) assert.ok(guests[0]!.port.send(bytes));
    guests[0]!.kick(1);
    assert.deepEqual(await guests[1]!.receives(sent.length), sent);
    await guests[1]!.called(0);
  }

  for (const client of CLIENTS) {
    it(`[utest->req~vhost.clients~1] ${client}: packets arrive, and a stopped guest starts again`, async () => {
      guests = [await NetGuest.open(socket(0)), await NetGuest.open(socket(1))];
      for (const guest of guests) {
        await start(client, guest);
        guest.port.supply();
      }
      await pause(SETTLE_MS);
      await assertTalk(0);
      if (client === 'qemu') {
        const bases = await qemuStop(guests[0]!);
        guests[0]!.port.receive.rewind(bases[0]!);
        guests[0]!.port.transmit.rewind(bases[1]!);
        await qemuStart(guests[0]!, bases);
        guests[0]!.port.supply();
        await pause(SETTLE_MS);
        await assertTalk(100);
      }
      for (const guest of guests) await stop(client, guest);
    });
  }
});
