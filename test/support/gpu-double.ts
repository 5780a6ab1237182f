/** Driver side of a GPU device for tests: commands as real descriptor chains, answers as bytes. */
import { strict as assert } from 'node:assert';
import { GpuHeader, GpuResponse } from '../../src/wire/virtio-gpu.ts';
import {
  attach,
  create2d,
  flush,
  setScanout,
  transfer,
  type Entry,
  type RectPx,
} from './gpu-commands.ts';
import type { GuestSlice, RingDouble } from './ring-double.ts';

const WRITE = 2;
/** Commands that may be under way at a time, each with a place for itself and for its answer. */
const PLACES = 64;
const COMMAND_BYTES = 4096;
const ANSWER_BYTES = 1088;
/** What an answer's room holds before the device writes it. */
export const UNWRITTEN = 0xee;
const FRAMES_MAX = 2000;

/** The part of a rig that a double needs. */
export interface Runs {
  frames(count?: number): void;
}

export interface Answer {
  /** 0 while nothing was written. */
  readonly type: number;
  readonly flags: number;
  readonly fence: bigint;
  readonly context: number;
  readonly ring: number;
  readonly bytes: readonly number[];
  readonly usedLength: number;
}

export interface SubmitOptions {
  /** Room for the answer in bytes; none with 0. */
  readonly answer?: number;
  /** Lengths of the readable descriptors; one of all bytes where absent. */
  readonly pieces?: readonly number[];
  /** Lengths of the writable ones. */
  readonly answerPieces?: readonly number[];
}

export interface Submission {
  readonly ring: RingDouble;
  readonly head: number;
  /** How many buffers of its ring come back before it. */
  readonly before: number;
  readonly answerAt: number;
  readonly answerBytes: number;
}

function lengthsOf(total: number, pieces: readonly number[] | undefined): number[] {
  if (!pieces) return total > 0 ? [total] : [];
  const rest = total - pieces.reduce((sum, length) => sum + length, 0);
  return rest > 0 ? [...pieces, rest] : [...pieces];
}

export class GpuDouble {
  readonly slice: GuestSlice;
  readonly control: RingDouble;
  readonly cursor: RingDouble;
  /** Memory of the pictures that {@link picture} made. */
  readonly backings = new Map<number, readonly Entry[]>();
  private readonly rig: Runs;
  private readonly places: number;
  private readonly submitted = new Map<RingDouble, number>();
  private next = 0;

  constructor(rig: Runs, slice: GuestSlice, control: RingDouble, cursor: RingDouble) {
    this.rig = rig;
    this.slice = slice;
    this.control = control;
    this.cursor = cursor;
    this.places = slice.allocate(PLACES * (COMMAND_BYTES + ANSWER_BYTES), 64);
  }

  /** Makes a command available; longer ones than a place get memory of their own. */
  submit(
    command: readonly number[],
    { answer = GpuHeader.SIZE, pieces, answerPieces }: SubmitOptions = {},
    ring = this.control,
  ): Submission {
    const place = this.places + (this.next++ % PLACES) * (COMMAND_BYTES + ANSWER_BYTES);
    const commandAt =
      command.length <= COMMAND_BYTES ? place : this.slice.allocate(command.length, 16);
    const answerAt = place + COMMAND_BYTES;
    this.slice.write(commandAt, command);
    this.slice.write(answerAt, new Array<number>(ANSWER_BYTES).fill(UNWRITTEN));
    const chain = [
      ...this.descs(commandAt, lengthsOf(command.length, pieces), 0),
      ...this.descs(answerAt, lengthsOf(answer, answerPieces), WRITE),
    ];
    const before = this.submitted.get(ring) ?? ring.usedIndex;
    this.submitted.set(ring, before + 1);
    return { ring, head: ring.submit(chain), before, answerAt, answerBytes: answer };
  }

  private descs(from: number, lengths: readonly number[], flags: number) {
    let at = from;
    return lengths.map((length) => {
      at += length;
      return { address: at - length, length, flags };
    });
  }

  submitCursor(command: readonly number[], options: SubmitOptions = {}): Submission {
    return this.submit(command, options, this.cursor);
  }

  isDone({ ring, before }: Submission): boolean {
    return ring.usedIndex > before;
  }

  /** What came back for a command that is done. */
  answerOf(submission: Submission): Answer {
    const { ring, head, before, answerAt, answerBytes } = submission;
    assert.ok(this.isDone(submission), 'the command is done');
    const used = ring.usedElement(before);
    assert.equal(used.id, head, 'commands come back in order');
    const bytes = this.slice.read(answerAt, ANSWER_BYTES);
    assert.ok(
      bytes.slice(answerBytes).every((byte) => byte === UNWRITTEN),
      'nothing is written behind the room for the answer',
    );
    const view = new DataView(new Uint8Array(bytes).buffer);
    const written = bytes.slice(0, used.length);
    assert.ok(
      bytes.slice(used.length, answerBytes).every((byte) => byte === UNWRITTEN),
      'nothing is written behind the used length',
    );
    return {
      type: used.length >= 4 ? view.getUint32(GpuHeader.TYPE, true) : 0,
      flags: view.getUint32(GpuHeader.FLAGS, true),
      fence: view.getBigUint64(GpuHeader.FENCE_ID, true),
      context: view.getUint32(GpuHeader.CTX_ID, true),
      ring: view.getUint8(GpuHeader.RING_IDX),
      bytes: written,
      usedLength: used.length,
    };
  }

  /** Lets major frames pass until the command is done. */
  finish(submission: Submission): Answer {
    for (let n = 0; n < FRAMES_MAX && !this.isDone(submission); n++) this.rig.frames();
    return this.answerOf(submission);
  }

  run(command: readonly number[], options?: SubmitOptions): Answer {
    return this.finish(this.submit(command, options));
  }

  runCursor(command: readonly number[], options?: SubmitOptions): Answer {
    return this.finish(this.submitCursor(command, options));
  }

  /** Runs a command that has to succeed with nothing else to say. */
  ok(command: readonly number[]): void {
    const { type } = this.run(command);
    assert.equal(type.toString(16), GpuResponse.OK_NODATA.toString(16));
  }

  okCursor(command: readonly number[]): void {
    assert.equal(this.runCursor(command).type, GpuResponse.OK_NODATA);
  }

  /** Fresh guest memory for pixels, cut into pieces of these lengths that do not follow each other. */
  memory(lengths: readonly number[]): Entry[] {
    const entries = lengths.map((length) => ({ address: this.slice.allocate(length, 4), length }));
    return entries.reverse();
  }

  /** Writes bytes from `from` on into memory that lies in pieces. */
  fill(entries: readonly Entry[], bytes: ArrayLike<number>, from = 0): void {
    let skip = from;
    let done = 0;
    for (const { address, length } of entries) {
      const piece = Math.min(length - skip, bytes.length - done);
      if (piece > 0) {
        this.slice.write(address + skip, Array.from(bytes).slice(done, done + piece));
        done += piece;
      }
      skip = Math.max(0, skip - length);
    }
  }

  /** A 2D resource with a backing in pieces; where its pixels lie in guest memory. */
  picture(id: number, width: number, height: number, format?: number, pieces?: number[]): Entry[] {
    const bytes = width * height * 4;
    const entries = this.memory(pieces ?? [bytes]);
    this.ok(create2d(id, width, height, format));
    this.ok(attach(id, entries));
    this.backings.set(id, entries);
    return entries;
  }

  /** Transfers and flushes a rectangle of a resource of this width. */
  show(id: number, width: number, rect: RectPx): void {
    const [x, y] = rect;
    this.ok(transfer(id, rect, (y * width + x) * 4));
    this.ok(flush(id, rect));
  }

  /** Shows a whole picture on a scanout from its upper left corner on. */
  present(id: number, width: number, height: number, scanout = 0): void {
    this.ok(setScanout(scanout, id, [0, 0, width, height]));
    this.show(id, width, [0, 0, width, height]);
  }
}
