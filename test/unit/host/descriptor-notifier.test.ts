/** Used buffer notifications: both kinds reach their driver, and no driver stops the data plane. */
import { strict as assert } from 'node:assert';
import { Worker } from 'node:worker_threads';
import path from 'node:path';
import { NotifyKind } from '../../../src/channel/command-channel.ts';
import { DescriptorNotifier } from '../../../src/host/descriptor-notifier.ts';
import { closeDescriptor, createEventFd, readCounter } from '../../../src/host/descriptors.ts';
import { UnixSocket } from '../../../src/host/unix-socket.ts';

describe('descriptor notifier', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const notifier = new DescriptorNotifier(memory);

  it('[utest->req~host.notification~1] a word in the arena is counted up', () => {
    const before = words[5]!;
    notifier.notify(NotifyKind.ARENA_WORD, 5);
    assert.equal(words[5], before + 1);
  });

  it('[utest->req~host.notification~1] an eventfd is counted up', () => {
    const event = createEventFd();
    notifier.notify(NotifyKind.DESCRIPTOR, event);
    notifier.notify(NotifyKind.DESCRIPTOR, event);
    assert.equal(readCounter(event), 2);
    closeDescriptor(event);
  });

  it('[utest->req~host.notification~1] who wants none gets none', () => {
    const event = createEventFd();
    const before = [...words];
    notifier.notify(NotifyKind.NONE, event);
    assert.equal(readCounter(event), 0);
    assert.deepEqual([...words], before);
    closeDescriptor(event);
  });

  it('[utest->req~host.notification~1] a socket gets 8 bytes, the number 1', () => {
    const [left, right] = UnixSocket.pair();
    notifier.notify(NotifyKind.DESCRIPTOR, left.descriptor);
    const bytes = new Uint8Array(20);
    assert.equal(right.receive(bytes, 20, []), 8);
    assert.deepEqual([...bytes.subarray(0, 8)], [1, 0, 0, 0, 0, 0, 0, 0]);
    left.close();
    right.close();
  });

  it('[utest->req~host.notification~1] a socket that is full or whose reader is gone is no error', () => {
    const [left, right] = UnixSocket.pair();
    for (let n = 0; n < 10_000; n++) notifier.notify(NotifyKind.DESCRIPTOR, left.descriptor);
    right.close();
    notifier.notify(NotifyKind.DESCRIPTOR, left.descriptor);
    left.close();
    notifier.notify(NotifyKind.DESCRIPTOR, 987_654);
  });

  it('[utest->req~host.notification~1] in a worker, too, a reader that is gone ends nobody', async () => {
    const [left, right] = UnixSocket.pair();
    right.close();
    const worker = new Worker(path.join(__dirname, '../../support/notify-worker.js'), {
      workerData: { descriptor: left.descriptor, memory },
    });
    const before = words[7]!;
    const code = await new Promise((resolve, reject) => {
      worker.on('exit', resolve);
      worker.on('error', reject);
    });
    assert.equal(code, 0);
    assert.equal(words[7], before + 1);
    left.close();
  });
});
