/** Names and order of a device's virtqueues (VIRTIO 5.1.2, 5.7.2); our names count pairs from 0. */
import type { DeviceConfig, NetDeviceConfig } from './gateway-config.ts';
import type { QueueRole } from './gateway-plan.ts';

export interface QueueName {
  readonly name: string;
  readonly role: QueueRole;
  readonly pair: number;
}

const GPU_QUEUES: readonly QueueName[] = [
  { name: 'controlq', role: 'control', pair: 0 },
  { name: 'cursorq', role: 'cursor', pair: 0 },
];

const GPU_QUEUE_SIZE = 256;

/** Largest ring that the driver may set up. */
export function queueSizeOf(device: DeviceConfig): number {
  return device.queueSize ?? GPU_QUEUE_SIZE;
}

export function queueNamesOf(device: DeviceConfig): readonly QueueName[] {
  return device.type === 'virtio-net' ? netQueueNames(device) : GPU_QUEUES;
}

function netQueueNames(device: NetDeviceConfig): QueueName[] {
  const names: QueueName[] = [];
  for (let pair = 0; pair < device.queuePairs; pair++) {
    names.push({ name: `receiveq${pair}`, role: 'receive', pair });
    names.push({ name: `transmitq${pair}`, role: 'transmit', pair });
  }
  if (device.features.offer.includes('VIRTIO_NET_F_CTRL_VQ')) {
    names.push({ name: 'controlq', role: 'control', pair: 0 });
  }
  return names;
}
