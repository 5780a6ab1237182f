/**
 * The short way of a burst: packets without offloads and tags, one descriptor on either side, from
 * one transmit ring through one route. Whatever is not so plain is left untouched for the long way,
 * which judges it by the same rules.
 */
import { NetHeader } from '../../wire/virtio-net.ts';
import { VirtqDesc, VirtqDescFlag } from '../../wire/virtqueue.ts';
import type { Arena } from '../arena.ts';
import type { DeviceQueue } from '../device-queue.ts';
import type { GuestMemory } from '../guest-memory.ts';
import type { Publications } from '../publications.ts';
import type { SplitQueue } from '../virtqueue/split-queue.ts';
import type { NetDevice } from './net-device.ts';
import { VLAN_LE, VLAN_OUTER_LE } from './packet.ts';
import { UNTAGGED, type SwitchRoute } from './switch-route.ts';

const { NEXT, WRITE, INDIRECT } = VirtqDescFlag;
const CHAIN_FLAGS = NEXT | WRITE | INDIRECT;
/** What is read word by word: the virtio-net header, the Ethernet header and two bytes more. */
const WORDS_BYTES = 28;
/** First word of a virtio-net header that asks for nothing: flags and gso_type. */
const OFFLOAD_MASK = 0xffff;
/** num_buffers of a packet in one buffer, in the last word of the header. */
const ONE_BUFFER = 1 << 16;

export interface ShortWayParts {
  readonly arena: Arena;
  readonly device: NetDevice;
  readonly queue: DeviceQueue;
  readonly pair: number;
  readonly routes: readonly SwitchRoute[];
  readonly publications: Publications;
}

export class ShortWay {
  /** Bytes of the packets of the last burst, without their virtio-net headers. */
  bytes = 0;
  private readonly parts: ShortWayParts;
  private readonly arena: Arena;
  private readonly ring: SplitQueue;
  private readonly memory: GuestMemory;
  private readonly lengthMax: number;
  /** The source address as words two and three of a packet have it. */
  private readonly sourceHigh: number;
  private readonly sourceLow: number;
  // Where packets to this destination go, found once in a burst.
  private destinationLow = 0;
  private destinationHigh = -1;
  private route: SwitchRoute | undefined;
  private targetQueue: DeviceQueue;
  private target: SplitQueue;
  private targetMemory: GuestMemory;
  private targetLengthMax = 0;
  private room = 0;
  private delivered = 0;
  private deliveredBytes = 0;

  constructor(parts: ShortWayParts) {
    const { device, queue } = parts;
    this.parts = parts;
    this.arena = parts.arena;
    this.targetQueue = queue;
    this.ring = this.target = queue.split;
    this.memory = this.targetMemory = device.memory;
    this.lengthMax = NetHeader.SIZE + device.untaggedBytesMax;
    this.sourceHigh = device.macLow & 0xffff;
    this.sourceLow = (device.macLow >>> 16) | (device.macHigh << 16);
  }

  /** Forwards up to `max` packets of together at most `bytesLeft` bytes; how many it were. */
  forward(max: number, bytesLeft: number): number {
    const { queue } = this.parts;
    this.bytes = 0;
    if (queue.ring !== this.ring || !queue.enabled) return 0;
    this.destinationHigh = -1;
    let count = 0;
    while (count < max) {
      const bytes = this.one(bytesLeft - this.bytes);
      if (bytes < 0) break;
      this.bytes += bytes;
      count++;
    }
    this.settle();
    return count;
  }

  /**
   * One packet: every field of the guests is read once and judged before anything is written. Its
   * length, or -1 when it is not for the short way.
   */
  // [impl->req~net.short-way~1]
  private one(bytesLeft: number): number {
    const { ring, arena } = this;
    const { i32 } = arena;
    const head = ring.nextHead();
    if (head < 0) return -1;
    const word = (ring.tableAt + VirtqDesc.SIZE * head) >>> 2;
    if ((i32[word + 3]! & CHAIN_FLAGS) !== 0) return -1;
    const length = i32[word + 2]!;
    if (length < WORDS_BYTES || length > this.lengthMax) return -1;
    const bytes = length - NetHeader.SIZE;
    if (bytes > bytesLeft) return -1;
    const at = this.memory.translate(i32[word]!, i32[word + 1]!, length);
    if (at === 0 || (at & 3) !== 0) return -1;
    const from = at >>> 2;
    if ((i32[from]! & OFFLOAD_MASK) !== 0) return -1;
    const first = i32[from + 3]!;
    const second = i32[from + 4]!;
    const third = i32[from + 5]!;
    const fourth = i32[from + 6]!;
    if (second >>> 16 !== this.sourceHigh || third !== this.sourceLow) return -1;
    const type = fourth & 0xffff;
    if (type === VLAN_LE || type === VLAN_OUTER_LE) return -1;
    if (first !== this.destinationLow || (second & 0xffff) !== this.destinationHigh) {
      this.aim(first, second & 0xffff);
    }
    const to = this.place(length);
    if (to === 0) return -1;
    const word0 = to >>> 2;
    i32[word0] = 0;
    i32[word0 + 1] = 0;
    i32[word0 + 2] = ONE_BUFFER;
    i32[word0 + 3] = first;
    i32[word0 + 4] = second;
    i32[word0 + 5] = third;
    i32[word0 + 6] = fourth;
    if (length > WORDS_BYTES) {
      arena.copy((to + WORDS_BYTES) | 0, (at + WORDS_BYTES) | 0, length - WORDS_BYTES);
    }
    ring.take(head);
    ring.complete(head, 0);
    this.delivered++;
    this.deliveredBytes += bytes;
    return bytes;
  }

  /** A buffer of the receiver for so many bytes, taken and completed, or 0; the route pays. */
  private place(length: number): number {
    const { route, target } = this;
    const bytes = length - NetHeader.SIZE;
    if (this.room === 0 || !route || length > this.targetLengthMax) return 0;
    if (!route.policer.admits(bytes)) return 0;
    const { i32 } = this.arena;
    const head = target.nextHead();
    if (head < 0) return 0;
    const word = (target.tableAt + VirtqDesc.SIZE * head) >>> 2;
    if ((i32[word + 3]! & CHAIN_FLAGS) !== WRITE) return 0;
    const capacity = i32[word + 2]!;
    if (capacity < length) return 0;
    const at = this.targetMemory.translate(i32[word]!, i32[word + 1]!, capacity);
    if (at === 0 || (at & 3) !== 0) return 0;
    route.policer.spend(bytes);
    target.take(head);
    target.complete(head, length);
    this.room--;
    return at;
  }

  /** Finds the one route that carries packets to this destination untagged, if it is just one. */
  private aim(low: number, high: number): void {
    this.settle();
    const { parts } = this;
    let found: SwitchRoute | undefined;
    let matched = 0;
    for (let n = 0; n < parts.routes.length; n++) {
      const route = parts.routes[n]!;
      if (!route.wants(low, high, UNTAGGED)) continue;
      matched++;
      found = route;
    }
    this.destinationLow = low;
    this.destinationHigh = high;
    this.route = undefined;
    this.room = 0;
    if (found && matched === 1 && found.tagAtReceiver(UNTAGGED) === UNTAGGED) this.aimAt(found);
  }

  private aimAt(route: SwitchRoute): void {
    const { receiver, plan } = route;
    const queue = receiver.readyQueue(this.parts.pair);
    if (!queue || queue.ring !== queue.split) return;
    this.room = Math.max(0, queue.look() - plan.reservedByOthers);
    if (!queue.ring.started) return;
    this.route = route;
    this.targetQueue = queue;
    this.target = queue.split;
    this.targetMemory = receiver.memory;
    this.targetLengthMax = NetHeader.SIZE + receiver.untaggedBytesMax;
  }

  /** Counts what went through the route since the last call. */
  private settle(): void {
    if (this.delivered === 0) return;
    this.route!.deliveredPlain(this.delivered, this.deliveredBytes);
    this.parts.publications.touch(this.targetQueue);
    this.delivered = this.deliveredBytes = 0;
  }
}
