/** Descriptors of all kinds, for where others are expected; all of them are closed together. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { closeDescriptor, createEventFd, createMemoryFile } from '../../../src/host/descriptors.ts';
import { UnixSocket } from '../../../src/host/unix-socket.ts';

export class StrangeDescriptors {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'strange-'));
  private readonly opened: number[] = [];
  private readonly sockets: UnixSocket[] = [];

  private keep(descriptor: number): number {
    this.opened.push(descriptor);
    return descriptor;
  }

  readonly event = this.keep(createEventFd());
  readonly directory = this.keep(openSync(this.folder, 'r'));
  readonly device = this.keep(openSync('/dev/null', 'r+'));
  readonly zero = this.keep(openSync('/dev/zero', 'r+'));
  readonly pipe = this.openPipe();
  readonly socket = this.openSocket();
  readonly diskFile = this.openDiskFile();
  readonly memory = this.file(65536);
  readonly emptyMemory = this.file(0);
  readonly readOnlyMemory = this.keep(openSync(`/proc/self/fd/${this.memory}`, 'r'));
  readonly unsealedMemory = this.file(65536, false);

  /** Fresh memory of so many bytes. */
  file(bytes: number, seal = true): number {
    return this.keep(createMemoryFile('strange', bytes, { seal }));
  }

  private openPipe(): number {
    const name = path.join(this.folder, 'pipe');
    execFileSync('mkfifo', [name]);
    return this.keep(openSync(name, 'r+'));
  }

  private openSocket(): number {
    this.sockets.push(...UnixSocket.pair());
    return this.sockets[0]!.descriptor;
  }

  private openDiskFile(): number {
    const name = path.join(__dirname, `disk-${process.pid}`);
    writeFileSync(name, Buffer.alloc(65536));
    const descriptor = this.keep(openSync(name, 'r+'));
    rmSync(name);
    return descriptor;
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
    for (const descriptor of this.opened) closeDescriptor(descriptor);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
