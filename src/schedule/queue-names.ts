/** Names and order of a device's virtqueues (VIRTIO 5.1.2); our names count pairs from 0. */
import type { NetDeviceConfig } from './gateway-config.ts';
import type { QueueRole } from './gateway-plan.ts';

export interface QueueName {
  readonly name: string;
  readonly role: QueueRole;
  readonly pair: number;
}

export function queueNamesOf(device: NetDeviceConfig): QueueName[] {
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
