/** Which of the programs and files that clients need are not on this machine. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { thisHost } from '../../host/host-view.ts';
import { displayBackEnd, GUEST_PROGRAMS, guestDirectory } from './guest-image.ts';

export const PXE_ROM = '/usr/lib/ipxe/qemu/pxe-virtio.rom';
const LINUX = ['busybox', 'cpio'];

/** The programs that each kind of client needs to start. */
const PROGRAMS = {
  qemu: ['qemu-system-x86_64', ...LINUX],
  display: ['qemu-system-x86_64', 'cc', ...LINUX],
  uml: ['linux.uml', ...LINUX],
  dpdk: ['dpdk-testpmd', 'stdbuf'],
  ipxe: ['qemu-system-x86_64'],
  chromium: ['chromium'],
} as const;

export type Client = keyof typeof PROGRAMS;

const QEMU_GUEST = () => [path.join(guestDirectory(), 'version'), ...GUEST_PROGRAMS];

/** Files without which a client starts in vain. */
const FILES: Readonly<Partial<Record<Client, () => readonly string[]>>> = {
  qemu: QEMU_GUEST,
  display: () => [...QEMU_GUEST(), displayBackEnd()],
  uml: () => GUEST_PROGRAMS,
  ipxe: () => [PXE_ROM],
};

export function clientsMissing(clients: readonly Client[]): string[] {
  const programs = clients
    .flatMap((client) => [...PROGRAMS[client]])
    .filter((program) => thisHost.find(program) === undefined);
  const files = clients
    .flatMap((client) => FILES[client]?.() ?? [])
    .filter((file) => !existsSync(file));
  return [...new Set([...programs, ...files])];
}
