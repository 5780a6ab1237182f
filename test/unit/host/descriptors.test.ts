/** Counters, memory files, and what a descriptor is. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  closeDescriptor,
  createEventFd,
  createMemoryFile,
  descriptorKind,
  makeNonBlocking,
  openDescriptors,
  readCounter,
  writeCounter,
} from '../../../src/host/descriptors.ts';
import { HostProblem } from '../../../src/host/host-problem.ts';
import { UnixSocket } from '../../../src/host/unix-socket.ts';

describe('descriptors', () => {
  const open: number[] = [];
  let before: number;

  beforeEach(() => {
    before = openDescriptors();
  });

  afterEach(() => {
    for (const descriptor of open.splice(0)) closeDescriptor(descriptor);
    assert.equal(openDescriptors(), before, 'no descriptor stays open');
  });

  const kept = (descriptor: number): number => {
    open.push(descriptor);
    return descriptor;
  };

  it('[utest->req~host.notification~1] a counter counts what was written, and starts again', () => {
    const event = kept(createEventFd());
    assert.equal(readCounter(event), 0);
    assert.equal(writeCounter(event), true);
    assert.equal(writeCounter(event), true);
    assert.equal(readCounter(event), 2);
    assert.equal(readCounter(event), 0);
  });

  it('[utest->req~host.notification~1] a counter above 32 bits is read exactly', () => {
    const event = kept(createEventFd());
    const large = Buffer.alloc(8);
    large.writeBigUInt64LE(0x1_2345_6789n);
    fs.writeSync(event, large);
    assert.equal(readCounter(event), 0x1_2345_6789);
  });

  it('[utest->req~host.notification~1] a full counter is no error and no wait', () => {
    const event = kept(createEventFd());
    fs.writeSync(event, Buffer.from('feffffffffffffff', 'hex'));
    assert.equal(writeCounter(event), false);
  });

  it('[utest->req~host.notification~1] a descriptor that is not there is no error', () => {
    assert.equal(writeCounter(987_654), false);
    assert.equal(writeCounter(-1), false);
    assert.equal(readCounter(987_654), 0);
  });

  it('[utest->req~host.never-waits~1] a pipe that is full, made non-blocking, is no wait', () => {
    const fifo = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'gateway-fifo-')), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const pipe = kept(fs.openSync(fifo, 'r+'));
    fs.rmSync(path.dirname(fifo), { recursive: true });
    assert.equal(makeNonBlocking(pipe), true);
    assert.equal(makeNonBlocking(987_654), false);
    let written = 0;
    while (written < 1_000_000 && writeCounter(pipe)) written++;
    assert.ok(written > 0 && written < 1_000_000);
    assert.equal(descriptorKind(pipe), 'pipe');
  });

  it('[utest->req~host.descriptor-kind~1] each kind is told', () => {
    const [left, right] = UnixSocket.pair();
    kept(left.descriptor);
    kept(right.descriptor);
    assert.equal(descriptorKind(left.descriptor), 'socket');
    assert.equal(descriptorKind(kept(createEventFd())), 'eventfd');
    assert.equal(descriptorKind(kept(createMemoryFile('m', 4096, { seal: true }))), 'file');
    assert.equal(descriptorKind(kept(fs.openSync(__filename, 'r'))), 'file');
    assert.equal(descriptorKind(kept(fs.openSync('/dev/null', 'r'))), 'other');
    assert.equal(descriptorKind(kept(fs.openSync('/', 'r'))), 'other');
    assert.equal(descriptorKind(987_654), 'other');
  });

  it('[utest->req~host.descriptor-kind~1] a file that is named like an eventfd is a file', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gateway-kind-'));
    const file = path.join(directory, 'anon_inode:[eventfd]');
    const descriptor = kept(fs.openSync(file, 'w'));
    assert.equal(descriptorKind(descriptor), 'file');
    fs.rmSync(directory, { recursive: true });
  });

  it('[utest->req~host.descriptor-kind~1] a memory file has its size; one that cannot be is a sentence', () => {
    const file = kept(createMemoryFile('m', 3 * 2 ** 30, { seal: false }));
    assert.equal(fs.fstatSync(file).size, 3 * 2 ** 30);
    assert.throws(() => createMemoryFile('m', -1, { seal: false }), HostProblem);
    assert.throws(() => createMemoryFile('x'.repeat(1000), 1, { seal: false }), HostProblem);
  });

  it('[utest->req~host.descriptor-kind~1] a sealed memory file keeps its size', () => {
    const sealed = kept(createMemoryFile('m', 8192, { seal: true }));
    assert.throws(() => fs.ftruncateSync(sealed, 4096), /EPERM/);
    assert.throws(() => fs.ftruncateSync(sealed, 16384), /EPERM/);
    const free = kept(createMemoryFile('m', 8192, { seal: false }));
    fs.ftruncateSync(free, 4096);
  });
});
