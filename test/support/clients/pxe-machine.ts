/** A machine without an operating system: iPXE, a driver that polls, looks for somebody to boot from. */
import { ClientProcess } from '../../../src/cli/clients/client-process.ts';
import { PXE_ROM } from '../../../src/cli/clients/missing-clients.ts';
import { machineWords } from '../../../src/cli/clients/qemu-guest.ts';

export class PxeMachine {
  readonly process: ClientProcess;

  constructor(name: string, socket: string, mac: string) {
    const properties = `romfile=${PXE_ROM},disable-legacy=on,bootindex=0`;
    const words = [
      ...machineWords({ devices: [{ socket, mac, properties }] }),
      // Without graphics the BIOS, and with it iPXE, talks on the serial console.
      ...['-machine', 'graphics=off', '-boot', 'n'],
    ];
    this.process = new ClientProcess(name, 'qemu-system-x86_64', words, { apart: true });
  }

  async kill(): Promise<void> {
    await this.process.kill();
  }
}
