/** The lines of `attach` for a partition with a GPU, pasted; and what the gateway's display shows of such a guest. */
import { strict as assert } from 'node:assert';
import path from 'node:path';
import { ClientProcess } from '../../src/cli/clients/client-process.ts';
import { displayConfig } from '../../src/cli/clients/display-config.ts';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { guestDirectory, guestImage } from '../../src/cli/clients/guest-image.ts';
import { LinuxGuest, newMarker } from '../../src/cli/clients/linux-guest.ts';
import type {
  GatewayConfig,
  GpuDeviceConfig,
  NetDeviceConfig,
} from '../../src/schedule/gateway-config.ts';
import { drawing, draws } from '../support/clients/guest-display.ts';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import { difference, paint, readScreenshot, type Picture } from '../support/clients/picture.ts';
import { drawnCursor } from '../support/clients/told-display.ts';
import { gateway as runCommand, TestDirectory } from '../support/command-line.ts';

const CURSOR = 64;
const OPAQUE = 0xff;
const [X, Y] = [1270, 390];
const LOADED = 'virtio_pci,virtio_net,virtio-gpu';

/** The configuration with a GPU that offers other features, and a partition that is changed. */
function changed(
  directory: string,
  offer: readonly string[],
  change: (
    partition: GatewayConfig['partitions'][number],
  ) => Partial<typeof partition> = () => ({}),
): GatewayConfig {
  const config = displayConfig(directory);
  const partition = config.partitions[0]!;
  const gpu = partition.devices[0] as GpuDeviceConfig;
  const device = { ...gpu, features: { ...gpu.features, offer } };
  const next = { ...partition, devices: [device] };
  return { ...config, partitions: [{ ...next, ...change(next) }] };
}

const NET: NetDeviceConfig = {
  ...{ id: 'net0', type: 'virtio-net', mac: '52:54:00:00:00:01', queuePairs: 1, queueSize: 256 },
  features: { offer: ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'], require: ['VIRTIO_F_VERSION_1'] },
};

function withNetwork(config: GatewayConfig): GatewayConfig {
  const { schedule } = config;
  const queue = {
    queue: 'net0.transmitq0',
    requestsMax: 64,
    requestsGuaranteed: 1,
    bytesMax: 2 ** 20,
  };
  const windows = schedule.windows.map((window) =>
    window.partition ? { ...window, queues: [...window.queues!, queue] } : window,
  );
  return { ...config, schedule: { ...schedule, windows } };
}

const SHORT = ['VIRTIO_F_VERSION_1'];
const LONG = [
  ...['VIRTIO_F_VERSION_1', 'VIRTIO_RING_F_EVENT_IDX', 'VIRTIO_RING_F_INDIRECT_DESC'],
  ...['VIRTIO_F_RING_PACKED', 'VIRTIO_GPU_F_EDID', 'VIRTIO_GPU_F_RESOURCE_BLOB'],
];

const CONFIGS: Readonly<Record<string, (directory: string) => GatewayConfig>> = {
  'a GPU with few features': (directory) => changed(directory, SHORT),
  'a GPU with packed rings': (directory) => changed(directory, LONG),
  'a front-end that listens': (directory) =>
    changed(directory, SHORT, ({ guest }) => ({
      guest: { ...guest, socketMode: 'connect' } as typeof guest,
    })),
  'a GPU and a network': (directory) =>
    withNetwork(changed(directory, LONG, ({ devices }) => ({ devices: [...devices, NET] }))),
};

/** The drawing, and above it the cursor of draw.c with its corner at a place, cut at the edges. */
function withCursor(left: number, top: number): Picture {
  const { width, height, rgb } = drawing();
  const { argb } = drawnCursor();
  return paint(width, height, (x, y) => {
    const at = (y * width + x) * 3;
    const [column, row] = [x - left, y - top];
    const inside = column >= 0 && column < CURSOR && row >= 0 && row < CURSOR;
    const above = inside ? argb[row * CURSOR + column]! : 0;
    if (above >>> 24 === OPAQUE) return above & 0xffffff;
    return (rgb[at]! << 16) | (rgb[at + 1]! << 8) | rgb[at + 2]!;
  });
}

describeWithClients('the lines of attach, pasted', ['display'], (suite) => {
  suite.timeout(120_000);
  let directory: TestDirectory;
  let gateway: GatewayProcess | undefined;
  let guest: LinuxGuest | undefined;

  beforeEach(() => {
    directory = new TestDirectory();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showTails(gateway, guest);
    await guest?.kill();
    await gateway?.kill();
    directory.remove();
  });

  /** What is printed, with a kernel and an image in place of their names. */
  const paste = (config: GatewayConfig): LinuxGuest => {
    const file = directory.write('config.json', JSON.stringify(config));
    const { code, stdout, stderr } = runCommand(['attach', file, 'screen', '--client', 'qemu']);
    assert.equal(code, 0, stderr);
    const marker = newMarker();
    const lines = stdout
      .replace('-kernel KERNEL', `-kernel ${path.join(guestDirectory(), 'vmlinux')}`)
      .replace('-initrd INITRD', `-initrd ${guestImage('display')}`)
      .replace('no_timer_check', `no_timer_check quiet loglevel=1 marker=${marker} load=${LOADED}`);
    const reading = { fatal: /Kernel panic/, apart: true };
    return new LinuxGuest(new ClientProcess('guest', 'bash', ['-c', lines], reading), marker);
  };

  for (const [what, config] of Object.entries(CONFIGS)) {
    it(`[utest->req~gpu.real-guests~1] ${what}: the gateway's display shows the guest's drawing and its cursor`, async () => {
      const screenshot = directory.file('center.png');
      const used = config(directory.path);
      gateway = await GatewayProcess.start(used, `--screenshot=center=${screenshot}`);
      guest = await paste(used).booted();
      await draws(guest, 'picture', `cursor=${X},${Y}`, 'move=5');
      await gateway.serves('screen');
      await gateway.stop();
      assert.equal(difference(readScreenshot(screenshot), withCursor(X, Y)), undefined);
      for (const { faults } of gateway.report().partitions) assert.deepEqual(faults, {});
    });
  }
});
