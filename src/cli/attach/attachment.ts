/** A partition as those see it who attach a guest of their own to it. */
import path from 'node:path';
import { includesFeature } from '../../control-plane/features/feature-sets.ts';
import { mtuOf } from '../../schedule/cost-model.ts';
import type {
  GpuDeviceConfig,
  NetDeviceConfig,
  PartitionConfig,
  VhostUserGuestConfig,
} from '../../schedule/gateway-config.ts';
import { queueSizeOf } from '../../schedule/queue-names.ts';
import { SOCKET_PATH_BYTES_MAX, socketPathOf } from '../../schedule/socket-path.ts';
import type { DeviceType } from '../../wire/virtio.ts';

interface Attached {
  readonly type: DeviceType;
  readonly id: string;
  readonly socket: string;
  readonly queueSize: number;
  readonly offered: readonly string[];
  readonly required: readonly string[];
}

export interface AttachedDevice extends Attached {
  readonly type: 'virtio-net';
  readonly mac: string;
  readonly mtu: number;
  readonly queuePairs: number;
}

export interface AttachedGpu extends Attached {
  readonly type: 'virtio-gpu';
  readonly scanouts: number;
}

export interface Attachment {
  readonly partition: string;
  readonly memoryMiB: number;
  /** Network devices. */
  readonly devices: readonly AttachedDevice[];
  readonly gpus: readonly AttachedGpu[];
  /** The front-end listens and the gateway connects, or the other way round. */
  readonly frontEndListens: boolean;
  readonly acceptsUnsealed: boolean;
}

/** A program that drives the devices of a partition. */
export interface Client {
  /** Why it cannot be the guest of this partition, each with what would be right. */
  readonly refusals: (attachment: Attachment) => readonly string[];
  /** What a user pastes. */
  readonly lines: (attachment: Attachment) => readonly string[];
}

/** Absolute, so that the lines work in every directory, unless that is too long for a socket. */
function socketOf(directory: string, device: string, workingDirectory: string): string {
  const configured = socketPathOf(directory, device);
  const absolute = path.resolve(workingDirectory, configured);
  return Buffer.byteLength(absolute) <= SOCKET_PATH_BYTES_MAX ? absolute : configured;
}

export function attachmentOf(
  { id, memoryMiB, devices }: PartitionConfig,
  guest: VhostUserGuestConfig,
  workingDirectory: string,
): Attachment {
  const common = (device: NetDeviceConfig | GpuDeviceConfig) => ({
    id: device.id,
    socket: socketOf(guest.socketDirectory, device.id, workingDirectory),
    queueSize: queueSizeOf(device),
    offered: device.features.offer,
    required: device.features.require,
  });
  return {
    partition: id,
    memoryMiB,
    devices: devices
      .filter((device) => device.type === 'virtio-net')
      .map((device) => ({
        ...common(device),
        type: device.type,
        mac: device.mac,
        mtu: mtuOf(device),
        queuePairs: device.queuePairs,
      })),
    gpus: devices
      .filter((device) => device.type === 'virtio-gpu')
      .map((device) => ({
        ...common(device),
        type: device.type,
        scanouts: device.scanouts.length,
      })),
    frontEndListens: guest.socketMode === 'connect',
    acceptsUnsealed: guest.unsealed === 'accept',
  };
}

export function offers({ type, offered }: Attached, feature: string): boolean {
  return includesFeature(type, offered, feature);
}

/** A property that says whether a feature is used: `name=1` or `name=0`, `on` or `off`. */
export function choice(
  device: Attached,
  name: string,
  feature: string,
  [yes, no]: readonly [string, string],
): string {
  return `${name}=${offers(device, feature) ? yes : no}`;
}

/** Features that are required of a device and that this client never accepts. */
export function neverAccepted(
  devices: readonly Attached[],
  client: string,
  features: readonly string[],
): string[] {
  return devices.flatMap(({ type, id, required }) =>
    features
      .filter((feature) => includesFeature(type, required, feature))
      .map((feature) => `${id} requires ${feature}, which ${client} never accepts`),
  );
}

/** Rings are made by the front-end: the device has to admit the smallest that it makes. */
export function ringsTooSmall(
  devices: readonly Attached[],
  client: string,
  least: number,
): string[] {
  return devices
    .filter(({ queueSize }) => queueSize < least)
    .map(
      ({ id, queueSize }) =>
        `rings of ${client} have ${least} entries or more, and "queueSize" of ${id} is ` +
        `${queueSize}: give it ${least}`,
    );
}

/** Only QEMU is a front-end with a GPU. */
export function hasNoGpu({ gpus }: Attachment, client: string): string[] {
  return gpus.map(({ id }) => `${client} has no GPU, and ${id} is one: QEMU would be right`);
}

/** Only an accepted unsealed file lets a client in whose memory cannot be sealed. */
export function unsealedRefused({ acceptsUnsealed }: Attachment, client: string): string[] {
  return acceptsUnsealed
    ? []
    : [
        `memory of ${client} cannot be sealed, and "unsealed" is "refuse": "accept" would be ` +
          'right (in a gateway whose "asil" is "QM")',
      ];
}

/** Characters that a client's own syntax takes for something else. */
export function pathsWith({ devices }: Attachment, client: string, wrong: RegExp): string[] {
  return devices
    .filter(({ socket }) => wrong.test(socket))
    .map(({ socket }) => `${client} cannot be given the path "${socket}": use another directory`);
}
