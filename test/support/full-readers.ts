/** Descriptors that a hostile reader has filled up and made blocking: a plain write to them never ends. */
import { createEventFd } from '../../src/host/descriptors.ts';
import {
  OpenFlag,
  setStatusFlags,
  statusFlags,
  writeBytes,
} from '../../src/host/native/descriptor.ts';
import { UnixSocket } from '../../src/host/unix-socket.ts';

/** The most that a counter holds by writing. */
const FULL = Buffer.from('feffffffffffffff', 'hex');

export function makeBlocking(descriptor: number): number {
  setStatusFlags(descriptor, statusFlags(descriptor) & ~OpenFlag.NON_BLOCKING);
  return descriptor;
}

export function fill(event: number): void {
  writeBytes(event, FULL);
}

/** An eventfd on which a write waits until somebody reads, and nobody does. */
export function fullEvent(): number {
  const event = createEventFd();
  fill(event);
  return makeBlocking(event);
}

export interface FullSocket {
  /** What is handed over. */
  readonly end: number;
  close(): void;
}

/** A socket whose queue is full. */
export function fullSocket(): FullSocket {
  const [own, theirs] = UnixSocket.pair();
  const bytes = new Uint8Array(4096);
  while (writeBytes(theirs.descriptor, bytes) > 0);
  while (writeBytes(theirs.descriptor, bytes.subarray(0, 1)) > 0);
  makeBlocking(theirs.descriptor);
  return {
    end: theirs.descriptor,
    close: () => {
      own.close();
      theirs.close();
    },
  };
}
