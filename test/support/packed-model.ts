/** A packed virtqueue and its driver as plain lists of buffers, without bits, positions or laps: slow and separate. */
import { strict as assert } from 'node:assert';
import { PackedEventFlags } from '../../src/wire/virtqueue.ts';
import { PackedBench } from './packed-bench.ts';
import { baseOf } from './packed-double.ts';
import { raw } from './hostile-ring.ts';

/** Descriptors of one look. */
const LOOK_MAX = 64;

interface Buffer {
  readonly id: number;
  /** Descriptors before it since the ring began, and its own. */
  readonly from: number;
  readonly length: number;
  reveal: (() => number) | undefined;
  usedLength: number;
}

export type Step =
  | { readonly op: 'submit'; readonly length: number; readonly hidden: boolean }
  | { readonly op: 'reveal' | 'take' | 'untake' | 'complete'; readonly n: number }
  | { readonly op: 'event'; readonly flags: number; readonly ahead: number }
  | { readonly op: 'look' | 'publish' | 'decide' | 'reap' | 'restart' };

/** The real ring beside its model: every step is done on both, and all that shows is compared. */
export class PackedModel {
  private readonly bench: PackedBench;
  private readonly size: number;
  private readonly buffers: Buffer[] = [];
  private heads: number[] = [];
  /** Descriptors submitted and looked at; buffers taken, completed, published and reaped. */
  private submitted = 0;
  private scanned = 0;
  private taken = 0;
  private completed = 0;
  private published = 0;
  private reaped = 0;
  private decided = 0;
  private event: { flags: number; at: number } = { flags: 0, at: 0 };

  constructor(size: number) {
    this.size = size;
    this.bench = new PackedBench({ size, eventIdx: true });
  }

  run(step: Step): void {
    switch (step.op) {
      case 'submit':
        this.submit(step.length, step.hidden);
        break;
      case 'event':
        this.setEvent(step.flags, step.ahead);
        break;
      case 'reveal':
      case 'take':
      case 'untake':
      case 'complete':
        this[step.op](step.n);
        break;
      default:
        this[step.op]();
    }
    this.compare();
  }

  private compare(): void {
    const { queue } = this.bench;
    assert.equal(queue.brokenBy, 0);
    assert.equal(queue.base, baseOf(this.placeOf(this.descriptorsOf(this.published))));
    assert.equal(queue.available, this.seen - this.taken);
  }

  /** Descriptors of the first `count` buffers. */
  private descriptorsOf(count: number): number {
    const next = this.buffers[count];
    return next ? next.from : this.submitted;
  }

  private placeOf(descriptor: number) {
    const lap = Math.floor(descriptor / this.size);
    return { position: descriptor % this.size, wrap: lap % 2 === 0 ? 1 : 0 } as const;
  }

  /** Buffers whose last descriptor was looked at. */
  private get seen(): number {
    return this.buffers.filter(({ from, length }) => from + length <= this.scanned).length;
  }

  private submit(wanted: number, hidden: boolean): void {
    const room = this.size - (this.submitted - this.descriptorsOf(this.reaped));
    const length = Math.min(wanted, room);
    if (length === 0) return;
    const list = Array.from({ length }, (_, n) => raw(0x1000 * n, n));
    const reveal = this.bench.double.prepare(list);
    const id = [...this.bench.double.lists.keys()].at(-1)!;
    this.buffers.push({ id, length, from: this.submitted, reveal, usedLength: 0 });
    this.submitted += length;
    if (!hidden) this.reveal(this.buffers.length - 1);
  }

  private reveal(n: number): void {
    const hidden = this.buffers.filter((buffer) => buffer.reveal);
    const buffer = this.buffers[n]?.reveal ? this.buffers[n] : hidden[n % hidden.length];
    buffer?.reveal!();
    if (buffer) buffer.reveal = undefined;
  }

  private look(): void {
    this.bench.look();
    const firstHidden = this.buffers.find((buffer) => buffer.reveal);
    const there = (firstHidden?.from ?? this.submitted) - this.scanned;
    this.scanned += Math.min(there, LOOK_MAX);
    assert.equal(this.bench.queue.sawAll, there < LOOK_MAX, `${there} descriptors were there`);
  }

  private take(n: number): void {
    for (let left = n; left > 0 && this.taken < this.seen; left--) {
      const head = this.bench.queue.takeHead();
      assert.equal(head, this.buffers[this.taken]!.from % this.size);
      this.heads.push(head);
      this.taken++;
    }
  }

  private untake(n: number): void {
    for (let left = n; left > 0 && this.taken > this.completed; left--) {
      this.bench.queue.untake(this.heads.pop()!);
      this.taken--;
    }
  }

  private complete(n: number): void {
    for (let left = n; left > 0 && this.completed < this.taken; left--) {
      const buffer = this.buffers[this.completed++]!;
      buffer.usedLength = n;
      this.bench.queue.complete(this.heads.shift()!, n);
    }
  }

  private publish(): void {
    this.bench.queue.publish();
    this.published = this.completed;
  }

  private reap(): void {
    const used = this.bench.double.reap();
    if (this.reaped === this.published) return assert.equal(used, undefined);
    const { id, usedLength } = this.buffers[this.reaped++]!;
    assert.deepEqual(used, { id, length: usedLength });
  }

  private setEvent(flags: number, ahead: number): void {
    // Never two laps away: no event structure can say that.
    const at = this.descriptorsOf(this.published) + (ahead % this.size);
    this.event = { flags, at };
    this.bench.double.setDriverEvent(flags, this.placeOf(at));
  }

  private decide(): void {
    const now = this.descriptorsOf(this.published);
    const { flags, at } = this.event;
    const named = flags !== PackedEventFlags.DESC || (at >= this.decided && at < now);
    const wanted = now > this.decided && flags !== PackedEventFlags.DISABLE && named;
    // What the event has named already it names again two laps later.
    const stale = flags === PackedEventFlags.DESC && at < this.decided;
    const sent = this.bench.queue.takeNotification();
    if (!stale && now - this.decided < 2 * this.size) assert.equal(sent, wanted);
    this.decided = now;
  }

  /** Stops the ring, and starts it where it says. */
  private restart(): void {
    const { queue } = this.bench;
    queue.stop();
    const { double, slice } = this.bench;
    queue.start({
      ...{ size: this.size, eventIdx: true, indirect: false, packed: true, index: queue.base },
      descAt: slice.at(double.desc),
      availAt: slice.at(double.avail),
      usedAt: slice.at(double.used),
    });
    this.taken = this.completed = this.published;
    this.scanned = this.decided = this.descriptorsOf(this.published);
    this.heads = [];
  }
}
