/** Real-time mode: a CPU of its own for the data plane, and what else the host grants it. */
import { readdirSync, writeFileSync } from 'node:fs';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { ArenaMapping } from './arena-mapping.ts';
import {
  allowedCpus,
  type HostView,
  isolatedCpus,
  sessionNice,
  thisHost,
  throttlesRealtime,
} from './host-view.ts';
import { setAffinity, thisThread, useFifo } from './native/thread.ts';

/** Threads can be started while the others are moved; each pass finds those of the one before. */
const PASSES_MAX = 8;
const FIFO_PRIORITY = 50;
const SESSION_NICE = -20;
const MIB = 1024 * 1024;

export interface CpuPlan {
  /** The data plane's. */
  readonly own: number;
  /** Everybody else's. */
  readonly others: readonly number[];
}

/** An isolated CPU if there is one, otherwise the last; undefined when nothing would be left. */
export function planCpus(
  allowed: readonly number[],
  isolated: readonly number[],
): CpuPlan | undefined {
  const own = isolated[0] ?? allowed.at(-1);
  const others = allowed.filter((cpu) => cpu !== own);
  return own === undefined || others.length === 0 ? undefined : { own, others };
}

/** A range of the arena. */
interface Range {
  readonly at: number;
  readonly bytes: number;
}

/** What is always in use: the host's areas, and the slices of embedded guests. */
export function residentRanges({ layout, partitions }: GatewayPlan): Range[] {
  const first = Math.min(...layout.partitions.map(({ sliceAt }) => sliceAt));
  const slices = partitions
    .filter(({ guest }) => guest.type === 'embedded')
    .map(({ index }) => layout.partitions[index]!)
    .map(({ sliceAt, sliceBytes }) => ({ at: sliceAt, bytes: sliceBytes }));
  return [{ at: 0, bytes: first }, ...slices];
}

// [impl->req~host.realtime~1]
export class RealtimeMode {
  /** What was done or refused, a sentence each. */
  readonly sentences: string[] = [];
  private readonly host: HostView;
  private sessionNiceBefore: number | undefined;

  constructor(host: HostView = thisHost) {
    this.host = host;
  }

  /** For the calling thread, which is to be the data plane's; takes nothing for granted. */
  begin(memory: WebAssembly.Memory, ranges: readonly Range[]): void {
    const pinned = this.takeCpu();
    this.takePriority(pinned);
    this.raiseSession();
    this.lock(memory, ranges);
  }

  /** Gives back what would outlive the process. */
  end(): void {
    if (this.sessionNiceBefore !== undefined) writeSessionNice(this.sessionNiceBefore);
    this.sessionNiceBefore = undefined;
  }

  private takeCpu(): boolean {
    const plan = planCpus(allowedCpus(this.host), isolatedCpus(this.host));
    if (!plan) return this.say(false, 'there is one CPU only, so the data plane shares it');
    const own = thisThread();
    // It goes first: the kernel may refuse, and then nobody is moved.
    if (!setAffinity(own, [plan.own]))
      return this.say(false, `CPU ${plan.own} is refused, so the data plane shares a CPU`);
    const moved = moveThreads((thread) => thread !== own, plan.others);
    return this.say(
      true,
      `the data plane has CPU ${plan.own}, ${moved} other threads share ${plan.others.join(', ')}`,
    );
  }

  /** Above everybody only on a CPU of its own, and only where that is not stopped each second. */
  private takePriority(pinned: boolean): boolean {
    if (!pinned) return this.say(false, 'SCHED_FIFO is not used on a CPU that is shared');
    if (throttlesRealtime(this.host))
      return this.say(false, 'SCHED_FIFO is not used, because the host throttles it');
    const granted = useFifo(FIFO_PRIORITY);
    return this.say(
      granted,
      granted
        ? `the data plane runs with SCHED_FIFO, priority ${FIFO_PRIORITY}`
        : 'SCHED_FIFO is refused, so ordinary threads compete with the data plane',
    );
  }

  private raiseSession(): boolean {
    const before = sessionNice(this.host);
    if (before === undefined || before === SESSION_NICE) return true;
    if (!writeSessionNice(SESSION_NICE))
      return this.say(
        false,
        'the session keeps its priority, so other sessions compete with the data plane as equals',
      );
    this.sessionNiceBefore = before;
    return this.say(true, `the session has nice ${SESSION_NICE} until the end (was ${before})`);
  }

  private lock(memory: WebAssembly.Memory, ranges: readonly Range[]): boolean {
    const mapping = new ArenaMapping(memory);
    const mib = Math.ceil(ranges.reduce((sum, { bytes }) => sum + bytes, 0) / MIB);
    if (ranges.every(({ at, bytes }) => mapping.lock(at, bytes)))
      return this.say(true, `${mib} MiB of the arena are locked`);
    for (const { at, bytes } of ranges) mapping.populate(at, bytes);
    return this.say(false, `${mib} MiB of the arena are faulted in, but locking them is refused`);
  }

  private say(granted: boolean, sentence: string): boolean {
    this.sentences.push(sentence);
    return granted;
  }
}

/** Memory that is mapped later, while the gateway runs; releasing a range unlocks it. */
// [impl->req~host.realtime~1]
export class ResidentMemory {
  private readonly mapping: ArenaMapping;
  private readonly say: (line: string) => void;
  private said = false;

  constructor(mapping: ArenaMapping, say: (line: string) => void) {
    this.mapping = mapping;
    this.say = say;
  }

  /** Every page is there and stays, as far as the host grants it; the first refusal is told. */
  keep(arenaAt: number, bytes: number): void {
    const there = this.mapping.populate(arenaAt, bytes);
    if ((there && this.mapping.lock(arenaAt, bytes)) || this.said) return;
    this.said = true;
    this.say(
      there
        ? 'real time: memory that a front-end shares is faulted in, but locking it is refused'
        : 'real time: the host has no room to fault in memory that a front-end shares',
    );
  }
}

/** Moves threads of this process, those started meanwhile included; how many there are. */
function moveThreads(which: (thread: number) => boolean, cpus: readonly number[]): number {
  let seen = '';
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const threads = readdirSync('/proc/self/task').map(Number).filter(which);
    const now = threads.join();
    if (now === seen) return threads.length;
    seen = now;
    // One that has ended meanwhile cannot be moved, and need not be.
    for (const thread of threads) setAffinity(thread, cpus);
  }
  return seen.split(',').length;
}

function writeSessionNice(nice: number): boolean {
  try {
    writeFileSync('/proc/self/autogroup', String(nice));
    return true;
  } catch {
    return false;
  }
}
