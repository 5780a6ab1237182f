/** Chance as an argument: a small seeded generator (xorshift32), the same on every machine. */

export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    // For the record of the test that uses it.
    const { recordedSeeds: seeds } = globalThis as { recordedSeeds?: number[] };
    if (seeds && seeds.length < 8) seeds.push(seed);
    // A zero state would stay zero for ever.
    this.state = seed >>> 0 || 0x9e3779b9;
  }

  /** An unsigned 32-bit number. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return this.next() % bound;
  }
}
