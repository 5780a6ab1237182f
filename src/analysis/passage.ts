/** The visits between a cut-off that is just missed and the request that waits longest. */
import type { Nanoseconds } from '../base/time.ts';
import type { Instant, QueueLoad } from './busy-period.ts';
import type { Visit } from './visit.ts';

/** Pieces `from` to `to` of the busy period, served in one visit. */
export interface Stage {
  readonly visit: Visit;
  /** Start of its major frame, in nanoseconds of the one in which the busy period begins. */
  readonly frameNs: Nanoseconds;
  readonly from: number;
  readonly to: number;
}

/** More is nothing that a person reads. */
export const STAGES_MAX = 64;

/** Stages up to the one that serves piece `pieces`, at most {@link STAGES_MAX} of them. */
export function passage(load: QueueLoad, instant: Instant): Stage[] {
  const { visits, majorFrameNs, frameQuota } = load;
  const { missed, prompt, pieces } = instant;
  if (prompt) {
    return [{ visit: missed, frameNs: 0, from: 1, to: pieces }];
  }
  const stages: Stage[] = [];
  const index = visits.indexOf(missed);
  let served = 0;
  let ofFrame = -Infinity;
  for (let ahead = 1; served < pieces && stages.length < STAGES_MAX; ahead++) {
    const number = index + ahead;
    const visit = visits[number % visits.length]!;
    if (number % visits.length === 0) ofFrame = 0;
    const quota = Math.min(visit.quota, frameQuota - ofFrame);
    ofFrame += quota;
    if (quota === 0) continue;
    const frameNs = Math.floor(number / visits.length) * majorFrameNs;
    stages.push({ visit, frameNs, from: served + 1, to: served + quota });
    served += quota;
  }
  return stages;
}
