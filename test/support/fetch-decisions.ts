/**
 * Cuts the data plane's reads of guest memory into decisions, and lets the guest change what was
 * read before the decision is over.
 *
 * A decision is one look at an available index, one request (from taking its head to its used
 * element, the delivery included; a request that the short way leaves alone is taken anew by the
 * long one), or one question whether to notify. A changed byte is put back
 * when its decision ends, unless the device wrote it: what is read in a later decision is a new value.
 */
import { TransmitService } from '../../src/data-plane/net/transmit-service.ts';
import type { Access } from './observed-arena.ts';
import { observing } from './observed-arena.ts';
import type { Rig } from './rig.ts';

/** After the `after`-th read the guest flips these bits in the bytes of that read, or of all so far. */
export interface Flip {
  readonly after: number;
  readonly mask: number;
  readonly scope: 'last read' | 'all reads of the decision';
}

/** A range of guest memory as arena offset and length. */
export interface Range {
  readonly at: number;
  readonly bytes: number;
}

export interface Watch {
  /** Reads of guest memory. */
  reads: number;
  /** Arena offsets of guest bytes that were read twice in one decision, or outside of any. */
  readonly repeated: Set<number>;
  readonly stray: Set<number>;
  /** All guest bytes that were read, and that were written. */
  readonly read: Set<number>;
  readonly written: Set<number>;
}

/** A rig of any devices. */
export type FetchRig = Pick<Rig, 'plane' | 'plan' | 'frames'>;

export class FetchDecisions {
  private readonly rig: FetchRig;
  private readonly u8: Uint8Array;
  /** Read counts of the decisions under way, the innermost one last. */
  private readonly open: Map<number, number>[] = [];
  private readonly flipped = new Map<Map<number, number>, Set<number>>();
  private watch = newWatch();
  private flip: Flip | undefined;
  private exempt: readonly Range[] = [];

  constructor(rig: FetchRig) {
    this.rig = rig;
    this.u8 = rig.plane.arena.u8;
    for (const queue of rig.plane.queues) {
      this.decides(queue.ring, 'look');
      this.decides(queue.ring, 'takeNotification');
    }
    for (const service of rig.plane.services) {
      if (service) this.decides(service, 'serve');
      if (service instanceof TransmitService) this.decides(shortWayOf(service), 'one');
    }
  }

  /** Runs one major frame; `exempt` may be read again and is never flipped. */
  majorFrame(flip?: Flip, exempt: readonly Range[] = []): Watch {
    this.watch = newWatch();
    this.flip = flip;
    this.exempt = exempt;
    observing(
      this.rig.plane.arena,
      (access) => this.heard(access),
      () => this.rig.frames(),
    );
    return this.watch;
  }

  private decides<K extends string>(
    owner: { [key in K]: (...operands: never[]) => unknown },
    name: K,
  ): void {
    const decide = owner[name].bind(owner) as (...operands: unknown[]) => unknown;
    Object.assign(owner, {
      [name]: (...operands: unknown[]) => {
        const decision = new Map<number, number>();
        this.open.push(decision);
        const result = decide(...operands);
        this.open.pop();
        this.putBack(decision);
        return result;
      },
    });
  }

  private heard({ kind, at, bytes }: Access): void {
    if (!this.isGuest(at)) return;
    const { watch } = this;
    const offsets = Array.from({ length: bytes }, (_, n) => at + n);
    if (kind === 'write') {
      for (const offset of offsets) {
        watch.written.add(offset);
        for (const set of this.flipped.values()) set.delete(offset);
      }
      return;
    }
    watch.reads++;
    for (const offset of offsets) this.count(offset);
    if (watch.reads === this.flip?.after) this.flipBytes(offsets);
  }

  private count(offset: number): void {
    const { watch } = this;
    const decision = this.open.at(-1);
    watch.read.add(offset);
    if (!decision) {
      watch.stray.add(offset);
      return;
    }
    const times = (decision.get(offset) ?? 0) + 1;
    decision.set(offset, times);
    if (times > 1 && !this.isExempt(offset)) watch.repeated.add(offset);
  }

  private flipBytes(last: readonly number[]): void {
    const { mask, scope } = this.flip!;
    const decision = this.open.at(-1);
    if (!decision) return;
    const chosen = scope === 'last read' ? last : [...decision.keys()];
    const offsets = chosen.filter((offset) => !this.isExempt(offset));
    for (const offset of offsets) this.u8[offset]! ^= mask;
    this.flipped.set(decision, new Set(offsets));
  }

  private putBack(decision: Map<number, number>): void {
    for (const offset of this.flipped.get(decision) ?? []) this.u8[offset]! ^= this.flip!.mask;
    this.flipped.delete(decision);
  }

  private isGuest(at: number): boolean {
    return this.rig.plan.layout.partitions.some(
      ({ sliceAt, sliceBytes }) => at >= sliceAt && at < sliceAt + sliceBytes,
    );
  }

  private isExempt(offset: number): boolean {
    return this.exempt.some(({ at, bytes }) => offset >= at && offset < at + bytes);
  }
}

function newWatch(): Watch {
  return { reads: 0, repeated: new Set(), stray: new Set(), read: new Set(), written: new Set() };
}

interface Packets {
  one(...operands: never[]): unknown;
}

/** The short way judges each packet by itself, inside one call. */
function shortWayOf(service: TransmitService): Packets {
  const { shortWay } = service as unknown as { shortWay: Packets };
  return shortWay;
}
