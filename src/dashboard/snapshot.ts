/** What the server tells a page, made from shared memory that it only reads. */
import type { Counters } from '../channel/counters.ts';
import type { WindowTrace } from '../channel/window-trace.ts';
import { OVERRUN_CAUSES } from '../data-plane/dispatcher.ts';
import type { GuestConfig } from '../schedule/gateway-config.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import type { DisplaySource } from './display-source.ts';
import type { FlowLatency, Hello, LatencyMessage, ScheduleMessage } from './page/message.ts';

/** Major frames that a page is shown, as far as their visits are this few. */
const MAJOR_FRAMES = 8;
const VISITS_MAX = 512;
/** Histograms per message; a configuration with more flows is told of them in turn. */
const FLOWS_MAX = 8;

function guestOf(guest: GuestConfig): string {
  return guest.type === 'embedded' ? `${guest.type}: ${guest.program}` : guest.type;
}

export function helloOf(
  plan: GatewayPlan,
  gateway: Hello['gateway'],
  displays: readonly DisplaySource[],
): Hello {
  return {
    type: 'hello',
    gateway,
    majorFrameNs: plan.majorFrameNs,
    windowSwitchNs: plan.windowSwitchNs,
    partitions: plan.partitions.map(({ id, asil, guest }) => ({ id, asil, guest: guestOf(guest) })),
    windows: plan.windows.map(({ id, partition, offsetNs, durationNs }) => ({
      id,
      partition,
      offsetNs,
      durationNs,
    })),
    displays: displays.map(({ id, widthPx, heightPx }) => ({ id, widthPx, heightPx })),
    overrunCauses: OVERRUN_CAUSES,
  };
}

// [impl->req~dash.bounded~1]
export function scheduleOf(plan: GatewayPlan, trace: WindowTrace): ScheduleMessage {
  const most = Math.min(VISITS_MAX, MAJOR_FRAMES * plan.windows.length);
  return { type: 'schedule', visits: trace.since((trace.written - most) | 0, most) };
}

function latencyOfFlow(plan: GatewayPlan, counters: Counters, flow: number): FlowLatency {
  return { id: plan.flows[flow]!.id, bars: counters.flowLatency(flow).bars() };
}

/** Histograms of some flows; `turn` counts up from message to message. */
export function latencyOf(plan: GatewayPlan, counters: Counters, turn: number): LatencyMessage {
  const { length } = plan.flows;
  const first = length <= FLOWS_MAX ? 0 : (turn * FLOWS_MAX) % length;
  const flows = Array.from({ length: Math.min(length, FLOWS_MAX) }, (_, n) =>
    latencyOfFlow(plan, counters, (first + n) % length),
  );
  return { type: 'latency', flows };
}

export function latencyOfAll(plan: GatewayPlan, counters: Counters): FlowLatency[] {
  return plan.flows.map(({ index }) => latencyOfFlow(plan, counters, index));
}
