/** Notifies a million times in one way and prints how much the heap grew meanwhile. */
import { getHeapStatistics } from 'node:v8';
import { NotifyKind } from '../../src/channel/command-channel.ts';
import { DescriptorNotifier } from '../../src/host/descriptor-notifier.ts';
import { createEventFd } from '../../src/host/descriptors.ts';
import { UnixSocket } from '../../src/host/unix-socket.ts';

const NOTIFICATIONS = 1_000_000;
const WARM_UP = 200_000;

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const way = process.argv[2];
const notifier = new DescriptorNotifier(memory, way === 'write' ? null : undefined);
const [left] = UnixSocket.pair();
const kind = way === 'socket' ? NotifyKind.SOCKET : NotifyKind.EVENT;
const target = way === 'socket' ? left.descriptor : createEventFd();

function notify(count: number): void {
  for (let n = 0; n < count; n++) notifier.notify(kind, target);
}

notify(WARM_UP);
gc?.();
const before = getHeapStatistics().used_heap_size;
notify(NOTIFICATIONS);
const bytes = getHeapStatistics().used_heap_size - before;
process.stdout.write(JSON.stringify({ bytes, requests: NOTIFICATIONS, sliceAt: 0 }), () =>
  process.exit(),
);
