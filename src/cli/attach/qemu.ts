/** QEMU: a virtual machine whose memory is a sealed memory file. */
import {
  choice,
  neverAccepted,
  offers,
  ringsTooSmall,
  type AttachedDevice,
  type AttachedGpu,
  type Attachment,
  type Client,
} from './attachment.ts';
import { command } from './shell.ts';

const RING_LEAST = 256;
/** Of the controlq of a GPU; its cursorq has fewer. */
const GPU_RING_ENTRIES = 64;
/** Of receiveqs, and of transmitqs where the back-end is vhost-user. */
const RING_MOST = 1024;
/** How long QEMU waits before it connects again to a gateway that was restarted. */
const RECONNECT_MS = 500;

/** Its front-end for a back-end with a GPU never asks whether these are offered. */
const GPU_NEVER = ['VIRTIO_GPU_F_RESOURCE_UUID', 'VIRTIO_GPU_F_RESOURCE_BLOB'];

/** Entries of each ring: as many as both sides admit. */
export function ringEntries({ queueSize }: AttachedDevice): number {
  return Math.min(queueSize, RING_MOST);
}

/** What also libvirt refuses, because it starts QEMU. */
export function qemuRefusals({ devices, gpus }: Attachment): string[] {
  return [
    ...ringsTooSmall(devices, 'QEMU', RING_LEAST),
    ...ringsTooSmall(gpus, 'QEMU', GPU_RING_ENTRIES),
    ...neverAccepted(devices, 'QEMU', ['VIRTIO_NET_F_SPEED_DUPLEX']),
    ...neverAccepted(gpus, 'QEMU', GPU_NEVER),
  ];
}

/** In QEMU's options a comma ends a value, unless it is written twice. */
const value = (text: string) => text.replaceAll(',', ',,');

function deviceWords(device: AttachedDevice, frontEndListens: boolean): string[][] {
  const { id, socket, mac, mtu, queuePairs } = device;
  const entries = ringEntries(device);
  const character = `char-${id}`;
  const connection = frontEndListens ? 'server=on,wait=off' : `reconnect-ms=${RECONNECT_MS}`;
  const onOff = ['on', 'off'] as const;
  const properties = [
    `virtio-net-pci,netdev=${id},mac=${mac},disable-legacy=on`,
    `rx_queue_size=${entries},tx_queue_size=${entries}`,
    choice(device, 'packed', 'VIRTIO_F_RING_PACKED', onOff),
    // One vector per queue, one for the control queue, one for the configuration.
    ...(queuePairs > 1 ? [`mq=on,vectors=${2 * queuePairs + 2}`] : []),
    ...(offers(device, 'VIRTIO_F_IN_ORDER') ? ['in_order=on'] : []),
    ...(offers(device, 'VIRTIO_NET_F_MTU') ? [`host_mtu=${mtu}`] : []),
  ];
  const queues = queuePairs > 1 ? `,queues=${queuePairs}` : '';
  return [
    ['-chardev', `socket,id=${character},path=${value(socket)},${connection}`],
    ['-netdev', `vhost-user,id=${id},chardev=${character}${queues}`],
    ['-device', properties.join(',')],
  ];
}

/**
 * It offers the features of rings whatever the back-end says, and shows a GPU only to a socket that
 * is connected when it starts: that it cannot connect again to a gateway that was restarted.
 */
export function gpuWords(gpu: AttachedGpu, frontEndListens: boolean): string[][] {
  const { id, socket, scanouts } = gpu;
  const character = `char-${id}`;
  const onOff = ['on', 'off'] as const;
  const properties = [
    `vhost-user-gpu-pci,chardev=${character},max_outputs=${scanouts}`,
    choice(gpu, 'edid', 'VIRTIO_GPU_F_EDID', onOff),
    choice(gpu, 'event_idx', 'VIRTIO_RING_F_EVENT_IDX', onOff),
    choice(gpu, 'indirect_desc', 'VIRTIO_RING_F_INDIRECT_DESC', onOff),
    choice(gpu, 'packed', 'VIRTIO_F_RING_PACKED', onOff),
    ...(offers(gpu, 'VIRTIO_F_IN_ORDER') ? ['in_order=on'] : []),
  ];
  const connection = frontEndListens ? ',server=on,wait=on' : '';
  return [
    ['-chardev', `socket,id=${character},path=${value(socket)}${connection}`],
    ['-device', properties.join(',')],
  ];
}

// [impl->req~cli.attach~1]
export const QEMU: Client = {
  refusals: qemuRefusals,
  lines: ({ memoryMiB, devices, gpus, frontEndListens }) => {
    const processors = Math.max(1, ...devices.map(({ queuePairs }) => queuePairs));
    const memory = `memory-backend-memfd,id=mem,size=${memoryMiB}M,share=on`;
    return command([
      ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-machine', 'q35', '-accel', 'tcg'],
      ['-m', `${memoryMiB}M`, '-smp', `${processors}`, '-display', 'none', '-serial', 'mon:stdio'],
      ['-object', memory, '-numa', 'node,memdev=mem'],
      ...devices.flatMap((device) => deviceWords(device, frontEndListens)),
      ...gpus.flatMap((gpu) => gpuWords(gpu, frontEndListens)),
      [
        '-no-reboot',
        '-append',
        `${gpus.length > 0 ? 'console=tty0 ' : ''}console=ttyS0 panic=-1 no_timer_check`,
        '-kernel',
        'KERNEL',
        '-initrd',
        'INITRD',
      ],
    ]);
  },
};
