/** The real dispatcher on a virtual clock, over model queues: what the analysis is held against. */
import { WindowTrace } from '../../src/channel/window-trace.ts';
import type { Clock, Pace } from '../../src/base/time.ts';
import { Counters } from '../../src/channel/counters.ts';
import { EventLog } from '../../src/channel/event-log.ts';
import type { CommandExecutor } from '../../src/data-plane/command-executor.ts';
import { Dispatcher } from '../../src/data-plane/dispatcher.ts';
import { FrameTime } from '../../src/data-plane/frame-time.ts';
import type { Publications } from '../../src/data-plane/publications.ts';
import { Served, type QueueService } from '../../src/data-plane/queue-service.ts';
import type { GatewayPlan } from '../../src/schedule/gateway-plan.ts';

/** What the world may do within what the plan declares. */
export interface Adversary {
  /** How much later than it could a window starts: at most the window switch. */
  late(nowNs: number): number;
  /** When an empty window looks again: behind `now`, at `target` the latest. */
  wake(nowNs: number, targetNs: number): number;
  /** Real time of a piece of this queue: at most its cost. */
  takes(queue: number, costNs: number): number;
  /** Real time of a look that shows nothing. */
  looks(): number;
  /** Real time of the notifications of so many rings. */
  notifies(rings: number): number;
}

export const PUNCTUAL: Adversary = {
  late: () => 0,
  wake: (_, target) => target,
  takes: (_, cost) => cost,
  looks: () => 0,
  notifies: () => 0,
};

/** What became of one request, in nanoseconds since the start of the first major frame. */
export interface Request {
  readonly arrivalNs: number;
  /** The last look that did not show it, which is what the product measures from. */
  stampNs: number;
  publishedNs: number;
  notifiedNs: number;
}

class VirtualClock implements Clock {
  nowNs = 0;

  readInto(cell: Float64Array): void {
    cell[0] = this.nowNs;
  }
}

/** Requests of `pieces` pieces each, visible from their arrival on. */
class ModelQueue implements QueueService {
  lastBytes = 0;
  requests: Request[] = [];
  private pieces = 1;
  private seen = 0;
  private served = 0;
  publishedUpTo = 0;
  notifiedUpTo = 0;
  private piecesLeft = 0;
  private lastLookNs = 0;
  private readonly index: number;
  private readonly costNs: number;
  private readonly simulation: TimingSimulation;

  constructor(index: number, costNs: number, simulation: TimingSimulation) {
    this.index = index;
    this.costNs = costNs;
    this.simulation = simulation;
  }

  begin(arrivals: readonly number[], pieces: number): void {
    this.pieces = pieces;
    this.requests = arrivals.map((arrivalNs) => ({
      arrivalNs,
      stampNs: 0,
      publishedNs: -1,
      notifiedNs: -1,
    }));
    this.seen = this.served = this.publishedUpTo = this.notifiedUpTo = 0;
    this.lastLookNs = 0;
    this.piecesLeft = pieces;
  }

  look(): number {
    const now = this.simulation.clock.nowNs;
    while (this.seen < this.requests.length && this.requests[this.seen]!.arrivalNs <= now) {
      this.requests[this.seen++]!.stampNs = this.lastLookNs;
    }
    this.lastLookNs = now;
    const waiting = this.seen - this.served;
    if (waiting === 0) this.simulation.clock.nowNs += this.simulation.adversary.looks();
    // As the product's services do: a request of several pieces is one that a look shows.
    return waiting;
  }

  serveMany(): number {
    return 0;
  }

  serve(): number {
    this.simulation.clock.nowNs += this.simulation.adversary.takes(this.index, this.costNs);
    if (--this.piecesLeft === 0) {
      this.served++;
      this.piecesLeft = this.pieces;
    }
    return Served.ONE;
  }

  publish(): void {
    for (; this.publishedUpTo < this.served; this.publishedUpTo++) {
      this.requests[this.publishedUpTo]!.publishedNs = this.simulation.clock.nowNs;
    }
  }

  notify(): void {
    for (; this.notifiedUpTo < this.publishedUpTo; this.notifiedUpTo++) {
      this.requests[this.notifiedUpTo]!.notifiedNs = this.simulation.clock.nowNs;
    }
  }

  reset(): void {}

  majorFrameBegins(): void {}
}

export class TimingSimulation {
  readonly clock = new VirtualClock();
  adversary: Adversary = PUNCTUAL;
  private readonly plan: GatewayPlan;
  private readonly time: FrameTime;
  private readonly queues: readonly ModelQueue[];
  private readonly dispatcher: Dispatcher;
  private inWindow = false;

  constructor(plan: GatewayPlan) {
    this.plan = plan;
    this.time = new FrameTime(this.clock);
    this.queues = plan.queues.map(({ costNs }, index) => new ModelQueue(index, costNs, this));
    const counted = { ...plan, flows: [] };
    const pace: Pace = {
      waitUntil: (target, now) => this.wait(target, now),
      rest: (target, now) => {
        this.wait(target, now);
        return true;
      },
    };
    this.dispatcher = new Dispatcher({
      plan,
      pace,
      time: this.time,
      counters: new Counters(counted, new ArrayBuffer(Counters.bytes(counted))),
      events: new EventLog(new SharedArrayBuffer(EventLog.bytes)),
      evidence: { mark: () => void (this.inWindow = true), cause: () => 0 },
      publications: { notify: () => this.notify() } as unknown as Publications,
      commands: { run() {}, endedAt: 0 } as unknown as CommandExecutor,
      services: this.queues,
      compositors: [],
      trace: new WindowTrace(new SharedArrayBuffer(WindowTrace.bytes)),
      framed: [],
    });
  }

  private wait(target: Float64Array, now: Float64Array): void {
    const { clock } = this;
    const at = target[0]!;
    if (this.inWindow) clock.nowNs = Math.max(clock.nowNs, this.adversary.wake(clock.nowNs, at));
    else {
      const free = Math.max(clock.nowNs, at);
      clock.nowNs = free + this.adversary.late(free);
    }
    now[0] = clock.nowNs;
  }

  private notify(): void {
    this.inWindow = false;
    const publishing = this.queues.filter((queue) => queue.notifiedUpTo < queue.publishedUpTo);
    // Its own ring, and the receiver's.
    this.clock.nowNs += this.adversary.notifies(2 * publishing.length);
    for (const queue of this.queues) queue.notify();
  }

  /** Runs from time 0 until everything that arrives is served, at most so many major frames. */
  run(arrivals: readonly (readonly number[])[], framesMax: number, pieces: readonly number[] = []) {
    this.clock.nowNs = 0;
    this.time.frameStart[0] = 0;
    this.time.now[0] = 0;
    this.inWindow = false;
    this.queues.forEach((queue, n) => queue.begin(arrivals[n] ?? [], pieces[n] ?? 1));
    for (let frame = 0; frame < framesMax; frame++) {
      this.dispatcher.majorFrame();
      if (this.queues.every(({ requests, notifiedUpTo }) => notifiedUpTo === requests.length))
        break;
    }
    return this.queues.map(({ requests }) => requests);
  }

  /** Major frame of the plan, in nanoseconds. */
  get majorFrameNs(): number {
    return this.plan.majorFrameNs;
  }
}
