/** Sockets that carry descriptors: attribution, truncation, back-pressure, and no leak. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {
  closeDescriptor,
  createEventFd,
  descriptorKind,
  openDescriptors,
  readCounter,
  writeCounter,
} from '../../../src/host/descriptors.ts';
import {
  RECEIVE_FAILED,
  RECEIVE_LATER,
  SEND_FAILED,
  SEND_LATER,
  UnixSocket,
} from '../../../src/host/unix-socket.ts';

const HEADER_BYTES = 12;

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

describe('unix socket', () => {
  let left: UnixSocket;
  let right: UnixSocket;
  let before: number;
  const into = new Uint8Array(4096);
  const received: number[] = [];

  beforeEach(() => {
    before = openDescriptors();
    [left, right] = UnixSocket.pair();
    received.length = 0;
  });

  afterEach(() => {
    left.close();
    right.close();
    for (const descriptor of received) closeDescriptor(descriptor);
    assert.equal(openDescriptors(), before, 'no descriptor stays open');
  });

  const send = (text: string, descriptors: number[] = []): void => {
    const bytes = bytesOf(text);
    assert.equal(left.send(bytes, bytes.length, descriptors), bytes.length);
  };
  const read = (length: number): string => {
    const count = right.receive(into, length, received);
    return Buffer.from(into.subarray(0, count)).toString();
  };

  it('[utest->req~host.descriptor-passing~1] a descriptor that comes is the one that was sent', () => {
    const event = createEventFd();
    send('message', [event]);
    assert.equal(read(100), 'message');
    assert.equal(received.length, 1);
    assert.notEqual(received[0], event);
    writeCounter(received[0]!);
    assert.equal(readCounter(event), 1);
    closeDescriptor(event);
  });

  it('[utest->req~host.descriptor-passing~1] a header that is read by its length gets its own descriptors', () => {
    const [first, second] = [createEventFd(), createEventFd()];
    send('header-no-1.'); // No descriptor: the kernel may glue it to what follows.
    send('header-no-2.payload', [first, second]);
    send('header-no-3.');
    assert.equal(read(HEADER_BYTES), 'header-no-1.');
    assert.equal(received.length, 0, 'the descriptors of the next message stay with it');
    assert.equal(read(HEADER_BYTES), 'header-no-2.');
    assert.equal(received.length, 2);
    assert.equal(read(7), 'payload');
    assert.equal(read(HEADER_BYTES), 'header-no-3.');
    assert.equal(received.length, 2);
    closeDescriptor(first);
    closeDescriptor(second);
  });

  it('[utest->req~host.descriptor-passing~1] received descriptors do not reach a program that is started', () => {
    const event = createEventFd();
    send('x', [event]);
    read(1);
    assert.match(fs.readFileSync(`/proc/self/fdinfo/${received[0]}`, 'utf8'), /flags:\s0?2\d{6}\n/);
    closeDescriptor(event);
  });

  it('[utest->req~host.descriptor-passing~1] as many descriptors fit as a message can carry', () => {
    const event = createEventFd();
    send(
      'x',
      Array.from({ length: 253 }, () => event),
    );
    assert.equal(read(1), 'x');
    assert.equal(received.length, 253);
    assert.equal(right.truncated, false);
    assert.throws(() => left.send(into, 1, new Array(254).fill(event)), /253 descriptors/);
    closeDescriptor(event);
  });

  it('[utest->req~host.descriptor-passing~1] descriptors beyond the limit of the process are told as cut off', () => {
    const script = path.join(__dirname, '../../support/few-descriptors.js');
    const command = `ulimit -n 64; exec "${process.execPath}" "${script}"`;
    const output = execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(output), {
      withoutAny: [
        'the host does not grant a pair of sockets',
        'PATH gets no socket: EMFILE',
        'PATH gets no socket: EMFILE',
      ],
      length: 1,
      kinds: ['eventfd', 'eventfd', 'eventfd'],
      truncated: true,
      thenTruncated: false,
      refused: true,
      acceptedLater: true,
    });
  });

  it('[utest->req~host.descriptor-passing~1] bytes of a view with an offset are sent and received in place', () => {
    const whole = bytesOf('..middle..');
    assert.equal(left.send(whole.subarray(2), 6), 6);
    const target = new Uint8Array(10);
    assert.equal(right.receive(target.subarray(3), 7, received), 6);
    assert.equal(Buffer.from(target.subarray(3, 9)).toString(), 'middle');
    assert.deepEqual([...target.subarray(0, 3), target[9]], [0, 0, 0, 0]);
  });

  it('[utest->req~host.never-waits~1] nothing to read is told at once', () => {
    assert.equal(right.receive(into, 10, received), RECEIVE_LATER);
  });

  it('[utest->req~host.never-waits~1] a peer that has closed is an end, then a failure to send', () => {
    left.close();
    assert.equal(right.receive(into, 10, received), 0);
    assert.equal(right.send(into, 10), SEND_FAILED);
  });

  it('[utest->req~host.never-waits~1] a peer that closed with unread bytes is a failure', () => {
    assert.equal(right.send(into, 10), 10);
    left.close();
    assert.equal(right.receive(into, 10, received), RECEIVE_FAILED);
  });

  it('[utest->req~host.never-waits~1] a peer that does not read makes the sender wait, and both go on', async () => {
    let sent = 0;
    for (let n = 0; n < 10_000; n++) {
      const result = left.send(into, into.length);
      if (result === SEND_LATER) break;
      sent += result;
    }
    assert.equal(left.send(into, into.length), SEND_LATER);
    let told = 0;
    const writable = new Promise<void>((resolve) => {
      left.onWritable(() => {
        told++;
        resolve();
      });
    });
    let got = 0;
    right.onReadable(() => {
      got += right.receive(into, into.length, received);
    });
    await writable;
    assert.ok(left.send(into, 1) === 1);
    while (got < sent + 1) await new Promise(setImmediate);
    assert.equal(got, sent + 1);
    assert.equal(told, 1, 'writable is told once');
  });

  it('[utest->req~host.never-waits~1] what is readable is told again until it is read, except in a pause', async () => {
    let told = 0;
    right.onReadable(() => told++);
    send('abc');
    while (told < 3) await new Promise(setImmediate);
    right.pause();
    const paused = told;
    for (let n = 0; n < 5; n++) await new Promise(setImmediate);
    assert.equal(told, paused);
    right.resume();
    while (told === paused) await new Promise(setImmediate);
    assert.equal(read(10), 'abc');
  });

  it('[utest->req~host.never-waits~1] a promise that a callback resolves goes on without any other event', async () => {
    const heard = new Promise<number>((resolve) => {
      right.onReadable(() => resolve(right.receive(into, 10, received)));
    });
    send('abc');
    assert.equal(await heard, 3);
  });

  it('[utest->req~host.never-waits~1] a peer that is reset is told as readable', async () => {
    const result = new Promise<number>((resolve) => {
      right.onReadable(() => resolve(right.receive(into, 10, received)));
    });
    right.send(into, 10);
    left.close();
    assert.equal(await result, RECEIVE_FAILED);
  });

  it('[utest->req~host.never-waits~1] a closed socket is quiet, whatever was due', async () => {
    let told = 0;
    right.onReadable(() => {
      told++;
      right.close();
    });
    right.onWritable(() => told++);
    send('abc');
    while (told === 0) await new Promise(setImmediate);
    right.close();
    for (let n = 0; n < 5; n++) await new Promise(setImmediate);
    assert.ok(told <= 2, `told ${told} times`);
    assert.throws(() => right.receive(into, 1, received));
  });

  it('[utest->req~host.socket-private~1] the kernel says who the peer is', () => {
    assert.deepEqual(left.peer(), { pid: process.pid, uid: process.getuid!() });
    const event = createEventFd();
    assert.deepEqual(UnixSocket.fromDescriptor(event).peer(), { pid: 0, uid: 0 });
    closeDescriptor(event);
  });

  it('[utest->req~host.descriptor-passing~1] a socket can itself be passed, and is then read like any other', () => {
    const [inner, outer] = UnixSocket.pair();
    send('x', [inner.descriptor]);
    read(1);
    assert.equal(descriptorKind(received[0]!), 'socket');
    const passed = UnixSocket.fromDescriptor(received.pop()!);
    outer.send(bytesOf('hello'), 5);
    assert.equal(passed.receive(into, 10, received), 5);
    for (const socket of [inner, outer, passed]) socket.close();
  });
});
