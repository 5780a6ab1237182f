/**
 * A Debian guest in QEMU, without hardware virtualisation, with its network devices and its
 * display.
 */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ClientProcess } from './client-process.ts';
import { guestDirectory, guestImage } from './guest-image.ts';
import { LinuxGuest, newMarker } from './linux-guest.ts';

interface VhostUserDevice {
  readonly socket: string;
  readonly mac: string;
  /** QEMU listens and the gateway connects. */
  readonly server?: boolean;
  readonly queuePairs?: number;
  /** QEMU connects again so long after the connection broke. */
  readonly reconnectMs?: number;
  /** More properties of virtio-net-pci: `csum=off`. */
  readonly properties?: string;
}

/** A device on something of QEMU's own, to compare with. */
interface OtherDevice {
  readonly mac: string;
  /** A type of -netdev with its options. */
  readonly netdev: string;
}

export type QemuDevice = VhostUserDevice | OtherDevice;

/** QEMU's own display device, or a front-end for a back-end that listens at a socket. */
export type QemuDisplay =
  | { readonly device: 'virtio-gpu-pci' }
  | { readonly device: 'vhost-user-gpu-pci' | 'vhost-user-vga'; readonly socket: string };

export interface QemuOptions {
  readonly devices: readonly QemuDevice[];
  /** With one, the guest's console is on it as well. */
  readonly display?: QemuDisplay;
  readonly memoryMiB?: number;
  /** After `-m SIZE,`: room for memory that is plugged in later. */
  readonly memoryRoom?: string;
  readonly processors?: number;
  /** Modules that /init loads; by default all that a network guest needs. */
  readonly load?: readonly string[];
  readonly words?: readonly string[];
}

const MEMORY_MIB = 192;
const MODULES = ['virtio_pci', 'virtio_net'];
const DISPLAY_MODULES = ['virtio_pci', 'virtio-gpu'];

/** Vectors for each queue of a device, its control queue and its configuration. */
const vectors = (queuePairs: number) => 2 * queuePairs + 2;

function deviceWords(device: QemuDevice, n: number): string[] {
  if ('netdev' in device) {
    const { netdev, mac } = device;
    return ['-netdev', `${netdev},id=n${n}`, '-device', `virtio-net-pci,netdev=n${n},mac=${mac}`];
  }
  const { socket, mac, server, queuePairs = 1, reconnectMs, properties } = device;
  const chardev = [`socket,id=c${n},path=${socket}`];
  if (server) chardev.push('server=on,wait=off');
  if (reconnectMs !== undefined) chardev.push(`reconnect-ms=${reconnectMs}`);
  const netdev = [`vhost-user,id=n${n},chardev=c${n}`];
  const pci = [`virtio-net-pci,netdev=n${n},mac=${mac}`];
  if (queuePairs > 1) {
    netdev.push(`queues=${queuePairs}`);
    pci.push(`mq=on,vectors=${vectors(queuePairs)}`);
  }
  if (properties !== undefined) pci.push(properties);
  const joined = [chardev, netdev, pci].map((parts) => parts.join(','));
  return ['-chardev', joined[0]!, '-netdev', joined[1]!, '-device', joined[2]!];
}

function displayWords(display: QemuDisplay): string[] {
  if (display.device === 'virtio-gpu-pci') return ['-device', display.device];
  const { device, socket } = display;
  return ['-chardev', `socket,id=display,path=${socket}`, '-device', `${device},chardev=display`];
}

/** The words of every machine of ours: TCG, shared memory, no window, nothing by default. */
export function machineWords({
  devices,
  display,
  memoryMiB = MEMORY_MIB,
  memoryRoom,
  processors = 1,
}: QemuOptions): string[] {
  const size = [`${memoryMiB}M`, ...(memoryRoom === undefined ? [] : [memoryRoom])].join(',');
  return [
    ...['-nodefaults', '-no-user-config', '-machine', 'q35', '-accel', 'tcg', '-display', 'none'],
    ...['-m', size, '-smp', `${processors}`],
    ...[
      '-object',
      `memory-backend-memfd,id=mem,size=${memoryMiB}M,share=on`,
      '-numa',
      'node,memdev=mem',
    ],
    ...['-chardev', 'stdio,id=serial,signal=off', '-serial', 'chardev:serial'],
    ...devices.flatMap(deviceWords),
    ...(display === undefined ? [] : displayWords(display)),
  ];
}

export class QemuGuest extends LinuxGuest {
  /** The socket of QEMU's machine protocol. */
  readonly monitor: string;

  constructor(name: string, options: QemuOptions) {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'gateway-qemu-'));
    const monitor = path.join(directory, 'qmp');
    const marker = newMarker();
    const words = [
      ...machineWords(options),
      ...['-qmp', `unix:${monitor},server=on,wait=off`],
      ...['-kernel', path.join(guestDirectory(), 'vmlinux')],
      ...['-initrd', guestImage(options.display ? 'display' : 'net')],
      ...['-append', kernelLine(options, marker)],
      ...(options.words ?? []),
    ];
    const reading = { fatal: /Kernel panic/, apart: true, directory };
    super(new ClientProcess(name, 'qemu-system-x86_64', words, reading), marker);
    this.monitor = monitor;
  }

  /** Resolves when the guest's shell listens. */
  static start(name: string, options: QemuOptions): Promise<QemuGuest> {
    return new QemuGuest(name, options).booted();
  }

  /** The guest restarts itself; the same QEMU goes on. */
  async reboot(): Promise<void> {
    const from = this.process.position;
    this.process.write('0 reboot -f\n');
    await this.shell.ready(from);
  }
}

/**
 * A panic stays on the console, where it is found; memory that is plugged in is used at once. The
 * last console is the one that /init talks on; on a display nothing blinks.
 */
function kernelLine({ display, load }: QemuOptions, marker: string): string {
  const modules = load ?? (display ? DISPLAY_MODULES : MODULES);
  return [
    ...(display ? ['console=tty0 vt.global_cursor_default=0'] : []),
    'console=ttyS0 quiet loglevel=1 panic=0 memhp_default_state=online',
    `marker=${marker} load=${modules.join(',')}`,
  ].join(' ');
}
