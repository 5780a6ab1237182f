/**
 * A client in a process group of its own: its console is awaited, and nothing of it outlives us.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { after } from '../../host/timers.ts';

const TAIL_LINES = 30;
const DEFAULT_PATIENCE_MS = 30_000;

export interface ClientOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** After this waiting is in vain: a kernel has panicked, a program has given up. */
  readonly fatal?: RegExp;
  /** What comes to standard error is none of the console's: it only goes into messages. */
  readonly apart?: boolean;
  /** Its files, which go when it has ended. */
  readonly directory?: string;
}

interface Waiter {
  /** Looks at the console; true when there is nothing more to wait for. */
  look(): boolean;
  fail(why: string): void;
}

/** A pattern that finds exactly this text. */
export function literal(text: string): string {
  return text.replace(/[^\w\s]/g, '\\$&');
}

const alive = new Set<ClientProcess>();
let guarded = false;

/** Whatever ends this process ends its clients: also an uncaught exception, and a signal. */
function guard(): void {
  if (guarded) return;
  guarded = true;
  process.on('exit', () => {
    for (const client of alive) client.killNow();
    for (const client of alive) client.removeFiles();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(1));
}

export class ClientProcess {
  readonly name: string;
  private readonly ending: Promise<number | null>;
  private readonly child: ChildProcess;
  private readonly fatal: RegExp | undefined;
  private readonly directory: string | undefined;
  private readonly waiters = new Set<Waiter>();
  private console = '';
  private printed = '';
  private errors = '';
  private ended = false;

  constructor(
    name: string,
    program: string,
    words: readonly string[],
    { env, fatal, apart = false, directory }: ClientOptions = {},
  ) {
    guard();
    this.name = name;
    this.fatal = fatal;
    this.directory = directory;
    this.child = spawn(program, words, {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    alive.add(this);
    // Who forgets a client must be able to end all the same.
    this.child.unref();
    this.hear(this.child.stdout!, (text) => {
      this.printed += text;
      this.take(text);
    });
    this.hear(this.child.stderr!, (text) => {
      if (apart) this.complain(text);
      else this.take(text);
    });
    // Who writes to a client that has just died learns of it from `exited`.
    (this.child.stdin as Socket).unref();
    this.child.stdin!.on('error', () => undefined);
    this.ending = new Promise((resolve) => {
      this.child.on('error', (error) => this.end(`did not start: ${error.message}`, resolve, null));
      this.child.on('close', (code, signal) =>
        this.end(`ended with ${signal ?? `exit code ${code}`}`, resolve, code),
      );
    });
  }

  /** Its exit code, when it has ended; null after a signal, or when it did not start. */
  get exited(): Promise<number | null> {
    this.child.ref();
    return this.ending;
  }

  get running(): boolean {
    return !this.ended;
  }

  /** How much the console has shown: a place from which to look for what comes later. */
  get position(): number {
    return this.console.length;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** What it wrote to its standard output alone. */
  get output(): string {
    return this.printed;
  }

  textSince(position: number): string {
    return this.console.slice(position);
  }

  write(text: string): void {
    this.child.stdin!.write(text);
  }

  /** Resolves with the match of what the console shows after a position, or fails with its tail. */
  waitFor(
    pattern: string | RegExp,
    timeoutMs = DEFAULT_PATIENCE_MS,
    from = 0,
  ): Promise<RegExpExecArray> {
    const wanted = typeof pattern === 'string' ? new RegExp(literal(pattern)) : pattern;
    return new Promise((resolve, reject) => {
      const done = () => {
        giveUp();
        this.waiters.delete(waiter);
      };
      const waiter: Waiter = {
        look: () => {
          const match = wanted.exec(this.textSince(from));
          if (!match) return false;
          done();
          resolve(match);
          return true;
        },
        fail: (why) => {
          done();
          reject(new Error(`${this.name} ${why}; waited for ${wanted}\n${this.tail()}`));
        },
      };
      const giveUp = after(timeoutMs, () => waiter.fail(`was silent for ${timeoutMs} ms`));
      this.waiters.add(waiter);
      if (waiter.look()) return;
      if (this.ended) waiter.fail('has ended');
      else if (this.fatal?.test(this.textSince(from) + this.errors)) waiter.fail('has failed');
    });
  }

  /** The last lines of the console, for messages. */
  tail(): string {
    const last = (text: string) => text.trimEnd().split('\n').slice(-TAIL_LINES);
    const lines = [...last(this.console), ...(this.errors === '' ? [] : last(this.errors))];
    return lines.map((line) => `    ${this.name}| ${line}`).join('\n');
  }

  /** kill -9 of the whole group: some clients leave helpers behind. */
  killNow(): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // The group is gone already.
    }
  }

  removeFiles(): void {
    if (this.directory === undefined) return;
    try {
      rmSync(this.directory, { recursive: true, force: true });
    } catch {
      // Its helpers may still be writing there: that is no reason to leave anybody running.
    }
  }

  async kill(): Promise<void> {
    this.killNow();
    await this.exited;
  }

  private hear(stream: Readable, listener: (text: string) => void): void {
    (stream as Socket).unref();
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => listener(text.replaceAll('\r', '')));
  }

  private complain(text: string): void {
    this.errors += text;
    if (this.fatal?.test(this.errors)) this.failAll('has failed');
  }

  private take(text: string): void {
    const before = this.console.length;
    this.console += text;
    for (const waiter of [...this.waiters]) waiter.look();
    // A pattern may lie across two pieces of text.
    if (this.fatal?.test(this.textSince(Math.max(0, before - 100)))) this.failAll('has failed');
  }

  private end(why: string, resolve: (code: number | null) => void, code: number | null): void {
    if (this.ended) return;
    this.ended = true;
    // Its helpers may still be there.
    this.killNow();
    this.removeFiles();
    alive.delete(this);
    this.failAll(why);
    resolve(code);
  }

  private failAll(why: string): void {
    for (const waiter of [...this.waiters]) waiter.fail(why);
  }
}
