/** Builds the data plane of a plan: every object it will ever use, before the first major frame. */
import { present } from '../base/assert.ts';
import type { Clock, Pace } from '../base/time.ts';
import { CommandChannel } from '../channel/command-channel.ts';
import { Counters } from '../channel/counters.ts';
import { EventLog } from '../channel/event-log.ts';
import { embeddedRegion, Scratch } from '../schedule/arena-layout.ts';
import type { GatewayPlan, PlanDevice } from '../schedule/gateway-plan.ts';
import { Arena } from './arena.ts';
import { CommandExecutor } from './command-executor.ts';
import { DeviceQueue } from './device-queue.ts';
import { Dispatcher, type OverrunEvidence } from './dispatcher.ts';
import { FlowProbe } from './flow-probe.ts';
import { FrameTime } from './frame-time.ts';
import { GuestMemory } from './guest-memory.ts';
import { ControlService } from './net/control-service.ts';
import { NetDevice } from './net/net-device.ts';
import { Packet } from './net/packet.ts';
import { Staging } from './net/staging.ts';
import { SwitchRoute } from './net/switch-route.ts';
import { TransmitService } from './net/transmit-service.ts';
import { VirtualSwitch } from './net/virtual-switch.ts';
import { Partition } from './partition.ts';
import { Publications, type Notifier } from './publications.ts';
import type { QueueService } from './queue-service.ts';
import { DescriptorChain } from './virtqueue/descriptor-chain.ts';

/** What the data plane shares with the control plane, and nothing else. */
export interface SharedState {
  readonly memory: WebAssembly.Memory;
  readonly kernel: WebAssembly.Module;
  readonly commands: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
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
  readonly devices: readonly NetDevice[];
  readonly queues: readonly DeviceQueue[];
  readonly services: readonly (QueueService | undefined)[];
  readonly publications: Publications;
  readonly vswitch: VirtualSwitch;
  readonly counters: Counters;
}

/** Offset of the second head area in scratch: a head with one VLAN tag more or less. */
const RETAG_AT = Scratch.HEAD + Scratch.HEAD_BYTES / 2;

class Builder {
  readonly arena: Arena;
  readonly counters: Counters;
  readonly events: EventLog;
  readonly time: FrameTime;
  readonly partitions: readonly Partition[];
  readonly queues: readonly DeviceQueue[];
  readonly publications: Publications;
  readonly devices: readonly NetDevice[];
  readonly routes: readonly SwitchRoute[];
  readonly vswitch: VirtualSwitch;

  readonly plan: GatewayPlan;

  constructor(plan: GatewayPlan, shared: SharedState, host: HostServices) {
    this.plan = plan;
    const { layout } = plan;
    this.arena = new Arena(shared.memory, shared.kernel);
    this.counters = new Counters(plan, shared.counters);
    this.events = new EventLog(shared.events);
    this.time = new FrameTime(host.clock);
    this.partitions = plan.partitions.map(
      ({ index }) => new Partition(index, this.counters, this.events, this.time),
    );
    this.queues = plan.queues.map(
      (queue) =>
        new DeviceQueue(
          queue.index,
          this.partitions[queue.partition]!,
          this.arena,
          plan.devices[queue.device]!.queueSizeMax,
          this.counters,
        ),
    );
    this.publications = new Publications(this.queues, host.notifier);
    this.devices = plan.devices.map((device) => this.device(device));
    this.routes = plan.routes.map(
      (route) => new SwitchRoute(route, this.devices[route.to]!, this.counters),
    );
    const segmentsMax = Math.max(0, ...plan.devices.map((device) => device.descriptorsMax));
    this.vswitch = new VirtualSwitch(
      this.arena,
      this.routes,
      layout.scratchAt + RETAG_AT,
      segmentsMax,
    );
  }

  /** What a driver can reach: an embedded guest its slice, a front-end what it will send. */
  private memory(device: PlanDevice): GuestMemory {
    const memory = new GuestMemory();
    const { guest } = this.plan.partitions[device.partition]!;
    const area = this.plan.layout.partitions[device.partition]!;
    if (guest.type === 'embedded') memory.setRegions([embeddedRegion(area)]);
    return memory;
  }

  private chain(memory: GuestMemory, descriptorsMax: number): DescriptorChain {
    return new DescriptorChain(
      this.arena,
      memory,
      descriptorsMax,
      this.plan.layout.scratchAt + Scratch.DESC,
    );
  }

  private device(device: PlanDevice): NetDevice {
    const memory = this.memory(device);
    const longest = Math.max(
      1,
      ...this.plan.routes
        .filter((route) => route.to === device.index)
        .map((route) => route.receiveDescriptorsMax),
    );
    return new NetDevice({
      plan: device,
      partition: this.partitions[device.partition]!,
      memory,
      arena: this.arena,
      publications: this.publications,
      receiveQueues: this.queuesOf(device, 'receive'),
      sink: this.chain(memory, longest),
    });
  }

  private queuesOf(device: PlanDevice, role: string): DeviceQueue[] {
    return device.queues
      .filter((queue) => this.plan.queues[queue]!.role === role)
      .map((queue) => this.queues[queue]!);
  }

  service(index: number): QueueService | undefined {
    const { plan, arena, publications, time } = this;
    const { role, pair, device: deviceIndex } = present(plan.queues[index], 'queue');
    if (role === 'receive') return undefined;
    const device = this.devices[deviceIndex]!;
    const queue = this.queues[index]!;
    const chain = this.chain(device.memory, device.plan.descriptorsMax);
    const area = plan.layout.devices[deviceIndex]!;
    if (role === 'control') {
      return new ControlService({
        arena,
        device,
        queue,
        chain,
        publications,
        time,
        events: this.events,
        commandAt: plan.layout.scratchAt + Scratch.COMMAND,
        statusAt: area.statusAt,
      });
    }
    return new TransmitService({
      arena,
      device,
      queue,
      pair,
      chain,
      publications,
      time,
      vswitch: this.vswitch,
      packet: new Packet(device.plan.descriptorsMax),
      headAt: plan.layout.scratchAt + Scratch.HEAD,
      routes: device.plan.routes.map((route) => this.routes[route]!),
      staging: new Staging(arena, area.stagingAt[pair]!),
      probes: plan.flows
        .filter((flow) => flow.queue === index)
        .map((flow) => new FlowProbe(flow, this.routes[flow.route]!, this.counters, time)),
    });
  }
}

export function buildDataPlane(
  plan: GatewayPlan,
  shared: SharedState,
  host: HostServices,
): DataPlane {
  const built = new Builder(plan, shared, host);
  const { arena, time, partitions, devices, queues, publications, counters, events } = built;
  const services = plan.queues.map((queue) => built.service(queue.index));
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
  const framed = [
    ...partitions,
    built.vswitch,
    ...services.filter((service) => service !== undefined),
  ];
  const dispatcher = new Dispatcher({
    plan,
    time,
    counters,
    events,
    publications,
    commands,
    services,
    framed,
    pace: host.pace,
    evidence: host.evidence,
  });
  const { vswitch } = built;
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
