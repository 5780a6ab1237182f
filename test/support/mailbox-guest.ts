/** The guest's side of a register mailbox without a thread: it asks, lets the host work, and looks. */
import { MailboxState, type RegisterAccess } from '../../src/channel/mailbox.ts';
import { MailboxWord } from '../../src/schedule/arena-layout.ts';

const TURNS = 8;

/** Lets everything happen that can happen now. */
export async function turns(count = TURNS): Promise<void> {
  for (let n = 0; n < count; n++)
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
}

export class MailboxGuest {
  private readonly words: Int32Array;
  private readonly base: number;

  constructor(words: Int32Array, byteOffset: number) {
    this.words = words;
    this.base = byteOffset / 4;
  }

  set(word: number, value: number): void {
    this.words[this.base + word] = value;
  }

  get state(): number {
    return this.words[this.base + MailboxWord.STATE]!;
  }

  get answer(): number {
    return this.words[this.base + MailboxWord.LOW]! >>> 0;
  }

  /** Writes a request, garbage or not, and rings. */
  post(access: Partial<RegisterAccess>, state: number = MailboxState.REQUESTED): void {
    this.set(MailboxWord.OPERATION, access.operation ?? 0);
    this.set(MailboxWord.FUNCTION, access.function ?? 0);
    this.set(MailboxWord.OFFSET, access.offset ?? 0);
    this.set(MailboxWord.WIDTH, access.width ?? 4);
    this.set(MailboxWord.LOW, access.low ?? 0);
    this.set(MailboxWord.HIGH, access.high ?? 0);
    Atomics.store(this.words, this.base + MailboxWord.STATE, state);
    Atomics.notify(this.words, this.base + MailboxWord.STATE);
  }

  /** One access; the answer, or undefined when the host has not given one. */
  async access(access: Partial<RegisterAccess>): Promise<number | undefined> {
    this.post(access);
    for (let n = 0; n < TURNS && this.state !== MailboxState.ANSWERED; n++) await turns(1);
    if (this.state !== MailboxState.ANSWERED) return undefined;
    const { answer } = this;
    Atomics.store(this.words, this.base + MailboxWord.STATE, MailboxState.IDLE);
    return answer;
  }
}
