/**
 * Register accesses of an embedded guest: one request and one answer at a time, in arena words.
 * The guest side waits for the answer as a processor waits for an uncached access.
 */
import { MailboxWord } from '../schedule/arena-layout.ts';

export const MailboxState = { IDLE: 0, REQUESTED: 1, ANSWERED: 2 } as const;
export const MailboxOperation = {
  CONFIG_READ: 1,
  CONFIG_WRITE: 2,
  BAR_READ: 3,
  BAR_WRITE: 4,
} as const;

/** One access: `width` is 1, 2, 4 or 8 bytes; 8-byte values are two words. */
export interface RegisterAccess {
  operation: number;
  /** PCI function number on the partition's bus. */
  function: number;
  offset: number;
  width: number;
  low: number;
  high: number;
}

export class Mailbox {
  private readonly words: Int32Array;
  private readonly base: number;

  constructor(words: Int32Array, base: number) {
    this.words = words;
    this.base = base;
  }

  get stateIndex(): number {
    return this.base + MailboxWord.STATE;
  }

  /** Guest side: one access, blocking until it is answered; the answer's low word. */
  access(request: RegisterAccess): number {
    const { words, base } = this;
    words[base + MailboxWord.OPERATION] = request.operation;
    words[base + MailboxWord.FUNCTION] = request.function;
    words[base + MailboxWord.OFFSET] = request.offset;
    words[base + MailboxWord.WIDTH] = request.width;
    words[base + MailboxWord.LOW] = request.low;
    words[base + MailboxWord.HIGH] = request.high;
    Atomics.store(words, this.stateIndex, MailboxState.REQUESTED);
    Atomics.notify(words, this.stateIndex);
    Atomics.wait(words, this.stateIndex, MailboxState.REQUESTED);
    const answer = words[base + MailboxWord.LOW]! >>> 0;
    Atomics.store(words, this.stateIndex, MailboxState.IDLE);
    return answer;
  }

  /** Host side: the waiting request, each word read once, or undefined. */
  request(): RegisterAccess | undefined {
    const { words, base } = this;
    if (Atomics.load(words, this.stateIndex) !== MailboxState.REQUESTED) return undefined;
    return {
      operation: words[base + MailboxWord.OPERATION]!,
      function: words[base + MailboxWord.FUNCTION]! >>> 0,
      offset: words[base + MailboxWord.OFFSET]! >>> 0,
      width: words[base + MailboxWord.WIDTH]! >>> 0,
      low: words[base + MailboxWord.LOW]! >>> 0,
      high: words[base + MailboxWord.HIGH]! >>> 0,
    };
  }

  /** Host side: answers the waiting request. */
  answer(low: number): void {
    this.words[this.base + MailboxWord.LOW] = low | 0;
    Atomics.store(this.words, this.stateIndex, MailboxState.ANSWERED);
    Atomics.notify(this.words, this.stateIndex);
  }
}
