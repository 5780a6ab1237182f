/** Which of the programs that real guests need are not on this machine, and what a test does about it. */
import { strict as assert } from 'node:assert';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import type { ClientProcess } from './client-process.ts';
import { guestDirectory } from './guest-image.ts';

export const PXE_ROM = '/usr/lib/ipxe/qemu/pxe-virtio.rom';
const NOT_RUN = 'not run: run test/install-clients';
const PROGRAM_FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

/** What each kind of client needs to start. */
const NEEDS = {
  qemu: ['qemu-system-x86_64', 'busybox', 'ethtool', 'ip', 'ping', 'cpio'],
  uml: ['linux.uml', 'busybox', 'ethtool', 'ip', 'ping', 'cpio'],
  dpdk: ['dpdk-testpmd'],
  ipxe: ['qemu-system-x86_64'],
} as const;

export type Client = keyof typeof NEEDS;

function onPath(program: string): boolean {
  return PROGRAM_FOLDERS.some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Files without which a client starts in vain. */
const FILES: Readonly<Partial<Record<Client, () => string>>> = {
  qemu: () => path.join(guestDirectory(), 'version'),
  ipxe: () => PXE_ROM,
};

export function clientsMissing(clients: readonly Client[]): string[] {
  const programs = clients
    .flatMap((client) => [...NEEDS[client]])
    .filter((program) => !onPath(program));
  const files = clients
    .flatMap((client) => FILES[client]?.() ?? [])
    .filter((file) => !existsSync(file));
  return [...new Set([...programs, ...files])];
}

/** A suite that needs clients: without them it fails where CI is set, and elsewhere says that it did not run. */
export function describeWithClients(
  title: string,
  clients: readonly Client[],
  body: (suite: Mocha.Suite) => void,
): void {
  const missing = clientsMissing(clients);
  if (missing.length === 0) {
    describe(title, function () {
      body(this);
    });
    return;
  }
  describe(title, () => {
    it(`[utest->req~vhost.clients~1] needs ${missing.join(', ')} (${NOT_RUN})`, () => {
      if (process.env['CI'] === 'true')
        assert.fail(`${missing.join(', ')}: run test/install-clients`);
      console.log(`      ${NOT_RUN}`);
    });
  });
}

/** After a failed test: the last words of everybody who took part. */
export function showTails(
  ...clients: readonly ({ readonly process: ClientProcess } | undefined)[]
): void {
  for (const client of clients) if (client) console.log(client.process.tail());
}
