/** Driver and device sides of a split ring under any interleaving: no lost buffer, no lost notification. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { RingPair } from '../support/ring-pair.ts';
import { seededRuns } from '../support/seeded-runs.ts';

type Step =
  | { readonly do: 'expose' | 'reap' | 'take' | 'complete'; readonly count: number }
  | { readonly do: 'announce' | 'arm' | 'disarm' | 'publish' | 'decide' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('expose' as const, 'reap' as const, 'take' as const, 'complete' as const),
    count: fc.nat(9),
  }),
  fc.record({
    do: fc.constantFrom(
      'announce' as const,
      'arm' as const,
      'disarm' as const,
      'publish' as const,
      'decide' as const,
    ),
  }),
);

/** What must hold, kept beside the rings in unbounded numbers. */
class Model {
  readonly pair: RingPair;
  private readonly free: number[];
  private readonly exposed: number[] = [];
  private announced = 0;
  private readonly held: number[] = [];
  private readonly completed: { index: number; length: number }[] = [];
  private published = 0;
  private decided = 0;
  private reaped = 0;
  private taken = 0;
  /** The driver waits: notifications so far when it went to sleep. */
  private asleepAt: number | undefined;
  private polling = false;

  constructor(pair: RingPair) {
    this.pair = pair;
    this.free = Array.from({ length: pair.size }, (_, n) => n);
  }

  apply(action: Step): void {
    switch (action.do) {
      case 'expose':
        return this.times(action.count, () => this.expose());
      case 'reap':
        return this.times(action.count, () => this.reap());
      case 'take':
        return this.take(action.count);
      case 'complete':
        return this.times(action.count, () => this.complete());
      case 'announce':
        this.pair.driver.publish();
        this.announced = this.exposed.length;
        return;
      case 'arm':
        return this.arm();
      case 'disarm':
        this.pair.driver.disarmNotification();
        this.polling = true;
        this.asleepAt = undefined;
        return;
      case 'publish':
        this.pair.publish();
        this.published = this.completed.length;
        return;
      default:
        return this.decide();
    }
  }

  private times(count: number, act: () => void): void {
    for (let n = 0; n < count; n++) act();
  }

  private expose(): void {
    const index = this.free.shift();
    if (index === undefined) return;
    this.pair.driver.expose(index, 1 + (index % 16), index % 2 === 0);
    this.exposed.push(index);
  }

  private take(most: number): void {
    const heads = this.pair.take(most);
    assert.deepEqual(
      heads,
      this.exposed.slice(this.taken, Math.min(this.announced, this.taken + most)),
    );
    this.taken += heads.length;
    this.held.push(...heads);
  }

  /** Out of order on purpose: the youngest first. */
  private complete(): void {
    const index = this.held.pop();
    if (index === undefined) return;
    const length = (this.completed.length * 7) % 17;
    this.pair.complete(index, length);
    this.completed.push({ index, length });
  }

  private reap(): void {
    const index = this.pair.driver.reap();
    if (this.reaped === this.published) {
      assert.equal(index, -1);
      return;
    }
    this.asleepAt = undefined;
    const expected = this.completed[this.reaped++]!;
    assert.deepEqual({ index, length: this.pair.driver.usedLength }, expected);
    this.free.push(index);
  }

  private arm(): void {
    const pending = this.pair.driver.armNotification();
    assert.equal(pending, this.published !== this.reaped);
    this.polling = false;
    this.asleepAt = pending ? undefined : this.pair.notifications;
  }

  private decide(): void {
    const anything = this.published !== this.decided;
    const sent = this.pair.decide();
    this.decided = this.published;
    if (sent) assert.ok(anything && !this.polling, 'a notification that nobody asked for');
  }

  /** A sleeping driver with something to reap has been woken, once the device has decided. */
  check(): void {
    assert.equal(this.pair.driver.outstanding, this.exposed.length - this.reaped);
    assert.equal(this.pair.kicks, 0);
    if (
      this.asleepAt === undefined ||
      this.published === this.reaped ||
      this.decided !== this.published
    )
      return;
    assert.ok(this.pair.notifications > this.asleepAt, 'a lost notification');
  }

  /** Lets everything come home. */
  drain(): void {
    this.apply({ do: 'announce' });
    this.apply({ do: 'take', count: this.pair.size });
    this.apply({ do: 'complete', count: this.pair.size });
    for (const last of ['publish', 'decide'] as const) this.apply({ do: last });
    this.check();
    this.apply({ do: 'reap', count: this.pair.size + 1 });
    assert.equal(this.pair.driver.outstanding, 0);
    assert.equal(this.free.length, this.pair.size);
    assert.equal(new Set(this.free).size, this.pair.size);
  }
}

describe('driver queue and split queue', () => {
  for (const eventIdx of [false, true]) {
    it(
      `[utest->req~queue.notify-suppression~1] 2.7.13, 2.7.14: any interleaving ${eventIdx ? 'with' : 'without'} EVENT_IDX ` +
        'loses no buffer and no notification',
      () => {
        const run = fc.record({ sizeLog2: fc.nat(5), steps: fc.array(step, { maxLength: 120 }) });
        fc.assert(
          fc.property(run, ({ sizeLog2, steps }) => {
            const model = new Model(new RingPair({ size: 2 ** sizeLog2, eventIdx }));
            for (const action of steps) {
              model.apply(action);
              model.check();
            }
            model.drain();
          }),
          seededRuns(101, 400),
        );
      },
    );

    it(
      `[utest->req~queue.notify-suppression~1] 2.7: one long interleaving ${eventIdx ? 'with' : 'without'} EVENT_IDX ` +
        'goes over the wrap of the indices',
      () => {
        fc.assert(
          fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), (steps) => {
            const model = new Model(new RingPair({ size: 32, eventIdx }));
            for (let lap = 0; lap < 2200; lap++) {
              for (let n = 0; n < 3; n++) model.apply(steps[(3 * lap + n) % steps.length]!);
              model.check();
              model.apply({ do: 'expose', count: 32 });
              model.drain();
            }
          }),
          seededRuns(102, 3),
        );
      },
    );
  }
});
