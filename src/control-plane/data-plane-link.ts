/**
 * The control plane's end of the command channel: commands in order, each with a number to ask for.
 */
import { assert } from '../base/assert.ts';
import { CommandChannel, CommandWord } from '../channel/command-channel.ts';
import { every, type EndTimer } from '../host/timers.ts';

/** Commands that wait for room in the channel; register floods are bounded before. */
const OUTBOX_MAX = 4096;
const BACKLOG_MAX = 1024;
/** How often the channel is looked at while somebody waits for an answer. */
const POLL_MS = 1;

export class DataPlaneLink {
  private readonly channel: CommandChannel;
  private readonly outbox: Int32Array[] = [];
  private posted = 0;
  private readonly waiters: {
    readonly number: number;
    readonly settle: (answer: number) => void;
  }[] = [];
  private endPolling: EndTimer | undefined;
  private abandoned = false;

  constructor(channel: CommandChannel) {
    this.channel = channel;
  }

  /** Posts a command; its number. Operands are by {@link CommandWord}. */
  post(
    kind: number,
    target: number,
    operands: readonly (readonly [number, number])[] = [],
  ): number {
    const command = new Int32Array(CommandWord.COUNT);
    command[CommandWord.KIND] = kind;
    command[CommandWord.TARGET] = target;
    for (const [word, value] of operands) command[word] = value;
    assert(this.outbox.length < OUTBOX_MAX, 'missing: room for a command');
    if (!this.abandoned) this.outbox.push(command);
    this.posted = (this.posted + 1) | 0;
    this.flush();
    return this.posted;
  }

  /** The data plane is far behind: whoever causes commands has to wait. */
  get backlogged(): boolean {
    this.flush();
    return this.outbox.length > BACKLOG_MAX;
  }

  /** Number of the command posted last. */
  get last(): number {
    return this.posted;
  }

  /** Moves waiting commands into the channel, as far as it has room. */
  flush(): void {
    while (this.outbox.length > 0 && this.channel.send(this.outbox[0]!) !== undefined)
      this.outbox.shift();
  }

  /** Whether the data plane has carried out this command, and so all before it. */
  isDone(number: number): boolean {
    this.flush();
    return this.channel.isDone(number);
  }

  /** Resolves with the answer to this command, once the data plane has carried it out. */
  settled(number: number): Promise<number> {
    if (this.abandoned) return Promise.resolve(0);
    return new Promise((settle) => {
      this.waiters.push({ number, settle });
      this.endPolling ??= every(POLL_MS, () => this.settle());
    });
  }

  private settle(): void {
    while (this.waiters.length > 0 && this.isDone(this.waiters[0]!.number)) {
      const { number, settle } = this.waiters.shift()!;
      settle(this.channel.resultOf(number));
    }
    if (this.waiters.length === 0) this.endWaiting();
  }

  private endWaiting(): void {
    this.endPolling?.();
    this.endPolling = undefined;
  }

  /** The data plane has ended: nothing is carried out any more, and nobody is kept waiting. */
  abandon(): void {
    this.abandoned = true;
    for (const { settle } of this.waiters.splice(0)) settle(0);
    this.endWaiting();
  }
}
