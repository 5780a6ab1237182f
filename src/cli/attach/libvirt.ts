/** libvirt: what belongs into the XML of a domain, which libvirt runs with QEMU. */
import path from 'node:path';
import { offers, type AttachedDevice, type Client } from './attachment.ts';
import { qemuRefusals, ringEntries } from './qemu.ts';

const RECONNECT_SECONDS = 1;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  "'": '&apos;',
};
const escaped = (text: string) => text.replace(/[&<']/g, (character) => ESCAPES[character]!);

function interfaceLines(device: AttachedDevice, frontEndListens: boolean): string[] {
  const { socket, mac, mtu, queuePairs } = device;
  const entries = ringEntries(device);
  const driver = [
    ...(queuePairs > 1 ? [`queues='${queuePairs}'`] : []),
    `rx_queue_size='${entries}' tx_queue_size='${entries}'`,
    ...(offers(device, 'VIRTIO_F_RING_PACKED') ? ["packed='on'"] : []),
  ];
  const source = `    <source type='unix' path='${escaped(socket)}'`;
  return [
    "  <interface type='vhostuser'>",
    `    <mac address='${mac}'/>`,
    ...(frontEndListens
      ? [`${source} mode='server'/>`]
      : [
          `${source} mode='client'>`,
          `      <reconnect enabled='yes' timeout='${RECONNECT_SECONDS}'/>`,
          '    </source>',
        ]),
    "    <model type='virtio'/>",
    `    <driver ${driver.join(' ')}/>`,
    ...(offers(device, 'VIRTIO_NET_F_MTU') ? [`    <mtu size='${mtu}'/>`] : []),
    '  </interface>',
  ];
}

// [impl->req~cli.attach~1]
export const LIBVIRT: Client = {
  refusals: (attachment) => [
    ...qemuRefusals(attachment),
    ...attachment.devices
      .filter(({ socket }) => !path.isAbsolute(socket))
      .map(({ socket }) => `libvirt needs absolute paths, and that of "${socket}" is too long`),
  ],
  lines: ({ memoryMiB, devices, frontEndListens }) => [
    '<!-- in <domain>, in place of the elements of the same name -->',
    `<memory unit='MiB'>${memoryMiB}</memory>`,
    '<memoryBacking>',
    "  <source type='memfd'/>",
    "  <access mode='shared'/>",
    '</memoryBacking>',
    '<!-- in <domain>, beside its other devices -->',
    '<devices>',
    ...devices.flatMap((device) => interfaceLines(device, frontEndListens)),
    '</devices>',
  ],
};
