/** A gateway to look at: a data plane on a virtual clock, and everything that can happen on demand. */
import { Subject } from 'rxjs';
import type { GatewayEvent } from '../../src/channel/event-log.ts';
import type { FaultReport } from '../../src/control-plane/health/supervision.ts';
import type { Transition } from '../../src/control-plane/partition-manager.ts';
import { runReport } from '../../src/control-plane/run-report.ts';
import {
  Dashboard,
  LIMITS,
  type DashboardLimits,
  type Watched,
} from '../../src/dashboard/dashboard.ts';
import type { DisplaySource } from '../../src/dashboard/display-source.ts';
import { monotonicClock } from '../../src/host/monotonic-clock.ts';
import { Rig } from './rig.ts';

export const IDENTITY = { name: 'rig', revision: 1, sha256: 'abc' };

export class WatchedRig implements Watched {
  readonly rig = new Rig({
    flows: [
      {
        id: 'telltale',
        from: 'a.net0.transmitq0',
        route: 'a-b',
        bytesMax: 1514,
        deadlineUs: 12_000,
        arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
      },
    ],
  });
  readonly plan = this.rig.plan;
  readonly counters = this.rig.counters;
  readonly windowTrace = this.rig.windowTrace;
  readonly identity = IDENTITY;
  readonly clock = monotonicClock;
  readonly displays: readonly DisplaySource[];
  readonly transitions = new Subject<Transition>();
  readonly faults = new Subject<FaultReport>();
  readonly reported = new Subject<GatewayEvent>();
  readonly enteredSafeState = new Subject<string>();
  readonly said: string[] = [];
  /** How often the numbers were asked for. */
  asked = 0;

  constructor(displays: readonly DisplaySource[] = []) {
    this.displays = displays;
  }

  say(line: string): void {
    this.said.push(line);
  }

  sinceStartNs(): number {
    return 5e9;
  }

  numbers() {
    this.asked++;
    return runReport({
      plan: this.plan,
      counters: this.counters,
      config: IDENTITY,
      durationNs: 5e9,
      modes: ['normal', 'isolated'],
      statistics: [undefined, undefined],
      lostEvents: 0,
      safeState: undefined,
    });
  }

  /** Three packets, of which two arrive. */
  traffic(): void {
    this.rig.supply('b', 2);
    this.rig.frames(1);
    for (let n = 0; n < 3; n++) this.rig.send('a', this.rig.packet('a', 'b', 100));
    this.rig.frames(2);
  }
}

/** A dashboard that is open until the test is over. */
export class OpenDashboard {
  readonly watched: WatchedRig;
  readonly dashboard: Dashboard;
  url = '';
  private open = true;

  private constructor(watched: WatchedRig, limits: Partial<DashboardLimits>) {
    this.watched = watched;
    this.dashboard = new Dashboard(watched, { ...LIMITS, ...limits });
  }

  static async start(
    watched = new WatchedRig(),
    limits: Partial<DashboardLimits> = {},
  ): Promise<OpenDashboard> {
    const opened = new OpenDashboard(watched, limits);
    opened.url = await opened.dashboard.open(0);
    return opened;
  }

  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await this.dashboard.close(this.watched.numbers());
  }
}
