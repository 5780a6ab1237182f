/** The dashboard's server: tells pages on this machine, at its own pace, what the gateway does. */
import { filter, map, merge, Subject, takeUntil, type Observable } from 'rxjs';
import { faultMeaning, faultName } from '../base/fault.ts';
import type { Clock } from '../base/time.ts';
import type { Counters } from '../channel/counters.ts';
import { EventKind, type GatewayEvent } from '../channel/event-log.ts';
import type { WindowTrace } from '../channel/window-trace.ts';
import type { FaultReport } from '../control-plane/health/supervision.ts';
import type { Transition } from '../control-plane/partition-manager.ts';
import { OVERRUN_CAUSES } from '../data-plane/dispatcher.ts';
import { compressed } from '../host/compression.ts';
import { CloseCode, type EventSocket } from '../host/event-socket.ts';
import { HttpServer, LOOPBACK } from '../host/http-server.ts';
import { after, every, type EndTimer } from '../host/timers.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { Access } from './access.ts';
import { pageAssets } from './assets.ts';
import type { DisplaySource } from './display-source.ts';
import { Happenings } from './happenings.ts';
import type { Happening, Hello, Numbers, ServerMessage } from './page/message.ts';
import { PictureStream } from './picture-stream.ts';
import { helloOf, latencyOf, latencyOfAll, scheduleOf } from './snapshot.ts';
import { Viewer, type ViewerLimits } from './viewer.ts';

const TICK_MS = 100;
/** Ticks from one message of a kind to the next. */
const Every = { NUMBERS: 3, SCHEDULE: 5, LATENCY: 10 } as const;
/** What the last message has to reach a page before its connection is cut. */
const FAREWELL_MS = 300;

export interface DashboardLimits extends ViewerLimits {
  readonly viewersMax: number;
}

export const LIMITS: DashboardLimits = {
  viewersMax: 4,
  bufferedBytesBehind: 256 * 1024,
  bufferedBytesMax: 16 * 1024 * 1024,
  behindTicksMax: 50,
  pingTicks: 20,
  silentTicksMax: 100,
};

/** The gateway as the dashboard sees it: all of it is read, nothing is asked of the data plane. */
export interface Watched {
  readonly plan: GatewayPlan;
  readonly identity: Hello['gateway'];
  readonly counters: Counters;
  readonly windowTrace: WindowTrace;
  readonly displays: readonly DisplaySource[];
  readonly transitions: Observable<Transition>;
  readonly faults: Observable<FaultReport>;
  readonly reported: Observable<GatewayEvent>;
  readonly enteredSafeState: Observable<string>;
  readonly clock: Clock;
  /** Where people are told why there is no dashboard any more. */
  say(line: string): void;
  sinceStartNs(): number;
  numbers(): Numbers;
}

/** Kind, subject and text of something that has happened. */
type Noted = readonly [kind: Happening['kind'], subject: string, text: string];

export class Dashboard {
  private readonly watched: Watched;
  private readonly limits: DashboardLimits;
  private readonly hello: string;
  private readonly happenings = new Happenings();
  private readonly viewers = new Set<Viewer>();
  private readonly streams: readonly PictureStream[];
  private readonly ended = new Subject<void>();
  private server: HttpServer | undefined;
  private endTicking: EndTimer = () => {};
  private ticks = 0;
  private turn = 0;
  private lastGone: () => void = () => {};

  constructor(watched: Watched, limits: DashboardLimits = LIMITS) {
    this.watched = watched;
    this.limits = limits;
    const { plan, identity, displays, clock } = watched;
    this.hello = JSON.stringify(helloOf(plan, identity, displays));
    this.streams = displays.map(
      (source, index) =>
        new PictureStream({ source, index, compress: compressed, clock, tickMs: TICK_MS }),
    );
    this.follow();
  }

  /**
   * Serves at this port of the loopback interface, 0 for any; the address for a browser.
   * @throws HostProblem when the port is not to be had
   */
  async open(port: number): Promise<string> {
    const assets = pageAssets();
    let access: Access | undefined;
    this.server = await HttpServer.open(port, {
      answer: (request) => access!.answer(request, assets),
      refuseSocket: (request) => access!.refuseSocket(request),
      connected: (socket) => this.contain(() => this.welcome(socket)),
    });
    access = new Access(this.server.port);
    this.endTicking = every(TICK_MS, () => this.contain(() => this.tick()));
    return `http://${LOOPBACK}:${this.server.port}/`;
  }

  /** How many look at present. */
  get viewerCount(): number {
    return this.viewers.size;
  }

  /** Tells the pages the last numbers, and ends. */
  async close(numbers: Numbers): Promise<void> {
    const { plan, counters } = this.watched;
    this.endTicking();
    this.ended.next();
    const latency = latencyOfAll(plan, counters);
    for (const viewer of this.viewers) {
      this.tellHappenings(viewer);
      viewer.send({ type: 'ended', numbers, latency });
      viewer.close();
    }
    this.server?.close();
    if (this.viewers.size === 0) return;
    await new Promise<void>((resolve) => {
      const endWaiting = after(FAREWELL_MS, resolve);
      this.lastGone = () => {
        endWaiting();
        resolve();
      };
    });
    for (const viewer of this.viewers) viewer.terminate();
  }

  /** Who looks cannot end what is looked at: a mistake here ends the dashboard alone. */
  // [impl->req~dash.contained~1]
  private contain(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.endTicking();
      this.ended.next();
      this.server?.close();
      for (const viewer of this.viewers) viewer.terminate();
      this.watched.say(`dashboard: ended by a mistake of its own: ${String(error)}`);
    }
  }

  // [impl->req~dash.bounded~1]
  private welcome(socket: EventSocket): void {
    if (this.viewers.size >= this.limits.viewersMax) {
      socket.close(CloseCode.TRY_AGAIN_LATER, 'too many viewers');
      return;
    }
    const viewer = new Viewer(socket, this.limits, () => {
      this.viewers.delete(viewer);
      if (this.viewers.size === 0) this.lastGone();
    });
    this.viewers.add(viewer);
    viewer.sendText(this.hello);
    for (const message of this.present()) viewer.sendText(JSON.stringify(message));
    this.tellHappenings(viewer);
  }

  /** Without viewers nothing is read and nothing is computed. */
  // [impl->req~dash.no-interference~1]
  private tick(): void {
    if (this.viewers.size === 0) return;
    this.ticks++;
    for (const viewer of this.viewers) viewer.tick();
    const present = [...this.viewers].filter((viewer) => viewer.keepsUp);
    for (const message of this.due()) {
      const text = JSON.stringify(message);
      for (const viewer of present) viewer.sendText(text);
    }
    for (const viewer of present) this.tellHappenings(viewer);
    for (const stream of this.streams) stream.tick(present);
  }

  private due(): ServerMessage[] {
    const { plan, counters, windowTrace } = this.watched;
    const messages: ServerMessage[] = [];
    if (this.ticks % Every.NUMBERS === 0)
      messages.push({ type: 'numbers', numbers: this.watched.numbers() });
    if (this.ticks % Every.SCHEDULE === 0) messages.push(scheduleOf(plan, windowTrace));
    if (this.ticks % Every.LATENCY === 0) messages.push(latencyOf(plan, counters, this.turn++));
    return messages;
  }

  /** What a page that has just come sees first. */
  private present(): ServerMessage[] {
    const { plan, counters, windowTrace } = this.watched;
    return [
      { type: 'numbers', numbers: this.watched.numbers() },
      scheduleOf(plan, windowTrace),
      latencyOf(plan, counters, this.turn),
    ];
  }

  private tellHappenings(viewer: Viewer): void {
    const entries = this.happenings.since(viewer.told);
    if (entries.length === 0) return;
    viewer.told = this.happenings.mark;
    viewer.send({ type: 'happenings', entries });
  }

  private follow(): void {
    const { transitions, faults, reported, enteredSafeState } = this.watched;
    merge(
      transitions.pipe(map((transition) => this.modeChange(transition))),
      faults.pipe(map((report) => this.fault(report))),
      reported.pipe(
        filter(({ kind }) => kind === EventKind.OVERRUN),
        map((event) => this.overrun(event)),
      ),
      enteredSafeState.pipe(map((reason) => ['safe-state', '', reason] as const)),
    )
      .pipe(takeUntil(this.ended))
      .subscribe(([kind, subject, text]) =>
        this.happenings.note(kind, subject, text, this.watched.sinceStartNs()),
      );
  }

  private modeChange({ partition, from, to, cause }: Transition): Noted {
    return ['mode', this.watched.plan.partitions[partition]!.id, `${from} to ${to} (${cause})`];
  }

  private fault({ partition, queue, code, detail, reaction }: FaultReport): Noted {
    const { plan } = this.watched;
    const where = queue >= 0 ? ` at ${plan.queues[queue]!.name}` : '';
    const text = `${faultName(code)}${where}: ${detail || faultMeaning(code)} (${reaction.action})`;
    return ['fault', plan.partitions[partition]!.id, text];
  }

  private overrun({ subject, code }: GatewayEvent): Noted {
    return [
      'overrun',
      this.watched.plan.windows[subject]!.id,
      `late end: ${OVERRUN_CAUSES[code]!}`,
    ];
  }
}
