/** A host that is what a test says. */
import type { HostView } from '../../src/host/host-view.ts';

export interface HostDouble {
  readonly files?: Readonly<Record<string, string>>;
  readonly nice?: boolean;
  readonly fifo?: boolean;
  readonly seals?: boolean;
  readonly eventSignals?: boolean;
  readonly latenessNs?: readonly [number, number];
  readonly programs?: readonly string[];
}

export function hostDouble(double: HostDouble = {}): HostView {
  return {
    read: (file) => double.files?.[file],
    grantsNice: () => double.nice ?? false,
    grantsFifo: () => double.fifo ?? false,
    grantsSeals: () => double.seals ?? false,
    grantsEventSignals: () => double.eventSignals ?? false,
    wakeUpLateness: () => {
      const [usualNs, rareNs] = double.latenessNs ?? [1e9, 1e9];
      return { usualNs, rareNs };
    },
    find: (program) => (double.programs?.includes(program) ? `/bin/${program}` : undefined),
  };
}
