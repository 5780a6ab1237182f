/** Both ways of a burst lead to the same: random packets and buffers, with the short way and without it. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { TransmitService } from '../../src/data-plane/net/transmit-service.ts';
import { netDevice, Rig, route } from '../support/rig.ts';
import { seededRuns } from '../support/seeded-runs.ts';

/** A run is two whole data planes. */
const runs = seededRuns(81500, 3000);
const options = { ...runs, numRuns: Math.ceil(runs.numRuns / 20) };

const KINDS = ['plain', 'plain', 'plain', 'tagged', 'spoofed', 'offload', 'outer-tag'] as const;
type Kind = (typeof KINDS)[number];

interface Send {
  readonly to: 'b' | 'c' | 'all' | 'nobody';
  readonly kind: Kind;
  readonly bytes: number;
  /** Distance of the buffer from an aligned address, and where it is cut in two (0: not). */
  readonly shift: number;
  readonly cut: number;
  readonly flags: number;
}

interface Supply {
  readonly guest: 'b' | 'c';
  readonly bytes: number;
  readonly shift: number;
  readonly cut: number;
  readonly flags: number;
}

type Step = { send: Send } | { supply: Supply } | 'frame';

interface Script {
  readonly quota: number;
  readonly excess: 'drop' | 'defer';
  readonly reserve: number;
  readonly mergeable: boolean;
  readonly filtering: boolean;
  readonly requestsMax: number;
  readonly bytesMax: number;
  readonly steps: readonly Step[];
}

const bytes = fc.oneof(
  fc.constantFrom(14, 15, 16, 17, 60, 64, 1514, 1515, 1518),
  fc.integer({ min: 13, max: 1520 }),
);
const shift = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 7 }));
const cut = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 80 }));
const send: fc.Arbitrary<Step> = fc
  .record({
    to: fc.constantFrom('b', 'b', 'b', 'c', 'all', 'nobody'),
    kind: fc.constantFrom(...KINDS),
    bytes,
    shift,
    cut,
    flags: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2, 4)),
  })
  .map((found) => ({ send: found as Send }));
const supply: fc.Arbitrary<Step> = fc
  .record({
    guest: fc.constantFrom('b', 'b', 'c'),
    bytes: fc.constantFrom(2048, 2048, 2048, 1526, 1530, 100, 28, 12, 8),
    shift,
    cut,
    flags: fc.oneof({ weight: 20, arbitrary: fc.constant(2) }, fc.constantFrom(0, 4, 6)),
  })
  .map((found) => ({ supply: found as Supply }));
const script: fc.Arbitrary<Script> = fc.record({
  quota: fc.constantFrom(1, 3, 7, 1000),
  excess: fc.constantFrom('drop', 'defer'),
  reserve: fc.constantFrom(0, 0, 2),
  mergeable: fc.boolean(),
  filtering: fc.boolean(),
  requestsMax: fc.constantFrom(1, 5, 33, 1000),
  bytesMax: fc.constantFrom(1518, 5000, 4_000_000),
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: send },
      { weight: 6, arbitrary: supply },
      { weight: 1, arbitrary: fc.constant<Step>('frame') },
    ),
    { maxLength: 60 },
  ),
});

function rigOf({ quota, excess, reserve, mergeable, filtering, ...window }: Script): Rig {
  const names = [
    ...(mergeable ? ['VIRTIO_NET_F_MRG_RXBUF'] : []),
    ...(filtering ? ['VIRTIO_NET_F_CTRL_VQ', 'VIRTIO_NET_F_CTRL_RX'] : []),
  ];
  const offer = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC', ...names];
  const limits = { packetsPerMajorFrame: quota, excess };
  return new Rig({
    devices: { a: netDevice(1), b: netDevice(2, { offer }), c: netDevice(3) },
    routes: [
      route('a', 'b', limits),
      route('a', 'c', { id: 'tagged', vlan: 5, ...limits }),
      route('c', 'b', { receiveReserve: reserve }),
      route('a', 'c', limits),
    ],
    schedule: {
      windows: [
        {
          id: 'w',
          partition: 'a',
          offsetUs: 0,
          durationUs: 5000,
          pollUs: 1000,
          queues: [queue(window)],
        },
        {
          id: 'x',
          partition: 'b',
          offsetUs: 6000,
          durationUs: 500,
          pollUs: 500,
          queues: [queue(window)],
        },
        {
          id: 'y',
          partition: 'c',
          offsetUs: 7000,
          durationUs: 500,
          pollUs: 500,
          queues: [queue(window)],
        },
        { id: 'control', kind: 'control', offsetUs: 9500, durationUs: 400 },
      ],
    },
  });
}

function queue({ requestsMax, bytesMax }: Pick<Script, 'requestsMax' | 'bytesMax'>) {
  return { queue: 'net0.transmitq0', requestsMax, requestsGuaranteed: 1, bytesMax };
}

function packetOf(rig: Rig, { to, kind, bytes: length }: Send): number[] {
  const { mac: own } = rig.guest('a');
  const mac =
    to === 'all'
      ? [255, 255, 255, 255, 255, 255]
      : to === 'nobody'
        ? [2, 9, 9, 9, 9, 9]
        : rig.guest(to).mac;
  const source = kind === 'spoofed' ? [...own.slice(0, 5), 0xfe] : own;
  const type = kind === 'tagged' ? [0x81, 0, 0, 5] : kind === 'outer-tag' ? [0x88, 0xa8] : [8, 0];
  const head = [...mac, ...source, ...type];
  return Array.from({ length }, (_, n) => head[n] ?? (n * 5) & 0xff);
}

/** One buffer at an address with this shift, as one descriptor or cut in two. */
function pieces(address: number, length: number, cutAt: number, flags: number) {
  if (cutAt === 0 || cutAt >= length) return [{ address, length, flags }];
  return [
    { address, length: cutAt, flags: flags & 2 },
    { address: address + cutAt, length: length - cutAt, flags: flags & 2 },
  ];
}

function play(found: Script, short: boolean) {
  const rig = rigOf(found);
  for (const service of rig.plane.services) {
    if (!short && service instanceof TransmitService) service.serveMany = () => 0;
  }
  for (const step of found.steps) {
    if (step === 'frame') rig.frames();
    else if ('send' in step) {
      const { slice, transmit } = rig.guest('a');
      const packet = packetOf(rig, step.send);
      const header = [step.send.kind === 'offload' ? 1 : 0, ...new Array<number>(11).fill(0)];
      const address = slice.allocate(packet.length + 32) + step.send.shift;
      slice.write(address, [...header, ...packet]);
      const { cut: at, flags } = step.send;
      if (transmit[0]!.availIndex - transmit[0]!.usedIndex < 30)
        transmit[0]!.submit(pieces(address, 12 + packet.length, at, flags));
    } else {
      const { slice, receive } = rig.guest(step.supply.guest);
      const address = slice.allocate(step.supply.bytes + 8) + step.supply.shift;
      if (receive[0]!.availIndex - receive[0]!.usedIndex < 30)
        receive[0]!.submit(pieces(address, step.supply.bytes, step.supply.cut, step.supply.flags));
    }
  }
  rig.frames(2);
  const { layout } = rig.plan;
  return {
    memory: layout.partitions.map(({ sliceAt, sliceBytes }) =>
      Buffer.from(rig.plane.arena.u8.slice(sliceAt, sliceAt + sliceBytes)),
    ),
    counters: [...rig.counters.words.slice(0, rig.counters.layout.histograms)],
    events: rig.allEvents(),
    notified: rig.notifier.sent,
  };
}

describe('the short way of a burst', () => {
  it('[utest->req~net.short-way~1] leads where the long way leads', function () {
    this.timeout(0);
    fc.assert(
      fc.property(script, (found) => {
        const [one, other] = [play(found, true), play(found, false)];
        assert.deepEqual(one.counters, other.counters);
        assert.deepEqual(one.events, other.events);
        assert.deepEqual(one.notified, other.notified);
        one.memory.forEach((bytesOf, n) =>
          assert.ok(bytesOf.equals(other.memory[n]!), `memory of partition ${n}`),
        );
      }),
      options,
    );
  });

  it('[utest->req~net.short-way~1] plain packets take it', () => {
    const rig = new Rig();
    const service = rig.plane.services.find((found) => found instanceof TransmitService)!;
    const counts: number[] = [];
    const { serveMany } = service;
    service.serveMany = (max, left) => counts[counts.push(serveMany.call(service, max, left)) - 1]!;
    rig.supply('b', 5);
    for (let n = 0; n < 5; n++) rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(
      counts.filter((count) => count > 0),
      [5],
    );
    assert.equal(rig.route('a-b').delivered, 5);
  });
});
