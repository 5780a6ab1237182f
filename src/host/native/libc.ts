/** The C library by way of koffi: the only file that knows how its functions are called. Linux. */
import koffi, { type node } from 'koffi';

/** Numbers, bytes whose address is meant, text that ends in a NUL, or no address. */
type Argument = number | string | Uint8Array | null;

const library = koffi.load(null);

/**
 * A function by its C prototype. Declare addresses and sizes as `intptr_t`: they come and go as
 * plain Numbers then, and a failure is -1.
 */
export function cFunction(prototype: string): (...values: Argument[]) => number {
  return library.func(prototype) as (...values: Argument[]) => number;
}

/** A function that may wait for ever, called in a thread apart; nobody waits for its result. */
export function cFunctionApart(prototype: string): (value: number) => void {
  const callable = library.func(prototype) as { async(value: number, done: () => void): void };
  return (value) => callable.async(value, () => {});
}

/** Why the last function that failed did; to be read before any other call. */
export function errno(): number {
  return koffi.errno();
}

/** Address of the first byte; it stays as long as the bytes do. */
export function addressOf(bytes: Uint8Array): bigint {
  return koffi.address(bytes);
}

/** Watches a descriptor by the event loop of the calling thread. */
export class Watch {
  private readonly descriptor: number;
  private readonly ready: (events: WatchEvents) => void;
  private handle: node.PollHandle | undefined;
  private due: NodeJS.Immediate | undefined;

  constructor(descriptor: number, ready: (events: WatchEvents) => void) {
    this.descriptor = descriptor;
    this.ready = ready;
  }

  /** Sets what is waited for; nothing at all is a pause. */
  set(events: WatchEvents): void {
    if (!events.readable && !events.writable) {
      this.handle?.stop();
      return;
    }
    if (this.handle) this.handle.start(events, this.tell);
    else this.handle = koffi.node.poll(this.descriptor, events, this.tell);
  }

  /** To be called before the descriptor is closed. */
  end(): void {
    clearImmediate(this.due);
    this.handle?.close();
    this.handle = undefined;
  }

  /**
   * koffi calls outside any callback scope: promises would wait and errors be lost. The immediate
   * runs in the same turn of the loop. Its type declaration forgets that a status comes first: an
   * error (a peer that was reset) ends the watch and is told as ready, so that reading tells why.
   */
  private readonly tell = ((status: number, events: WatchEvents): void => {
    clearImmediate(this.due);
    const all = status < 0;
    const readable = all || events.readable;
    const writable = all || events.writable;
    this.due = setImmediate(() => this.ready({ readable, writable }));
  }) as unknown as (events: WatchEvents) => void;
}

export interface WatchEvents {
  readonly readable: boolean;
  readonly writable: boolean;
}
