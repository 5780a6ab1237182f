/** Packed rings full of random nonsense that changes at every turn: the device stays inside its bounds. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { EMBEDDED_GUEST_PHYSICAL as BASE } from '../../src/schedule/arena-layout.ts';
import { INDIRECT, NEXT, raw, WRITE } from '../support/hostile-ring.ts';
import { PackedBench } from '../support/packed-bench.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const PAGE = 65536;
const MEMORY = 16 * PAGE;
const FREE = BASE + PAGE;
const DESCRIPTORS_MAX = 12;
const MARKS = [0, 0x80, 0x8000, 0x8080];

const pick = <T>(random: SeededRandom, from: readonly T[]): T => from[random.below(from.length)]!;

/** Writes nonsense over some descriptors of the ring, and over tables behind it. */
function scribble(bench: PackedBench, random: SeededRandom, honesty: number): void {
  const { double } = bench;
  const addresses = [0, BASE - 1, BASE + MEMORY - 8, BASE + MEMORY, 2 ** 52, FREE, FREE + 3];
  for (let n = 0; n < 4; n++) {
    const position = random.below(double.size);
    const address = random.below(3) > 0 ? FREE + random.below(0x1000) : pick(random, addresses);
    const length = pick(random, [0, 1, 16, 48, 200, 2 ** 31, 2 ** 32 - 1]);
    double.writeElement(
      position,
      raw(address, length),
      random.below(random.below(2) ? 5 : 0x10000),
    );
    const kind = pick(random, [0, NEXT, WRITE, INDIRECT, NEXT | INDIRECT, NEXT | WRITE, 0x7f7f]);
    // An honest mark now and then, so that buffers get through and the ring goes round.
    const honest = random.below(honesty) > 0;
    const next = double.next.position;
    if (honest) {
      double.setFlags(next, (kind & ~NEXT) | double.marks(double.next));
      double.next = double.after(double.next);
    } else double.setFlags(position, kind | pick(random, MARKS));
    bench.slice.write(
      FREE + random.below(0x800),
      double.encode({ ...raw(address, length), flags: kind }),
    );
  }
}

function assertInside(bench: PackedBench): void {
  const { chain, slice } = bench;
  assert.ok(chain.steps <= DESCRIPTORS_MAX + 1, `${chain.steps} steps`);
  assert.ok(chain.segments <= DESCRIPTORS_MAX);
  for (let n = 0; n < chain.segments; n++) {
    const at = (chain.at[n]! >>> 0) - slice.sliceAt;
    assert.ok(chain.length[n]! > 0 && at >= 0 && at + chain.length[n]! <= MEMORY);
  }
}

/** One turn of the device; whether the ring still runs. */
function turn(bench: PackedBench, random: SeededRandom, between: () => void): boolean {
  const { queue, double } = bench;
  bench.look();
  assert.ok(queue.available <= double.size);
  for (let n = random.below(4); n > 0 && queue.started && queue.available > 0; n--) {
    between();
    const head = queue.takeHead();
    if (head < 0) break;
    assert.ok(head < double.size);
    between();
    bench.walk(head);
    assertInside(bench);
    if (random.below(5) === 0) queue.untake(head);
    else queue.complete(head, random.below(3));
  }
  if (random.below(2) === 0) queue.publish();
  queue.takeNotification();
  return queue.started;
}

describe('random packed rings', () => {
  let turns = 0;
  let moved = 0;

  function life(size: number, seed: number, honesty: number): void {
    const bench = new PackedBench({
      ...{ size, indirect: true, eventIdx: true, descriptorsMax: DESCRIPTORS_MAX },
      sliceBytes: MEMORY,
    });
    const random = new SeededRandom(seed);
    const { double, slice, arena, queue } = bench;
    const { base } = queue;
    const outside = () => [...slice.read(double.avail, 4), ...slice.read(double.used + 4, 4)];
    for (let n = 0; n < 60; n++) {
      const scrawl = () => scribble(bench, random, honesty);
      double.setDriverEvent(random.below(0x10000), { position: random.below(0x8000), wrap: 1 });
      scrawl();
      const before = outside();
      const goesOn = turn(bench, random, scrawl);
      assert.deepEqual(outside(), before, 'nothing is written behind ring and event structure');
      if (!goesOn) break;
      turns++;
    }
    if (queue.base !== base) moved++;
    assert.ok(
      arena.u8.slice(0, 1024).every((byte) => byte === 0),
      'the host area is left alone',
    );
  }

  it('[utest->req~mem.bounds~1] no nonsense leads outside of the memory, the limits or the ring (packed: all)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.nat(),
        fc.integer({ min: 1, max: 40 }),
        (size, seed, honesty) => life(size, seed, honesty),
      ),
      seededRuns(28099, 300),
    );
    assert.ok(turns > 300 && moved > 50, `${turns} turns, ${moved} rings that moved`);
  });
});
