/** A guest that nobody here started: all its devices, each on a socket of its own. */
import type { Guest } from '../guest.ts';
import type { VhostUserDevice } from './vhost-user-device.ts';

export class VhostUserGuest implements Guest {
  private readonly devices: readonly VhostUserDevice[];

  constructor(devices: readonly VhostUserDevice[]) {
    this.devices = devices;
  }

  /** @throws HostProblem when a socket cannot be made */
  start(): void {
    for (const device of this.devices) device.open();
  }

  tick(): void {
    for (const device of this.devices) device.tick();
  }

  /** It cannot be started anew from here: its front-ends have to connect again. */
  async restart(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.disconnect()));
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.close()));
  }
}
