/** Program of a test: notifies a reader that is full and blocking, plainly or as the data plane does it. */
import { writeSync } from 'node:fs';
import { NotifyKind } from '../../src/channel/command-channel.ts';
import { DescriptorNotifier } from '../../src/host/descriptor-notifier.ts';
import { writeCounter } from '../../src/host/descriptors.ts';
import { fullEvent, fullSocket } from './full-readers.ts';

export const NOTIFICATIONS = 100_000;

if (require.main === module) {
  const [way, reader] = process.argv.slice(2);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const notifier = new DescriptorNotifier(memory);
  const target = reader === 'eventfd' ? fullEvent() : fullSocket().end;
  const kind = reader === 'eventfd' ? NotifyKind.EVENT : NotifyKind.SOCKET;
  writeSync(1, 'begins\n');
  if (way === 'plain') writeCounter(target);
  else for (let n = 0; n < NOTIFICATIONS; n++) notifier.notify(kind, target);
  writeSync(1, 'ends\n');
}
