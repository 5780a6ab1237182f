/** Partition modes and the one table of what changes them (ARINC 653 modes, and isolated). */
import { Subject, type Observable } from 'rxjs';

export type PartitionMode = 'idle' | 'cold-start' | 'warm-start' | 'normal' | 'isolated';

/** What can change a mode, and who may say so. */
export type TransitionCause =
  'start' | 'guest-ready' | 'guest-reset' | 'needs-reset' | 'restart' | 'isolate' | 'stop';
export type TransitionActor = 'operator' | 'guest' | 'supervision';

export interface Transition {
  readonly partition: number;
  readonly from: PartitionMode;
  readonly to: PartitionMode;
  readonly cause: TransitionCause;
}

type Row = readonly [
  from: PartitionMode,
  cause: TransitionCause,
  actor: TransitionActor,
  to: PartitionMode,
];

/** Everything that is not in this table does not happen. */
// [impl->req~part.transition-table~1]
export const TRANSITIONS: readonly Row[] = [
  ['idle', 'start', 'operator', 'cold-start'],
  ['cold-start', 'guest-ready', 'guest', 'normal'],
  ['warm-start', 'guest-ready', 'guest', 'normal'],
  ['normal', 'guest-reset', 'guest', 'warm-start'],
  ['normal', 'needs-reset', 'supervision', 'warm-start'],
  ['warm-start', 'needs-reset', 'supervision', 'warm-start'],
  ['normal', 'restart', 'supervision', 'cold-start'],
  ['warm-start', 'restart', 'supervision', 'cold-start'],
  ['cold-start', 'restart', 'supervision', 'cold-start'],
  ['normal', 'isolate', 'supervision', 'isolated'],
  ['warm-start', 'isolate', 'supervision', 'isolated'],
  ['cold-start', 'isolate', 'supervision', 'isolated'],
  ['isolated', 'start', 'operator', 'cold-start'],
  ['normal', 'stop', 'operator', 'idle'],
  ['warm-start', 'stop', 'operator', 'idle'],
  ['cold-start', 'stop', 'operator', 'idle'],
  ['isolated', 'stop', 'operator', 'idle'],
];

export class PartitionManager {
  private readonly modes: PartitionMode[];
  private readonly subject = new Subject<Transition>();
  readonly transitions: Observable<Transition> = this.subject.asObservable();

  constructor(partitions: number) {
    this.modes = new Array<PartitionMode>(partitions).fill('idle');
  }

  mode(partition: number): PartitionMode {
    return this.modes[partition]!;
  }

  /** Carries a transition out if the table has it for this actor; whether it did. */
  request(partition: number, cause: TransitionCause, actor: TransitionActor): boolean {
    const from = this.mode(partition);
    const row = TRANSITIONS.find(
      (candidate) => candidate[0] === from && candidate[1] === cause && candidate[2] === actor,
    );
    if (!row) return false;
    const to = row[3];
    this.modes[partition] = to;
    this.subject.next({ partition, from, to, cause });
    return true;
  }

  /** Whether the data plane may serve the partition and deliver to it. */
  serves(partition: number): boolean {
    const mode = this.mode(partition);
    return mode !== 'idle' && mode !== 'isolated';
  }
}
