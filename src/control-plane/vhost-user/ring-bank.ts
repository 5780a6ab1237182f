/**
 * The rings of one front-end: started and enabled independently, run by the data plane while both
 * their place and their memory are known.
 */
import { CommandKind, CommandWord, RingFlag } from '../../channel/command-channel.ts';
import type { DescriptorNotifier } from '../../host/descriptor-notifier.ts';
import type { PlanDevice } from '../../schedule/gateway-plan.ts';
import { bitOf, hasBit, type FeatureBits } from '../../wire/features.ts';
import type { DataPlaneLink } from '../data-plane-link.ts';
import { placeRing, type RingPlace } from '../ring-place.ts';
import type { MemoryTable } from './memory-table.ts';
import type { Signal } from './signal.ts';
import { closeIfAny, VhostRing } from './vhost-ring.ts';

const bit = (name: string) => bitOf('virtio-net', name);
const EVENT_IDX = bit('VIRTIO_RING_F_EVENT_IDX');
const INDIRECT = bit('VIRTIO_RING_F_INDIRECT_DESC');
const PACKED = bit('VIRTIO_F_RING_PACKED');
const MQ = bit('VIRTIO_NET_F_MQ');

const POSITION_MASK = 0x7fff;
const PARTS = ['descAt', 'availAt', 'usedAt'] as const;

export interface RingBankParts {
  readonly plan: PlanDevice;
  readonly link: DataPlaneLink;
  readonly features: () => FeatureBits;
  readonly table: () => MemoryTable;
  readonly words: Int32Array;
  readonly notifier: DescriptorNotifier;
  readonly resumed: () => boolean;
}

export class RingBank {
  readonly rings: readonly VhostRing[];
  private readonly parts: RingBankParts;
  /** The data plane has been told to start the device. */
  private deviceStarted = false;
  /** Where each running ring lies, by the ring's index. */
  private readonly places = new Map<number, RingPlace>();

  constructor(parts: RingBankParts) {
    this.parts = parts;
    this.rings = parts.plan.queues.map((_, index) => new VhostRing(index));
  }

  /** The ring of an index in a message; undefined for one that the device does not have. */
  at(index: number): VhostRing | undefined {
    return this.queueOf(index) === undefined ? undefined : this.rings[index];
  }

  /** 5.1.2: controlq comes behind the pairs in use, which are all of them or, without MQ, one. */
  private queueOf(index: number): number | undefined {
    const { plan } = this.parts;
    if (plan.type !== 'virtio-net') return plan.queues[index];
    const pairs = hasBit(this.parts.features(), MQ) ? plan.queuePairs : 1;
    const controlBehindFirst = pairs < plan.queuePairs && index === 2;
    return plan.queues[controlBehindFirst ? plan.queues.length - 1 : index];
  }

  /** Whether the first pair runs: the driver can send and receive. */
  get ready(): boolean {
    return [0, 1].every((index) => this.places.has(index) && this.rings[index]!.enabled);
  }

  get packed(): boolean {
    return hasBit(this.parts.features(), PACKED);
  }

  get anyStarted(): boolean {
    return this.rings.some((ring) => ring.started);
  }

  get anyServed(): boolean {
    return this.rings.some((ring) => ring.started && ring.enabled);
  }

  /** SET_VRING_KICK: starts the ring. What is wrong with its setup, or nothing. */
  // [impl->req~vhost.ring-states~1]
  // [impl->req~vhost.ring-setup~1]
  start(ring: VhostRing): string {
    if (ring.size === 0) return `ring ${ring.index} has no size`;
    if (this.packed && !isPackedBase(ring.base, ring.size)) {
      return `ring ${ring.index} cannot go on at 0x${(ring.base >>> 0).toString(16)}`;
    }
    const place = this.place(ring);
    if (!place) return `ring ${ring.index} does not lie whole and aligned in the memory`;
    ring.started = true;
    if (this.anyServed) this.runStarted();
    return '';
  }

  private place(ring: VhostRing, table = this.parts.table()): RingPlace | undefined {
    const { size, addresses } = ring;
    return addresses && placeRing(table.userMemory, { size, ...addresses }, this.packed);
  }

  private startDevice(): void {
    const { low, high } = this.parts.features();
    this.deviceStarted = true;
    this.parts.link.post(CommandKind.START_DEVICE, this.parts.plan.index, [
      [CommandWord.FEATURES_LOW, low | 0],
      [CommandWord.FEATURES_HIGH, high | 0],
    ]);
  }

  private run(ring: VhostRing, place: RingPlace): void {
    if (!this.deviceStarted) this.startDevice();
    const features = this.parts.features();
    const flags =
      (hasBit(features, EVENT_IDX) ? RingFlag.EVENT_IDX : 0) |
      (hasBit(features, INDIRECT) ? RingFlag.INDIRECT : 0) |
      (this.packed ? RingFlag.PACKED : 0) |
      (ring.enabled ? 0 : RingFlag.DISABLED);
    this.places.set(ring.index, place);
    this.post(CommandKind.START_QUEUE, ring, [
      [CommandWord.SIZE, ring.size],
      [CommandWord.DESC, place.descAt],
      [CommandWord.AVAIL, place.availAt],
      [CommandWord.USED, place.usedAt],
      [CommandWord.FLAGS, flags],
      [CommandWord.INDEX, this.baseOf(ring, place)],
      ...notification(ring),
    ]);
  }

  /**
   * A front-end that handed a record of buffers in flight over goes on behind the last used; so
   * does one that says 0 where a former back-end has been: DPDK's does, when it connects again.
   */
  // [impl->req~vhost.inflight~1]
  private baseOf(ring: VhostRing, { usedAt }: RingPlace): number {
    const { resumed, words } = this.parts;
    if (this.packed || (!resumed() && ring.base !== 0)) return ring.base;
    return words[usedAt >>> 2]! >>> 16;
  }

  private post(
    kind: number,
    ring: VhostRing,
    operands: readonly (readonly [number, number])[] = [],
  ): number {
    return this.parts.link.post(kind, this.queueOf(ring.index)!, operands);
  }

  /** Stops the ring where it is; its base is known when this resolves. */
  // [impl->req~vhost.base~1]
  async stop(ring: VhostRing): Promise<void> {
    ring.started = false;
    await this.halt(ring);
  }

  /** Takes the ring from the data plane; for its front-end it may go on to be started. */
  // [impl->req~vhost.ring-stopped~1]
  private async halt(ring: VhostRing): Promise<void> {
    if (!this.places.delete(ring.index)) return;
    const number = this.post(CommandKind.STOP_QUEUE, ring);
    if (this.places.size === 0) this.stopDevice();
    ring.base = await this.parts.link.settled(number);
  }

  private stopDevice(): void {
    this.deviceStarted = false;
    this.parts.link.post(CommandKind.STOP_DEVICE, this.parts.plan.index);
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.rings.map((ring) => this.stop(ring)));
  }

  /**
   * Resolves when the data plane follows; at once where nothing runs. A front-end that has disabled
   * every ring has left: some free the memory then without another word, so that a ring that is
   * only disabled is emptied while its device is in use, and left alone when it is not.
   */
  // [impl->req~vhost.all-disabled~1]
  async enable(ring: VhostRing, enabled: boolean): Promise<void> {
    ring.enabled = enabled;
    if (!this.anyServed) {
      await Promise.all(this.rings.map((each) => this.halt(each)));
      return;
    }
    if (this.places.has(ring.index)) {
      const number = this.post(CommandKind.ENABLE_QUEUE, ring, [
        [CommandWord.ENABLED, enabled ? 1 : 0],
      ]);
      await this.parts.link.settled(number);
    }
    this.runStarted();
  }

  async enableAll(): Promise<void> {
    for (const ring of this.rings) await this.enable(ring, true);
  }

  /** The device is in use again: every started ring runs, where it still has a place. */
  private runStarted(): void {
    for (const ring of this.rings) {
      if (!ring.started || this.places.has(ring.index)) continue;
      const place = this.place(ring);
      if (place) this.run(ring, place);
      else ring.started = false;
    }
  }

  /**
   * SET_VRING_CALL: where used buffer notifications go from now on. A started ring notifies once,
   * because what the old descriptor was told may have been lost.
   */
  // [impl->req~vhost.notification~1]
  async callBy(ring: VhostRing, signal: Signal): Promise<void> {
    const before = ring.exchange('call', signal);
    if (this.places.has(ring.index)) {
      const number = this.post(CommandKind.SET_NOTIFICATION, ring, notification(ring));
      this.notify(signal);
      await this.parts.link.settled(number);
    }
    closeIfAny(before);
  }

  /** A running ring that would have no place in another memory, if there is one. */
  lostIn(table: MemoryTable): number | undefined {
    return [...this.places.keys()].find((index) => !this.place(this.rings[index]!, table));
  }

  /** Other memory, in which every running ring has a place: each goes on where it is now. */
  async relocate(): Promise<void> {
    for (const [index, before] of [...this.places]) {
      const ring = this.rings[index]!;
      const place = this.place(ring)!;
      const same = PARTS.every((part) => place[part] === before[part]);
      if (same) continue;
      ring.base = await this.parts.link.settled(this.post(CommandKind.STOP_QUEUE, ring));
      // A reaction to a fault may have stopped it meanwhile.
      if (this.places.has(index)) this.run(ring, place);
    }
  }

  /** The device stops until its driver starts anew, and every ring's front-end is told. */
  needsReset(): void {
    for (const { error } of this.rings) this.notify(error);
    void this.stopAll();
  }

  private notify({ kind, descriptor }: Signal): void {
    this.parts.notifier.notify(kind, descriptor);
  }

  /** Closes the descriptors of all rings; the data plane has stopped them. */
  close(): void {
    for (const ring of this.rings) ring.close();
  }
}

/** How used buffer notifications reach the driver now. */
function notification({ call }: VhostRing): readonly (readonly [number, number])[] {
  return [
    [CommandWord.NOTIFY_KIND, call.kind],
    [CommandWord.NOTIFY_TARGET, call.descriptor],
  ];
}

/** Both positions of a packed ring's base lie inside the ring; the bits above count its rounds. */
function isPackedBase(base: number, size: number): boolean {
  return (base & POSITION_MASK) < size && ((base >>> 16) & POSITION_MASK) < size;
}
