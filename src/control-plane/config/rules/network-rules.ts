/** Rules about routes and flows. */
import { PIXEL_BYTES } from '../../../schedule/arena-layout.ts';
import { packetBytesMax, mtuOf } from '../../../schedule/cost-model.ts';
import { rectangleOf } from '../../../schedule/display-plan.ts';
import type {
  GatewayConfig,
  NetDeviceConfig,
  RouteConfig,
} from '../../../schedule/gateway-config.ts';
import { queueNamesOf } from '../../../schedule/queue-names.ts';
import { Ethernet } from '../../../wire/ethernet.ts';
import { didYouMean, type Finding } from '../validator.ts';
import { everyPlane, everyScanout } from './display-entries.ts';
import { netDeviceIds } from './partition-rules.ts';
import { at, duplicates, type Rule } from './rule.ts';
import { servedQueues } from './window-entries.ts';

function deviceOf(config: GatewayConfig, id: string): NetDeviceConfig | undefined {
  const [partition, device] = id.split('.');
  return config.partitions
    .find((candidate) => candidate.id === partition)
    ?.devices.filter((candidate) => candidate.type === 'virtio-net')
    .find((candidate) => candidate.id === device);
}

function* routeEnds(config: GatewayConfig): Iterable<Finding> {
  const ids = netDeviceIds(config);
  for (const [r, route] of config.network.routes.entries()) {
    for (const end of ['from', 'to'] as const) {
      if (ids.includes(route[end])) continue;
      yield at(
        ['network', 'routes', r, end],
        `there is no device "${route[end]}".${didYouMean(route[end], ids)}`,
      );
    }
  }
}

// [impl->req~net.no-loop~1]
function* selfLoops(config: GatewayConfig): Iterable<Finding> {
  for (const [r, route] of config.network.routes.entries()) {
    if (route.from !== route.to) continue;
    yield at(
      ['network', 'routes', r, 'to'],
      `route "${route.id}" leads back to "${route.from}"; a packet never returns to where it came from`,
    );
  }
}

function sameWay(a: RouteConfig, b: RouteConfig): boolean {
  const entering = (route: RouteConfig) => (route.vlanAction === 'insert' ? null : route.vlan);
  return a.from === b.from && a.to === b.to && entering(a) === entering(b);
}

function* parallelRoutes(config: GatewayConfig): Iterable<Finding> {
  const { routes } = config.network;
  for (const [r, route] of routes.entries()) {
    const first = routes.findIndex((other) => sameWay(other, route));
    if (first === r) continue;
    yield at(
      ['network', 'routes', r],
      `route "${route.id}" carries the same packets as "${routes[first]!.id}"; each would arrive twice`,
    );
  }
}

function* vlanActions(config: GatewayConfig): Iterable<Finding> {
  for (const [r, route] of config.network.routes.entries()) {
    if (route.vlan !== null || route.vlanAction === undefined || route.vlanAction === 'keep')
      continue;
    yield at(
      ['network', 'routes', r, 'vlanAction'],
      `"${route.vlanAction}" needs a VLAN id in "vlan"`,
    );
  }
}

function* routeQuotas(config: GatewayConfig): Iterable<Finding> {
  for (const [r, route] of config.network.routes.entries()) {
    const sender = deviceOf(config, route.from);
    if (!sender) continue;
    const tagged = route.vlan !== null && route.vlanAction !== 'insert';
    const least = mtuOf(sender) + Ethernet.HEADER + (tagged ? Ethernet.TAG : 0);
    if (route.bytesPerMajorFrame >= least) continue;
    yield at(
      ['network', 'routes', r, 'bytesPerMajorFrame'],
      `${route.bytesPerMajorFrame} bytes cannot carry one packet of "${route.from}"; at least ${least} are needed`,
    );
  }
}

/** Buffers that the routes to a receiver reserve together, up to and including this route. */
function reservedUpTo(config: GatewayConfig, route: RouteConfig): number {
  const { routes } = config.network;
  return routes
    .slice(0, routes.indexOf(route) + 1)
    .filter((other) => other.to === route.to)
    .reduce((sum, other) => sum + (other.receiveReserve ?? 0), 0);
}

function* receiverLimits(config: GatewayConfig): Iterable<Finding> {
  for (const [r, route] of config.network.routes.entries()) {
    const receiver = deviceOf(config, route.to);
    if (!receiver) continue;
    if ((route.receiveReserve ?? 0) > 0 && reservedUpTo(config, route) >= receiver.queueSize) {
      yield at(
        ['network', 'routes', r, 'receiveReserve'],
        `the receiver has ${receiver.queueSize} buffers at most; all reserves of its routes together must be below, not ${reservedUpTo(config, route)}`,
      );
    }
    if (
      route.receiveDescriptorsMax !== undefined &&
      route.receiveDescriptorsMax > receiver.queueSize
    ) {
      yield at(
        ['network', 'routes', r, 'receiveDescriptorsMax'],
        `${route.receiveDescriptorsMax} descriptors are more than the receiver's queue size, ${receiver.queueSize}`,
      );
    }
  }
}

function* checksumCosts(config: GatewayConfig): Iterable<Finding> {
  if (config.costs.netChecksum) return;
  for (const [p, partition] of config.partitions.entries()) {
    for (const [d, device] of partition.devices.entries()) {
      if (!device.features.offer.includes('VIRTIO_NET_F_CSUM')) continue;
      yield at(
        ['partitions', p, 'devices', d, 'features', 'offer'],
        'VIRTIO_NET_F_CSUM may need checksums by the gateway: give "costs" a "netChecksum"',
      );
    }
  }
}

function* flowEnds(config: GatewayConfig): Iterable<Finding> {
  const ids = config.network.routes.map((route) => route.id);
  for (const [f, flow] of config.flows.entries()) {
    if (!('route' in flow)) continue;
    const [partition, device, queue] = flow.from.split('.');
    const sender = deviceOf(config, `${partition}.${device}`);
    const transmits = sender && queueNamesOf(sender).find(({ name }) => name === queue)?.role;
    if (transmits !== 'transmit') {
      yield at(['flows', f, 'from'], `there is no queue "${flow.from}"`);
    }
    const route = config.network.routes.find((candidate) => candidate.id === flow.route);
    if (!route)
      yield at(
        ['flows', f, 'route'],
        `there is no route "${flow.route}".${didYouMean(flow.route, ids)}`,
      );
    else if (route.from !== `${partition}.${device}`) {
      yield at(
        ['flows', f, 'route'],
        `route "${route.id}" starts at "${route.from}", the flow at "${partition}.${device}"`,
      );
    }
    if (sender && flow.bytesMax > packetBytesMax(sender)) {
      yield at(
        ['flows', f, 'bytesMax'],
        `${flow.bytesMax} bytes are more than the device admits, ${packetBytesMax(sender)}`,
      );
    }
  }
}

/** A flow of commands starts at the controlq of a GPU device and flushes at most its planes. */
function* gpuFlowEnds(config: GatewayConfig): Iterable<Finding> {
  for (const [f, flow] of config.flows.entries()) {
    if ('route' in flow) continue;
    const scanouts = [...everyScanout(config)].filter(
      ({ deviceId }) => flow.from === `${deviceId}.controlq`,
    );
    if (scanouts.length === 0) {
      yield at(['flows', f, 'from'], `there is no controlq of a GPU device "${flow.from}"`);
      continue;
    }
    const most = [...everyPlane(config)]
      .filter(({ id }) => scanouts.some(({ planeId }) => planeId === id))
      .map(({ plane }) => rectangleOf(plane.rectPx))
      .reduce((max, { width, height }) => Math.max(max, width * height * PIXEL_BYTES), 0);
    if (flow.bytesMax <= most) continue;
    yield at(
      ['flows', f, 'bytesMax'],
      `${flow.bytesMax} bytes are more than the largest plane of the device has, ${most}`,
    );
  }
}

function* flowsServed(config: GatewayConfig): Iterable<Finding> {
  const served = servedQueues(config);
  for (const [f, flow] of config.flows.entries()) {
    if (!served.has(flow.from)) yield at(['flows', f, 'from'], `no window serves "${flow.from}"`);
  }
}

export const NETWORK_RULES: readonly Rule[] = [
  {
    name: 'duplicate-route-id',
    check: (config) =>
      duplicates(
        config.network.routes.map((route, r) => ({
          value: route.id,
          path: ['network', 'routes', r, 'id'],
        })),
        'route id',
      ),
  },
  { name: 'route-end-unknown', check: routeEnds },
  { name: 'route-self-loop', check: selfLoops },
  { name: 'route-parallel', check: parallelRoutes },
  { name: 'vlan-action-without-vlan', check: vlanActions },
  { name: 'route-quota-below-packet', check: routeQuotas },
  { name: 'receiver-limit-over-queue', check: receiverLimits },
  { name: 'checksum-cost-missing', check: checksumCosts },
  {
    name: 'duplicate-flow-id',
    check: (config) =>
      duplicates(
        config.flows.map((flow, f) => ({ value: flow.id, path: ['flows', f, 'id'] })),
        'flow id',
      ),
  },
  { name: 'flow-end-unknown', check: flowEnds },
  { name: 'gpu-flow-wrong', check: gpuFlowEnds },
  { name: 'flow-not-served', check: flowsServed },
];
