/**
 * One window as one of its queues sees it at worst: what is served in every visit, when, and what
 * is just missed. Other queues of the window do whatever their caps and guarantees let them do.
 */
import type { Nanoseconds } from '../base/time.ts';
import { GPU_PIECE_BYTES } from '../schedule/cost-model.ts';
import { BURST_MAX, PACKED_LOOK_MAX } from '../schedule/serving-rule.ts';
import type { GatewayPlan, PlanWindow } from '../schedule/gateway-plan.ts';
import { bitOf, hasBit } from '../wire/features.ts';
import { notificationsNs } from './window-edges.ts';

/** A queue in a window, with what it may use of it. */
interface Share {
  readonly costNs: Nanoseconds;
  readonly cap: number;
  readonly guaranteed: number;
}

/** How a ring shows its requests: so many at least per look, or one after so many looks. */
interface Showing {
  readonly perLook: number;
  readonly looksPerRequest: number;
}

/** What one visit is for the queue, by one of the two arguments that guarantee its service. */
interface Guarantee {
  readonly quota: number;
  readonly cutoffNs: Nanoseconds;
  /** Requests of every other queue that this argument lets come first. */
  readonly others: readonly number[];
}

export interface Visit {
  readonly window: PlanWindow;
  /** Instants of the major frame: latest first look, end, and latest end of the notifications. */
  readonly startNs: Nanoseconds;
  readonly endNs: Nanoseconds;
  readonly notifiedNs: Nanoseconds;
  /** What became visible later than this may be left to the next visit. */
  readonly cutoffNs: Nanoseconds;
  /** Requests that are served in every visit, where there are so many. */
  readonly quota: number;
  readonly costNs: Nanoseconds;
  /** Longest time that one more request takes of the visit: its cost, and the looks for it. */
  readonly stepNs: Nanoseconds;
  /** What bounds the quota. */
  readonly limitedBy: 'requestsMax' | 'requestsGuaranteed' | 'bytesMax' | 'duration';
  /** Window time that the quota leaves. */
  readonly slackNs: Nanoseconds;
  /** Latest publication of requests 1 to `quota` that were there at the start. */
  publishedNs(request: number): Nanoseconds;
  /** Longest time to the publication of request 1 to `quota` behind an empty look in the window. */
  promptNs(request: number): Nanoseconds;
}

/** The longest requests of a queue. */
export interface Longest {
  readonly bytes: number;
  readonly pieces: number;
}

/**
 * A window as the queue sees it, undefined when it does not serve it; `startNs` is the latest first
 * look, in nanoseconds of the major frame.
 */
export function visitOf(
  plan: GatewayPlan,
  window: PlanWindow,
  queue: number,
  longest: Longest,
  startNs: Nanoseconds,
): Visit | undefined {
  const at = window.queues.findIndex((entry) => entry.queue === queue);
  return at < 0 ? undefined : new WindowView(plan, window, at, longest, startNs).visit();
}

/** Most bytes that one piece takes of a window: a flush is moved part by part. */
function pieceBytesOf({ queues, devices }: GatewayPlan, queue: number, { bytes }: Longest): number {
  const isGpu = devices[queues[queue]!.device]!.type === 'virtio-gpu';
  return Math.max(1, isGpu ? Math.min(bytes, GPU_PIECE_BYTES) : bytes);
}

class WindowView {
  private readonly plan: GatewayPlan;
  private readonly window: PlanWindow;
  private readonly at: number;
  private readonly shares: readonly Share[];
  private readonly own: Share;
  private readonly showing: Showing;
  private readonly startNs: Nanoseconds;
  private readonly endNs: Nanoseconds;
  /** An empty pass over the window's queues, with the sleep behind it. */
  private readonly idleNs: Nanoseconds;
  private readonly passNs: Nanoseconds;
  /** What one request takes of the window: its cost, and the looks that it takes to see it. */
  private readonly stepNs: Nanoseconds;
  private readonly capByBytes: number;

  constructor(
    plan: GatewayPlan,
    window: PlanWindow,
    at: number,
    longest: Longest,
    startNs: Nanoseconds,
  ) {
    this.plan = plan;
    this.window = window;
    this.at = at;
    const single = window.queues.length === 1;
    this.shares = window.queues.map(({ queue, requestsMax, requestsGuaranteed }) => ({
      costNs: plan.queues[queue]!.costNs,
      cap: requestsMax,
      guaranteed: single ? requestsMax : requestsGuaranteed,
    }));
    const entry = window.queues[at]!;
    this.own = this.shares[at]!;
    this.capByBytes = Math.floor(entry.bytesMax / pieceBytesOf(plan, entry.queue, longest));
    this.showing = showingOf(plan, entry.queue, longest);
    this.startNs = startNs;
    this.endNs = window.offsetNs + window.durationNs;
    this.passNs = window.queues.length * plan.lookNs;
    this.idleNs = window.pollNs + this.passNs;
    this.stepNs = this.own.costNs + (this.showing.looksPerRequest - 1) * this.idleNs;
  }

  visit(): Visit {
    const best = this.best();
    const { quota } = best;
    const used = this.othersNs(best.others) + quota * this.stepNs;
    return {
      window: this.window,
      startNs: this.startNs,
      endNs: this.endNs,
      notifiedNs: this.endNs + this.passNs + notificationsNs(this.plan, this.window),
      cutoffNs: best.cutoffNs,
      quota,
      costNs: this.own.costNs,
      stepNs: this.stepNs,
      limitedBy: this.limit(quota),
      slackNs: this.endNs - this.startNs - used,
      publishedNs: (request) => this.startNs + this.backlogged(best, request),
      promptNs: (request) => this.prompt(request),
    };
  }

  /** By guarantees, or by caps where all of them fit: whichever gives more. */
  private best(): Guarantee {
    const byGuarantee = this.guarantee(
      this.own.guaranteed,
      this.shares.map(({ guaranteed }) => guaranteed),
    );
    const byCaps = this.guarantee(
      this.own.cap,
      this.shares.map(({ cap }) => cap),
    );
    return byCaps.quota > byGuarantee.quota ? byCaps : byGuarantee;
  }

  private guarantee(most: number, others: readonly number[]): Guarantee {
    const room = this.endNs - this.startNs - this.othersNs(others);
    const byTime = Math.max(0, Math.floor(room / this.stepNs));
    const quota = Math.min(most, this.own.cap, byTime, this.capByBytes);
    // Beyond its guarantee it waits for the time that others have reserved, used or not.
    const beyond = quota > this.own.guaranteed;
    const missed = this.endNs - this.own.costNs - this.gap(others, quota, beyond);
    return { quota, cutoffNs: Math.max(this.window.offsetNs, missed), others };
  }

  private limit(quota: number): Visit['limitedBy'] {
    if (quota === this.own.cap) return 'requestsMax';
    if (quota === this.capByBytes) return 'bytesMax';
    return quota === this.own.guaranteed ? 'requestsGuaranteed' : 'duration';
  }

  /** Time of so many requests of each other queue, of those before this one only where asked. */
  private othersNs(requests: readonly number[], before = false): Nanoseconds {
    return this.shares.reduce((sum, { costNs }, n) => {
      const counts = n !== this.at && (!before || n < this.at);
      return counts ? sum + requests[n]! * costNs : sum;
    }, 0);
  }

  /**
   * Longest time from a look that finds nothing to the look that starts what came since, all the
   * requests of `others` taken into account.
   */
  private gap(others: readonly number[], quota: number, beyond: boolean): Nanoseconds {
    const { perLook, looksPerRequest } = this.showing;
    const looks = (looksPerRequest - 1) * this.idleNs;
    const all = this.othersNs(others);
    if (beyond || quota > perLook) return looks + this.idleNs + all;
    return looks + Math.max(all + this.passNs, this.idleNs + this.othersNs(others, true));
  }

  /** What the other queues' bursts take while this queue gets `own` and they `theirs` turns. */
  private burstsNs(before: number, behind: number): Nanoseconds {
    const turns = this.shares.map(({ cap }, n) =>
      Math.min(cap, BURST_MAX * (n < this.at ? before : behind)),
    );
    return this.othersNs(turns);
  }

  /** Publication of a request that was there at the first look, from the start of the visit. */
  private backlogged({ others }: Guarantee, request: number): Nanoseconds {
    const own = request * this.stepNs;
    const turns = Math.ceil(request / this.showing.perLook);
    const byBursts = this.burstsNs(turns, turns - 1) + own;
    // Work beyond a guarantee leaves this queue the time of what it has not used.
    const unused = Math.max(0, this.own.guaranteed - request) * this.own.costNs;
    const room = this.endNs - this.startNs - unused;
    return Math.min(byBursts, Math.max(room, this.othersNs(others) + own));
  }

  private prompt(request: number): Nanoseconds {
    const turns = Math.ceil(request / this.showing.perLook);
    const seen = Math.max(
      this.burstsNs(turns, turns) + this.passNs,
      this.burstsNs(turns, turns - 1) + this.idleNs,
    );
    const looks = (this.showing.looksPerRequest - 1) * this.idleNs;
    return Math.min(looks + seen + request * this.stepNs, this.window.durationNs);
  }
}

const PACKED = bitOf('virtio-net', 'VIRTIO_F_RING_PACKED');

function showingOf(plan: GatewayPlan, queue: number, { pieces }: Longest): Showing {
  const { offered, descriptorsMax } = plan.devices[plan.queues[queue]!.device]!;
  // A look counts requests and not their pieces: the last one is served piece by piece.
  const perBurst = pieces > 1 ? 1 : BURST_MAX;
  if (!hasBit(offered, PACKED)) return { perLook: perBurst, looksPerRequest: 1 };
  const whole = Math.floor(PACKED_LOOK_MAX / descriptorsMax);
  return {
    perLook: Math.min(perBurst, Math.max(1, whole)),
    looksPerRequest: Math.ceil(descriptorsMax / PACKED_LOOK_MAX),
  };
}
