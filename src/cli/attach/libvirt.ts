/** libvirt: what belongs into the XML of a domain, which libvirt runs with QEMU. */
import path from 'node:path';
import { offers, type AttachedDevice, type Attachment, type Client } from './attachment.ts';
import { gpuWords, qemuRefusals, ringEntries } from './qemu.ts';

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

function netLines({ devices, frontEndListens }: Attachment): string[] {
  if (devices.length === 0) return [];
  return [
    '<!-- in <domain>, beside its other devices -->',
    '<devices>',
    ...devices.flatMap((device) => interfaceLines(device, frontEndListens)),
    '</devices>',
  ];
}

/** libvirt starts the back-end of a GPU itself, or knows none: QEMU is told past it. */
function gpuLines({ gpus, frontEndListens }: Attachment): string[] {
  if (gpus.length === 0) return [];
  const words = gpus.flatMap((gpu) => gpuWords(gpu, frontEndListens)).flat();
  return [
    "<!-- in <domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'> -->",
    '<qemu:commandline>',
    ...words.map((word) => `  <qemu:arg value='${escaped(word)}'/>`),
    '</qemu:commandline>',
  ];
}

// [impl->req~cli.attach~1]
export const LIBVIRT: Client = {
  refusals: (attachment) => [
    ...qemuRefusals(attachment),
    ...[...attachment.devices, ...attachment.gpus]
      .filter(({ socket }) => !path.isAbsolute(socket))
      .map(({ socket }) => `libvirt needs absolute paths, and that of "${socket}" is too long`),
  ],
  lines: (attachment) => [
    '<!-- in <domain>, in place of the elements of the same name -->',
    `<memory unit='MiB'>${attachment.memoryMiB}</memory>`,
    '<memoryBacking>',
    "  <source type='memfd'/>",
    "  <access mode='shared'/>",
    '</memoryBacking>',
    ...netLines(attachment),
    ...gpuLines(attachment),
  ],
};
