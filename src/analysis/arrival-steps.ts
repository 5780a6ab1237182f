/** The flows of one queue together: every instant at which some of them may have sent one more. */
import type { Nanoseconds } from '../base/time.ts';
import type { ArrivalContract } from '../schedule/gateway-plan.ts';
import { arrivalsMax, arrivalsWithin, regularFrom, spanMin } from './arrival-curve.ts';

export interface Source {
  readonly arrival: ArrivalContract;
  readonly pieces: number;
}

/** All flows begin together: this is what they can have sent so much later, both ends included. */
export interface ArrivalStep {
  readonly offsetNs: Nanoseconds;
  /** Requests of each source so far, and pieces of all. */
  readonly requests: readonly number[];
  readonly pieces: number;
}

/** Arrivals per time in the long run, as a fraction. */
export function rateOf({ periodNs, spacingNs, burst }: ArrivalContract): {
  requests: number;
  perNs: Nanoseconds;
} {
  const bySpacing = spacingNs * burst >= periodNs;
  return bySpacing ? { requests: 1, perNs: spacingNs } : { requests: burst, perNs: periodNs };
}

export class ArrivalSteps {
  readonly sources: readonly Source[];
  private readonly steps: ArrivalStep[] = [];

  constructor(sources: readonly Source[]) {
    this.sources = sources;
  }

  step(index: number): ArrivalStep {
    while (this.steps.length <= index) this.steps.push(this.next(this.steps.at(-1)));
    return this.steps[index]!;
  }

  private next(last: ArrivalStep | undefined): ArrivalStep {
    const coming = this.sources.map(({ arrival }, n) =>
      spanMin(arrival, (last?.requests[n] ?? 0) + 1),
    );
    const offsetNs = Math.min(...coming);
    const requests = this.sources.map(({ arrival }) => arrivalsMax(arrival, offsetNs));
    return {
      offsetNs,
      requests,
      pieces: requests.reduce((sum, count, n) => sum + count * this.sources[n]!.pieces, 0),
    };
  }

  /** Most pieces in an interval that includes both its ends. */
  piecesWithin(length: Nanoseconds): number {
    return this.sources.reduce(
      (sum, { arrival, pieces }) => sum + arrivalsMax(arrival, length) * pieces,
      0,
    );
  }

  /** Most requests in `[t, t + length)`. */
  requestsWithin(length: Nanoseconds): number {
    return this.sources.reduce((sum, { arrival }) => sum + arrivalsWithin(arrival, length), 0);
  }

  /** Pieces per nanosecond in the long run. */
  get rate(): number {
    return this.sources.reduce((sum, { arrival, pieces }) => {
      const { requests, perNs } = rateOf(arrival);
      return sum + (requests * pieces) / perNs;
    }, 0);
  }

  /** Whether the sources send more in the long run than so many pieces in so much time, exactly. */
  exceeds(pieces: number, timeNs: Nanoseconds): boolean {
    let numerator = 0n;
    let denominator = 1n;
    for (const { arrival, pieces: each } of this.sources) {
      const { requests, perNs } = rateOf(arrival);
      const [above, below] = [BigInt(requests * each), BigInt(perNs)];
      numerator = numerator * below + above * denominator;
      denominator *= below;
    }
    return numerator * BigInt(timeNs) > BigInt(pieces) * denominator;
  }

  /** Pieces that a straight line of the long-run rate is short of the curve, at most. */
  get burstiness(): number {
    return this.sources.reduce((sum, { arrival, pieces }) => {
      const { requests, perNs } = rateOf(arrival);
      const jitter = perNs === arrival.periodNs ? arrival.jitterNs / perNs : 0;
      return sum + pieces * requests * (1 + jitter);
    }, 0);
  }

  /** Length behind which the curve and a table of this major frame repeat together. */
  repeatsAfter(majorFrameNs: Nanoseconds): Nanoseconds {
    const settled = Math.max(
      ...this.sources.map(({ arrival }) => spanMin(arrival, regularFrom(arrival))),
    );
    const cycle = this.sources.reduce(
      (least, { arrival }) => leastCommonMultiple(least, rateOf(arrival).perNs),
      majorFrameNs,
    );
    return settled + cycle;
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
