/** Every queue of every window, with what the rules ask about it. */
import type {
  DeviceConfig,
  GatewayConfig,
  WindowConfig,
} from '../../../schedule/gateway-config.ts';
import { queueNamesOf } from '../../../schedule/queue-names.ts';

export interface WindowEntry {
  readonly path: readonly (string | number)[];
  readonly window: WindowConfig;
  readonly entry: NonNullable<WindowConfig['queues']>[number];
  readonly device: DeviceConfig | undefined;
  readonly known: readonly string[];
}

export function* windowEntries(config: GatewayConfig): Iterable<WindowEntry> {
  for (const [w, window] of config.schedule.windows.entries()) {
    const partition = config.partitions.find((candidate) => candidate.id === window.partition);
    if (!partition) continue;
    const known = partition.devices.flatMap((device) =>
      queueNamesOf(device).map((queue) => `${device.id}.${queue.name}`),
    );
    for (const [q, entry] of (window.queues ?? []).entries()) {
      const device = partition.devices.find((candidate) =>
        entry.queue.startsWith(`${candidate.id}.`),
      );
      yield { path: ['schedule', 'windows', w, 'queues', q], window, entry, device, known };
    }
  }
}

/** Names of all queues that some window serves, as `<partition>.<device>.<queue>`. */
export function servedQueues(config: GatewayConfig): ReadonlySet<string> {
  return new Set(
    config.schedule.windows.flatMap((window) =>
      (window.queues ?? []).map((entry) => `${window.partition}.${entry.queue}`),
    ),
  );
}
