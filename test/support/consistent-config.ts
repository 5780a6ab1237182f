/** Random configurations whose references, sizes and windows fit together: each must be accepted. */
import fc from 'fast-check';
import type { ConfigDraft, DeviceDraft, RouteDraft, WindowDraft } from './two-partitions.ts';

const CSUM = ['VIRTIO_NET_F_CSUM'];
const OFFERS: readonly (readonly string[])[] = [
  [],
  ['VIRTIO_NET_F_MAC'],
  ['VIRTIO_RING_F_EVENT_IDX', 'VIRTIO_RING_F_INDIRECT_DESC'],
  CSUM,
  [...CSUM, 'VIRTIO_NET_F_HOST_TSO4'],
  ['VIRTIO_NET_F_CTRL_VQ', 'VIRTIO_NET_F_CTRL_RX'],
];

interface DeviceChoice {
  readonly pairs: number;
  readonly sizeLog2: number;
  readonly mtu: number | undefined;
  readonly offer: readonly string[];
}

interface WindowChoice {
  readonly owner: number;
  readonly gapNs: number;
  readonly durationNs: number;
  readonly requests: number;
}

interface RouteChoice {
  readonly from: number;
  readonly to: number;
  readonly vlan: number | null;
  readonly reserve: number;
  readonly excess: 'drop' | 'defer';
}

const deviceChoice: fc.Arbitrary<DeviceChoice> = fc.record({
  pairs: fc.integer({ min: 1, max: 2 }),
  sizeLog2: fc.integer({ min: 2, max: 5 }),
  mtu: fc.option(fc.integer({ min: 68, max: 9000 }), { nil: undefined }),
  offer: fc.constantFrom(...OFFERS),
});
// The costliest request below takes less than 100 µs, and a window has at most six queues.
const windowChoice: fc.Arbitrary<WindowChoice> = fc.record({
  owner: fc.nat(),
  gapNs: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 500_000 })),
  durationNs: fc.integer({ min: 1_000_000, max: 9_000_000 }),
  requests: fc.integer({ min: 1, max: 65535 }),
});
const routeChoice: fc.Arbitrary<RouteChoice> = fc.record({
  from: fc.nat(),
  to: fc.nat(),
  vlan: fc.option(fc.integer({ min: 1, max: 4094 })),
  reserve: fc.integer({ min: 0, max: 1 }),
  excess: fc.constantFrom('drop', 'defer'),
});

const choices = fc.record({
  partitions: fc.array(fc.array(deviceChoice, { minLength: 1, maxLength: 2 }), {
    minLength: 1,
    maxLength: 4,
  }),
  windows: fc.array(windowChoice, { maxLength: 8 }),
  routes: fc.array(routeChoice, { maxLength: 6 }),
  control: fc.boolean(),
  tailNs: fc.integer({ min: 100_000, max: 1_000_000 }),
  costs: fc.record({ baseNs: fc.nat(3000), perKibNs: fc.nat(100), perDescriptorNs: fc.nat(50) }),
  flows: fc.nat(3),
});
type Choices = typeof choices extends fc.Arbitrary<infer T> ? T : never;

function devicesOf(
  { pairs, sizeLog2, mtu, offer }: DeviceChoice,
  partition: number,
  n: number,
): DeviceDraft {
  const multiqueue = pairs > 1 ? ['VIRTIO_NET_F_MQ', 'VIRTIO_NET_F_CTRL_VQ'] : [];
  return {
    id: `net${n}`,
    type: 'virtio-net',
    mac: `52:54:00:00:0${partition}:0${n}`,
    queuePairs: pairs,
    queueSize: 2 ** sizeLog2,
    ...(mtu !== undefined && { mtu }),
    features: {
      offer: [...new Set(['VIRTIO_F_VERSION_1', ...offer, ...multiqueue])],
      require: ['VIRTIO_F_VERSION_1'],
    },
  };
}

/** A window of a partition with all its transmitqs and controlqs. */
function windowOf(
  choice: WindowChoice,
  n: number,
  partition: ConfigDraft['partitions'][number],
  at: number,
): WindowDraft {
  const queues = partition.devices.flatMap((device) => [
    ...Array.from({ length: device.queuePairs }, (_, pair) => `${device.id}.transmitq${pair}`),
    ...(device.features.offer.includes('VIRTIO_NET_F_CTRL_VQ') ? [`${device.id}.controlq`] : []),
  ]);
  return {
    id: `w${n}`,
    partition: partition.id,
    offsetUs: at / 1000,
    durationUs: choice.durationNs / 1000,
    queues: queues.map((queue) => ({
      queue,
      requestsMax: choice.requests,
      requestsGuaranteed: 1,
      bytesMax: 65553,
    })),
  };
}

function routesOf(list: readonly RouteChoice[], ids: readonly string[]): RouteDraft[] {
  const seen = new Set<string>();
  return list.flatMap(({ from, to, vlan, reserve, excess }, n) => {
    const route: RouteDraft = {
      id: `r${n}`,
      from: ids[from % ids.length]!,
      to: ids[to % ids.length]!,
      vlan,
      packetsPerMajorFrame: 1 + (from % 9),
      bytesPerMajorFrame: 65553,
      excess,
      delivery: 'immediate',
      ...(n === 0 && { receiveReserve: reserve }),
    };
    const way = `${route.from} ${route.to} ${vlan}`;
    if (route.from === route.to || seen.has(way)) return [];
    seen.add(way);
    return [route];
  });
}

function assemble(chosen: Choices): ConfigDraft {
  const partitions: ConfigDraft['partitions'] = chosen.partitions.map((devices, p) => ({
    id: `p${p}`,
    asil: 'QM',
    memoryMiB: 1,
    guest: { type: 'embedded', program: 'echo' },
    devices: devices.map((device, n) => devicesOf(device, p, n)),
  }));
  let at = 0;
  const every = partitions.map((_, owner): WindowChoice => ({
    owner,
    gapNs: 1,
    durationNs: 1_000_000,
    requests: 4,
  }));
  const windows = [...every, ...chosen.windows].map((choice, n) => {
    at += choice.gapNs;
    const window = windowOf(choice, n, partitions[choice.owner % partitions.length]!, at);
    at += choice.durationNs;
    return window;
  });
  if (chosen.control)
    windows.push({ id: 'control', kind: 'control', offsetUs: at / 1000, durationUs: 50 });
  const ids = partitions.flatMap((partition) =>
    partition.devices.map((device) => `${partition.id}.${device.id}`),
  );
  const routes = routesOf(chosen.routes, ids);
  return {
    formatVersion: 1,
    gateway: { name: 'random', revision: 0, asil: 'QM' },
    partitions,
    network: { routes },
    schedule: { majorFrameUs: (at + chosen.tailNs) / 1000, idle: 'spin', windows },
    costs: {
      netForward: chosen.costs,
      netChecksum: { baseNs: 100, perKibNs: 100 },
      windowSwitchNs: 20_000,
    },
    flows: routes.slice(0, chosen.flows).map((route, n) => ({
      id: `f${n}`,
      from: `${route.from}.transmitq0`,
      route: route.id,
      bytesMax: 64,
      deadlineUs: 1000,
      arrival: { periodUs: 1000, jitterUs: 0, spacingUs: 0 },
    })),
    health: { reactions: [{ fault: '*', partition: '*', action: 'isolate', log: true }] },
  };
}

export const consistentConfig: fc.Arbitrary<ConfigDraft> = choices.map(assemble);
