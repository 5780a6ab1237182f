/** What happens after a fault: the configured table, and what holds where it says nothing. */
import { FAULT_NAMES, stopsRing, type FaultCode, type FaultName } from '../../base/fault.ts';
import type { FaultAction, ReactionConfig } from '../../schedule/gateway-config.ts';

export interface Reaction {
  readonly action: FaultAction;
  readonly log: boolean;
}

/** Faults that end a partition by their nature: an entry for every fault only makes it stronger. */
const INHERENT: Partial<Record<FaultName, FaultAction>> = {
  'required-feature-missing': 'isolate',
  'guest-died': 'isolate',
};

export class ReactionTable {
  private readonly entries: readonly ReactionConfig[];
  /**
   * Reports so far, by entry, partition and fault: each partition has its own count for each fault.
   */
  private readonly counts = new Map<string, number>();

  constructor(entries: readonly ReactionConfig[]) {
    this.entries = entries;
  }

  /** The reaction to one report of a fault. */
  // [impl->req~fault.reaction-table~1]
  react(partition: string, code: FaultCode): Reaction {
    const fault = FAULT_NAMES[code]!;
    const index = this.find(partition, fault);
    if (index < 0) return { action: defaultAction(code), log: true };
    const entry = this.entries[index]!;
    const key = `${index} ${partition} ${fault}`;
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    const due = count >= (entry.after ?? 1);
    if (due) this.counts.set(key, 0);
    return { action: due ? entry.action : 'ignore', log: entry.log };
  }

  /** The first entry that names the fault, else the first for every fault. */
  private find(partition: string, fault: FaultName): number {
    const fits = (entry: ReactionConfig) =>
      entry.partition === '*' || entry.partition === partition;
    const named = this.entries.findIndex((entry) => entry.fault === fault && fits(entry));
    if (named >= 0) return named;
    const general = this.entries.findIndex((entry) => entry.fault === '*' && fits(entry));
    const weaker = INHERENT[fault] && this.entries[general]?.action !== 'safe-state';
    return weaker ? -1 : general;
  }
}

function defaultAction(code: FaultCode): FaultAction {
  return INHERENT[FAULT_NAMES[code]!] ?? (stopsRing(code) ? 'needs-reset' : 'ignore');
}
