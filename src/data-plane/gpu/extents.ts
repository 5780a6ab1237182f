/** First fit in a range of units: who has which part of it; bounded by the number of parts. */

export const NO_ROOM = -1;

export class Extents {
  private readonly start: Int32Array;
  private readonly length: Int32Array;
  private readonly partsMax: number;
  private readonly units: number;
  private count = 0;

  constructor(units: number, partsMax: number) {
    this.units = units;
    this.partsMax = partsMax;
    this.start = new Int32Array(partsMax);
    this.length = new Int32Array(partsMax);
  }

  /** First unit of a part of `length` units (at least 1), or {@link NO_ROOM}. */
  take(length: number): number {
    if (this.count === this.partsMax) return NO_ROOM;
    let from = 0;
    for (let n = 0; n <= this.count; n++) {
      const until = n < this.count ? this.start[n]! : this.units;
      if (until - from >= length) return this.insert(n, from, length);
      if (n < this.count) from = until + this.length[n]!;
    }
    return NO_ROOM;
  }

  private insert(position: number, start: number, length: number): number {
    this.start.copyWithin(position + 1, position, this.count);
    this.length.copyWithin(position + 1, position, this.count);
    this.start[position] = start;
    this.length[position] = length;
    this.count++;
    return start;
  }

  /** Gives the part that starts at `start` back. */
  release(start: number): void {
    for (let n = 0; n < this.count; n++) {
      if (this.start[n] !== start) continue;
      this.start.copyWithin(n, n + 1, this.count);
      this.length.copyWithin(n, n + 1, this.count);
      this.count--;
      return;
    }
  }

  clear(): void {
    this.count = 0;
  }
}
