/** When the requests of a measured queue may have come: between two looks, nobody knows better. */
import type { Nanoseconds } from '../base/time.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import type { FrameTime } from './frame-time.ts';
import type { Virtqueue } from './virtqueue/virtqueue.ts';

/** A window of the queue, for which the looks may end early. */
export interface CappedWindow {
  readonly offsetNs: Nanoseconds;
  readonly requestsMax: number;
  /** Until when the window would have looked, from its start. */
  readonly looksNs: Nanoseconds;
}

export function cappedWindows(plan: GatewayPlan, queue: number): CappedWindow[] {
  return plan.windows.flatMap(({ offsetNs, durationNs, pollNs, queues }) => {
    const entry = queues.find((candidate) => candidate.queue === queue);
    if (!entry) return [];
    const gapNs = plan.queues[queue]!.costNs + pollNs + queues.length * plan.lookNs;
    const looksNs = Math.max(0, durationNs - gapNs);
    return [{ offsetNs, requestsMax: entry.requestsMax, looksNs }];
  });
}

/**
 * When each ring position was first seen: the time of the last look that did not show it, so that
 * waiting is over-estimated by at most one look and never hidden. A window whose cap is used up
 * looks no more; whether a request is late is judged as if it had looked on.
 */
export class ArrivalStamps {
  private readonly stamps: Float64Array;
  private readonly sure: Float64Array;
  private readonly lastLook = new Float64Array(1);
  /** The last look behind which nothing waited: what came since may have waited for each other. */
  private readonly idleAt = new Float64Array(1);
  /** Until then the window that was visited last would have looked on. */
  private readonly cappedUntil = new Float64Array(1);
  private readonly visitedAt = new Float64Array(1);
  private visited = -1;
  private servedInVisit = 0;
  private readonly mask: number;
  private readonly windows: readonly CappedWindow[];

  constructor(sizeMax: number, windows: readonly CappedWindow[] = []) {
    this.stamps = new Float64Array(sizeMax);
    this.sure = new Float64Array(sizeMax);
    this.mask = sizeMax - 1;
    this.windows = windows;
  }

  /** The ring starts now: nothing can have been visible before. */
  restart(startedAt: Float64Array): void {
    this.lastLook[0] = this.idleAt[0] = startedAt[0]!;
  }

  /** A look at the ring that had shown `before` buffers, free-running, until then. */
  look(time: FrameTime, { taken, seen, sawAll }: Virtqueue, before: number): void {
    this.visit(time);
    if (before === taken) this.idle();
    this.looked(before, seen, time.now, sawAll);
  }

  /** Before a look: which window is it in, and did the one before end by its cap? */
  private visit(time: FrameTime): void {
    const { windows, visited } = this;
    if (time.windowStart[0] === this.visitedAt[0]) return;
    if (visited >= 0 && this.servedInVisit >= windows[visited]!.requestsMax) {
      this.cappedUntil[0] = this.visitedAt[0]! + windows[visited]!.looksNs;
    }
    this.visitedAt[0] = time.windowStart[0]!;
    this.servedInVisit = 0;
    this.visited = -1;
    for (let n = 0; n < windows.length; n++) {
      const at = time.frameStart[0]! + windows[n]!.offsetNs;
      if (at === this.visitedAt[0]) this.visited = n;
    }
  }

  /** One more request, or piece of one, was served in the present window. */
  served(): void {
    this.servedInVisit++;
  }

  /**
   * Positions `from` to `to` (free-running, exclusive) came into sight at this look; what a look
   * that did not see all of it has left may have been there before.
   */
  looked(from: number, to: number, now: Float64Array, sawAll: boolean): void {
    const { lastLook, cappedUntil, mask } = this;
    const capped = cappedUntil[0]! > lastLook[0]! && cappedUntil[0]! < now[0]!;
    for (let n = from; n !== to; n = (n + 1) & 0xffff) {
      this.stamps[n & mask] = lastLook[0]!;
      this.sure[n & mask] = capped ? cappedUntil[0]! : lastLook[0]!;
    }
    if (sawAll) lastLook[0] = now[0]!;
  }

  /** At this look nothing waits that was seen before it. */
  idle(): void {
    this.idleAt[0] = this.lastLook[0]!;
  }

  copyTo(cell: Float64Array, index: number, position: number): void {
    cell[index] = this.stamps[position & this.mask]!;
  }

  copySureTo(cell: Float64Array, index: number, position: number): void {
    cell[index] = this.sure[position & this.mask]!;
  }

  copyIdleTo(cell: Float64Array, index: number): void {
    cell[index] = this.idleAt[0]!;
  }
}
