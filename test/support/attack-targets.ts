/** The three kinds of queue that a driver can attack, told by what an honest request on each looks like. */
import { strict as assert } from 'node:assert';
import { FAULT_NAMES, type FaultName } from '../../src/base/fault.ts';
import type { DeviceQueue } from '../../src/data-plane/device-queue.ts';
import type { QueueRole } from '../../src/schedule/gateway-plan.ts';
import { linked, raw, WRITE, writeTable, type RawDesc } from './hostile-ring.ts';
import type { Scenario } from './neighbours.ts';
import type { Rig } from './rig.ts';
import { PackedDouble } from './packed-double.ts';
import type { RingDouble } from './ring-double.ts';

/** No route carries this tag: a packet with it is served, and reaches nobody. */
const UNROUTED_TAG = 5;
/** Queues of a network device. */
export type NetQueueRole = Exclude<QueueRole, 'cursor'>;

/** Hostile chains begin here, honest ones below; rings have 64 descriptors. */
export const HOSTILE_FIRST = 32;
export const HONEST_FIRST = 16;

export interface Target {
  readonly name: 'transmitq' | 'receiveq' | 'controlq';
  readonly role: NetQueueRole;
  /** Flags of a descriptor that points the right way. */
  readonly direction: number;
  /** Used length of the honest request. */
  readonly honestUsed: number;
  readonly scenario: Pick<Scenario, 'features' | 'supplied'>;
  readonly honest: (rig: Rig) => RawDesc[];
}

export const TARGETS: readonly Target[] = [
  {
    name: 'transmitq',
    role: 'transmit',
    direction: 0,
    honestUsed: 0,
    scenario: {},
    honest: (rig) => [bytesOf(rig, [...new Array<number>(12).fill(0), ...unroutedPacket(rig)])],
  },
  {
    // The second packet of b's exchange has 240 bytes; the first one meets the hostile buffer.
    name: 'receiveq',
    role: 'receive',
    direction: WRITE,
    honestUsed: 12 + 240,
    scenario: { supplied: false },
    honest: (rig) => [raw(rig.guest('a').slice.allocate(2048), 2048, WRITE)],
  },
  {
    name: 'controlq',
    role: 'control',
    direction: 0,
    honestUsed: 1,
    scenario: { features: ['VIRTIO_NET_F_CTRL_VQ', 'VIRTIO_NET_F_CTRL_RX'] },
    honest: (rig) => [bytesOf(rig, [0, 0, 1]), raw(rig.guest('a').slice.allocate(1), 1, WRITE)],
  },
];

/** A descriptor for these bytes in fresh memory of a. */
export function bytesOf(rig: Rig, bytes: readonly number[]): RawDesc {
  const { slice } = rig.guest('a');
  const address = slice.allocate(bytes.length);
  slice.write(address, bytes);
  return raw(address, bytes.length);
}

/** A packet of a that is in order, but on a VLAN that no route carries. */
export function unroutedPacket(rig: Rig, bytes = 80): number[] {
  return rig.packet('a', 'b', bytes, [0x81, 0x00, 0, UNROUTED_TAG, 0x08, 0x06]);
}

export function ringOf(rig: Rig, { role }: Target): RingDouble {
  const { transmit, receive, control } = rig.guest('a');
  return role === 'transmit' ? transmit[0]! : role === 'receive' ? receive[0]! : control!;
}

export function queueOf(rig: Rig, { role }: Target): DeviceQueue {
  const { index } = rig.plan.queues.find(
    (queue) => rig.plan.partitions[queue.partition]!.id === 'a' && queue.role === role,
  )!;
  return rig.plane.queues[index]!;
}

/** Puts an honest request into the ring; its head. */
export function exposeHonest(rig: Rig, target: Target): number {
  const ring = ringOf(rig, target);
  if (ring instanceof PackedDouble) return ring.submitRaw(target.honest(rig));
  writeTable(ring, linked(target.honest(rig), HONEST_FIRST), HONEST_FIRST);
  ring.expose(HONEST_FIRST);
  return HONEST_FIRST;
}

/** What a chain attack can use of its surroundings. */
export interface ChainContext {
  readonly rig: Rig;
  readonly ring: RingDouble;
  readonly target: Target;
  /** A descriptor that points the right way at fresh memory of a. */
  good(bytes?: number): RawDesc;
}

export function contextOf(rig: Rig, target: Target): ChainContext {
  const good = (bytes = 256) => raw(rig.guest('a').slice.allocate(bytes), bytes, target.direction);
  return { rig, ring: ringOf(rig, target), target, good };
}

/** Used elements that were published since the ring stood at `from`. */
export function usedSince(ring: RingDouble, from: number): { id: number; length: number }[] {
  return Array.from({ length: (ring.usedIndex - from) & 0xffff }, (_, n) =>
    ring.usedElement((from + n) & 0xffff),
  );
}

export function assertStopped(rig: Rig, target: Target, fault: FaultName): void {
  const { ring } = queueOf(rig, target);
  assert.equal(ring.started, false, 'the ring is stopped');
  assert.equal(FAULT_NAMES[ring.brokenBy], fault);
  assert.deepEqual(rig.faults('a'), { [fault]: 1 }, 'the fault is counted once');
}
