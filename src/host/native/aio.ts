/**
 * Asynchronous I/O of the kernel, used for one thing: a request that completes at once adds one to
 * an eventfd. Unlike a write it never waits, whatever flags and value its owner has given to it.
 */
import { addressOf, cFunction } from './libc.ts';
import { close, createEvent, createMemory, readBytes } from './descriptor.ts';

interface CallNumbers {
  readonly setup: number;
  readonly destroy: number;
  readonly submit: number;
  readonly events: number;
}

/** The C library has no functions for these calls. */
const GENERIC: CallNumbers = { setup: 0, destroy: 1, submit: 2, events: 4 };
const CALLS: Readonly<Record<string, CallNumbers>> = {
  x64: { setup: 206, destroy: 207, submit: 209, events: 208 },
  arm64: GENERIC,
  riscv64: GENERIC,
};

/** struct iocb: u64 data, u32 key, u32 flags, u16 opcode, and so on. */
const Iocb = { FILE: 20, BYTES: 24, LENGTH: 32, FLAGS: 56, EVENT: 60, SIZE: 64 } as const;
const IOCB_FLAG_RESFD = 1;
/** Completions are taken away after so many requests; each is a struct io_event. */
const BATCH = 32;
const IO_EVENT_BYTES = 32;

const cSetup = cFunction('int syscall(intptr_t number, unsigned int requests, void *context)');
const cDestroy = cFunction('int syscall(intptr_t number, intptr_t context)');
const cSubmit = cFunction(
  'int syscall(intptr_t number, intptr_t context, intptr_t count, void *requests)',
);
const cEvents = cFunction(
  'int syscall(intptr_t number, intptr_t context, intptr_t least, intptr_t most, void *events,' +
    ' void *timeout)',
);

/** Memory whose address the kernel may be told: it neither moves nor goes. */
const fixed = (bytes: number): Buffer => Buffer.allocUnsafeSlow(bytes).fill(0);

/** Adds to eventfds; one thread's own. */
// [impl->req~host.notification~1]
export class EventSignal {
  /** An empty file: there is nothing to read, so that reading has nothing to wait for. */
  private readonly empty = createMemory('event-signal', 0, false);
  private readonly iocb = fixed(Iocb.SIZE);
  private readonly words = new Int32Array(this.iocb.buffer, 0, Iocb.SIZE / 4);
  private readonly list = fixed(8);
  private readonly sink = fixed(8);
  private readonly completions = fixed(BATCH * IO_EVENT_BYTES);
  private readonly atOnce = fixed(16);
  // Bound, because a large number that is an argument anew would be allocated anew.
  private readonly submit: () => number;
  /** They are there already, and there is no more to learn from them. */
  private readonly takeCompletions: () => number;
  private closed = false;
  private readonly destroy: () => number;
  private requests = 0;

  private constructor(calls: CallNumbers, context: number) {
    this.words[Iocb.FILE / 4] = this.empty;
    this.iocb.writeBigUInt64LE(addressOf(this.sink), Iocb.BYTES);
    this.words[Iocb.LENGTH / 4] = 1;
    this.words[Iocb.FLAGS / 4] = IOCB_FLAG_RESFD;
    this.list.writeBigUInt64LE(addressOf(this.iocb));
    const { list, completions, atOnce } = this;
    this.submit = cSubmit.bind(null, calls.submit, context, 1, list);
    this.takeCompletions = cEvents.bind(
      null,
      ...[calls.events, context, 0, BATCH, completions, atOnce],
    );
    this.destroy = cDestroy.bind(null, calls.destroy, context);
  }

  /** Null where the host does not grant it, or where it does not work. */
  static open(architecture: string = process.arch): EventSignal | null {
    const calls = CALLS[architecture];
    const cell = fixed(8);
    if (!calls || cSetup(calls.setup, BATCH, cell) < 0) return null;
    const signal = new EventSignal(calls, Number(cell.readBigUInt64LE()));
    if (signal.works()) return signal;
    signal.close();
    return null;
  }

  private works(): boolean {
    const event = createEvent();
    const counter = new Uint8Array(8);
    const counted = this.add(event) && readBytes(event, counter) === 8 && counter[0] === 1;
    close(event);
    return counted;
  }

  /** Adds one, up to the most that the counter holds; false for what is no eventfd. */
  add(event: number): boolean {
    this.words[Iocb.EVENT / 4] = event;
    const submitted = this.submit() === 1;
    if (++this.requests === BATCH) {
      this.takeCompletions();
      this.requests = 0;
    }
    return submitted;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.destroy();
    close(this.empty);
  }
}
