/** Rules about partitions, their memory and their devices. */
import {
  ARENA_PAGES_MAX,
  EMBEDDED_BUFFER_BYTES,
  layOutArena,
  PIXEL_BYTES,
  WASM_PAGE,
} from '../../../schedule/arena-layout.ts';
import { layoutRequestOf } from '../../../schedule/compile-plan.ts';
import { packetBytesMax } from '../../../schedule/cost-model.ts';
import { rectangleOf } from '../../../schedule/display-plan.ts';
import type {
  DeviceConfig,
  EmbeddedProgram,
  GatewayConfig,
  NetDeviceConfig,
} from '../../../schedule/gateway-config.ts';
import { queueNamesOf, queueSizeOf } from '../../../schedule/queue-names.ts';
import { availRingBytes, descriptorTableBytes, usedRingBytes } from '../../../wire/virtqueue.ts';
import {
  includesFeature,
  isKnownFeature,
  judgeSet,
  unsupportedIn,
} from '../../features/feature-sets.ts';
import { didYouMean, type Finding } from '../validator.ts';
import { everyPlane } from './display-entries.ts';
import { sceneBytes } from './program-rules.ts';
import { at, duplicates, type Rule } from './rule.ts';

const MIB = 1024 * 1024;
const CACHE_LINE = 64;

interface Found<D extends DeviceConfig = DeviceConfig> {
  readonly device: D;
  readonly path: readonly (string | number)[];
  /** `<partition>.<device>`. */
  readonly id: string;
}

function* everyDevice(config: GatewayConfig): Iterable<Found> {
  for (const [p, partition] of config.partitions.entries()) {
    for (const [d, device] of partition.devices.entries()) {
      yield {
        device,
        path: ['partitions', p, 'devices', d],
        id: `${partition.id}.${device.id}`,
      };
    }
  }
}

function isNet(found: Found): found is Found<NetDeviceConfig> {
  return found.device.type === 'virtio-net';
}

function netDevices(config: GatewayConfig): Found<NetDeviceConfig>[] {
  return [...everyDevice(config)].filter(isNet);
}

/** Devices between which routes may lead. */
export function netDeviceIds(config: GatewayConfig): string[] {
  return netDevices(config).map((entry) => entry.id);
}

function* memoryFitsArena(config: GatewayConfig): Iterable<Finding> {
  const { pages } = layOutArena(layoutRequestOf(config));
  if (pages <= ARENA_PAGES_MAX) return;
  const sum = config.partitions.reduce((total, partition) => total + partition.memoryMiB, 0);
  yield at(
    ['partitions'],
    `the partitions' memory is ${sum} MiB together; with the gateway's own areas ` +
      `it must stay below ${Math.floor((ARENA_PAGES_MAX * WASM_PAGE) / MIB)} MiB`,
  );
}

/** A split ring with a buffer for each of its entries. */
function ringBytes(size: number): number {
  return (
    descriptorTableBytes(size) +
    availRingBytes(size) +
    usedRingBytes(size) +
    size * EMBEDDED_BUFFER_BYTES
  );
}

/** Two pictures for each scanout, of which one is drawn while the other is shown. */
function pictureBytes(config: GatewayConfig, device: DeviceConfig): number {
  if (device.type !== 'virtio-gpu') return 0;
  const ids = device.scanouts.map(({ display, plane }) => `${display}.${plane}`);
  return [...everyPlane(config)]
    .filter(({ id }) => ids.includes(id))
    .map(({ plane }) => rectangleOf(plane.rectPx))
    .reduce((sum, { width, height }) => sum + 2 * width * height * PIXEL_BYTES, 0);
}

function* memoryHoldsQueues(config: GatewayConfig): Iterable<Finding> {
  for (const [p, partition] of config.partitions.entries()) {
    if (partition.guest.type !== 'embedded') continue;
    const rings = partition.devices.reduce(
      (sum, device) =>
        sum + queueNamesOf(device).length * (ringBytes(queueSizeOf(device)) + CACHE_LINE),
      0,
    );
    const pictures = partition.devices.reduce(
      (sum, device) => sum + pictureBytes(config, device),
      0,
    );
    const bytes = rings + pictures + sceneBytes(partition.guest.program, pictures);
    if (bytes <= partition.memoryMiB * MIB) continue;
    yield at(
      ['partitions', p, 'memoryMiB'],
      `the embedded guest of "${partition.id}" needs ` +
        `${Math.ceil(bytes / MIB)} MiB for its rings, buffers and pictures, not ${partition.memoryMiB}`,
    );
  }
}

function* queueSizes(config: GatewayConfig): Iterable<Finding> {
  for (const { device, path } of everyDevice(config)) {
    const size = queueSizeOf(device);
    if (Number.isInteger(Math.log2(size))) continue;
    const below = 2 ** Math.floor(Math.log2(size));
    yield at(
      [...path, 'queueSize'],
      `"queueSize" is ${size}; it must be a power of two (VIRTIO 2.7), for instance ${below}`,
    );
  }
}

function* descriptorLimits(config: GatewayConfig): Iterable<Finding> {
  for (const { device, path } of everyDevice(config)) {
    const size = queueSizeOf(device);
    if ((device.descriptorsMax ?? 0) <= size) continue;
    yield at(
      [...path, 'descriptorsMax'],
      `"descriptorsMax" is ${device.descriptorsMax}; a chain has at most queueSize, ${size}`,
    );
  }
}

function* macs(config: GatewayConfig): Iterable<Finding> {
  const devices = netDevices(config);
  yield* duplicates(
    devices.map(({ device, path }) => ({ value: device.mac, path: [...path, 'mac'] })),
    'address',
  );
  for (const { device, path } of devices) {
    const group = (Number.parseInt(device.mac.slice(0, 2), 16) & 1) === 1;
    if (group)
      yield at(
        [...path, 'mac'],
        `"${device.mac}" is a group address; a device needs a unicast address`,
      );
  }
}

function* featureSets(config: GatewayConfig): Iterable<Finding> {
  for (const { device, path } of everyDevice(config)) {
    for (const key of ['offer', 'require'] as const) {
      for (const problem of judgeSet(device.type, device.features[key])) {
        yield at([...path, 'features', key], problem);
      }
    }
  }
}

function* featuresSupported(config: GatewayConfig): Iterable<Finding> {
  for (const { device, path } of everyDevice(config)) {
    for (const name of unsupportedIn(device.type, device.features.offer)) {
      const where = device.features.offer.indexOf(name);
      yield at(
        [...path, 'features', 'offer', where],
        `${name} is known, but this gateway does not implement it`,
      );
    }
  }
}

function* featuresRequiredAreOffered(config: GatewayConfig): Iterable<Finding> {
  for (const { device, path } of everyDevice(config)) {
    for (const [n, name] of device.features.require.entries()) {
      if (!isKnownFeature(device.type, name)) continue;
      if (includesFeature(device.type, device.features.offer, name)) continue;
      yield at([...path, 'features', 'require', n], `${name} is required but not offered`);
    }
    if (includesFeature(device.type, device.features.offer, 'VIRTIO_F_VERSION_1')) continue;
    yield at(
      [...path, 'features', 'offer'],
      'VIRTIO_F_VERSION_1 must be offered: there is no legacy interface',
    );
  }
}

function* multiqueue(config: GatewayConfig): Iterable<Finding> {
  for (const { device, path } of netDevices(config)) {
    if (device.queuePairs === 1 || device.features.offer.includes('VIRTIO_NET_F_MQ')) continue;
    yield at(
      [...path, 'queuePairs'],
      `${device.queuePairs} queue pairs need VIRTIO_NET_F_MQ among the offered features`,
    );
  }
}

/** Programs that do nothing but send. */
const SENDERS: readonly EmbeddedProgram[] = ['traffic', 'babbler'];

function* guestParameters(config: GatewayConfig): Iterable<Finding> {
  const ids = netDeviceIds(config);
  for (const [p, partition] of config.partitions.entries()) {
    const path = ['partitions', p, 'guest'] as const;
    if (partition.guest.type !== 'embedded') continue;
    const { program, parameters } = partition.guest;
    if (parameters?.to !== undefined && !ids.includes(parameters.to)) {
      yield at(
        [...path, 'parameters', 'to'],
        `there is no device "${parameters.to}".${didYouMean(parameters.to, ids)}`,
      );
    }
    if (SENDERS.includes(program) && parameters?.to === undefined) {
      yield at(
        path,
        `the program "${program}" needs "parameters" with "to", the device it sends to`,
      );
    }
    const own = partition.devices.map((device) => device.id);
    if (parameters?.device !== undefined && !own.includes(parameters.device)) {
      yield at(
        [...path, 'parameters', 'device'],
        `partition "${partition.id}" has no device "${parameters.device}".${didYouMean(parameters.device, own)}`,
      );
    }
    const device = partition.devices.find(
      ({ id, type }) => type === 'virtio-net' && (parameters?.device ?? id) === id,
    );
    if (device?.type === 'virtio-net' && (parameters?.bytes ?? 0) > packetBytesMax(device)) {
      yield at(
        [...path, 'parameters', 'bytes'],
        `"bytes" is ${parameters?.bytes}; with its MTU the device takes at most ${packetBytesMax(device)}`,
      );
    }
  }
}

export const PARTITION_RULES: readonly Rule[] = [
  {
    name: 'duplicate-partition-id',
    check: (config) =>
      duplicates(
        config.partitions.map((partition, p) => ({
          value: partition.id,
          path: ['partitions', p, 'id'],
        })),
        'partition id',
      ),
  },
  {
    name: 'duplicate-device-id',
    check: function* (config) {
      for (const [p, partition] of config.partitions.entries()) {
        yield* duplicates(
          partition.devices.map((device, d) => ({
            value: `${partition.id}.${device.id}`,
            path: ['partitions', p, 'devices', d, 'id'],
          })),
          'device id',
        );
      }
    },
  },
  { name: 'duplicate-mac', check: macs },
  { name: 'memory-over-arena', check: memoryFitsArena },
  { name: 'memory-below-queues', check: memoryHoldsQueues },
  { name: 'queue-size-not-power-of-two', check: queueSizes },
  { name: 'descriptors-over-queue-size', check: descriptorLimits },
  { name: 'feature-dependency-broken', check: featureSets },
  { name: 'feature-not-implemented', check: featuresSupported },
  { name: 'feature-required-not-offered', check: featuresRequiredAreOffered },
  { name: 'queue-pairs-without-mq', check: multiqueue },
  { name: 'guest-parameter-wrong', check: guestParameters },
];
