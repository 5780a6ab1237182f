/**
 * Entry of the data plane's thread: builds everything, then follows the schedule until it is
 * stopped.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { buildDataPlane, type SharedState } from './data-plane/data-plane.ts';
import { DescriptorNotifier } from './host/descriptor-notifier.ts';
import { inlineGenerously } from './host/engine.ts';
import { monotonicClock, SleepPace, SpinPace } from './host/monotonic-clock.ts';
import { removeTimerSlack, setThreadNice } from './host/native/thread.ts';
import { HostEvidence } from './host/overrun-evidence.ts';
import { RealtimeMode, residentRanges } from './host/realtime.ts';
import type { GatewayPlan } from './schedule/gateway-plan.ts';

export interface DataPlaneThreadData {
  readonly plan: GatewayPlan;
  readonly shared: SharedState;
  readonly realtime: boolean;
}

/** Granted to root, or with RLIMIT_NICE; without it the data plane runs like everybody else. */
const NICE = -20;
/** The first major frame starts so long after the last preparation. */
const LEAD_NS = 2_000_000;

const { plan, shared, realtime } = workerData as DataPlaneThreadData;
inlineGenerously();
setThreadNice(NICE);
removeTimerSlack();
const mode = new RealtimeMode();
if (realtime) mode.begin(shared.memory, residentRanges(plan));
for (const sentence of mode.sentences) parentPort?.postMessage(`real time: ${sentence}`);
const notifier = new DescriptorNotifier(shared.memory);
if (!notifier.neverWaits && plan.partitions.some(({ guest }) => guest.type === 'vhost-user'))
  parentPort?.postMessage(
    'kernel AIO is refused: a front-end that fills its call descriptor can hold the data plane up',
  );
const plane = buildDataPlane(plan, shared, {
  clock: monotonicClock,
  pace: plan.idle === 'sleep' ? new SleepPace() : new SpinPace(),
  notifier,
  evidence: new HostEvidence(),
});
plane.time.read();
plane.dispatcher.begin(plane.time.now[0]! + LEAD_NS);
while (!plane.commands.stopped) plane.dispatcher.majorFrame();
mode.end();
notifier.close();
