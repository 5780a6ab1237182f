/** iPXE, a driver of others that polls, gets an address by DHCP from a user-mode Linux behind the gateway. */
import { strict as assert } from 'node:assert';
import { addAddress, address } from '../../src/cli/clients/guest-network.ts';
import { packetsReceived, receivesPacketsOf } from '../support/clients/guest-traffic.ts';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import { PxeMachine } from '../support/clients/pxe-machine.ts';
import { bothWays, socketOf, guestsConfig } from '../../src/cli/clients/guests-config.ts';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { UmlGuest } from '../support/clients/uml-guest.ts';
import { TestDirectory } from '../support/command-line.ts';

const PXE_MAC = '52:54:00:00:00:01';
const [SERVER, OUTSIDER] = [1, 2];
const LEASED = address(50);
const BOOT_MS = 60_000;

describeWithClients('iPXE', ['ipxe', 'uml'], (suite) => {
  suite.timeout(90_000);
  let directory: TestDirectory;
  let gateway: GatewayProcess;
  let server: UmlGuest;
  let outsider: UmlGuest;
  let machine: PxeMachine;

  before(async () => {
    directory = new TestDirectory();
    const uml = (id: string, mac: string) => ({
      id,
      devices: [{ mac }],
      unsealed: 'accept' as const,
    });
    gateway = await GatewayProcess.start(
      guestsConfig(
        directory.path,
        [
          { id: 'pxe', devices: [{ mac: PXE_MAC }] },
          uml('server', '52:54:00:00:00:02'),
          uml('outsider', '52:54:00:00:00:03'),
        ],
        // The outsider may speak, but nobody speaks to it.
        [...bothWays('pxe.net0', 'server.net0'), { from: 'outsider.net0', to: 'server.net0' }],
      ),
    );
    const guest = (id: string) => UmlGuest.start(id, { sockets: [socketOf(directory.path, id)] });
    [server, outsider] = await Promise.all([guest('server'), guest('outsider')]);
    await Promise.all([addAddress(server, SERVER), addAddress(outsider, OUTSIDER)]);
    const lines = [`start ${LEASED}`, `end ${LEASED}`, 'interface eth0', 'lease_file /tmp/leases'];
    await server.succeed(`printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} >/tmp/dhcp`);
    await server.succeed('touch /tmp/leases; udhcpd -f /tmp/dhcp >/tmp/log 2>&1 &');
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') showTails(gateway, server, outsider, machine);
  });

  after(async () => {
    await Promise.all([server, outsider, machine].map((client) => client?.kill()));
    await gateway?.kill();
    directory.remove();
  });

  it('[utest->req~queue.notify-suppression~1] its DHCP request arrives along the route, and the offer comes back', async () => {
    const heard = await packetsReceived(outsider);
    machine = new PxeMachine('pxe', socketOf(directory.path, 'pxe'), PXE_MAC);
    await machine.process.waitFor(new RegExp(`${LEASED}/255`), BOOT_MS);
    const log = await server.succeed('cat /tmp/log');
    assert.match(log, new RegExp(`OFFER (to|of) ${LEASED}`, 'i'));
    assert.match(log, new RegExp(`ACK (to|of) ${LEASED}`, 'i'));
    // A broadcast goes along routes, too: the server heard it, who has no route did not.
    assert.equal(await packetsReceived(outsider), heard);
    assert.ok((await receivesPacketsOf(server, outsider, address(SERVER), 5)) > 0);
    await machine.kill();
    await gateway.stop();
    for (const { id, faults } of gateway.report().partitions) assert.deepEqual(faults, {}, id);
  });
});
