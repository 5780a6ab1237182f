/** Thread of a test: notifies a descriptor whose reader is gone, then says by a word that it lives. */
import { workerData } from 'node:worker_threads';
import { NotifyKind } from '../../src/channel/command-channel.ts';
import { DescriptorNotifier } from '../../src/host/descriptor-notifier.ts';

const { descriptor, memory } = workerData as { descriptor: number; memory: WebAssembly.Memory };
const notifier = new DescriptorNotifier(memory);
for (let n = 0; n < 3; n++) notifier.notify(NotifyKind.SOCKET, descriptor);
notifier.notify(NotifyKind.ARENA_WORD, 7);
