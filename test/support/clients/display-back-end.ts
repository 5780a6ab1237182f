/** Back-ends for displays: this gateway, and QEMU's own to compare with. */
import { strict as assert } from 'node:assert';
import path from 'node:path';
import { ClientProcess } from '../../../src/cli/clients/client-process.ts';
import { displayConfig } from '../../../src/cli/clients/display-config.ts';
import { GatewayProcess } from '../../../src/cli/clients/gateway-process.ts';
import { startDisplayBackEnd } from '../../../src/cli/clients/display-back-end.ts';
import { socketOf } from '../../../src/cli/clients/guests-config.ts';
import type { TestDirectory } from '../command-line.ts';

export interface RunningBackEnd {
  readonly process: ClientProcess;
  /** Ends it in order, as far as it knows one, and complains of what went wrong meanwhile. */
  stop(): Promise<void>;
}

/** What serves a display at a socket of a directory. */
export interface DisplayBackEnd {
  readonly name: string;
  socket(directory: TestDirectory): string;
  start(directory: TestDirectory): Promise<RunningBackEnd>;
  /** It outlives its front-end and takes another, and gets over a guest that starts again. */
  readonly lasting: boolean;
  /** A guest that wants no cursor has none. */
  readonly hidesCursor: boolean;
}

const QEMU_BACK_END: DisplayBackEnd = {
  name: "QEMU's own back-end",
  // To a second GPU_SET_SOCKET it says "assertion 'g->sock_fd == -1' failed" and goes on without it.
  lasting: false,
  // "update_cursor_data_simple: assertion 'res != NULL' failed", and the display is told of pixels.
  hidesCursor: false,
  socket: ({ path: directory }) => path.join(directory, 'display.sock'),
  async start(directory) {
    const process = await startDisplayBackEnd(this.socket(directory));
    return { process, stop: () => process.kill() };
  },
};

const GATEWAY: DisplayBackEnd = {
  name: 'this gateway',
  lasting: true,
  hidesCursor: true,
  socket: ({ path: directory }) => socketOf(directory, 'screen', 'gpu0'),
  async start(directory) {
    const gateway = await GatewayProcess.start(displayConfig(directory.path));
    const stop = async () => {
      await gateway.stop();
      for (const { id, faults } of gateway.report().partitions) assert.deepEqual(faults, {}, id);
    };
    return { process: gateway.process, stop };
  },
};

export const DISPLAY_BACK_ENDS: readonly DisplayBackEnd[] = [QEMU_BACK_END, GATEWAY];
