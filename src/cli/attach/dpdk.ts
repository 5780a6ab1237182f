/** DPDK: testpmd with virtio-user ports, which answers ARP and ping of any address. */
import {
  choice,
  hasNoGpu,
  neverAccepted,
  pathsWith,
  unsealedRefused,
  type AttachedDevice,
  type Attachment,
  type Client,
} from './attachment.ts';
import { command } from './shell.ts';

const CLIENT = 'DPDK without huge pages';
const BUFFERS = 8192;
const MEMORY_LEAST_MIB = 64;
const NEVER = [
  'VIRTIO_RING_F_EVENT_IDX',
  'VIRTIO_F_RING_RESET',
  'VIRTIO_NET_F_MTU',
  'VIRTIO_NET_F_GUEST_ANNOUNCE',
  'VIRTIO_NET_F_SPEED_DUPLEX',
];

function refusals(attachment: Attachment): string[] {
  const { memoryMiB } = attachment;
  return [
    ...hasNoGpu(attachment, 'DPDK'),
    ...unsealedRefused(attachment, CLIENT),
    ...(memoryMiB < MEMORY_LEAST_MIB
      ? [`"memoryMiB" is ${memoryMiB}; ${CLIENT} needs ${MEMORY_LEAST_MIB} or more`]
      : []),
    ...neverAccepted(attachment.devices, 'DPDK', NEVER),
    ...pathsWith(attachment, 'DPDK', /[,\s]/),
  ];
}

function port(device: AttachedDevice, n: number, frontEndListens: boolean): string {
  const { socket, mac, queuePairs, queueSize } = device;
  const oneZero = ['1', '0'] as const;
  return [
    `--vdev=net_virtio_user${n}`,
    `path=${socket}`,
    `mac=${mac}`,
    `queues=${queuePairs}`,
    `queue_size=${queueSize}`,
    choice(device, 'packed_vq', 'VIRTIO_F_RING_PACKED', oneZero),
    choice(device, 'in_order', 'VIRTIO_F_IN_ORDER', oneZero),
    choice(device, 'mrg_rxbuf', 'VIRTIO_NET_F_MRG_RXBUF', oneZero),
    ...(frontEndListens ? ['server=1'] : []),
  ].join(',');
}

// [impl->req~cli.attach~1]
export const DPDK: Client = {
  refusals,
  lines: ({ partition, memoryMiB, devices, frontEndListens }) => {
    const pairs = Math.min(...devices.map(({ queuePairs }) => queuePairs));
    const queues = pairs > 1 ? [`--rxq=${pairs}`, `--txq=${pairs}`] : [];
    return command([
      ['dpdk-testpmd', '--lcores=0@0,1@1', '--no-huge', '-m', `${memoryMiB}`],
      ['--no-pci', '--no-telemetry', `--file-prefix=${partition}`],
      ...devices.map((device, n) => [port(device, n, frontEndListens)]),
      ['--', '--auto-start', '--forward-mode=icmpecho', `--total-num-mbufs=${BUFFERS}`, ...queues],
    ]);
  },
};
