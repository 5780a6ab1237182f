/** How benches and system tests drive their clients, on programs that only play them. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EightPartitions } from '../../src/cli/bench/eight-partitions.ts';
import { ClientProcess } from '../../src/cli/clients/client-process.ts';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { bothWays, guestsConfig } from '../../src/cli/clients/guests-config.ts';
import { LinuxGuest } from '../../src/cli/clients/linux-guest.ts';
import { clientsMissing } from '../../src/cli/clients/missing-clients.ts';
import { machineWords, type QemuDisplay } from '../../src/cli/clients/qemu-guest.ts';
import { Testpmd } from '../../src/cli/clients/testpmd.ts';
import { until } from '../../src/cli/clients/wait.ts';
import type { GatewayConfig } from '../../src/schedule/gateway-config.ts';
import { TestDirectory } from '../support/command-line.ts';
import { repositoryPath } from '../support/judged.ts';
import { twoPartitions } from '../support/two-partitions.ts';

const sh = (script: string, options = {}) =>
  new ClientProcess('player', '/bin/sh', ['-c', script], options);

describe('client processes', () => {
  it('[utest->req~vhost.clients~1] a console is awaited by text and by pattern, from a position on', async () => {
    const client = sh('echo one; echo two; read line; echo "got $line"; exit 3');
    await client.waitFor('two');
    const { position } = client;
    client.write('word\n');
    const [, word] = await client.waitFor(/got (\w+)/, 5000, position);
    assert.equal(word, 'word');
    assert.equal(await client.exited, 3);
    assert.equal(client.running, false);
    assert.equal(client.output, 'one\ntwo\ngot word\n');
    await assert.rejects(client.waitFor('never'), /player has ended; waited for \/never\//);
  });

  it('[utest->req~vhost.clients~1] a client that is silent, has failed or does not start ends the waiting with its last words', async () => {
    const silent = sh('echo here; sleep 60');
    await assert.rejects(silent.waitFor('there', 200), /was silent for 200 ms[^]*player\| here/);
    await silent.kill();
    const failing = sh('echo PANIC; sleep 60', { fatal: /PANIC/ });
    await assert.rejects(failing.waitFor('more'), /has failed/);
    await assert.rejects(failing.waitFor('more'), /has failed/);
    await failing.kill();
    const nobody = new ClientProcess('nobody', '/no/such/program', []);
    await assert.rejects(nobody.waitFor('anything'), /nobody did not start/);
    assert.equal(await nobody.exited, null);
    await nobody.kill();
  });

  it('[utest->req~vhost.clients~1] complaints can be kept apart from the console, and still be fatal', async () => {
    const client = sh('echo complaint >&2; sleep 0.1; echo console; read line', { apart: true });
    await client.waitFor('console');
    assert.equal(client.textSince(0), 'console\n');
    assert.match(client.tail(), /console[^]*complaint/);
    await client.kill();
    const failing = sh('echo PANIC >&2; sleep 60', { apart: true, fatal: /PANIC/ });
    await assert.rejects(failing.waitFor('more'), /has failed/);
    await failing.kill();
  });

  it('[utest->req~vhost.clients~1] its files go with it, and so do its helpers', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'player-'));
    const client = sh('sleep 60 & echo $!; wait', { directory });
    const [helper] = await client.waitFor(/\d+/);
    await client.kill();
    assert.equal(existsSync(directory), false);
    await until(() => !existsSync(`/proc/${helper}/fd/0`), 'the helper has gone');
  });

  it('[utest->req~vhost.clients~1] all end with who started them, also where files cannot be removed', async () => {
    const script = `
      const { ClientProcess } = require(process.argv[1]);
      const options = { directory: '/proc/version' };
      const start = () => new ClientProcess('player', '/bin/sleep', ['60'], options);
      console.log([start(), start()].map(({ pid }) => pid).join());
      process.kill(process.pid, 'SIGTERM');
      setInterval(() => {}, 1000);`;
    const entry = repositoryPath('build/src/cli/clients/client-process.js');
    const { status, stdout } = spawnSync(process.execPath, ['-e', script, entry], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    assert.equal(status, 1);
    const processes = stdout.trim().split(',').map(Number);
    assert.ok(processes.length === 2 && processes.every((pid) => pid > 0));
    for (const pid of processes)
      await until(() => !existsSync(`/proc/${pid}/fd/0`), `process ${pid} has gone`);
  });

  it('[utest->req~vhost.clients~1] what does not happen in time is an error that says what', async () => {
    await assert.rejects(
      until(() => false, 'a miracle', 20),
      /not within 20 ms: a miracle/,
    );
  });
});

/** What a guest's /init does with its console, without a machine around it. */
const GUEST = `echo m ready
while read -r number command; do
  echo "m begin $number"
  (eval "$command") </dev/null 2>&1
  status=$?
  echo
  echo "m end $number $status"
done`;

describe('shells of guests', () => {
  const guest = new LinuxGuest(sh(GUEST), 'm');
  after(() => guest.kill());

  it('[utest->req~vhost.clients~1] commands run one after the other, with their output and status', async () => {
    await guest.booted();
    const [one, two] = await Promise.all([guest.run('echo a; exit 4'), guest.run('echo b')]);
    assert.deepEqual(
      [one, two],
      [
        { status: 4, output: 'a' },
        { status: 0, output: 'b' },
      ],
    );
    await assert.rejects(guest.succeed('echo why; false'), /player: echo why; false: why/);
    await assert.rejects(guest.run('two\nlines'), /one line/);
  });

  it('[utest->req~vhost.clients~1] a guest that does not boot is ended', async () => {
    const dead = new LinuxGuest(sh('exit 1'), 'm');
    await assert.rejects(dead.booted(), /ended with exit code 1/);
    assert.equal(dead.process.running, false);
  });
});

/** Repeats its words, then answers as testpmd's command line does. */
const STDBUF = `#!/bin/sh
echo "$@"
[ -z "$FAIL" ] || { echo "EAL: Error" >&2; sleep 60; }
printf 'testpmd> '
while read -r line; do
  [ "$line" != quit ] || exit 7
  echo "$line"
  case $line in
    'show port stats all') echo '  RX-packets: 3'; echo '  RX-packets: 4' ;;
    'show port stats 0') echo '  RX-packets: 5 RX-missed: 0'; echo '  TX-bytes:  9' ;;
    'show port xstats 0') echo 'rx_q1_good_packets: 6' ;;
    start) ;;
    *) echo 'Command not found' ;;
  esac
  printf 'testpmd> '
done`;

describe('testpmd as it is driven', () => {
  const files = new TestDirectory();
  const { PATH } = process.env;

  before(() => {
    files.write('stdbuf', STDBUF);
    chmodSync(files.file('stdbuf'), 0o755);
    process.env['PATH'] = `${files.path}:${PATH}`;
  });

  after(() => {
    process.env['PATH'] = PATH;
    files.remove();
  });

  it('[utest->req~vhost.clients~1] ports, packets and processors become its words', async () => {
    const testpmd = await Testpmd.start('client', {
      ports: [
        {
          driver: 'virtio-user',
          socket: 'a.sock',
          mac: 'm',
          server: true,
          queues: 2,
          packed: true,
        },
        {
          driver: 'virtio-user',
          socket: 'b.sock',
          queueSize: 1024,
          inOrder: true,
          mergeable: true,
        },
      ],
      ...{ packetBytes: 64, peers: ['x'], processor: 0, words: ['--more'], forward: 'txonly' },
    });
    const [words] = testpmd.process.output.split('\n');
    for (const part of [
      '--lcores=0@0,1@0 --no-huge -m 256 --no-pci',
      '--vdev=net_virtio_user0,path=a.sock,queues=2,queue_size=256,packed_vq=1,in_order=0,mrg_rxbuf=0,server=1,mac=m ',
      '--vdev=net_virtio_user1,path=b.sock,queues=1,queue_size=1024,packed_vq=0,in_order=1,mrg_rxbuf=1 ',
      '--forward-mode=txonly --rxq=2 --txq=2 --txpkts=64 --eth-peer=0,x --more',
    ])
      assert.ok(words!.includes(part), `${part} in ${words}`);
    assert.equal(await testpmd.received(), 7);
    const { 'RX-packets': packets, 'TX-bytes': bytes } = await testpmd.statistics(0);
    assert.deepEqual([packets, bytes], [5, 9]);
    assert.deepEqual(await testpmd.extendedStatistics(0), { rx_q1_good_packets: 6 });
    await testpmd.succeed('start');
    await assert.rejects(testpmd.succeed('dance'), /client: dance: Command not found/);
    assert.equal(testpmd.workerNs, 0, 'this one has no thread that forwards');
    assert.equal(await testpmd.quit(), 7);
  });

  it('[utest->req~vhost.clients~1] as a back-end it has vhost ports, and its failure is told', async () => {
    const testpmd = await Testpmd.start('server', {
      ports: [
        { driver: 'vhost', socket: 'a.sock' },
        { driver: 'vhost', socket: 'b.sock', segments: true },
      ],
    });
    assert.match(
      testpmd.process.output,
      /net_vhost0,iface=a\.sock,queues=1 .*b\.sock,queues=1,tso=1 /,
    );
    await testpmd.kill();
    process.env['FAIL'] = 'yes';
    await assert.rejects(Testpmd.start('server', { ports: [] }), /has failed[^]*EAL: Error/);
    delete process.env['FAIL'];
  });
});

describe('words of a QEMU machine', () => {
  it('[utest->req~vhost.clients~1] front-ends and netdevs of its own become devices', () => {
    const words = machineWords({
      devices: [
        { socket: 's', mac: 'm', server: true, queuePairs: 2, properties: 'csum=off' },
        { socket: 't', mac: 'n', reconnectMs: 100 },
        { netdev: 'stream,server=on', mac: 'o' },
      ],
      ...{ memoryRoom: 'slots=2', processors: 2 },
    }).join(' ');
    for (const part of [
      '-m 192M,slots=2 -smp 2',
      'socket,id=c0,path=s,server=on,wait=off -netdev vhost-user,id=n0,chardev=c0,queues=2',
      'virtio-net-pci,netdev=n0,mac=m,mq=on,vectors=6,csum=off',
      'socket,id=c1,path=t,reconnect-ms=100 -netdev vhost-user,id=n1,chardev=c1 ',
      '-netdev stream,server=on,id=n2 -device virtio-net-pci,netdev=n2,mac=o',
    ])
      assert.ok(words.includes(part), `${part} in ${words}`);
  });

  it('[utest->req~vhost.clients~1] a machine has one processor, 192 MiB and no display unless it is told', () => {
    const plain = machineWords({ devices: [] });
    assert.deepEqual(plain.slice(plain.indexOf('-m'), plain.indexOf('-object')), [
      ...['-m', '192M', '-smp', '1'],
    ]);
    assert.equal(plain.at(-1), 'chardev:serial');
    const own = (display: QemuDisplay) =>
      machineWords({ devices: [], display }).slice(plain.length);
    assert.deepEqual(own({ device: 'virtio-gpu-pci' }), ['-device', 'virtio-gpu-pci']);
    assert.deepEqual(own({ device: 'vhost-user-vga', socket: 's' }), [
      ...['-chardev', 'socket,id=display,path=s', '-device', 'vhost-user-vga,chardev=display'],
    ]);
  });
});

describe('gateways for clients', function () {
  this.timeout(60_000);

  it('[utest->req~vhost.clients~1] what a client needs and is not there is named', () => {
    const { PATH } = process.env;
    process.env['PATH'] = '';
    try {
      assert.deepEqual(clientsMissing(['dpdk']), ['dpdk-testpmd', 'stdbuf']);
    } finally {
      process.env['PATH'] = PATH;
    }
    assert.deepEqual(clientsMissing([]), []);
  });

  it('[utest->req~vhost.clients~1] one that cannot start says why', async () => {
    const files = new TestDirectory();
    const config = guestsConfig(
      files.path,
      [{ id: 'a', devices: [{ mac: '52:54:00:00:00:01' }] }],
      bothWays('a.net0', 'b.net0'),
    );
    await assert.rejects(GatewayProcess.start(config), /the gateway ended[^]*error: /);
    files.remove();
  });

  it('[utest->req~vhost.clients~1] one that is stopped in order has a report, one that is killed has not', async () => {
    const files = new TestDirectory();
    const partitions = ['a', 'b'].map((id, n) => ({
      ...{ id, devices: [{ mac: `52:54:00:00:00:0${n + 1}`, queuePairs: n + 1 }] },
    }));
    const config = guestsConfig(files.path, partitions, bothWays('a.net0', 'b.net0', 5));
    const gateway = await GatewayProcess.start(config);
    assert.throws(() => gateway.report(), /a report/);
    await gateway.stop();
    assert.deepEqual(
      gateway.report().partitions.map(({ id }) => id),
      ['a', 'b'],
    );
    const other = await GatewayProcess.start(config);
    await other.kill();
    assert.throws(() => other.report(), /a report/);
    files.remove();
  });

  it('[utest->req~vhost.clients~1] one without sockets of its own is there at once; one that crashes has not ended in order', async () => {
    const config = twoPartitions(() => {});
    const [first] = config.partitions;
    const files = new TestDirectory();
    const connecting: GatewayConfig['partitions'][number]['guest'] = {
      ...{ type: 'vhost-user', socketDirectory: files.file('sockets') },
      ...{ socketMode: 'connect', unsealed: 'refuse' },
    };
    const gateway = await GatewayProcess.start({
      ...config,
      partitions: [{ ...first!, guest: connecting }, ...config.partitions.slice(1)],
    });
    await gateway.process.waitFor(`partition ${first!.id}: idle -> cold-start`);
    assert.deepEqual(readdirSync(files.file('sockets')), [], 'it makes none');
    process.kill(gateway.process.pid, 'SIGKILL');
    await assert.rejects(gateway.stop(), /did not end in order[^]*gateway\|/);
    assert.throws(() => gateway.report(), /a report/);
    files.remove();
  });

  it('[utest->req~vhost.reconnect~1] eight front-ends exchange packets, and one that comes back goes on', async () => {
    const partitions = new EightPartitions();
    try {
      await partitions.start();
      await partitions.send(0.5);
      const before = partitions.received;
      assert.ok(before > 0);
      await partitions.reconnect(3);
      await partitions.send(0.5);
      assert.ok(partitions.received > before);
      assert.ok((await partitions.idlePercent(0.2)) > 0);
      assert.ok(partitions.resident.shared > 0);
    } finally {
      await partitions.stop();
    }
  });
});
