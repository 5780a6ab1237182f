/** A user-mode Linux: an unmodified kernel that is itself a vhost-user front-end. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ClientProcess } from '../../../src/cli/clients/client-process.ts';
import { guestImage } from '../../../src/cli/clients/guest-image.ts';
import { LinuxGuest, newMarker } from '../../../src/cli/clients/linux-guest.ts';

export interface UmlOptions {
  /** A socket for each network device; somebody must listen there already. */
  readonly sockets: readonly string[];
  readonly memoryMiB?: number;
}

const MEMORY_MIB = 96;
/** Device id of a network device (VIRTIO 5). */
const NET = 1;

export class UmlGuest extends LinuxGuest {
  constructor(name: string, { sockets, memoryMiB = MEMORY_MIB }: UmlOptions) {
    const marker = newMarker();
    const directory = mkdtempSync(path.join(os.tmpdir(), 'gateway-uml-'));
    const words = [
      ...[`mem=${memoryMiB}M`, `initrd=${guestImage('uml')}`, 'quiet', 'loglevel=1'],
      ...[
        'con=null',
        'con0=fd:0,fd:1',
        `umid=${path.basename(directory)}`,
        `uml_dir=${directory}/`,
      ],
      ...sockets.map((socket) => `virtio_uml.device=${socket}:${NET}`),
      ...[`marker=${marker}`, 'load=virtio_net'],
    ];
    // Its memory is a file, which only counts as shared memory on a tmpfs.
    const env = { TMPDIR: '/dev/shm' };
    const options = { env, fatal: /Kernel panic/, directory };
    super(new ClientProcess(name, 'linux.uml', words, options), marker);
  }

  /** Resolves when the guest's shell listens. */
  static start(name: string, options: UmlOptions): Promise<UmlGuest> {
    return new UmlGuest(name, options).booted();
  }
}
