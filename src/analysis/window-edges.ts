/** Where windows begin and end on the clock: late starts, and the notifications behind an end. */
import type { Nanoseconds } from '../base/time.ts';
import type { GatewayPlan, PlanDevice, PlanWindow } from '../schedule/gateway-plan.ts';

/** Rings that a window may have to notify: its queues', and those its routes deliver to. */
function notificationsOf(plan: GatewayPlan, window: PlanWindow): number {
  const delivering = new Map<number, number>();
  for (const { queue } of window.queues) {
    const device = plan.devices[plan.queues[queue]!.device]!;
    if (device.type !== 'virtio-net' || plan.queues[queue]!.role !== 'transmit') continue;
    for (const route of device.routes) {
      const { to } = plan.routes[route]!;
      delivering.set(to, (delivering.get(to) ?? 0) + 1);
    }
  }
  return [...delivering].reduce(
    (sum, [device, queues]) => sum + Math.min(queues, pairsOf(plan.devices[device]!)),
    window.queues.length,
  );
}

function pairsOf(device: PlanDevice): number {
  return device.type === 'virtio-net' ? device.queuePairs : 0;
}

/** Longest time that a window's notifications take, behind its end. */
export function notificationsNs(plan: GatewayPlan, window: PlanWindow): Nanoseconds {
  return notificationsOf(plan, window) * plan.notifyNs;
}

const ROUNDS = 4;

/**
 * Latest instant of every window's first look, in nanoseconds of the major frame: what the windows
 * before may still have to do behind their ends, and the switch. Infinity where every major frame
 * makes them later.
 */
export function latestStarts(plan: GatewayPlan): readonly Nanoseconds[] {
  const { windows, majorFrameNs, windowSwitchNs } = plan;
  const starts = windows.map(() => -1);
  let freeAt = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = [...starts];
    for (const window of windows) {
      const start = Math.max(window.offsetNs, freeAt) + windowSwitchNs;
      starts[window.index] = start;
      const endNs = window.offsetNs + window.durationNs;
      freeAt = Math.max(endNs, start) + notificationsNs(plan, window);
    }
    freeAt -= majorFrameNs;
    // The dispatcher would skip a major frame.
    if (freeAt >= majorFrameNs) break;
    if (starts.every((start, n) => start === before[n])) return starts;
  }
  return windows.map(() => Infinity);
}
