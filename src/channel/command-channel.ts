/**
 * What the control plane asks of the data plane: bounded, acknowledged in order, run in control
 * windows.
 */
import { BoundedRing } from '../base/bounded-ring.ts';

export const CommandKind = {
  START_QUEUE: 1,
  STOP_QUEUE: 2,
  START_DEVICE: 3,
  STOP_DEVICE: 4,
  RUN_PARTITION: 5,
  HOLD_PARTITION: 6,
  STOP: 7,
  SET_NOTIFICATION: 8,
  ENABLE_QUEUE: 9,
  SET_MEMORY: 10,
} as const;

/** Words of a command: kind, then its operands. */
export const CommandWord = {
  KIND: 0,
  TARGET: 1,
  SIZE: 2,
  DESC: 3,
  AVAIL: 4,
  USED: 5,
  FLAGS: 6,
  INDEX: 7,
  NOTIFY_KIND: 8,
  NOTIFY_TARGET: 9,
  ENABLED: 2,
  REGIONS: 2,
  FEATURES_LOW: 2,
  FEATURES_HIGH: 3,
  COUNT: 12,
} as const;

/** A vhost-user ring may be started before it is enabled; every other ring starts enabled. */
export const RingFlag = { EVENT_IDX: 1, INDIRECT: 2, PACKED: 4, DISABLED: 8 } as const;

/** How a used buffer notification reaches the driver. */
export const NotifyKind = { NONE: 0, ARENA_WORD: 1, EVENT: 2, SOCKET: 3 } as const;

const CAPACITY = 256;
const DONE_BYTES = 64;
/** Results are kept for so many commands: more than can be under way and not looked at. */
const RESULTS = 8192;
const RESULTS_BYTES = RESULTS * 4;

export class CommandChannel {
  private readonly ring: BoundedRing;
  private readonly done: Int32Array;
  private readonly results: Int32Array;
  private sent = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.done = new Int32Array(buffer, 0, 1);
    this.results = new Int32Array(buffer, DONE_BYTES, RESULTS);
    this.ring = new BoundedRing(buffer, CommandWord.COUNT, CAPACITY, DONE_BYTES + RESULTS_BYTES);
  }

  static get bytes(): number {
    return DONE_BYTES + RESULTS_BYTES + BoundedRing.bytes(CommandWord.COUNT, CAPACITY);
  }

  /** Control plane: queues a command; its ticket, or undefined when the channel is full. */
  send(command: Int32Array): number | undefined {
    if (!this.ring.push(command)) return undefined;
    this.sent = (this.sent + 1) | 0;
    return this.sent;
  }

  isDone(ticket: number): boolean {
    return ((Atomics.load(this.done, 0) - ticket) | 0) >= 0;
  }

  /** Data plane: the next command, copied into `command`; false when there is none. */
  take(command: Int32Array): boolean {
    return this.ring.shift(command);
  }

  /** What a command that is done has answered; kept while no more than 8,000 came behind it. */
  resultOf(ticket: number): number {
    return this.results[ticket & (RESULTS - 1)]!;
  }

  /** Data plane: the command taken last has been carried out, with this answer. */
  acknowledge(result = 0): void {
    const ticket = (Atomics.load(this.done, 0) + 1) | 0;
    this.results[ticket & (RESULTS - 1)] = result;
    Atomics.store(this.done, 0, ticket);
  }
}
