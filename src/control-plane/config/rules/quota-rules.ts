/** Rules about what fits into a window: requests, guarantees, commands. */
import { Scratch } from '../../../schedule/arena-layout.ts';
import { nsOf } from '../../../schedule/compile-plan.ts';
import { GPU_PIECE_BYTES, packetBytesMax, requestCostNs } from '../../../schedule/cost-model.ts';
import type { DeviceConfig, GatewayConfig } from '../../../schedule/gateway-config.ts';
import { queueNamesOf } from '../../../schedule/queue-names.ts';
import {
  controlWindowNsMin,
  gapsOf,
  hasControlWindow,
  lengthUs,
} from '../../../schedule/schedule-table.ts';
import type { Finding } from '../validator.ts';
import { at, type Rule } from './rule.ts';
import { windowEntries, type WindowEntry } from './window-entries.ts';

/** Worst-case cost of one request of a window's queue. */
function costNs(config: GatewayConfig, { window, entry, device }: WindowEntry): number {
  if (!device) return 0;
  const routes = config.network.routes.filter(
    (route) => route.from === `${window.partition}.${device.id}`,
  );
  const role = queueNamesOf(device).find(
    ({ name }) => entry.queue === `${device.id}.${name}`,
  )?.role;
  return role ? requestCostNs(config.costs, device, role, routes) : 0;
}

/** Bytes of the largest request, or of the largest piece of one. */
function largestRequestBytes(device: DeviceConfig, queue: string): number {
  if (device.type === 'virtio-gpu') return GPU_PIECE_BYTES;
  return queue.includes('.transmitq') ? packetBytesMax(device) : Scratch.COMMAND_BYTES;
}

function* quotasFitRequest(config: GatewayConfig): Iterable<Finding> {
  for (const found of windowEntries(config)) {
    const { path, window, entry, device } = found;
    if (!device) continue;
    const least = largestRequestBytes(device, entry.queue);
    if (entry.bytesMax < least) {
      yield at(
        [...path, 'bytesMax'],
        `${entry.bytesMax} bytes cannot serve one request of "${entry.queue}"; the largest has ${least}`,
      );
    }
    const needed = costNs(config, found) + config.costs.windowSwitchNs;
    if (nsOf(window.durationUs) < needed) {
      yield at(
        ['schedule', 'windows', path[2]!, 'durationUs'],
        `window "${window.id}" has ${window.durationUs} µs; one request of "${entry.queue}" costs up to ${needed / 1000} µs with the window switch`,
      );
    }
  }
}

function* guaranteesFit(config: GatewayConfig): Iterable<Finding> {
  for (const [w, window] of config.schedule.windows.entries()) {
    if ((window.queues ?? []).length < 2) continue;
    const own = [...windowEntries(config)].filter((found) => found.window === window);
    const needed = own.reduce(
      (sum, found) =>
        sum + (found.entry.requestsGuaranteed ?? found.entry.requestsMax) * costNs(config, found),
      0,
    );
    const room = nsOf(window.durationUs) - config.costs.windowSwitchNs;
    if (needed > room) {
      yield at(
        ['schedule', 'windows', w, 'queues'],
        `the guaranteed requests of window "${window.id}" cost ${needed / 1000} µs; it has ${room / 1000}: ` +
          'lower "requestsGuaranteed" or "requestsMax", or lengthen the window',
      );
    }
  }
  for (const { path, entry } of windowEntries(config)) {
    if ((entry.requestsGuaranteed ?? 0) <= entry.requestsMax) continue;
    yield at(
      [...path, 'requestsGuaranteed'],
      `${entry.requestsGuaranteed} guaranteed requests are more than the cap, ${entry.requestsMax}`,
    );
  }
}

function* roomForControl(config: GatewayConfig): Iterable<Finding> {
  const { windows, majorFrameUs } = config.schedule;
  const leastNs = controlWindowNsMin(config);
  if (hasControlWindow(windows)) {
    for (const [w, window] of windows.entries()) {
      if (window.kind !== 'control' || nsOf(window.durationUs) >= leastNs) continue;
      yield at(
        ['schedule', 'windows', w, 'durationUs'],
        `a control window needs at least ${leastNs / 1000} µs`,
      );
    }
    return;
  }
  const longestUs = Math.max(0, ...gapsOf(windows, majorFrameUs).map(lengthUs));
  if (nsOf(longestUs) >= leastNs) return;
  yield at(
    ['schedule', 'windows'],
    `there is no control window, and no gap of ${leastNs / 1000} µs for one: ` +
      'the control plane could never start a queue',
  );
}

export const QUOTA_RULES: readonly Rule[] = [
  { name: 'quota-below-request', check: quotasFitRequest },
  { name: 'guarantees-over-window', check: guaranteesFit },
  { name: 'control-window-missing', check: roomForControl },
];
