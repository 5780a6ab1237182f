/** Two QEMU guests that outlive their gateway, and one whose memory grows while it talks. */
import { strict as assert } from 'node:assert';
import { address, configure } from '../../src/cli/clients/guest-network.ts';
import {
  pingCommand,
  pingsAll,
  reaches,
  receives,
  transfer,
} from '../support/clients/guest-traffic.ts';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import { Qmp } from '../support/clients/qmp.ts';
import { QemuGuest } from '../../src/cli/clients/qemu-guest.ts';
import { bothWays, socketOf, guestsConfig } from '../../src/cli/clients/guests-config.ts';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { TestDirectory } from '../support/command-line.ts';

const MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const;
const [GROWING, STEADY] = [1, 2];
const MEMORY_MIB = 192;
/** Linux takes memory into use in blocks of this size. */
const MORE_MIB = 128;

const SOME_BYTES = 2_000_000;

describeWithClients('two QEMU guests', ['qemu'], (suite) => {
  suite.timeout(120_000);
  let directory: TestDirectory;
  let gateway: GatewayProcess;
  let growing: QemuGuest;
  let steady: QemuGuest;

  const start = async () => {
    gateway = await GatewayProcess.start(
      guestsConfig(
        directory.path,
        [
          { id: 'growing', devices: [{ mac: MACS[0] }], memoryMiB: 2 * (MEMORY_MIB + MORE_MIB) },
          { id: 'steady', devices: [{ mac: MACS[1] }] },
        ],
        bothWays('growing.net0', 'steady.net0'),
      ),
    );
  };

  before(async () => {
    directory = new TestDirectory();
    await start();
    const device = (id: string, n: number) => ({
      ...{ socket: socketOf(directory.path, id), mac: MACS[n]!, reconnectMs: 100 },
    });
    growing = new QemuGuest('growing', {
      devices: [device('growing', 0)],
      memoryMiB: MEMORY_MIB,
      memoryRoom: 'slots=2,maxmem=1G',
    });
    steady = new QemuGuest('steady', { devices: [device('steady', 1)] });
    await Promise.all([growing, steady].map((guest) => guest.booted()));
    await gateway.serves('growing', 'steady');
    await Promise.all([configure(growing, GROWING), configure(steady, STEADY)]);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') showTails(gateway, growing, steady);
  });

  after(async () => {
    await Promise.all([growing, steady].map((guest) => guest?.kill()));
    await gateway?.kill();
    directory.remove();
  });

  const memoryKiB = async () =>
    Number(await growing.succeed("awk '/^MemTotal/ {print $2}' /proc/meminfo"));

  it('[utest->req~vhost.memory-table~1] memory is plugged in while packets flow, and none is lost', async () => {
    const before = await memoryKiB();
    const traffic = await steady.background(pingCommand(address(GROWING), { count: 400 }));
    const size = MORE_MIB * 2 ** 20;
    const monitor = await Qmp.connect(growing.monitor);
    await monitor.execute('object-add', {
      'qom-type': 'memory-backend-memfd',
      id: 'more',
      size,
      share: true,
    });
    await monitor.execute('device_add', { driver: 'pc-dimm', id: 'dimm', memdev: 'more' });
    monitor.close();
    const wanted = before + (MORE_MIB * 1024) / 2;
    await growing.succeed(
      `until [ $(awk '/^MemTotal/ {print $2}' /proc/meminfo) -gt ${wanted} ]; do usleep 20000; done`,
    );
    assert.match((await traffic.result()).output, /400 packets transmitted, 400 received/);
    // More than there was before: buffers now lie in the new memory, too.
    await growing.succeed('mkdir /ballast && mount -t tmpfs -o size=80% ballast /ballast');
    const ballast = Math.ceil(before / 1024);
    await growing.succeed(`dd if=/dev/zero of=/ballast/zeros bs=1M count=${ballast}`);
    await transfer({ from: growing, to: steady, host: STEADY });
    await transfer({ from: steady, to: growing, host: GROWING });
    await growing.succeed('umount /ballast');
  });

  it('[utest->req~vhost.reconnect~1] the gateway is killed and started again: a TCP connection goes on, and so do pings', async () => {
    await pingsAll(growing, STEADY, { count: 50 });
    const during = async () => {
      await receives(steady, SOME_BYTES);
      await gateway.kill();
      await start();
    };
    await transfer({ from: growing, to: steady, host: STEADY, times: 16, during });
    await Promise.all([reaches(growing, STEADY), reaches(steady, GROWING)]);
    await Promise.all([pingsAll(growing, STEADY), pingsAll(steady, GROWING)]);
  });

  it('[utest->req~vhost.reconnect~1] the gateway is stopped in order and started again under the same guests', async () => {
    await gateway.stop();
    assert.ok(growing.process.running && steady.process.running);
    await start();
    await Promise.all([reaches(growing, STEADY), reaches(steady, GROWING)]);
    await Promise.all([pingsAll(growing, STEADY), pingsAll(steady, GROWING)]);
    await gateway.stop();
    for (const { id, faults } of gateway.report().partitions) assert.deepEqual(faults, {}, id);
  });
});
