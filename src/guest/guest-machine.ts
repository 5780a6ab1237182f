/**
 * The machine an embedded guest runs on: its slice of the arena, its mailbox, its interrupts, its
 * clock.
 */
import { assert } from '../base/assert.ts';
import type { Clock, Pace } from '../base/time.ts';
import { GuestStatistic, GuestStatistics } from '../channel/guest-statistics.ts';
import { Mailbox } from '../channel/mailbox.ts';
import { EMBEDDED_GUEST_PHYSICAL, type PartitionArea } from '../schedule/arena-layout.ts';
import type { GuestParameters } from '../schedule/gateway-config.ts';

export interface GuestMachineParts {
  readonly memory: WebAssembly.Memory;
  readonly area: PartitionArea;
  readonly clock: Clock;
  readonly pace: Pick<Pace, 'waitUntil'>;
}

/** What a program is told: its parameters, with addresses in place of names. */
export interface ProgramSettings extends GuestParameters {
  /** Positions of the program's devices on the partition's bus; -1 for one that is not there. */
  readonly netFunction: number;
  readonly gpuFunction: number;
  readonly toMac: readonly number[];
}

const LONGEST_WAIT_MS = 100;

export class GuestMachine {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly mailbox: Mailbox;
  readonly statistics: GuestStatistics;
  readonly now = new Float64Array(1);
  /** Functions that have a driver. */
  readonly driven = new Set<number>();
  private readonly area: PartitionArea;
  private readonly clock: Clock;
  private readonly pace: Pick<Pace, 'waitUntil'>;
  private next = 0;

  constructor(parts: GuestMachineParts) {
    const { buffer } = parts.memory;
    this.area = parts.area;
    this.clock = parts.clock;
    this.pace = parts.pace;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.mailbox = new Mailbox(this.i32, parts.area.mailboxAt / 4);
    this.statistics = new GuestStatistics(buffer, parts.area.statisticsAt);
  }

  /** Guest-physical address of `bytes` bytes that nobody has yet. */
  allocate(bytes: number, align: number): number {
    this.next = Math.ceil(this.next / align) * align;
    const address = EMBEDDED_GUEST_PHYSICAL + this.next;
    this.next += bytes;
    assert(
      this.next <= this.area.sliceBytes,
      'the memory of the partition holds its rings and buffers',
    );
    return address;
  }

  /** Where a guest-physical address lies for this guest's own loads and stores. */
  at(address: number): number {
    return this.area.sliceAt + (address - EMBEDDED_GUEST_PHYSICAL);
  }

  /** Reads the clock into {@link now}, in nanoseconds. */
  readClock(): number {
    this.clock.readInto(this.now);
    return this.now[0]!;
  }

  sleepUntil(target: Float64Array): void {
    this.pace.waitUntil(target, this.now);
  }

  get stopRequested(): boolean {
    return this.statistics.words[GuestStatistic.STOP_REQUESTED] !== 0;
  }

  /** Index of the interrupt word of a vector of a function. */
  vectorWord(pciFunction: number, vector: number): number {
    return this.area.vectorsAt[pciFunction]! / 4 + vector;
  }

  /** Interrupts so far on a word; take it before the last look at the ring. */
  interrupts(word: number): number {
    return Atomics.load(this.i32, word);
  }

  /** Waits until the word has moved on from `seen`, or for at most `ns`. */
  waitForInterrupt(word: number, seen: number, ns: number): void {
    Atomics.wait(this.i32, word, seen, Math.min(LONGEST_WAIT_MS, Math.max(0, ns / 1e6)));
  }
}
