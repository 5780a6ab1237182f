/** QEMU's own back-end for displays, to compare with. */
import { ClientProcess } from './client-process.ts';
import { listens } from './gateway-process.ts';
import { displayBackEnd } from './guest-image.ts';
import { until } from './wait.ts';

/** Resolves when it listens. It serves one front-end, and ends with it. */
export async function startDisplayBackEnd(socket: string): Promise<ClientProcess> {
  const words = [`--socket-path=${socket}`];
  const backEnd = new ClientProcess('vhost-user-gpu', displayBackEnd(), words);
  await until(() => !backEnd.running || listens(socket), `vhost-user-gpu listens at ${socket}`);
  if (backEnd.running) return backEnd;
  throw new Error(`vhost-user-gpu ended\n${backEnd.tail()}`);
}
