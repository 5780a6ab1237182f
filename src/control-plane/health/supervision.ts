/**
 * Turns reports of the data plane and the register model into reactions, at a steady, bounded pace.
 */
import { filter, interval, mergeMap, Subject, takeUntil, type Observable } from 'rxjs';
import type { FaultCode } from '../../base/fault.ts';
import { EventKind, type EventLog, type GatewayEvent } from '../../channel/event-log.ts';
import type { Reaction, ReactionTable } from './reaction-table.ts';

/** Events taken from the log at one tick: the control plane's own budget. */
const EVENTS_PER_TICK = 256;
export const SUPERVISION_TICK_MS = 10;

/** A fault with the reaction to it. */
export interface FaultReport {
  readonly partition: number;
  readonly queue: number;
  readonly code: FaultCode;
  readonly detail: string;
  readonly reaction: Reaction;
}

export interface SupervisionParts {
  readonly events: EventLog;
  readonly table: ReactionTable;
  readonly partitionIds: readonly string[];
  readonly carryOut: (report: FaultReport) => void;
  /** Everything else that has to happen at each tick. */
  readonly onTick: () => void;
}

export class Supervision {
  private readonly parts: SupervisionParts;
  private readonly stopped = new Subject<void>();
  private readonly events = new Subject<GatewayEvent>();

  constructor(parts: SupervisionParts) {
    this.parts = parts;
  }

  /** All events, as they are read from the log. */
  get log(): Observable<GatewayEvent> {
    return this.events.asObservable();
  }

  start(): void {
    this.events
      .pipe(
        filter((event) => event.kind === EventKind.FAULT),
        takeUntil(this.stopped),
      )
      .subscribe((event) => this.report(event.subject, event.queue, event.code, ''));
    interval(SUPERVISION_TICK_MS)
      .pipe(
        mergeMap(() => this.tick()),
        takeUntil(this.stopped),
      )
      .subscribe((event) => this.events.next(event));
  }

  private tick(): GatewayEvent[] {
    this.parts.onTick();
    return this.drain();
  }

  private drain(): GatewayEvent[] {
    const events: GatewayEvent[] = [];
    for (let n = 0; n < EVENTS_PER_TICK; n++) {
      const event = this.parts.events.next();
      if (!event) break;
      events.push(event);
    }
    return events;
  }

  /** A fault that the control plane itself has seen. */
  report(partition: number, queue: number, code: FaultCode, detail: string): void {
    const reaction = this.parts.table.react(this.parts.partitionIds[partition]!, code);
    this.parts.carryOut({ partition, queue, code, detail, reaction });
  }

  stop(): void {
    for (const event of this.drain()) this.events.next(event);
    this.stopped.next();
  }
}
