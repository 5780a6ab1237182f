/** Compiles the devices of a configuration and their queues. */
import { bitsOf } from '../wire/features.ts';
import { macOctets } from '../wire/ethernet.ts';
import {
  descriptorsMaxOf,
  gpuDescriptorsMaxOf,
  mtuOf,
  packetBytesMax,
  requestCostNs,
} from './cost-model.ts';
import type { DisplayPlan, DrawingDevice } from './display-plan.ts';
import type {
  DeviceConfig,
  GatewayConfig,
  GpuDeviceConfig,
  NetDeviceConfig,
} from './gateway-config.ts';
import type { PlanDevice, PlanQueue } from './gateway-plan.ts';
import { queueNamesOf, queueSizeOf, type QueueName } from './queue-names.ts';

const MIB = 1024 * 1024;
const SPEED_UNKNOWN = 0xffffffff;
const GPU_RESOURCES_MAX = 256;
const GPU_BACKING_ENTRIES_MAX = 16384;

/** A device of the configuration with its name in routes and flows. */
export interface NamedDevice {
  readonly id: string;
  readonly partition: number;
  readonly config: DeviceConfig;
  readonly queues: readonly QueueName[];
}

export function namedDevices(config: GatewayConfig): NamedDevice[] {
  return config.partitions.flatMap((partition, index) =>
    partition.devices.map((device) => ({
      id: `${partition.id}.${device.id}`,
      partition: index,
      config: device,
      queues: queueNamesOf(device),
    })),
  );
}

export function planQueues(config: GatewayConfig, devices: readonly NamedDevice[]): PlanQueue[] {
  const queues: PlanQueue[] = [];
  devices.forEach((device, deviceIndex) => {
    const routes = config.network.routes.filter((route) => route.from === device.id);
    for (const { name, role, pair } of device.queues) {
      queues.push({
        index: queues.length,
        name: `${device.id}.${name}`,
        device: deviceIndex,
        partition: device.partition,
        role,
        pair,
        costNs: requestCostNs(config.costs, device.config, role, routes),
      });
    }
  });
  return queues;
}

export function planDevices(
  config: GatewayConfig,
  devices: readonly NamedDevice[],
  queues: readonly PlanQueue[],
  { planes }: DisplayPlan,
): PlanDevice[] {
  return devices.map(({ id, partition, config: device }, index) => {
    const common = {
      index,
      id,
      partition,
      offered: bitsOf(device.type, device.features.offer),
      required: device.features.require,
      queues: indicesWhere(queues, (queue) => queue.device === index),
    };
    if (device.type === 'virtio-net') {
      const routes = indicesWhere(config.network.routes, (route) => route.from === id);
      return { ...common, ...netDevice(device), routes };
    }
    return {
      ...common,
      ...gpuDevice(device),
      planes: device.scanouts.map(({ display, plane }) =>
        planes.findIndex((candidate) => candidate.id === `${display}.${plane}`),
      ),
    };
  });
}

function netDevice(device: NetDeviceConfig) {
  return {
    type: device.type,
    mac: macOctets(device.mac),
    mtu: mtuOf(device),
    speedMbps: device.speedMbps ?? SPEED_UNKNOWN,
    queuePairs: device.queuePairs,
    queueSizeMax: device.queueSize,
    descriptorsMax: descriptorsMaxOf(device),
    packetBytesMax: packetBytesMax(device),
  };
}

function gpuDevice(device: GpuDeviceConfig) {
  return {
    type: device.type,
    queueSizeMax: queueSizeOf(device),
    descriptorsMax: gpuDescriptorsMaxOf(device),
    resourceBytes: device.resourceMiB * MIB,
    resourcesMax: device.resourcesMax ?? GPU_RESOURCES_MAX,
    backingEntriesMax: device.backingEntriesMax ?? GPU_BACKING_ENTRIES_MAX,
  };
}

export function drawingDevices(named: readonly NamedDevice[]): DrawingDevice[] {
  return named.flatMap(({ config }, index) =>
    config.type === 'virtio-gpu' ? [{ index, config }] : [],
  );
}

/** Positions of the items that pass the test. */
export function indicesWhere<T>(items: readonly T[], test: (item: T) => boolean): number[] {
  return items.flatMap((item, index) => (test(item) ? [index] : []));
}
