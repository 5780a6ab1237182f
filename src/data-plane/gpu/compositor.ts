/**
 * Composes one display from its planes, in bands, at its refresh rate and in its own windows: each
 * pixel comes from the one plane that can be seen there, and from nobody else.
 */
import { DisplayCounter, type Counters } from '../../channel/counters.ts';
import { GPU_PIECE_BYTES } from '../../schedule/cost-model.ts';
import { ASILS } from '../../schedule/gateway-config.ts';
import type { PlanDisplay } from '../../schedule/gateway-plan.ts';
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { Arena } from '../arena.ts';
import type { FrameTime } from '../frame-time.ts';
import { Served, type QueueService } from '../queue-service.ts';
import type { Plane } from './plane.ts';
import { Band, PlaneWork } from './plane-work.ts';

export interface CompositorParts {
  readonly plan: PlanDisplay;
  readonly planes: readonly Plane[];
  readonly arena: Arena;
  readonly time: FrameTime;
  readonly counters: Counters;
  readonly pixelsAt: number;
  readonly crcTablesAt: number;
}

// [impl->req~gpu.compositor-windows~1]
export class Compositor implements QueueService {
  lastBytes = 0;
  private readonly parts: CompositorParts;
  private readonly words: Float64Array;
  private readonly countersAt: number;
  /** The planes of the highest integrity level first, however much of the others has changed. */
  private readonly works: readonly PlaneWork[];
  private readonly band = new Band();
  private readonly nextRefresh = new Float64Array(1);
  private pending = false;

  // [impl->req~gpu.asil-first~1]
  constructor(parts: CompositorParts) {
    const { plan, planes, counters } = parts;
    this.parts = parts;
    this.words = counters.words;
    this.countersAt = counters.displayAt(plan.index);
    const stride = plan.widthPx * GPU_PIXEL_BYTES;
    this.works = planes
      .toSorted((a, b) => ASILS.indexOf(b.plan.asil) - ASILS.indexOf(a.plan.asil))
      .map((plane) => new PlaneWork(plane, { ...parts, stride }));
  }

  majorFrameBegins(): void {}

  reset(): void {}

  serveMany(): number {
    return 0;
  }

  /** One band at a time while there is something to compose; the clock has just been read. */
  look(): number {
    const { time } = this.parts;
    if (time.now[0]! >= this.nextRefresh[0]!) this.refresh();
    return this.pending ? 1 : 0;
  }

  /** A plane that is not done from the last time goes on where it is; those above it go first. */
  private refresh(): void {
    const { time, plan } = this.parts;
    this.nextRefresh[0] = (Math.floor(time.now[0]! / plan.refreshNs) + 1) * plan.refreshNs;
    this.words[this.countersAt + DisplayCounter.REFRESHES]! += 1;
    const wasPending = this.pending;
    this.pending = false;
    for (let n = 0; n < this.works.length; n++) {
      const work = this.works[n]!;
      work.supervise();
      work.begin();
      if (work.pending) this.pending = true;
    }
    if (this.pending && !wasPending) this.words[this.countersAt + DisplayCounter.BEGUN]! += 1;
  }

  serve(bytesLeft: number): number {
    const bytesMax = Math.min(bytesLeft, GPU_PIECE_BYTES);
    this.band.open(bytesMax);
    this.pending = !this.done();
    if (!this.pending) this.words[this.countersAt + DisplayCounter.COMPOSED]! += 1;
    this.lastBytes = bytesMax - this.band.bytesLeft;
    this.words[this.countersAt + DisplayCounter.BYTES]! += this.lastBytes;
    return Served.ONE;
  }

  /** True when no plane has anything left to do. */
  private done(): boolean {
    for (let n = 0; n < this.works.length; n++) {
      const work = this.works[n]!;
      if (!work.pending) continue;
      work.step(this.band);
      if (work.pending) return false;
    }
    return true;
  }

  publish(): void {}
}
