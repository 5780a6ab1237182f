/** Used buffer notifications: each kind reaches its driver, and no driver stops the data plane. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import path from 'node:path';
import { NotifyKind } from '../../../src/channel/command-channel.ts';
import { DescriptorNotifier } from '../../../src/host/descriptor-notifier.ts';
import {
  closeDescriptor,
  createEventFd,
  createMemoryFile,
  openDescriptors,
  readCounter,
} from '../../../src/host/descriptors.ts';
import { EventSignal } from '../../../src/host/native/aio.ts';
import { OpenFlag, readBytes, statusFlags } from '../../../src/host/native/descriptor.ts';
import { UnixSocket } from '../../../src/host/unix-socket.ts';
import { fullEvent, makeBlocking } from '../../support/full-readers.ts';
import { NOTIFICATIONS } from '../../support/notify-program.ts';

const PROGRAM = path.join(__dirname, '../../support/notify-program.js');
/** More than one batch of completions. */
const MANY = 1000;

describe('descriptor notifier', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const notifier = new DescriptorNotifier(memory);
  const plain = new DescriptorNotifier(memory, null);
  const open: number[] = [];

  after(() => notifier.close());

  afterEach(() => {
    for (const descriptor of open.splice(0)) closeDescriptor(descriptor);
  });

  const kept = (descriptor: number): number => {
    open.push(descriptor);
    return descriptor;
  };

  it('[utest->req~host.notification~1] a word in the arena is counted up', () => {
    const before = words[5]!;
    notifier.notify(NotifyKind.ARENA_WORD, 5);
    assert.equal(words[5], before + 1);
  });

  it('[utest->req~host.notification~1] an eventfd is counted up by one each time, blocking or not', () => {
    for (const event of [kept(createEventFd()), makeBlocking(kept(createEventFd()))]) {
      for (let n = 0; n < MANY; n++) {
        notifier.notify(NotifyKind.EVENT, event);
        assert.equal(readCounter(event), 1);
      }
      for (let n = 0; n < MANY; n++) notifier.notify(NotifyKind.EVENT, event);
      assert.equal(readCounter(event), MANY);
    }
  });

  it('[utest->req~host.notification~1] a full eventfd that is blocking stays full', () => {
    const event = kept(fullEvent());
    for (let n = 0; n < MANY; n++) notifier.notify(NotifyKind.EVENT, event);
    const counter = Buffer.alloc(8);
    assert.equal(readBytes(event, counter), 8);
    assert.equal(counter.readBigUInt64LE(), 2n ** 64n - 1n);
  });

  it('[utest->req~host.notification~1] the owner’s flags of an eventfd stay as they are', () => {
    const event = makeBlocking(kept(createEventFd()));
    notifier.prepare(NotifyKind.EVENT, event);
    notifier.notify(NotifyKind.EVENT, event);
    assert.equal(statusFlags(event) & OpenFlag.NON_BLOCKING, 0);
  });

  for (const reader of ['eventfd', 'socket']) {
    const result = (way: string, timeout: number) =>
      spawnSync(process.execPath, [PROGRAM, way, reader], {
        encoding: 'utf8',
        timeout,
        // Whatever handlers the child has: it is not there to run them.
        killSignal: 'SIGKILL',
      });

    it(`[utest->req~host.notification~1] a full, blocking ${reader} would hold a plain write up for ever`, () => {
      const { stdout, signal } = result('plain', 2000);
      assert.deepEqual([stdout, signal], ['begins\n', 'SIGKILL']);
    });

    it(`[utest->req~host.notification~1] a full, blocking ${reader} holds ${NOTIFICATIONS} notifications up not at all`, () => {
      const { stdout, status } = result('notifier', 15_000);
      assert.deepEqual([stdout, status], ['begins\nends\n', 0]);
    });
  }

  it('[utest->req~host.notification~1] where kernel AIO is refused an eventfd is written, made non-blocking before', () => {
    assert.deepEqual([notifier.neverWaits, plain.neverWaits], [true, false]);
    const event = kept(fullEvent());
    plain.prepare(NotifyKind.EVENT, event);
    plain.notify(NotifyKind.EVENT, event);
    readCounter(event);
    plain.notify(NotifyKind.EVENT, event);
    assert.equal(readCounter(event), 1);
    plain.close();
  });

  it('[utest->req~host.notification~1] a processor whose system calls are not known grants no kernel AIO', () => {
    assert.equal(EventSignal.open('pdp11'), null);
  });

  it('[utest->req~host.notification~1] who wants none gets none', () => {
    const event = kept(createEventFd());
    const before = [...words];
    notifier.notify(NotifyKind.NONE, event);
    assert.equal(readCounter(event), 0);
    assert.deepEqual([...words], before);
  });

  it('[utest->req~host.notification~1] a socket gets 8 bytes, the number 1', () => {
    const [left, right] = UnixSocket.pair();
    notifier.notify(NotifyKind.SOCKET, left.descriptor);
    const bytes = new Uint8Array(20);
    assert.equal(right.receive(bytes, 20, []), 8);
    assert.deepEqual([...bytes.subarray(0, 8)], [1, 0, 0, 0, 0, 0, 0, 0]);
    left.close();
    right.close();
  });

  it('[utest->req~host.notification~1] a socket that is full or whose reader is gone is no error', () => {
    const [left, right] = UnixSocket.pair();
    for (let n = 0; n < 10_000; n++) notifier.notify(NotifyKind.SOCKET, left.descriptor);
    right.close();
    notifier.notify(NotifyKind.SOCKET, left.descriptor);
    left.close();
    notifier.notify(NotifyKind.SOCKET, 987_654);
  });

  it('[utest->req~host.notification~1] what is no eventfd or no socket is neither written nor an error', () => {
    const file = kept(createMemoryFile('m', 64, { seal: false }));
    for (const kind of [NotifyKind.EVENT, NotifyKind.SOCKET]) {
      for (const target of [file, 987_654, -1]) notifier.notify(kind, target);
    }
    const bytes = Buffer.alloc(64);
    assert.equal(readBytes(file, bytes), 64);
    assert.deepEqual(bytes, Buffer.alloc(64));
    const event = kept(createEventFd());
    notifier.notify(NotifyKind.EVENT, event);
    assert.equal(readCounter(event), 1);
  });

  it('[utest->req~host.notification~1] notifiers give back what they took', () => {
    const taken = () => [
      openDescriptors(),
      readFileSync('/proc/self/maps', 'utf8').split('[aio]').length,
    ];
    const before = taken();
    const others = [1, 2, 3].map(() => new DescriptorNotifier(memory));
    assert.notDeepEqual(taken(), before);
    for (const other of others) other.close();
    assert.deepEqual(taken(), before);
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
