/** How guests are made and driven: what they start from for real, and a machine that only plays one. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDisplayBackEnd } from '../../src/cli/clients/display-back-end.ts';
import { guestDirectory, guestImage, GUEST_PROGRAMS } from '../../src/cli/clients/guest-image.ts';
import { configure, hasCarrier } from '../../src/cli/clients/guest-network.ts';
import { listens } from '../../src/cli/clients/gateway-process.ts';
import { QemuGuest, type QemuOptions } from '../../src/cli/clients/qemu-guest.ts';
import { describeWithClients } from '../support/clients/missing-clients.ts';
import { LISTENER, Players, QEMU } from '../support/clients/players.ts';

describe('where guests are kept', () => {
  let players: Players;
  beforeEach(() => (players = new Players()));
  afterEach(() => players.remove());

  for (const [what, own, cache, expected] of [
    ['where they are said to be', '/own', '/cache', '/own'],
    ['in the cache of the user', '', '/cache', '/cache/virtio-gateway/guest'],
    ['in the usual cache', '', '', path.join(os.homedir(), '.cache/virtio-gateway/guest')],
  ] as const) {
    it(`[utest->req~vhost.clients~1] ${what}`, () => {
      process.env['VIRTIO_GATEWAY_GUEST'] = own;
      process.env['XDG_CACHE_HOME'] = cache;
      assert.equal(guestDirectory(), expected);
    });
  }
});

describe('the display back-end to compare with', () => {
  let players: Players;
  beforeEach(() => {
    players = new Players();
    process.env['VIRTIO_GATEWAY_GUEST'] = players.files.path;
  });
  afterEach(() => players.remove());

  it('[utest->req~vhost.clients~1] is there when it listens', async () => {
    players.add('vhost-user-gpu', LISTENER);
    const socket = players.files.file('display.sock');
    const backEnd = await startDisplayBackEnd(socket);
    assert.ok(listens(socket));
    await backEnd.kill();
    assert.equal(listens(socket), false);
  });

  it('[utest->req~vhost.clients~1] that ends before it listens says why', async () => {
    players.add('vhost-user-gpu', '#!/bin/sh\necho "no such option: $*"; exit 1');
    await assert.rejects(
      startDisplayBackEnd('/nowhere/display.sock'),
      /vhost-user-gpu ended\n.*\| no such option: --socket-path=\/nowhere\/display\.sock/,
    );
  });
});

describeWithClients('what guests start from', ['display', 'uml'], (suite) => {
  suite.timeout(60_000);

  const files = (image: string) =>
    execFileSync('cpio', ['--quiet', '--list', '--verbose', '--file', image], { encoding: 'utf8' });

  it('[utest->req~vhost.clients~1] a kernel without the modules of a guest is named', () => {
    const players = new Players();
    try {
      players.files.write('version', '6.0-test\n');
      execFileSync('mkdir', ['-p', players.files.file('lib/modules/6.0-test')]);
      players.files.write('lib/modules/6.0-test/modules.dep', 'kernel/lib/crc16.ko:\n');
      process.env['VIRTIO_GATEWAY_GUEST'] = players.files.path;
      assert.throws(() => guestImage('net'), /no module virtio_pci in 6\.0-test/);
    } finally {
      players.remove();
    }
  });

  it('[utest->req~vhost.clients~1] a tool that fails is named with its words and its complaint', () => {
    const players = new Players();
    try {
      players.add('ldd', '#!/bin/sh\necho "not today" >&2; exit 1');
      assert.throws(() => guestImage('net'), /^Error: ldd \S+: not today\n$/);
    } finally {
      players.remove();
    }
  });

  it('[utest->req~vhost.clients~1] an image has a shell, the programs with their libraries, and modules with what they need', () => {
    const image = guestImage('net');
    const list = files(image);
    assert.match(list, /^-rwxr-xr-x .* init$/m);
    for (const program of ['bin/busybox', ...GUEST_PROGRAMS.map((file) => file.slice(1))])
      assert.match(list, new RegExp(`^-rwxr-xr-x .* ${program}$`, 'm'));
    assert.match(list, / lib\S*\/libc\.so\.6$/m);
    const release = readFileSync(path.join(guestDirectory(), 'version'), 'utf8').trim();
    for (const module of ['virtio_pci', 'virtio_net', 'net_failover', '8021q'])
      assert.match(list, new RegExp(` lib/modules/${release}/\\S*/${module}\\.ko`, 'm'));
    assert.doesNotMatch(list, /bin\/draw$|virtio-gpu\.ko/m);
    assert.equal(guestImage('net'), image, 'built once');
  });

  it('[utest->req~vhost.clients~1] a guest with a display can draw, and loads the driver', () => {
    const list = files(guestImage('display'));
    assert.match(list, /^-rwxr-xr-x .* bin\/draw$/m);
    assert.match(list, /\/virtio-gpu\.ko/);
    assert.match(list, /\/virtio_net\.ko/);
  });

  it('[utest->req~vhost.clients~1] a user-mode guest has the modules of its own kernel', () => {
    const release = execFileSync('linux.uml', ['--version'], { encoding: 'utf8' }).trim();
    const list = files(guestImage('uml'));
    assert.match(list, new RegExp(` lib/modules/${release}/\\S*/8021q\\.ko`));
    assert.doesNotMatch(list, /virtio_pci\.ko/);
  });
});

describeWithClients('guests in QEMU as they are driven', ['display'], (suite) => {
  suite.timeout(60_000);
  let players: Players;
  let guest: QemuGuest | undefined;

  before(() => {
    players = new Players();
    players.add('qemu-system-x86_64', QEMU);
    // A link that is there at once, and an address that can be had.
    players.add('cat', '#!/bin/sh\necho 1');
    players.add('ip', '#!/bin/sh\necho "ip $*"');
    players.add('usleep', '#!/bin/sh\nsleep 0.01');
  });
  after(() => players.remove());
  afterEach(async () => {
    await guest?.kill();
    guest = undefined;
  });

  /** The words of the machine, once its shell listens. */
  async function wordsOf(options: QemuOptions): Promise<string> {
    guest = await QemuGuest.start('guest', options);
    return guest.process.tail();
  }

  it('[utest->req~vhost.clients~1] a network guest loads its modules, and its console is the serial one', async () => {
    const words = await wordsOf({ devices: [], words: ['-one', 'more'] });
    assert.ok(words.includes(`-kernel ${guestDirectory()}/vmlinux -initrd ${guestImage('net')} `));
    assert.match(
      words,
      /-append console=ttyS0 quiet .*marker=guest-\w+ load=virtio_pci,virtio_net -one more$/m,
    );
    assert.ok(words.includes(`-qmp unix:${guest!.monitor},server=on,wait=off`));
  });

  it('[utest->req~vhost.clients~1] a guest with a display starts from its own image, with a console there', async () => {
    const words = await wordsOf({ devices: [], display: { device: 'virtio-gpu-pci' } });
    assert.ok(words.includes(`-initrd ${guestImage('display')} `));
    assert.match(words, /-append console=tty0 \S+ console=ttyS0 .* load=virtio_pci,virtio-gpu$/m);
  });

  it('[utest->req~vhost.clients~1] what a guest loads can be said', async () => {
    assert.match(await wordsOf({ devices: [], load: ['loop'] }), / load=loop$/m);
  });

  it('[utest->req~vhost.clients~1] it gets an address, restarts, and powers itself off', async () => {
    await wordsOf({ devices: [] });
    await configure(guest!, 7);
    await guest!.waitFor('ip addr add 10.0.0.7/24 dev eth0');
    await assert.rejects(
      Promise.race([hasCarrier(guest!, false), guest!.waitFor('the link is down', 300)]),
      /was silent for 300 ms/,
    );
    await guest!.kill();
    await wordsOf({ devices: [] });
    await guest!.reboot();
    assert.equal(await guest!.succeed('echo again'), 'again');
    assert.equal(await guest!.powerOff(), 0);
  });

  it('[utest->req~vhost.clients~1] a command goes on while others run, and its result is awaited', async () => {
    await wordsOf({ devices: [] });
    players.add('cat', '#!/bin/sh\nexec /bin/cat "$@"');
    const gate = players.files.file('gate');
    const waiting = await guest!.background(
      `until [ -e ${gate} ]; do sleep 0.01; done; echo c; false`,
    );
    assert.deepEqual(await guest!.run('echo meanwhile'), { status: 0, output: 'meanwhile' });
    await guest!.run(`touch ${gate}`);
    assert.deepEqual(await waiting.result(), { status: 1, output: 'c' });
  });

  it('[utest->req~vhost.clients~1] a panic ends the waiting and the machine', async () => {
    process.env['PANIC'] = 'yes';
    const dying = new QemuGuest('dying', { devices: [] });
    delete process.env['PANIC'];
    await assert.rejects(dying.booted(), /dying has failed/);
    assert.equal(dying.process.running, false);
  });
});
