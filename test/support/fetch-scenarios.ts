/** Honest requests in every layout that a device must read, each told by what must come out of it. */
import type { RouteConfig } from '../../src/schedule/gateway-config.ts';
import { NetCtrl } from '../../src/wire/virtio-net.ts';
import { descriptorTableBytes, PackedEvent, usedRingBytes } from '../../src/wire/virtqueue.ts';
import { usedSince } from './attack-targets.ts';
import type { Range } from './fetch-decisions.ts';
import { linked, raw, WRITE, type RawDesc } from './hostile-ring.ts';
import { deviceState } from './net-commands.ts';
import { netDevice, route, type DeviceOptions, type Rig, type RigOptions } from './rig.ts';
import type { RingDouble } from './ring-double.ts';
import { LAYOUTS, place, type Layout } from './ring-layouts.ts';

const ACK_UNWRITTEN = 0xee;
const BASE_FEATURES = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC', 'VIRTIO_RING_F_INDIRECT_DESC'];

/** What came out of one round, told without addresses and heads. */
export interface Outcome {
  /** The request was carried out, and nothing was wrong with it. */
  readonly served: boolean;
  readonly details: unknown;
}

export interface Round {
  readonly outcome: () => Outcome;
  /** Where the device may write: the parts of the receive buffers that it says it filled, and acks. */
  readonly writable: () => Range[];
  /** Payload that several receivers are copied from, each with a read of its own. */
  readonly exempt?: readonly Range[];
}

export interface FetchScenario {
  readonly title: string;
  readonly options: RigOptions;
  readonly round: (rig: Rig) => Round;
}

export interface PacketScenario {
  readonly title: string;
  readonly send?: Layout;
  readonly receive?: Layout;
  /** Lengths of the receive buffers of one round. */
  readonly buffers?: readonly number[];
  readonly packet?: (rig: Rig) => { header?: readonly number[]; bytes: readonly number[] };
  readonly features?: { readonly a?: readonly string[]; readonly b?: readonly string[] };
  readonly device?: DeviceOptions;
  readonly route?: Partial<RouteConfig>;
  /** Also delivers to c, in one buffer. */
  readonly fanOut?: boolean;
}

function device(last: number, features: readonly string[] = [], options: DeviceOptions = {}) {
  return netDevice(last, { offer: [...BASE_FEATURES, ...features], ...options });
}

/** One packet from a to b. */
export function packetScenario(scenario: PacketScenario): FetchScenario {
  const { features = {}, fanOut } = scenario;
  const b = device(2, features.b);
  return {
    title: scenario.title,
    options: {
      memoryMiB: 4,
      devices: { a: device(1, features.a, scenario.device), b, ...(fanOut && { c: device(3) }) },
      routes: [route('a', 'b', scenario.route), ...(fanOut ? [route('a', 'c')] : [])],
    },
    round: (rig) => packetRound(rig, scenario),
  };
}

function packetRound(rig: Rig, scenario: PacketScenario): Round {
  const one = LAYOUTS['in one descriptor']!;
  const { buffers = [2048], send = one, receive = one } = scenario;
  const sender = rig.guest('a').transmit[0]!;
  const { header = new Array<number>(12).fill(0), bytes } = scenario.packet?.(rig) ?? {
    bytes: rig.packet('a', 'b', 150),
  };
  const address = sender.slice.allocate(12 + bytes.length);
  sender.slice.write(address, [...header, ...bytes]);
  const from = sender.usedIndex;
  const head = place(sender, 0, send(sender, raw(address, 12 + bytes.length)));
  const sinks = (scenario.fanOut ? ['b', 'c'] : ['b']).map(
    (id) => new Sink(rig, id, id === 'b' ? buffers : [2048], id === 'b' ? receive : one),
  );
  const judged = 12 + 64;
  return {
    outcome: () => {
      const returned = usedSince(sender, from).map(({ id, length }) => ({
        own: id === head,
        length,
      }));
      const received = sinks.map((sink) => sink.received());
      const faults = Object.keys(rig.guests).map((id) => rig.faults(id));
      return {
        served:
          returned.length === 1 &&
          received.every((packets) => packets.length > 0) &&
          faults.every((fault) => Object.keys(fault).length === 0),
        details: { returned, received, faults },
      };
    },
    writable: () => sinks.flatMap((sink) => sink.filled()),
    exempt: scenario.fanOut
      ? [{ at: sender.slice.at(address) + judged, bytes: 12 + bytes.length - judged }]
      : [],
  };
}

/** The receive buffers of one round. */
class Sink {
  private readonly ring: RingDouble;
  private readonly from: number;
  private readonly addresses = new Map<number, number>();

  constructor(rig: Rig, id: string, lengths: readonly number[], layout: Layout) {
    this.ring = rig.guest(id).receive[0]!;
    this.from = this.ring.usedIndex;
    lengths.forEach((length, n) => {
      const address = this.ring.slice.allocate(length);
      const head = place(this.ring, n * 16, layout(this.ring, raw(address, length, WRITE)));
      this.addresses.set(head, address);
    });
  }

  filled(): Range[] {
    return usedSince(this.ring, this.from).map(({ id, length }) => ({
      at: this.ring.slice.at(this.addresses.get(id)!),
      bytes: length,
    }));
  }

  received(): string[] {
    return usedSince(this.ring, this.from).map(({ id, length }) =>
      Buffer.from(this.ring.slice.read(this.addresses.get(id)!, length)).toString('hex'),
    );
  }
}

export interface CommandScenario {
  readonly title: string;
  readonly features: readonly string[];
  readonly command: readonly number[];
  readonly layout?: Layout;
  readonly device?: DeviceOptions;
}

/** One control command of a. */
export function commandScenario(scenario: CommandScenario): FetchScenario {
  const { features, command, layout = LAYOUTS['in one descriptor']! } = scenario;
  const offer = ['VIRTIO_NET_F_CTRL_VQ', ...features];
  return {
    title: scenario.title,
    options: { memoryMiB: 4, devices: { a: device(1, offer, scenario.device), b: device(2) } },
    round: (rig) => commandRound(rig, command, layout),
  };
}

function commandRound(rig: Rig, command: readonly number[], layout: Layout): Round {
  const ring = rig.guest('a').control!;
  const { slice } = ring;
  const address = slice.allocate(command.length);
  slice.write(address, command);
  const ack = slice.allocate(1);
  slice.write(ack, [ACK_UNWRITTEN]);
  const { offered } = rig.plan.devices[0]!;
  rig.plane.devices[0]!.start(offered.low, offered.high);
  const from = ring.usedIndex;
  const head = place(ring, 0, withAck(layout(ring, raw(address, command.length)), ack));
  return {
    outcome: () => {
      const used = usedSince(ring, from).map(({ id, length }) => ({ own: id === head, length }));
      const [status] = slice.read(ack, 1);
      const events = rig.allEvents().map((event) => event.kind);
      return {
        served: used.length === 1 && status === NetCtrl.OK,
        details: { used, status, events, state: deviceState(rig), faults: rig.faults('a') },
      };
    },
    writable: () => [{ at: slice.at(ack), bytes: 1 }],
  };
}

/** The ack byte behind a command that lies in direct descriptors. */
function withAck(descs: readonly RawDesc[], ack: number): RawDesc[] {
  return linked([...descs, raw(ack, 1, WRITE)]);
}

/** What the device owns of the rings of a rig: what it only writes, and what it reads and writes. */
export function ringParts(rig: Rig): { written: Range[]; both: Range[] } {
  const rings = Object.values(rig.guests).flatMap(({ receive, transmit, control }) => [
    ...receive,
    ...transmit,
    ...(control ? [control] : []),
  ]);
  return {
    written: rings.map(({ slice, used, size, packed }) => ({
      at: slice.at(used),
      bytes: packed ? PackedEvent.SIZE : usedRingBytes(size),
    })),
    both: rings
      .filter(({ packed }) => packed)
      .map(({ slice, desc, size }) => ({ at: slice.at(desc), bytes: descriptorTableBytes(size) })),
  };
}
