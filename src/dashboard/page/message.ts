/** What the dashboard's server and its page say to each other, as JSON over one WebSocket. */

/** Server to page. A picture of a display is a binary message (see picture.ts). */
export type ServerMessage =
  Hello | NumbersMessage | ScheduleMessage | LatencyMessage | HappeningsMessage | EndedMessage;

/** First, and once: what does not change. */
export interface Hello {
  readonly type: 'hello';
  readonly gateway: { readonly name: string; readonly revision: number; readonly sha256: string };
  readonly majorFrameNs: number;
  /** A window that starts later than this behind its plan is late. */
  readonly windowSwitchNs: number;
  readonly partitions: readonly PartitionPlan[];
  readonly windows: readonly WindowPlan[];
  readonly displays: readonly DisplayPlan[];
  /** By the number that a visit gives, less one. */
  readonly overrunCauses: readonly string[];
}

export interface PartitionPlan {
  readonly id: string;
  readonly asil: string;
  readonly guest: string;
}

export interface WindowPlan {
  readonly id: string;
  /** Index of its partition, -1 for the gateway's own. */
  readonly partition: number;
  readonly offsetNs: number;
  readonly durationNs: number;
}

export interface DisplayPlan {
  readonly id: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface NumbersMessage {
  readonly type: 'numbers';
  readonly numbers: Numbers;
}

/** The same when the run has ended: what `run --json` prints. Nothing follows. */
export interface EndedMessage {
  readonly type: 'ended';
  readonly numbers: Numbers;
  readonly latency: readonly FlowLatency[];
}

/** The part of the contract's `run --json` that the page shows. */
export interface Numbers {
  readonly durationNs: number;
  readonly majorFrames: number;
  readonly skippedMajorFrames: number;
  readonly lateWindowStarts: number;
  readonly overruns: readonly {
    readonly window: string;
    readonly cause: string;
    readonly count: number;
  }[];
  readonly windows: readonly WindowNumbers[];
  readonly partitions: readonly PartitionNumbers[];
  readonly routes: readonly RouteNumbers[];
  readonly flows: readonly FlowNumbers[];
  readonly gc: { readonly count: number };
  readonly windowStartJitterNs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  readonly lostEvents: number;
  readonly safeState: string | null;
}

export interface WindowNumbers {
  readonly id: string;
  readonly partition: string | null;
  readonly budgetNs: number;
  readonly visits: number;
  readonly requests: number;
  readonly spentNs: number;
  readonly spentNsMax: number;
}

export interface PartitionNumbers {
  readonly id: string;
  readonly state: string;
  readonly faults: Readonly<Record<string, number>>;
  readonly queues: readonly {
    readonly queue: string;
    readonly requests: number;
    readonly bytes: number;
    readonly usedNotifications: number;
  }[];
}

export interface RouteNumbers {
  readonly id: string;
  readonly sent: number;
  readonly delivered: number;
  readonly deferred: number;
  readonly dropped: Readonly<Record<string, number>>;
}

export interface FlowNumbers {
  readonly id: string;
  readonly requests: number;
  readonly minNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
  readonly deadlineNs: number;
  readonly boundNs: number | null;
  readonly violations: number;
  readonly hostBreaches: number;
}

/** Visits of windows of the last major frames, oldest first. */
export interface ScheduleMessage {
  readonly type: 'schedule';
  readonly visits: readonly Visit[];
}

/** Times are absolute nanoseconds of the monotonic clock. */
export interface Visit {
  readonly sequence: number;
  readonly window: number;
  readonly plannedNs: number;
  readonly startedNs: number;
  readonly endedNs: number;
  readonly busyNs: number;
  readonly requests: number;
  /** 0, or 1 + the number of the cause. */
  readonly overrun: number;
}

export interface LatencyMessage {
  readonly type: 'latency';
  readonly flows: readonly FlowLatency[];
}

/** Histogram of one flow's latency. */
export interface FlowLatency {
  readonly id: string;
  readonly bars: readonly LatencyBar[];
}

export interface LatencyBar {
  readonly fromNs: number;
  readonly toNs: number;
  readonly count: number;
}

/** What is new, or has happened again, since the last message of this kind. */
export interface HappeningsMessage {
  readonly type: 'happenings';
  readonly entries: readonly Happening[];
}

export interface Happening {
  /** Stays the same when the same happens again. */
  readonly id: number;
  readonly kind: 'fault' | 'overrun' | 'mode' | 'safe-state';
  /** Of the partition or window it is about; empty for the whole gateway. */
  readonly subject: string;
  readonly text: string;
  readonly count: number;
  /** When it last happened, since the start of the run. */
  readonly sinceStartNs: number;
}

/** Page to server: a picture has been drawn, the next may come. The only thing a page can say. */
export function drawnMessage(display: number): string {
  return `drawn ${display}`;
}

/** The display that a page's message is about, or -1 when it is not such a message. */
export function displayOfDrawn(text: string): number {
  const match = /^drawn (\d{1,3})$/.exec(text);
  return match ? Number(match[1]) : -1;
}
