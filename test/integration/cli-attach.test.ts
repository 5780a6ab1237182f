/** The command `attach`, the capabilities that management software asks for, and `run --decode`. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { gateway, startGateway, TestDirectory } from '../support/command-line.ts';
import { repositoryPath } from '../support/judged.ts';
import { twoPartitions, type ConfigDraft } from '../support/two-partitions.ts';
import { FrontEnd } from '../support/vhost/front-end.ts';
import { HeaderFlag, Request, u32, u64 } from '../support/vhost/message.ts';

const TWO_GUESTS = 'config/two-guests-vhost-user.json';
const CLIENTS = ['qemu', 'libvirt', 'uml', 'dpdk'] as const;

/** A front-end on a socket that is about to be listened at. */
async function connected(socket: string): Promise<FrontEnd> {
  for (let n = 0; n < 400; n++) {
    try {
      return await FrontEnd.served(socket);
    } catch {
      await after(50);
    }
  }
  throw new Error(`nobody listens at ${socket}`);
}

describe('command line: attach', () => {
  let directory: TestDirectory;
  beforeEach(() => {
    directory = new TestDirectory();
  });
  afterEach(() => {
    directory.remove();
  });

  /** Partition telematics has a front-end, partition cluster is embedded. */
  const config = (unsealed: 'accept' | 'refuse', change: (draft: ConfigDraft) => void = () => {}) =>
    directory.write(
      'config.json',
      JSON.stringify(
        twoPartitions((draft) => {
          const socketDirectory = directory.file('telematics');
          draft.gateway.asil = 'QM';
          draft.partitions[1]!.guest = {
            type: 'vhost-user',
            socketDirectory,
            socketMode: 'listen',
            unsealed,
          };
          draft.partitions[1]!.memoryMiB = 64;
          draft.partitions[1]!.devices[0]!.queueSize = 256;
          change(draft);
        }),
      ),
    );

  const attach = (file: string, partition: string, client: string) =>
    gateway(['attach', file, partition, '--client', client]);

  const assertRefused = (outcome: { code: number | null; stdout: string }): void => {
    assert.deepEqual([outcome.code, outcome.stdout], [2, '']);
  };

  it('[utest->req~cli.attach~1] config/two-guests-vhost-user.json is valid, and serves every client', () => {
    assert.equal(gateway(['check', TWO_GUESTS]).code, 0);
    const socket = repositoryPath('run/cluster/net0.sock');
    for (const client of CLIENTS) {
      const { code, stdout, stderr } = attach(TWO_GUESTS, 'cluster', client);
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(stdout.includes(socket), stdout);
    }
  });

  it('[utest->req~cli.attach~1] the lines are one command, as a shell reads it', () => {
    const { stdout } = attach(config('accept'), 'telematics', 'uml');
    assert.equal(
      stdout,
      [
        'TMPDIR=/dev/shm linux.uml mem=64M \\',
        '  con=null con0=fd:0,fd:1 rootfstype=hostfs rootflags=/ ro \\',
        `  virtio_uml.device=${directory.file('telematics/net0.sock')}:1 \\`,
        '  init=INIT',
        '',
      ].join('\n'),
    );
  });

  for (const client of ['uml', 'dpdk']) {
    it(`[utest->req~cli.attach~1] ${client} is refused where unsealed memory is`, () => {
      const file = config('refuse');
      const outcome = attach(file, 'telematics', client);
      assertRefused(outcome);
      assert.match(outcome.stderr, /^.*config\.json: error: .*"unsealed" is "refuse": "accept" /);
      assert.equal(attach(file, 'telematics', 'qemu').code, 0);
    });
  }

  it('[utest->req~cli.attach~1] packed rings are refused to user-mode Linux alone', () => {
    const file = config('accept', (draft) => {
      draft.partitions[1]!.devices[0]!.features.offer.push('VIRTIO_F_RING_PACKED');
    });
    const outcome = attach(file, 'telematics', 'uml');
    assertRefused(outcome);
    assert.match(outcome.stderr, /net0 offers VIRTIO_F_RING_PACKED/);
    assert.match(attach(file, 'telematics', 'qemu').stdout, /packed=on/);
    assert.match(attach(file, 'telematics', 'dpdk').stdout, /packed_vq=1/);
  });

  it('[utest->req~cli.attach~1] nothing can be attached to an embedded partition', () => {
    const outcome = attach(config('accept'), 'cluster', 'qemu');
    assertRefused(outcome);
    assert.match(outcome.stderr, /"cluster" is embedded.* "vhost-user" would be right\n$/);
  });

  it('[utest->req~cli.attach~1] a wrong configuration is told as check tells it', () => {
    const file = 'config/invalid/socket-shared.json';
    const outcome = attach(file, 'cluster', 'qemu');
    assertRefused(outcome);
    assert.equal(outcome.stderr, gateway(['check', file]).stderr);
  });

  for (const [words, sentence] of [
    [[TWO_GUESTS], 'PARTITION is missing'],
    [[TWO_GUESTS, 'cluster'], '--client is missing; it is one of qemu, libvirt, uml, dpdk'],
    [
      [TWO_GUESTS, 'cluster', '--client', 'qmu'],
      '--client is "qmu"; allowed are qemu, libvirt, uml, dpdk. Did you mean "qemu"?',
    ],
    [
      [TWO_GUESTS, 'clutser', '--client', 'qemu'],
      'there is no partition "clutser". Did you mean "cluster"?',
    ],
    [
      [TWO_GUESTS, 'cluster', '--client', 'constructor'],
      '--client is "constructor"; allowed are qemu, libvirt, uml, dpdk.',
    ],
  ] as const) {
    it(`[utest->req~cli.attach~1] "attach ${words.join(' ')}" is answered: ${sentence}`, () => {
      const { code, stdout, stderr } = gateway(['attach', ...words]);
      assert.deepEqual(
        [code, stdout, stderr.split('\n')[0]],
        [2, '', `virtio-gateway: error: ${sentence}`],
      );
    });
  }

  it('[utest->req~vhost.decode~1] run writes what a front-end says, only with --decode', async () => {
    const file = config('accept');
    assert.match(await linesOf(file, ['--decode']), DECODED);
    assert.doesNotMatch(await linesOf(file, []), / -> (done|reply|refused)/);
  }).timeout(40_000);

  it('[utest->req~vhost.decode~1] not one of many messages is left out', async () => {
    const lines = await linesOf(config('accept'), ['--decode'], 200);
    assert.equal(lines.match(/GET_PROTOCOL_FEATURES -> reply 0x/g)?.length, 200);
  }).timeout(40_000);

  const DECODED = new RegExp(
    [
      'telematics\\.net0: GET_FEATURES -> reply 0x140000020 \\(VIRTIO_F_VERSION_1 VIRTIO_NET_F_MAC .*\\)',
      'telematics\\.net0: SET_PROTOCOL_FEATURES 0x8 \\(REPLY_ACK\\) -> done',
      'telematics\\.net0: SET_VRING_NUM ring 0, 3 entries, needs a reply -> refused: a ring of 3 .*',
    ].join('\n'),
  );

  /** What a gateway writes to stderr while a front-end says some things, the last of them wrong. */
  async function linesOf(file: string, options: readonly string[], more = 0): Promise<string> {
    const child = startGateway(['run', file, '--json', ...options]);
    let stderr = '';
    child.stdout!.resume();
    child.stderr!.on('data', (text: Buffer) => {
      stderr += text.toString();
    });
    const frontEnd = await connected(directory.file('telematics/net0.sock'));
    for (let n = 0; n < more; n++) await frontEnd.getU64(Request.GET_PROTOCOL_FEATURES);
    await frontEnd.tell(Request.SET_PROTOCOL_FEATURES, u64(8));
    const taken = await frontEnd.acknowledged({
      request: Request.SET_VRING_NUM,
      payload: u32(0, 3),
      flags: HeaderFlag.VERSION | HeaderFlag.NEED_REPLY,
    });
    frontEnd.close();
    child.kill('SIGINT');
    await once(child, 'close');
    assert.equal(taken, false);
    return stderr;
  }
});

describe('command line: back-end conventions', () => {
  it('[utest->req~cli.capabilities~1] the capabilities are printed, whatever else is asked for', () => {
    const others = [[], ['run', TWO_GUESTS], ['frobnicate', '--fd=7']];
    for (const words of others) {
      const { code, stdout, stderr } = gateway([...words, '--print-capabilities']);
      assert.deepEqual([code, stderr], [0, '']);
      assert.deepEqual(JSON.parse(stdout), { type: 'net' });
    }
  });

  it('[utest->req~cli.capabilities~1] the file for management software names type and program', () => {
    const file = repositoryPath('config/vhost-user/50-virtio-gateway.json');
    const described = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(Object.keys(described), ['description', 'type', 'binary', 'tags']);
    const manifest = JSON.parse(readFileSync(repositoryPath('package.json'), 'utf8')) as {
      bin: Record<string, string>;
    };
    const [program] = Object.keys(manifest.bin);
    assert.deepEqual(
      [described['type'], described['binary']],
      ['net', `/usr/local/bin/${program}`],
    );
  });
});
