/** Two queue pairs in a QEMU guest (`mq=on`), and in a user-mode Linux that it talks to. */
import { strict as assert } from 'node:assert';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { bothWays, guestsConfig, socketOf } from '../../src/cli/clients/guests-config.ts';
import { QemuGuest } from '../../src/cli/clients/qemu-guest.ts';
import { configure } from '../../src/cli/clients/guest-network.ts';
import { pingsAll, transfer } from '../support/clients/guest-traffic.ts';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import { UmlGuest } from '../support/clients/uml-guest.ts';
import { TestDirectory } from '../support/command-line.ts';

const MACS = { guest: '52:54:00:00:00:01', other: '52:54:00:00:00:02' };
const [GUEST, OTHER] = [1, 2];
/** Each connection hashes to one of two queues, and is answered by the queue of its number. */
const CONNECTIONS = 6;

describeWithClients('a QEMU guest with two queue pairs', ['qemu', 'uml'], (suite) => {
  suite.timeout(120_000);
  let directory: TestDirectory;
  let gateway: GatewayProcess;
  let guest: QemuGuest;
  let other: UmlGuest;

  before(async () => {
    directory = new TestDirectory();
    gateway = await GatewayProcess.start(
      guestsConfig(
        directory.path,
        [
          { id: 'guest', devices: [{ mac: MACS.guest, queuePairs: 2 }] },
          { id: 'other', devices: [{ mac: MACS.other, queuePairs: 2 }], unsealed: 'accept' },
        ],
        bothWays('guest.net0', 'other.net0'),
      ),
    );
    const socket = socketOf(directory.path, 'guest');
    guest = new QemuGuest('guest', { devices: [{ socket, mac: MACS.guest, queuePairs: 2 }] });
    other = new UmlGuest('other', { sockets: [socketOf(directory.path, 'other')] });
    await Promise.all([guest, other].map((each) => each.booted()));
    await gateway.serves('guest', 'other');
    await Promise.all([configure(guest, GUEST), configure(other, OTHER)]);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') showTails(gateway, guest, other);
  });

  after(async () => {
    await Promise.all([guest, other].map((each) => each?.kill()));
    await gateway?.kill();
    directory.remove();
  });

  /** What the driver counts for a queue; it lists the pairs in use. */
  const counted = async (name: string) => {
    const statistics = await guest.succeed('ethtool -S eth0');
    return Number(new RegExp(`${name}: (\\d+)`).exec(statistics)?.[1] ?? 0);
  };

  const connections = async () => {
    for (let n = 0; n < CONNECTIONS; n++) {
      await transfer({ from: guest, to: other, host: OTHER, times: 1 });
      await transfer({ from: other, to: guest, host: GUEST, times: 1 });
    }
  };

  it('[utest->req~net.multiqueue~1] one processor uses one pair, and nothing comes by the other', async () => {
    assert.match(await guest.succeed('ethtool -l eth0'), /Combined:\s+2[^]*Combined:\s+1/);
    await transfer({ from: guest, to: other, host: OTHER, times: 1 });
    await transfer({ from: other, to: guest, host: GUEST, times: 1 });
    assert.ok((await counted('rx_queue_0_packets')) > 0);
    assert.equal(await counted('rx_queue_1_packets'), 0);
  });

  it('[utest->req~net.multiqueue~1] with the second pair in use packets go and come by it, too', async () => {
    await Promise.all([guest, other].map((each) => each.succeed('ethtool -L eth0 combined 2')));
    await connections();
    for (const name of ['tx', 'rx'].map((way) => `${way}_queue_1_packets`))
      assert.ok((await counted(name)) > 0, name);
    await Promise.all([pingsAll(guest, OTHER), pingsAll(other, GUEST)]);
  });

  it('[utest->req~vhost.ring-states~1] the second pair is given up while packets flow, and taken again', async () => {
    for (const pairs of [1, 2, 1]) {
      const during = async () => {
        await guest.succeed(`ethtool -L eth0 combined ${pairs}`);
      };
      await transfer({ from: other, to: guest, host: GUEST, times: 2, during });
      await pingsAll(guest, OTHER, { count: 50 });
    }
  });

  it('[utest->req~diag.counters~1] the report has packets on both transmitqs, and no fault', async () => {
    await gateway.stop();
    const { partitions } = gateway.report();
    for (const { id, faults } of partitions) assert.deepEqual(faults, {}, id);
    const { queues } = partitions.find(({ id }) => id === 'guest')!;
    const requests = (queue: string) => queues.find((each) => each.queue === queue)?.requests ?? 0;
    assert.ok(requests('guest.net0.transmitq0') > 0 && requests('guest.net0.transmitq1') > 0);
  });
});
