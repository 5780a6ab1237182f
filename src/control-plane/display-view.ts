/** A display as it is composed, for a dashboard or a screenshot: it is read and never written. */
import { DisplayCounter, type Counters } from '../channel/counters.ts';
import type { GatewayPlan, PlanDisplay } from '../schedule/gateway-plan.ts';

export class DisplayView {
  readonly id: string;
  readonly widthPx: number;
  readonly heightPx: number;
  private readonly counters: Counters;
  private readonly index: number;
  private readonly shown: Uint8Array;

  constructor(
    { layout }: GatewayPlan,
    { index, id, widthPx, heightPx }: PlanDisplay,
    arena: Uint8Array,
    counters: Counters,
  ) {
    this.id = id;
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.counters = counters;
    this.index = index;
    const { pixelsAt, bytes } = layout.displays[index]!;
    this.shown = arena.subarray(pixelsAt, pixelsAt + bytes);
  }

  private count(counter: number): number {
    return this.counters.display(this.index, counter);
  }

  /** Changes when a picture is begun and when it is complete. */
  generation(): number {
    return this.count(DisplayCounter.BEGUN) + this.count(DisplayCounter.COMPOSED);
  }

  /** Rows of pixels B, G, R, X without gaps; they change while they are looked at. */
  pixels(): Uint8Array {
    return this.shown;
  }

  /** A copy of one whole picture, or undefined while one is being composed. */
  // [impl->req~disp.whole-picture~1]
  snapshot(): Uint8Array | undefined {
    const before = this.generation();
    if (before !== 2 * this.count(DisplayCounter.COMPOSED)) return undefined;
    const copy = this.shown.slice();
    return this.generation() === before ? copy : undefined;
  }
}
