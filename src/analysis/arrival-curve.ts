/**
 * Arrival contracts as curves: bursts of `burst` requests `spacing` apart, once per period, each up
 * to `jitter` early or late (PJd event models; timing in whole nanoseconds).
 */
import type { Nanoseconds } from '../base/time.ts';
import type { ArrivalContract } from '../schedule/gateway-plan.ts';

/** Shortest span that `count` consecutive requests can have: delta-minus, 0 for one request. */
export function spanMin(arrival: ArrivalContract, count: number): Nanoseconds {
  const { periodNs, jitterNs, spacingNs, burst } = arrival;
  const before = Math.max(0, count - 1);
  const periods = Math.floor(before / burst);
  const regular = periods * periodNs + (before - periods * burst) * spacingNs - jitterNs;
  return Math.max(before * spacingNs, regular, 0);
}

/** Most requests in an interval that includes both its ends: the largest n with span <= length. */
export function arrivalsMax(arrival: ArrivalContract, length: Nanoseconds): number {
  if (length < 0) return 0;
  const { periodNs, jitterNs, spacingNs, burst } = arrival;
  const periods = Math.floor((length + jitterNs) / periodNs);
  const rest = length + jitterNs - periods * periodNs;
  const begun = spacingNs === 0 ? burst : Math.min(burst, Math.floor(rest / spacingNs) + 1);
  const regular = periods * burst + begun;
  return spacingNs === 0 ? regular : Math.min(regular, Math.floor(length / spacingNs) + 1);
}

/** Most requests in an interval without its end: of `[t, t + length)` nanoseconds. */
export function arrivalsWithin(arrival: ArrivalContract, length: Nanoseconds): number {
  return length <= 0 ? 0 : arrivalsMax(arrival, length - 1);
}

/**
 * From this request on only period and jitter bound the distances, so that the curve repeats: the
 * first `burst` requests of every period are as those before, one period later.
 */
export function regularFrom(arrival: ArrivalContract): number {
  const { periodNs, jitterNs, spacingNs, burst } = arrival;
  const gain = periodNs - burst * spacingNs;
  if (gain <= 0) return 1;
  return (Math.ceil(jitterNs / gain) + 1) * burst + 1;
}
