/**
 * One queue of a GPU device as its driver uses it: commands with room for an answer each, numbered
 * in the order in which they are given, which is the order of the answers (VIRTIO 5.7.6.7).
 */
import { GuestStatistic } from '../channel/guest-statistics.ts';
import { GpuHeader, GpuHeaderFlag, GpuResponse } from '../wire/virtio-gpu.ts';
import type { DriverQueue } from './driver-queue.ts';
import type { GuestMachine } from './guest-machine.ts';

/** A command has the first buffer of a pair, its answer the second. */
const PAIR = 2;

export class GpuQueue {
  /** Commands given so far, and how many of them are answered. */
  given = 0;
  answered = 0;
  /** Type of the last answer, and where it lies. */
  answer = 0;
  answerAt = 0;
  private readonly machine: GuestMachine;
  private readonly queue: DriverQueue;
  private readonly vectorWord: number;
  /** Pairs that the device does not have. */
  private readonly free: Uint16Array;
  private freeCount: number;
  /** The fence of the command in each pair, or 0. */
  private readonly fences: Uint32Array;
  /** The pair and the first byte of the command that is being written. */
  private pair = 0;
  private at = 0;

  constructor(machine: GuestMachine, queue: DriverQueue, vectorWord: number) {
    this.machine = machine;
    this.queue = queue;
    this.vectorWord = vectorWord;
    this.freeCount = queue.size / PAIR;
    this.free = Uint16Array.from({ length: this.freeCount }, (_, n) => n * PAIR);
    this.fences = new Uint32Array(queue.size);
    queue.disarmNotification();
  }

  /** Commands that can be given before one is answered. */
  get room(): number {
    return this.freeCount;
  }

  /** Begins a command of `bytes` zeros but for its type; the caller has made sure of room. */
  begin(type: number, bytes: number): void {
    this.pair = this.free[--this.freeCount]!;
    this.at = this.queue.bufferAt(this.pair);
    this.machine.u8.fill(0, this.at, this.at + bytes);
    this.fences[this.pair] = 0;
    this.put(GpuHeader.TYPE, type);
  }

  /** A 32-bit field of the command that is being written. */
  put(offset: number, value: number): void {
    this.machine.i32[(this.at + offset) >>> 2] = value;
  }

  putAddress(offset: number, address: number): void {
    this.put(offset, address % 2 ** 32);
    this.put(offset + 4, Math.floor(address / 2 ** 32));
  }

  putRect(offset: number, x: number, y: number, width: number, height: number): void {
    this.put(offset, x);
    this.put(offset + 4, y);
    this.put(offset + 8, width);
    this.put(offset + 12, height);
  }

  /** The command's answer tells that its work is done, and repeats the command's number. */
  fence(): void {
    const number = this.given + 1;
    this.fences[this.pair] = number;
    this.put(GpuHeader.FLAGS, GpuHeaderFlag.FENCE);
    this.put(GpuHeader.FENCE_ID, number);
  }

  /** Gives the command, with room for an answer of so many bytes; its number. */
  end(bytes: number, answerBytes: number = GpuHeader.SIZE): number {
    this.queue.exposePair(this.pair, bytes, answerBytes);
    return ++this.given;
  }

  /** Makes everything given so far visible to the device. */
  publish(): void {
    this.queue.publish();
  }

  /** Takes the answers that are there; how many. */
  reap(): number {
    let count = 0;
    for (; count < this.queue.size; count++) {
      const pair = this.queue.reap();
      if (pair < 0) break;
      this.take(pair);
    }
    return count;
  }

  // [impl->req~guest.gpu-driver~1]
  private take(pair: number): void {
    const { i32, statistics } = this.machine;
    this.answered++;
    this.free[this.freeCount++] = pair;
    this.answerAt = this.queue.bufferAt(pair + 1);
    const word = this.answerAt >>> 2;
    const isThere = this.queue.usedLength >= GpuHeader.SIZE;
    this.answer = isThere ? i32[word]! : GpuResponse.ERR_UNSPEC;
    const fence = this.fences[pair]!;
    const repeats = fence === 0 || i32[word + (GpuHeader.FENCE_ID >>> 2)] === fence;
    if (this.answer >= GpuResponse.ERR_UNSPEC) statistics.add(GuestStatistic.REFUSED);
    else if (!repeats) statistics.add(GuestStatistic.ERRORS);
  }

  /** Waits for an answer, for at most `ns` nanoseconds. */
  waitForAnswer(ns: number): void {
    const seen = this.machine.interrupts(this.vectorWord);
    if (this.queue.armNotification()) return;
    this.machine.waitForInterrupt(this.vectorWord, seen, ns);
  }
}
