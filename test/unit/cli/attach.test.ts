/** Lines that attach a client to a partition: exact, and refused where they could not work. */
import { strict as assert } from 'node:assert';
import {
  attachmentOf,
  type AttachedDevice,
  type AttachedGpu,
  type Attachment,
  type Client,
} from '../../../src/cli/attach/attachment.ts';
import { DPDK } from '../../../src/cli/attach/dpdk.ts';
import { LIBVIRT } from '../../../src/cli/attach/libvirt.ts';
import { QEMU } from '../../../src/cli/attach/qemu.ts';
import { quoted } from '../../../src/cli/attach/shell.ts';
import { UML } from '../../../src/cli/attach/uml.ts';
import type { VhostUserGuestConfig } from '../../../src/schedule/gateway-config.ts';
import { deviceDraft } from '../../support/two-partitions.ts';

const PLAIN: AttachedDevice = {
  type: 'virtio-net',
  id: 'net0',
  socket: '/srv/run/ivi/net0.sock',
  mac: '52:54:00:00:00:01',
  mtu: 1500,
  queuePairs: 1,
  queueSize: 256,
  offered: ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'],
  required: ['VIRTIO_F_VERSION_1'],
};

/** Everything that shows in the lines. */
const RICH: AttachedDevice = {
  ...PLAIN,
  id: 'net1',
  socket: '/srv/run/ivi/net1.sock',
  mac: '52:54:00:00:00:02',
  mtu: 9000,
  queuePairs: 2,
  queueSize: 2048,
  offered: [
    ...PLAIN.offered,
    ...['VIRTIO_F_RING_PACKED', 'VIRTIO_F_IN_ORDER', 'VIRTIO_NET_F_MRG_RXBUF'],
    ...['VIRTIO_NET_F_MTU', 'VIRTIO_NET_F_CTRL_VQ', 'VIRTIO_NET_F_MQ'],
  ],
};

const GPU: AttachedGpu = {
  type: 'virtio-gpu',
  id: 'gpu0',
  socket: '/srv/run/ivi/gpu0.sock',
  queueSize: 64,
  scanouts: 1,
  offered: ['VIRTIO_F_VERSION_1', 'VIRTIO_RING_F_EVENT_IDX', 'VIRTIO_GPU_F_EDID'],
  required: ['VIRTIO_F_VERSION_1'],
};

function attachment(devices: readonly AttachedDevice[], changes: Partial<Attachment> = {}) {
  return {
    partition: 'ivi',
    memoryMiB: 256,
    devices,
    gpus: [],
    frontEndListens: false,
    acceptsUnsealed: true,
    ...changes,
  };
}

function assertLines(client: Client, what: Attachment, lines: readonly string[]): void {
  assert.deepEqual(client.refusals(what), []);
  assert.deepEqual(client.lines(what), lines);
}

const device = (changes: Partial<AttachedDevice>) => attachment([{ ...PLAIN, ...changes }]);

describe('attach: QEMU', () => {
  it('[utest->req~cli.attach~1] one device: shared memory, the socket, the address, split rings', () => {
    assertLines(QEMU, attachment([PLAIN], { acceptsUnsealed: false }), [
      'qemu-system-x86_64 -nodefaults -no-user-config -machine q35 -accel tcg \\',
      '  -m 256M -smp 1 -display none -serial mon:stdio \\',
      '  -object memory-backend-memfd,id=mem,size=256M,share=on -numa node,memdev=mem \\',
      '  -chardev socket,id=char-net0,path=/srv/run/ivi/net0.sock,reconnect-ms=500 \\',
      '  -netdev vhost-user,id=net0,chardev=char-net0 \\',
      '  -device virtio-net-pci,netdev=net0,mac=52:54:00:00:00:01,disable-legacy=on,' +
        'rx_queue_size=256,tx_queue_size=256,packed=off \\',
      "  -no-reboot -append 'console=ttyS0 panic=-1 no_timer_check' -kernel KERNEL -initrd INITRD",
    ]);
  });

  it('[utest->req~cli.attach~1] a listening front-end, several pairs, packed rings, long rings, a large MTU', () => {
    const lines = QEMU.lines(attachment([PLAIN, RICH], { frontEndListens: true }));
    assert.equal(lines[1], '  -m 256M -smp 2 -display none -serial mon:stdio \\');
    assert.deepEqual(lines.slice(6, 9), [
      '  -chardev socket,id=char-net1,path=/srv/run/ivi/net1.sock,server=on,wait=off \\',
      '  -netdev vhost-user,id=net1,chardev=char-net1,queues=2 \\',
      '  -device virtio-net-pci,netdev=net1,mac=52:54:00:00:00:02,disable-legacy=on,' +
        'rx_queue_size=1024,tx_queue_size=1024,packed=on,mq=on,vectors=6,in_order=on,host_mtu=9000 \\',
    ]);
  });

  it("[utest->req~cli.attach~1] a comma in a path is written twice, and the shell's characters are quoted", () => {
    const [, , , line] = QEMU.lines(device({ socket: "/srv/a,b's run/net0.sock" }));
    assert.equal(
      line,
      "  -chardev 'socket,id=char-net0,path=/srv/a,,b'\\''s run/net0.sock,reconnect-ms=500' \\",
    );
  });

  it('[utest->req~cli.attach~1] shorter rings than QEMU makes are refused', () => {
    assert.deepEqual(QEMU.refusals(device({ queueSize: 128 })), [
      'rings of QEMU have 256 entries or more, and "queueSize" of net0 is 128: give it 256',
    ]);
  });

  it('[utest->req~cli.attach~1] a GPU on a socket of its own, with what is offered and no more', () => {
    const lines = QEMU.lines(attachment([], { gpus: [GPU] }));
    assert.deepEqual(lines.slice(1), [
      '  -m 256M -smp 1 -display none -serial mon:stdio \\',
      '  -object memory-backend-memfd,id=mem,size=256M,share=on -numa node,memdev=mem \\',
      '  -chardev socket,id=char-gpu0,path=/srv/run/ivi/gpu0.sock \\',
      '  -device vhost-user-gpu-pci,chardev=char-gpu0,max_outputs=1,edid=on,event_idx=on,' +
        'indirect_desc=off,packed=off \\',
      "  -no-reboot -append 'console=tty0 console=ttyS0 panic=-1 no_timer_check' -kernel KERNEL " +
        '-initrd INITRD',
    ]);
  });

  it('[utest->req~cli.attach~1] a GPU beside a network device, with several scanouts, whose front-end listens', () => {
    const offered = ['VIRTIO_F_VERSION_1', 'VIRTIO_F_IN_ORDER', 'VIRTIO_F_RING_PACKED'];
    const gpus = [{ ...GPU, scanouts: 3, offered }];
    const lines = QEMU.lines(attachment([PLAIN], { gpus, frontEndListens: true }));
    assert.deepEqual(lines.slice(6, 8), [
      '  -chardev socket,id=char-gpu0,path=/srv/run/ivi/gpu0.sock,server=on,wait=on \\',
      '  -device vhost-user-gpu-pci,chardev=char-gpu0,max_outputs=3,edid=off,event_idx=off,' +
        'indirect_desc=off,packed=on,in_order=on \\',
    ]);
  });

  it('[utest->req~cli.attach~1] a GPU with shorter rings or more features than QEMU has is refused', () => {
    const feature = 'VIRTIO_GPU_F_RESOURCE_BLOB';
    const gpus = [{ ...GPU, queueSize: 32, required: [feature] }];
    assert.deepEqual(QEMU.refusals(attachment([], { gpus })), [
      'rings of QEMU have 64 entries or more, and "queueSize" of gpu0 is 32: give it 64',
      `gpu0 requires ${feature}, which QEMU never accepts`,
    ]);
    assert.deepEqual(QEMU.refusals(attachment([], { gpus: [GPU] })), []);
  });

  it('[utest->req~cli.attach~1] a GPU is none for user-mode Linux and DPDK', () => {
    for (const [client, name] of [
      [UML, 'user-mode Linux'],
      [DPDK, 'DPDK'],
    ] as const) {
      assert.deepEqual(client.refusals(attachment([PLAIN], { gpus: [GPU] })), [
        `${name} has no GPU, and gpu0 is one: QEMU would be right`,
      ]);
    }
  });

  it('[utest->req~cli.attach~1] what it never accepts may be offered, but not required', () => {
    const feature = 'VIRTIO_NET_F_SPEED_DUPLEX';
    assert.deepEqual(QEMU.refusals(device({ offered: [...PLAIN.offered, feature] })), []);
    assert.deepEqual(QEMU.refusals(device({ required: [feature] })), [
      `net0 requires ${feature}, which QEMU never accepts`,
    ]);
  });
});

describe('attach: libvirt', () => {
  const around = (lines: readonly string[]) => [
    '<!-- in <domain>, in place of the elements of the same name -->',
    "<memory unit='MiB'>256</memory>",
    '<memoryBacking>',
    "  <source type='memfd'/>",
    "  <access mode='shared'/>",
    '</memoryBacking>',
    '<!-- in <domain>, beside its other devices -->',
    '<devices>',
    ...lines,
    '</devices>',
  ];

  it('[utest->req~cli.attach~1] a GPU goes past libvirt, which would start its back-end itself', () => {
    const gpus = [{ ...GPU, socket: "/srv/ivi's/gpu0.sock" }];
    assertLines(LIBVIRT, attachment([], { gpus }), [
      ...around([]).slice(0, 6),
      "<!-- in <domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'> -->",
      '<qemu:commandline>',
      "  <qemu:arg value='-chardev'/>",
      "  <qemu:arg value='socket,id=char-gpu0,path=/srv/ivi&apos;s/gpu0.sock'/>",
      "  <qemu:arg value='-device'/>",
      "  <qemu:arg value='vhost-user-gpu-pci,chardev=char-gpu0,max_outputs=1,edid=on," +
        "event_idx=on,indirect_desc=off,packed=off'/>",
      '</qemu:commandline>',
    ]);
    const relative = [{ ...GPU, socket: 'run/gpu0.sock' }];
    assert.equal(LIBVIRT.refusals(attachment([], { gpus: relative })).length, 1);
  });

  it('[utest->req~cli.attach~1] memory from a shared memfd, and an interface that connects again', () => {
    assertLines(
      LIBVIRT,
      attachment([PLAIN]),
      around([
        "  <interface type='vhostuser'>",
        "    <mac address='52:54:00:00:00:01'/>",
        "    <source type='unix' path='/srv/run/ivi/net0.sock' mode='client'>",
        "      <reconnect enabled='yes' timeout='1'/>",
        '    </source>',
        "    <model type='virtio'/>",
        "    <driver rx_queue_size='256' tx_queue_size='256'/>",
        '  </interface>',
      ]),
    );
  });

  it('[utest->req~cli.attach~1] a listening front-end, several pairs, packed rings, a large MTU', () => {
    assertLines(
      LIBVIRT,
      attachment([RICH], { frontEndListens: true }),
      around([
        "  <interface type='vhostuser'>",
        "    <mac address='52:54:00:00:00:02'/>",
        "    <source type='unix' path='/srv/run/ivi/net1.sock' mode='server'/>",
        "    <model type='virtio'/>",
        "    <driver queues='2' rx_queue_size='1024' tx_queue_size='1024' packed='on'/>",
        "    <mtu size='9000'/>",
        '  </interface>',
      ]),
    );
  });

  it('[utest->req~cli.attach~1] characters of XML in a path are escaped', () => {
    assert.ok(
      LIBVIRT.lines(device({ socket: "/a&b<c'd/net0.sock" })).includes(
        "    <source type='unix' path='/a&amp;b&lt;c&apos;d/net0.sock' mode='client'>",
      ),
    );
  });

  it('[utest->req~cli.attach~1] it is refused what QEMU is refused, and a path that is not absolute', () => {
    assert.deepEqual(LIBVIRT.refusals(device({ socket: 'run/net0.sock', queueSize: 64 })), [
      'rings of QEMU have 256 entries or more, and "queueSize" of net0 is 64: give it 256',
      'libvirt needs absolute paths, and that of "run/net0.sock" is too long',
    ]);
  });
});

describe('attach: user-mode Linux', () => {
  it('[utest->req~cli.attach~1] memory on a tmpfs, a device for each socket', () => {
    assertLines(UML, attachment([PLAIN, { ...PLAIN, id: 'net1', socket: 'run/net1.sock' }]), [
      'TMPDIR=/dev/shm linux.uml mem=256M \\',
      '  con=null con0=fd:0,fd:1 rootfstype=hostfs rootflags=/ ro \\',
      '  virtio_uml.device=/srv/run/ivi/net0.sock:1 \\',
      '  virtio_uml.device=run/net1.sock:1 \\',
      '  init=INIT',
    ]);
  });

  it('[utest->req~cli.attach~1] every reason why it cannot be the guest, with what would be right', () => {
    const refusals = UML.refusals(
      attachment(
        [
          {
            ...RICH,
            queueSize: 128,
            socket: '/srv/a:b/net1.sock',
            required: ['VIRTIO_F_IN_ORDER', 'VIRTIO_F_RING_RESET', 'VIRTIO_NET_F_CTRL_RX_EXTRA'],
          },
        ],
        { frontEndListens: true, acceptsUnsealed: false },
      ),
    );
    assert.deepEqual(refusals, [
      'user-mode Linux connects, it cannot listen: "socketMode" must be "listen", not "connect"',
      'memory of user-mode Linux cannot be sealed, and "unsealed" is "refuse": "accept" would be right' +
        ' (in a gateway whose "asil" is "QM")',
      'net1 offers VIRTIO_F_RING_PACKED, and user-mode Linux starts packed rings with a wrong base' +
        ' (0, where both wrap counters must be 1): do not offer it',
      'rings of user-mode Linux have 256 entries or more, and "queueSize" of net1 is 128: give it 256',
      'net1 requires VIRTIO_F_IN_ORDER, which user-mode Linux never accepts',
      'net1 requires VIRTIO_F_RING_RESET, which user-mode Linux never accepts',
      'net1 requires VIRTIO_NET_F_CTRL_RX_EXTRA, which user-mode Linux never accepts',
      'user-mode Linux cannot be given the path "/srv/a:b/net1.sock": use another directory',
    ]);
  });
});

describe('attach: DPDK', () => {
  it('[utest->req~cli.attach~1] a port for each socket, with the rings that are offered', () => {
    assertLines(DPDK, attachment([PLAIN]), [
      'dpdk-testpmd --lcores=0@0,1@1 --no-huge -m 256 \\',
      '  --no-pci --no-telemetry --file-prefix=ivi \\',
      '  --vdev=net_virtio_user0,path=/srv/run/ivi/net0.sock,mac=52:54:00:00:00:01,' +
        'queues=1,queue_size=256,packed_vq=0,in_order=0,mrg_rxbuf=0 \\',
      '  -- --auto-start --forward-mode=icmpecho --total-num-mbufs=8192',
    ]);
  });

  it('[utest->req~cli.attach~1] a listening front-end, several pairs, packed rings in order', () => {
    const lines = DPDK.lines(attachment([RICH], { frontEndListens: true }));
    assert.deepEqual(lines.slice(2), [
      '  --vdev=net_virtio_user0,path=/srv/run/ivi/net1.sock,mac=52:54:00:00:00:02,' +
        'queues=2,queue_size=2048,packed_vq=1,in_order=1,mrg_rxbuf=1,server=1 \\',
      '  -- --auto-start --forward-mode=icmpecho --total-num-mbufs=8192 --rxq=2 --txq=2',
    ]);
  });

  it('[utest->req~cli.attach~1] all ports use as many pairs as the one with the fewest', () => {
    assert.ok(
      !DPDK.lines(attachment([RICH, PLAIN]))
        .at(-1)!
        .includes('--rxq'),
    );
  });

  it('[utest->req~cli.attach~1] every reason why it cannot be the guest, with what would be right', () => {
    const refusals = DPDK.refusals(
      attachment([{ ...PLAIN, socket: '/srv/a,b/net0.sock', required: ['VIRTIO_F_EVENT_IDX'] }], {
        acceptsUnsealed: false,
        memoryMiB: 63,
      }),
    );
    assert.deepEqual(refusals, [
      'memory of DPDK without huge pages cannot be sealed, and "unsealed" is "refuse": "accept" would be right' +
        ' (in a gateway whose "asil" is "QM")',
      '"memoryMiB" is 63; DPDK without huge pages needs 64 or more',
      'net0 requires VIRTIO_RING_F_EVENT_IDX, which DPDK never accepts',
      'DPDK cannot be given the path "/srv/a,b/net0.sock": use another directory',
    ]);
  });
});

describe('attach: from the configuration', () => {
  const guest: VhostUserGuestConfig = {
    type: 'vhost-user',
    socketDirectory: 'run/ivi',
    socketMode: 'connect',
    unsealed: 'accept',
  };
  const partition = {
    id: 'ivi',
    asil: 'QM',
    memoryMiB: 64,
    guest,
    devices: [deviceDraft(1, { mtu: 9000 }), deviceDraft(2, { id: 'net1', queueSize: 1024 })],
  } as const;

  it('[utest->req~cli.attach~1] sockets are absolute, from the working directory of the gateway', () => {
    const found = attachmentOf(partition, guest, '/srv/cockpit');
    assert.deepEqual(
      [found.partition, found.memoryMiB, found.frontEndListens, found.acceptsUnsealed],
      ['ivi', 64, true, true],
    );
    assert.deepEqual(
      found.devices.map(({ id, socket, mac, mtu, queueSize }) => [id, socket, mac, mtu, queueSize]),
      [
        ['net0', '/srv/cockpit/run/ivi/net0.sock', '52:54:00:00:00:01', 9000, 64],
        ['net1', '/srv/cockpit/run/ivi/net1.sock', '52:54:00:00:00:02', 1500, 1024],
      ],
    );
  });

  it('[utest->req~cli.attach~1] a path that would be too long for a socket stays relative', () => {
    const directory = (bytes: number) => `/${'x'.repeat(bytes - '//run/ivi/net0.sock'.length)}`;
    const socket = (bytes: number) =>
      attachmentOf(partition, guest, directory(bytes)).devices[0]!.socket;
    assert.equal(socket(107), `${directory(107)}/run/ivi/net0.sock`);
    assert.equal(socket(108), 'run/ivi/net0.sock');
  });
});

describe('attach: words of the shell', () => {
  for (const [word, text] of [
    ['--lcores=0@0,1@1', '--lcores=0@0,1@1'],
    ['a b', "'a b'"],
    ["it's", "'it'\\''s'"],
    ['$HOME', "'$HOME'"],
    ['', "''"],
  ] as const) {
    it(`[utest->req~cli.attach~1] "${word}" is written ${text}`, () => {
      assert.equal(quoted(word), text);
    });
  }
});
