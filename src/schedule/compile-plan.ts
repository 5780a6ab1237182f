/** From the validated configuration to the plan that every plane follows. */
import { present } from '../base/assert.ts';
import { NS_PER_US, type Nanoseconds } from '../base/time.ts';
import { layOutArena, type LayoutRequest } from './arena-layout.ts';
import {
  composeCostNs,
  controlCommandNs,
  lookNs,
  notifyNs,
  piecesOf,
  receiveDescriptorsMaxOf,
} from './cost-model.ts';
import {
  drawingDevices,
  indicesWhere,
  namedDevices,
  planDevices,
  planQueues,
  type NamedDevice,
} from './device-plan.ts';
import { planDisplays } from './display-plan.ts';
import { withControlWindow } from './schedule-table.ts';
import type {
  DeviceConfig,
  GatewayConfig,
  NetDeviceConfig,
  RouteConfig,
  WindowConfig,
} from './gateway-config.ts';
import type {
  GatewayPlan,
  PlanFlow,
  PlanPartition,
  PlanQueue,
  PlanRoute,
  PlanWindow,
} from './gateway-plan.ts';

const MIB = 1024 * 1024;

/** Whole nanoseconds of a value given in microseconds with at most three decimals. */
export function nsOf(microseconds: number): Nanoseconds {
  return Math.round(microseconds * NS_PER_US);
}

function planRoutes(routes: readonly RouteConfig[], devices: readonly NamedDevice[]): PlanRoute[] {
  const deviceIndex = (id: string) => devices.findIndex((device) => device.id === id);
  return routes.map((route, index) => ({
    index,
    id: route.id,
    from: deviceIndex(route.from),
    to: deviceIndex(route.to),
    vlan: route.vlan ?? -1,
    vlanAction: route.vlanAction ?? 'keep',
    packetsPerMajorFrame: route.packetsPerMajorFrame,
    bytesPerMajorFrame: route.bytesPerMajorFrame,
    excess: route.excess,
    reservedByOthers: routes
      .filter((other) => other !== route && other.to === route.to)
      .reduce((sum, other) => sum + (other.receiveReserve ?? 0), 0),
    receiveDescriptorsMax: receiveDescriptorsMaxOf(
      route,
      present(devices[deviceIndex(route.from)], route.from).config as NetDeviceConfig,
    ),
  }));
}

/** The device whose queue a flow names. */
function senderOf(devices: readonly NamedDevice[], queue: string): DeviceConfig | undefined {
  return devices.find((device) => queue.startsWith(`${device.id}.`))?.config;
}

function planFlows(
  config: GatewayConfig,
  devices: readonly NamedDevice[],
  queues: readonly PlanQueue[],
  routes: readonly PlanRoute[],
): PlanFlow[] {
  return config.flows.map((flow, index) => ({
    index,
    id: flow.id,
    queue: queues.findIndex((queue) => queue.name === flow.from),
    route:
      'route' in flow
        ? present(
            routes.find((route) => route.id === flow.route),
            flow.route,
          ).index
        : -1,
    arrival: {
      periodNs: nsOf(flow.arrival.periodUs),
      jitterNs: nsOf(flow.arrival.jitterUs),
      spacingNs: nsOf(flow.arrival.spacingUs),
      burst: flow.arrival.burst ?? 1,
    },
    bytesMax: flow.bytesMax,
    pieces: piecesOf(present(senderOf(devices, flow.from), flow.from), flow.bytesMax),
    deadlineNs: nsOf(flow.deadlineUs),
    boundNs: null,
  }));
}

function planWindow(
  window: WindowConfig,
  index: number,
  config: GatewayConfig,
  queues: readonly PlanQueue[],
  flows: readonly PlanFlow[],
): PlanWindow {
  return {
    index,
    id: window.id,
    kind: window.kind ?? 'partition',
    partition: config.partitions.findIndex((partition) => partition.id === window.partition),
    display: (config.displays ?? []).findIndex((display) => display.id === window.display),
    offsetNs: nsOf(window.offsetUs),
    durationNs: nsOf(window.durationUs),
    pollNs: nsOf(window.pollUs ?? 0),
    queues: (window.queues ?? []).map((entry) => {
      const queue = present(
        queues.find((candidate) => candidate.name === `${window.partition}.${entry.queue}`),
        entry.queue,
      );
      return {
        queue: queue.index,
        requestsMax: entry.requestsMax,
        requestsGuaranteed: entry.requestsGuaranteed ?? entry.requestsMax,
        bytesMax: entry.bytesMax,
        publishEach: flows.some((flow) => flow.queue === queue.index),
      };
    }),
  };
}

/** What a configuration needs in the arena. */
export function layoutRequestOf({ partitions, displays }: GatewayConfig): LayoutRequest {
  return {
    partitions: partitions.map(({ memoryMiB, devices }) => ({
      memoryBytes: memoryMiB * MIB,
      devices: devices.length,
    })),
    devices: partitions.flatMap(({ devices }) =>
      devices.map((device) =>
        device.type === 'virtio-net' ? device : { resourceBytes: device.resourceMiB * MIB },
      ),
    ),
    displays: displays ?? [],
    planes: (displays ?? []).flatMap(({ planes }) =>
      planes.map(({ rectPx: [, , widthPx, heightPx], ownerLost = 'keep' }) => ({
        widthPx,
        heightPx,
        ownerLost,
      })),
    ),
  };
}

// [impl->req~part.static-set~1]
/** Compiles a configuration that has passed the schema and the semantic rules. */
export function compilePlan(config: GatewayConfig, slicesFrom = 0): GatewayPlan {
  const named = namedDevices(config);
  const queues = planQueues(config, named);
  const shown = planDisplays(config.displays ?? [], drawingDevices(named));
  const devices = planDevices(config, named, queues, shown);
  const routes = planRoutes(config.network.routes, named);
  const flows = planFlows(config, named, queues, routes);
  const partitions: PlanPartition[] = config.partitions.map((partition, index) => ({
    index,
    id: partition.id,
    asil: partition.asil,
    guest: partition.guest,
    memoryBytes: partition.memoryMiB * MIB,
    devices: indicesWhere(devices, (device) => device.partition === index),
  }));
  const windows = withControlWindow(config.schedule.windows, config)
    .toSorted((a, b) => a.offsetUs - b.offsetUs)
    .map((window, index) => planWindow(window, index, config, queues, flows));
  return {
    name: config.gateway.name,
    majorFrameNs: nsOf(config.schedule.majorFrameUs),
    idle: config.schedule.idle,
    partitions,
    devices,
    queues,
    routes,
    windows,
    flows,
    ...shown,
    composeNs: composeCostNs(config.costs),
    controlCommandNs: controlCommandNs(config.costs),
    windowSwitchNs: config.costs.windowSwitchNs,
    notifyNs: notifyNs(config.costs),
    lookNs: lookNs(config.costs),
    layout: layOutArena({ ...layoutRequestOf(config), slicesFrom }),
  };
}
