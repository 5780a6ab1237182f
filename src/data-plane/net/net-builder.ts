/**
 * Builds the network devices of a plan, the switch between them, and the services of their rings.
 */
import { Scratch } from '../../schedule/arena-layout.ts';
import type { PlanNetDevice, PlanQueue } from '../../schedule/gateway-plan.ts';
import { cappedWindows } from '../arrival-stamps.ts';
import type { DeviceQueue } from '../device-queue.ts';
import { chainOf, memoryOf, type PlaneParts } from '../plane-parts.ts';
import type { QueueService } from '../queue-service.ts';
import { ControlService } from './control-service.ts';
import { NetDevice } from './net-device.ts';
import { Packet } from './packet.ts';
import { Staging } from './staging.ts';
import { RouteProbe } from './route-probe.ts';
import { SwitchRoute } from './switch-route.ts';
import { TransmitService } from './transmit-service.ts';
import { VirtualSwitch } from './virtual-switch.ts';

/** Offset of the second head area in scratch: a head with one VLAN tag more or less. */
const RETAG_AT = Scratch.HEAD + Scratch.HEAD_BYTES / 2;

export class NetBuilder {
  readonly vswitch: VirtualSwitch;
  private readonly parts: PlaneParts;
  /** By number of the device; none for devices of other types. */
  private readonly devices = new Map<number, NetDevice>();
  private readonly routes: readonly SwitchRoute[];

  constructor(parts: PlaneParts) {
    const { plan, arena, counters } = parts;
    this.parts = parts;
    for (const device of plan.devices) {
      if (device.type === 'virtio-net') this.devices.set(device.index, this.build(device));
    }
    this.routes = plan.routes.map(
      (route) => new SwitchRoute(route, this.device(route.to), counters),
    );
    const segmentsMax = Math.max(0, ...plan.devices.map((device) => device.descriptorsMax));
    const retagAt = plan.layout.scratchAt + RETAG_AT;
    this.vswitch = new VirtualSwitch(arena, this.routes, retagAt, segmentsMax);
  }

  /** The network device of this number; there is one wherever a plan names one. */
  device(index: number): NetDevice {
    return this.devices.get(index)!;
  }

  private build(device: PlanNetDevice): NetDevice {
    const { parts } = this;
    const memory = memoryOf(parts, device);
    const longest = Math.max(
      1,
      ...parts.plan.routes
        .filter((route) => route.to === device.index)
        .map((route) => route.receiveDescriptorsMax),
    );
    return new NetDevice({
      plan: device,
      partition: parts.partitions[device.partition]!,
      memory,
      arena: parts.arena,
      publications: parts.publications,
      receiveQueues: this.receiveQueues(device),
      sink: chainOf(parts, memory, longest),
    });
  }

  private receiveQueues(device: PlanNetDevice): DeviceQueue[] {
    const { plan, queues } = this.parts;
    return device.queues
      .filter((queue) => plan.queues[queue]!.role === 'receive')
      .map((queue) => queues[queue]!);
  }

  /** What serves a queue; receive rings are filled by the switch. */
  service(planned: PlanQueue): QueueService | undefined {
    switch (planned.role) {
      case 'control':
        return this.controlService(planned);
      case 'transmit':
        return this.transmitService(planned);
      default:
        return undefined;
    }
  }

  private controlService({ index, device: deviceIndex }: PlanQueue): ControlService {
    const { parts } = this;
    const device = this.device(deviceIndex);
    const { layout } = parts.plan;
    return new ControlService({
      ...parts,
      device,
      queue: parts.queues[index]!,
      chain: chainOf(parts, device.memory, device.plan.descriptorsMax),
      commandAt: layout.scratchAt + Scratch.COMMAND,
      statusAt: layout.devices[deviceIndex]!.statusAt,
    });
  }

  private transmitService({ index, device: deviceIndex, pair }: PlanQueue): TransmitService {
    const { parts, vswitch, routes } = this;
    const { plan, arena, counters, time } = parts;
    const device = this.device(deviceIndex);
    return new TransmitService({
      ...parts,
      device,
      queue: parts.queues[index]!,
      pair,
      chain: chainOf(parts, device.memory, device.plan.descriptorsMax),
      vswitch,
      packet: new Packet(device.plan.descriptorsMax),
      headAt: plan.layout.scratchAt + Scratch.HEAD,
      routes: device.plan.routes.map((route) => routes[route]!),
      staging: new Staging(arena, plan.layout.devices[deviceIndex]!.stagingAt[pair]!),
      windows: cappedWindows(plan, index),
      probes: plan.flows
        .filter((flow) => flow.queue === index)
        .map((flow) => new RouteProbe(flow, routes[flow.route]!, counters, time)),
    });
  }
}
