/** Builds the data plane of a plan: every object it will ever use, before the first major frame. */
import type { Clock, Pace } from '../base/time.ts';
import { CommandChannel } from '../channel/command-channel.ts';
import { Counters } from '../channel/counters.ts';
import { EventLog } from '../channel/event-log.ts';
import { WindowTrace } from '../channel/window-trace.ts';
import type { GatewayPlan, PlanDevice } from '../schedule/gateway-plan.ts';
import { Arena } from './arena.ts';
import { CommandExecutor } from './command-executor.ts';
import type { Device } from './device.ts';
import { DeviceQueue } from './device-queue.ts';
import { Dispatcher, type OverrunEvidence } from './dispatcher.ts';
import { FrameTime } from './frame-time.ts';
import { GpuBuilder } from './gpu/gpu-builder.ts';
import { NetBuilder } from './net/net-builder.ts';
import type { VirtualSwitch } from './net/virtual-switch.ts';
import { Partition } from './partition.ts';
import { Publications, type Notifier } from './publications.ts';
import type { PlaneParts } from './plane-parts.ts';
import type { QueueService } from './queue-service.ts';

/** What the data plane shares with the control plane, and nothing else. */
export interface SharedState {
  readonly memory: WebAssembly.Memory;
  readonly kernel: WebAssembly.Module;
  readonly commands: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  readonly windowTrace: SharedArrayBuffer;
}

/** Everything that both planes of a plan see, as it is before the first of them starts. */
export function sharedStateOf(plan: GatewayPlan, kernel: WebAssembly.Module): SharedState {
  return {
    memory: Arena.memory(plan.layout.pages),
    kernel,
    commands: new SharedArrayBuffer(CommandChannel.bytes),
    events: new SharedArrayBuffer(EventLog.bytes),
    counters: new SharedArrayBuffer(Counters.bytes(plan)),
    windowTrace: new SharedArrayBuffer(WindowTrace.bytes),
  };
}

/** What the host lends: time, sleep, notifications, and evidence about itself. */
export interface HostServices {
  readonly clock: Clock;
  readonly pace: Pace;
  readonly notifier: Notifier;
  readonly evidence: OverrunEvidence;
}

export interface DataPlane {
  readonly arena: Arena;
  readonly time: FrameTime;
  readonly dispatcher: Dispatcher;
  readonly commands: CommandExecutor;
  readonly partitions: readonly Partition[];
  readonly devices: readonly Device[];
  readonly queues: readonly DeviceQueue[];
  readonly services: readonly (QueueService | undefined)[];
  readonly publications: Publications;
  readonly vswitch: VirtualSwitch;
  readonly counters: Counters;
}

/** What all builders share, before there is a device. */
function partsOf(plan: GatewayPlan, shared: SharedState, host: HostServices): PlaneParts {
  const arena = new Arena(shared.memory, shared.kernel);
  const counters = new Counters(plan, shared.counters);
  const events = new EventLog(shared.events);
  const time = new FrameTime(host.clock);
  const partitions = plan.partitions.map(
    ({ index }) => new Partition(index, counters, events, time),
  );
  const queues = plan.queues.map(
    ({ index, partition, device }) =>
      new DeviceQueue(
        index,
        partitions[partition]!,
        arena,
        plan.devices[device]!.queueSizeMax,
        counters,
      ),
  );
  const publications = new Publications(queues, host.notifier);
  return { plan, arena, counters, events, time, partitions, queues, publications };
}

export function buildDataPlane(
  plan: GatewayPlan,
  shared: SharedState,
  host: HostServices,
): DataPlane {
  const parts = partsOf(plan, shared, host);
  const { arena, time, partitions, queues, publications, counters, events } = parts;
  const net = new NetBuilder(parts);
  const gpu = new GpuBuilder(parts);
  const builderOf = ({ type }: PlanDevice) => (type === 'virtio-net' ? net : gpu);
  const devices = plan.devices.map((device) => builderOf(device).device(device.index));
  const services = plan.queues.map((queue) =>
    builderOf(plan.devices[queue.device]!).service(queue),
  );
  const commands = new CommandExecutor({
    channel: new CommandChannel(shared.commands),
    counters,
    queues,
    services,
    devices,
    partitions,
    words: arena.i32,
    layout: plan.layout,
  });
  const { vswitch } = net;
  const dispatcher = new Dispatcher({
    plan,
    time,
    counters,
    events,
    trace: new WindowTrace(shared.windowTrace),
    publications,
    commands,
    services,
    compositors: gpu.compositors,
    framed: [...partitions, vswitch, ...services.filter((service) => service !== undefined)],
    pace: host.pace,
    evidence: host.evidence,
  });
  return {
    arena,
    time,
    dispatcher,
    commands,
    partitions,
    devices,
    queues,
    services,
    publications,
    vswitch,
    counters,
  };
}
