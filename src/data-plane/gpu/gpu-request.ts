/**
 * One command of a driver, read once into host memory, and the answer to it (5.7.6.7). Whatever a
 * command decides, it decides about this copy.
 */
import { Scratch } from '../../schedule/arena-layout.ts';
import { GpuHeader, GpuHeaderFlag } from '../../wire/virtio-gpu.ts';
import type { Arena } from '../arena.ts';
import type { DescriptorChain } from '../virtqueue/descriptor-chain.ts';

const KEPT_FLAGS = GpuHeaderFlag.FENCE | GpuHeaderFlag.INFO_RING_IDX;

export class GpuRequest {
  /** The whole command; entries behind its structure are read from it piece by piece. */
  readonly chain: DescriptorChain;
  readonly arena: Arena;
  /** Where the answer is put together. */
  readonly answerAt: number;
  private readonly commandAt: number;
  // What the answer repeats.
  private flags = 0;
  private fenceLow = 0;
  private fenceHigh = 0;
  private context = 0;
  private ringIndex = 0;

  constructor(arena: Arena, chain: DescriptorChain, scratchAt: number) {
    this.arena = arena;
    this.chain = chain;
    this.commandAt = scratchAt + Scratch.GPU_COMMAND;
    this.answerAt = scratchAt + Scratch.GPU_ANSWER;
  }

  /** Reads the header, which the command has; its type. */
  readHeader(): number {
    const { chain, arena, commandAt } = this;
    chain.gather(0, GpuHeader.SIZE, commandAt);
    this.flags = this.word(GpuHeader.FLAGS) & KEPT_FLAGS;
    this.fenceLow = this.word(GpuHeader.FENCE_ID);
    this.fenceHigh = this.word(GpuHeader.FENCE_ID + 4);
    this.context = this.word(GpuHeader.CTX_ID);
    this.ringIndex = arena.u8[commandAt + GpuHeader.RING_IDX]!;
    return this.word(GpuHeader.TYPE);
  }

  /** Reads the rest of a structure of so many bytes; false when the command is shorter. */
  readRest(bytes: number): boolean {
    const { chain, commandAt } = this;
    if (chain.readableBytes < bytes) return false;
    chain.gather(GpuHeader.SIZE, bytes - GpuHeader.SIZE, commandAt + GpuHeader.SIZE);
    return true;
  }

  /** A 32-bit field as a signed pattern: for ids and addresses. */
  word(offset: number): number {
    return this.arena.i32[(this.commandAt + offset) >>> 2]!;
  }

  /** A 32-bit field as a number: for sizes and coordinates. */
  number(offset: number): number {
    return this.word(offset) >>> 0;
  }

  /** Copies bytes of the command into scratch, in place of the fixed part; where they are. */
  takeAside(from: number, bytes: number): number {
    this.chain.gather(from, bytes, this.commandAt);
    return this.commandAt;
  }

  /** Begins an answer of whole words with zeros and the fence of the command (5.7.6.7). */
  begin(bytes: number): void {
    const { arena, answerAt } = this;
    arena.fill32(answerAt, bytes >>> 2, 0);
    const at = answerAt >>> 2;
    const words = arena.i32;
    words[at + (GpuHeader.FLAGS >>> 2)] = this.flags;
    if ((this.flags & GpuHeaderFlag.FENCE) !== 0) {
      words[at + (GpuHeader.FENCE_ID >>> 2)] = this.fenceLow;
      words[at + (GpuHeader.FENCE_ID >>> 2) + 1] = this.fenceHigh;
      words[at + (GpuHeader.CTX_ID >>> 2)] = this.context;
    }
    if ((this.flags & GpuHeaderFlag.INFO_RING_IDX) !== 0) {
      arena.u8[answerAt + GpuHeader.RING_IDX] = this.ringIndex;
    }
  }

  put(offset: number, value: number): void {
    this.arena.i32[(this.answerAt + offset) >>> 2] = value;
  }

  /** Writes the answer of this type into the driver's buffer; its length in bytes. */
  answer(type: number, bytes: number): number {
    this.put(GpuHeader.TYPE, type);
    const room = Math.min(bytes, this.chain.writableBytes);
    this.chain.scatter(this.answerAt, room);
    return room;
  }
}
