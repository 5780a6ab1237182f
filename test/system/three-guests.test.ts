/** Two QEMU guests and a user-mode Linux on one gateway: who may talk does, who may not is not heard. */
import { strict as assert } from 'node:assert';
import { address, configure } from '../../src/cli/clients/guest-network.ts';
import {
  knows,
  packetsReceived,
  ping,
  pingCommand,
  pingsAll,
  transfer,
} from '../support/clients/guest-traffic.ts';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import { QemuGuest } from '../../src/cli/clients/qemu-guest.ts';
import { bothWays, socketOf, guestsConfig } from '../../src/cli/clients/guests-config.ts';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { UmlGuest } from '../support/clients/uml-guest.ts';
import { TestDirectory } from '../support/command-line.ts';

const MACS = { left: '52:54:00:00:00:01', middle: '52:54:00:00:00:02', right: '52:54:00:00:00:03' };
const [LEFT, MIDDLE, RIGHT] = [1, 2, 3];

describeWithClients('three guests: left - middle - right', ['qemu', 'uml'], (suite) => {
  suite.timeout(120_000);
  let directory: TestDirectory;
  let gateway: GatewayProcess;
  let left: QemuGuest;
  let middle: QemuGuest;
  let right: UmlGuest;

  before(async () => {
    directory = new TestDirectory();
    const socket = (partition: string) => socketOf(directory.path, partition);
    gateway = await GatewayProcess.start(
      guestsConfig(
        directory.path,
        [
          { id: 'left', devices: [{ mac: MACS.left }] },
          { id: 'middle', devices: [{ mac: MACS.middle }] },
          { id: 'right', devices: [{ mac: MACS.right }], unsealed: 'accept' },
        ],
        [...bothWays('left.net0', 'middle.net0'), ...bothWays('middle.net0', 'right.net0')],
      ),
    );
    left = new QemuGuest('left', { devices: [{ socket: socket('left'), mac: MACS.left }] });
    middle = new QemuGuest('middle', { devices: [{ socket: socket('middle'), mac: MACS.middle }] });
    right = new UmlGuest('right', { sockets: [socket('right')] });
    await Promise.all([left, middle, right].map((guest) => guest.booted()));
    await gateway.serves('left', 'middle', 'right');
    await Promise.all([configure(left, LEFT), configure(middle, MIDDLE), configure(right, RIGHT)]);
    // They would not even ask each other: an address that they know makes them send.
    await knows(left, RIGHT, MACS.right);
    await knows(right, LEFT, MACS.left);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') showTails(gateway, left, middle, right);
  });

  after(async () => {
    await Promise.all([left, middle, right].map((guest) => guest?.kill()));
    await gateway?.kill();
    directory.remove();
  });

  it('[utest->req~net.static-route~1] 200 pings along each route all come back, those along none do not', async () => {
    await Promise.all([pingsAll(left, MIDDLE), pingsAll(right, MIDDLE)]);
    await pingsAll(middle, LEFT);
    await pingsAll(middle, RIGHT);
    const heard = await packetsReceived(left);
    const { received } = await ping(right, LEFT, { count: 50 });
    assert.equal(received, 0, 'an answer without a route');
    assert.equal(await packetsReceived(left), heard, 'a request without a route');
    assert.equal((await ping(left, RIGHT, { count: 50 })).received, 0);
    // The same guests in the same minute, along their routes.
    await Promise.all([
      pingsAll(left, MIDDLE, { count: 50 }),
      pingsAll(right, MIDDLE, { count: 50 }),
    ]);
  });

  it('[utest->req~net.static-route~1] bulk data by TCP arrives as it was sent, between QEMU guests and user-mode Linux', async () => {
    const rates = [
      await transfer({ from: left, to: middle, host: MIDDLE }),
      await transfer({ from: middle, to: left, host: LEFT }),
      await transfer({ from: right, to: middle, host: MIDDLE }),
      await transfer({ from: middle, to: right, host: RIGHT }),
    ];
    console.log(`      ${rates.map((rate) => rate.toFixed(0)).join(', ')} Mbit/s`);
    // Nobody listens where no route leads: the connection is never made.
    const refused = await left.run(`nc -w 1 ${address(RIGHT)} 5000 </dev/null`);
    assert.notEqual(refused.status, 0);
  });

  for (const which of ['left', 'right'] as const) {
    it(`[utest->req~vhost.ring-states~1] the driver of ${which} is unloaded and loaded again`, async () => {
      const guest = which === 'left' ? left : right;
      const host = which === 'left' ? LEFT : RIGHT;
      await guest.succeed('rmmod virtio_net');
      assert.equal((await ping(middle, host, { count: 20 })).received, 0);
      await guest.succeed('modprobe virtio_net');
      await configure(guest, host);
      await gateway.serves(which);
      await pingsAll(guest, MIDDLE);
      await pingsAll(middle, host, { count: 50 });
    });
  }

  it('[utest->req~vhost.ring-states~1] a guest restarts itself', async () => {
    await left.reboot();
    await configure(left, LEFT);
    await gateway.serves('left');
    await pingsAll(left, MIDDLE);
  });

  it('[utest->req~fault.contain~1] a guest that is killed does not disturb the traffic of the others', async () => {
    const traffic = await right.background(pingCommand(address(MIDDLE), { count: 400 }));
    await pingsAll(left, MIDDLE, { count: 50 });
    await left.kill();
    const { output } = await traffic.result();
    assert.match(output, /400 packets transmitted, 400 received/);
    assert.equal((await ping(middle, LEFT, { count: 20 })).received, 0);
    await transfer({ from: right, to: middle, host: MIDDLE });
  });

  it('[utest->req~diag.counters~1] the report has packets on every route, and no fault', async () => {
    await gateway.stop();
    const { partitions, routes, safeState } = gateway.report();
    assert.equal(safeState, null);
    assert.deepEqual(
      partitions.map(({ id, faults }) => ({ id, faults })),
      ['left', 'middle', 'right'].map((id) => ({ id, faults: {} })),
    );
    for (const { id, delivered } of routes) assert.ok(delivered > 1000, `${id}: ${delivered}`);
  });
});
