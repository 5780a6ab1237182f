/** One transmitq: takes a packet, judges it, and hands it to the switch (VIRTIO 5.1.9.2). */
import { Fault, NO_FAULT, type FaultCode } from '../../base/fault.ts';
import { QueueCounter } from '../../channel/counters.ts';
import { Ethernet, IP_PACKET_MAX } from '../../wire/ethernet.ts';
import { GsoType, NetHeader } from '../../wire/virtio-net.ts';
import type { Arena } from '../arena.ts';
import type { DeviceQueue } from '../device-queue.ts';
import { ArrivalStamps, type CappedWindow } from '../arrival-stamps.ts';
import type { FrameTime } from '../frame-time.ts';
import type { Publications } from '../publications.ts';
import { Served, type QueueService } from '../queue-service.ts';
import type { DescriptorChain } from '../virtqueue/descriptor-chain.ts';
import type { Virtqueue } from '../virtqueue/virtqueue.ts';
import type { NetDevice } from './net-device.ts';
import { readNetHeader } from './net-header.ts';
import type { Segmentation } from './offload.ts';
import { HEAD_BYTES, VLAN_LE, VLAN_OUTER_LE, type Packet } from './packet.ts';
import { ShortWay } from './short-way.ts';
import type { RouteProbe } from './route-probe.ts';
import type { Staging } from './staging.ts';
import { UNTAGGED, type SwitchRoute } from './switch-route.ts';
import { Forwarded, type VirtualSwitch } from './virtual-switch.ts';

const VLAN_ID_MASK = 0xfff;
const CHECKSUM_START_MAX = 0xffff - Ethernet.TAG;

export interface TransmitParts {
  readonly arena: Arena;
  readonly device: NetDevice;
  readonly queue: DeviceQueue;
  readonly pair: number;
  readonly chain: DescriptorChain;
  readonly packet: Packet;
  /** Host scratch for the head of a packet, 4-byte aligned. */
  readonly headAt: number;
  readonly routes: readonly SwitchRoute[];
  readonly vswitch: VirtualSwitch;
  readonly staging: Staging;
  readonly publications: Publications;
  readonly probes: readonly RouteProbe[];
  readonly windows: readonly CappedWindow[];
  readonly time: FrameTime;
}

export class TransmitService implements QueueService {
  lastBytes = 0;
  private readonly parts: TransmitParts;
  // What the hot path touches, one load away.
  private readonly arena: Arena;
  private readonly queue: DeviceQueue;
  private ring: Virtqueue;
  private readonly chain: DescriptorChain;
  private readonly packet: Packet;
  private readonly headAt: number;
  private readonly macLow: number;
  private readonly macHigh: number;
  private readonly segmentation: Segmentation;
  private readonly shortWay: ShortWay;
  private readonly measured: boolean;
  private readonly stamps: ArrivalStamps;
  private deferred = false;
  private knownStarts = 0;
  /** Ticket of the packet served last. */
  private ticket = 0;
  /** Served since the last publication, not yet counted. */
  private uncountedRequests = 0;
  private uncountedBytes = 0;
  /** Head, length and ring position of the packet that is being cut. */
  private segmentedHead = 0;
  private segmentedBytes = 0;
  private segmentedPosition = 0;

  constructor(parts: TransmitParts) {
    this.parts = parts;
    this.arena = parts.arena;
    this.queue = parts.queue;
    this.ring = parts.queue.ring;
    this.chain = parts.chain;
    this.packet = parts.packet;
    this.headAt = parts.headAt;
    this.macLow = parts.device.macLow;
    this.macHigh = parts.device.macHigh;
    this.segmentation = parts.staging.segmentation;
    this.shortWay = new ShortWay(parts);
    this.measured = parts.probes.length > 0;
    this.stamps = new ArrivalStamps(parts.device.plan.queueSizeMax, parts.windows);
  }

  majorFrameBegins(): void {
    this.deferred = false;
  }

  /** The ring is a new one: no request of it can be older than its start. */
  private ringStarted(): void {
    this.ring = this.queue.ring;
    this.knownStarts = this.queue.starts;
    this.stamps.restart(this.queue.startedAt);
  }

  /** A stopped or restarted ring ends what was under way. */
  reset(): void {
    this.segmentation.active = false;
    this.deferred = false;
  }

  look(): number {
    const { device, pair, time } = this.parts;
    if (!device.started || pair >= device.transmitPairs) return 0;
    if (this.queue.starts !== this.knownStarts) this.ringStarted();
    const { ring } = this;
    const before = ring.seen;
    const available = this.queue.look();
    if (!ring.started || !this.queue.partition.running) return 0;
    if (this.measured) this.stamps.look(time, ring, before);
    if (this.deferred) return 0;
    return this.segmentation.active ? available + 1 : available;
  }

  /** Requests of a measured queue are told apart, and so served one by one. */
  serveMany(max: number, bytesLeft: number): number {
    if (this.measured || this.segmentation.active) return 0;
    const count = this.shortWay.forward(max, bytesLeft);
    this.lastBytes = this.shortWay.bytes;
    this.uncountedRequests += count;
    this.uncountedBytes += this.lastBytes;
    return count;
  }

  serve(bytesLeft: number): number {
    if (this.segmentation.active) return this.serveSegment(bytesLeft);
    const { ring, packet } = this;
    const position = ring.taken;
    const head = ring.takeHead();
    if (head < 0) return this.broken();
    if (!this.queue.enabled) return this.discard(head);
    const fault = this.admit(head);
    if (fault !== NO_FAULT) return this.refuse(head, fault);
    if (packet.bytes > bytesLeft) {
      ring.untake(head);
      return Served.CLOSED;
    }
    const { vswitch, routes, pair, staging } = this.parts;
    const forwarded = vswitch.forward(routes, packet, pair, staging);
    this.ticket = vswitch.ticket;
    if (forwarded === Forwarded.DEFERRED) {
      ring.untake(head);
      this.deferred = true;
      return Served.CLOSED;
    }
    this.count(packet.bytes);
    if (forwarded === Forwarded.SEGMENTING) {
      this.segmentedHead = head;
      this.segmentedBytes = packet.bytes;
      this.segmentedPosition = position;
      return Served.ONE;
    }
    if (forwarded === Forwarded.UNROUTED) this.queue.count(QueueCounter.UNROUTED, 1);
    ring.complete(head, 0);
    if (this.measured) this.noteFlows(position);
    return Served.ONE;
  }

  private count(bytes: number): void {
    this.lastBytes = bytes;
    this.uncountedRequests++;
    this.uncountedBytes += bytes;
    this.stamps.served();
  }

  private broken(): number {
    this.queue.fault(this.ring.brokenBy);
    return Served.BROKEN;
  }

  /** One segment is one piece of the request; the head goes back with the last one. */
  private serveSegment(bytesLeft: number): number {
    const { staging, vswitch, pair } = this.parts;
    const bytes = this.segmentation.nextBytes;
    if (bytes > bytesLeft) return Served.CLOSED;
    const forwarded = vswitch.forwardSegment(staging, pair, this.segmentedBytes);
    if (forwarded === Forwarded.DEFERRED) {
      this.deferred = true;
      return Served.CLOSED;
    }
    this.lastBytes = bytes;
    this.stamps.served();
    if (forwarded === Forwarded.DONE) {
      this.ring.complete(this.segmentedHead, 0);
      if (this.measured) this.noteFlows(this.segmentedPosition);
    }
    return Served.ONE;
  }

  /** vhost-user, ring states: what comes through a disabled ring is taken and goes nowhere. */
  // [impl->req~vhost.ring-states~1]
  private discard(head: number): number {
    this.ring.complete(head, 0);
    this.count(0);
    this.queue.count(QueueCounter.DISCARDED, 1);
    return Served.ONE;
  }

  /** A faulty request goes back with length 0, and counts. */
  // [impl->req~queue.chain-returned~1]
  private refuse(head: number, fault: FaultCode): number {
    this.ring.complete(head, 0);
    this.count(0);
    this.queue.fault(fault);
    return Served.ONE;
  }

  /** Walks the chain, copies the head once, and judges only the copy. */
  private admit(head: number): FaultCode {
    const { arena, chain, packet, headAt } = this;
    chain.begin();
    const fault = this.ring.walk(chain, head, chain.descriptorsMax);
    if (fault !== NO_FAULT) return fault;
    if (chain.writableBytes > 0 || chain.readableBytes === 0) return Fault.WrongDirection;
    const bytes = chain.readableBytes - NetHeader.SIZE;
    if (bytes < Ethernet.HEADER) return Fault.PacketTooShort;
    const headBytes = bytes < HEAD_BYTES ? bytes : HEAD_BYTES;
    const taken = NetHeader.SIZE + headBytes;
    packet.headAt = headAt;
    packet.headBytes = headBytes;
    packet.bytes = bytes;
    if (chain.length[0]! >= taken) arena.copy(headAt, chain.at[0]!, taken);
    else chain.gather(0, taken, headAt);
    packet.restOf(chain, taken);
    if (!readNetHeader(arena, packet, this.parts.device.transmit)) return Fault.NetHeaderInvalid;
    return this.readEthernet();
  }

  // [impl->req~net.source-guard~1]
  // [impl->req~net.length~1]
  private readEthernet(): FaultCode {
    const { packet, macLow, macHigh } = this;
    const { i32, u16 } = this.arena;
    const half = (this.headAt + NetHeader.SIZE) >>> 1;
    const word = half >>> 1;
    if (u16[half + 3] !== (macLow & 0xffff)) return Fault.SourceMacSpoofed;
    if (i32[word + 2] !== ((macLow >>> 16) | (macHigh << 16))) return Fault.SourceMacSpoofed;
    packet.destinationLow = i32[word]!;
    packet.destinationHigh = u16[half + 2]!;
    packet.vlan = UNTAGGED;
    const type = u16[half + 6]!;
    if (type === VLAN_LE) {
      const fault = this.readTag(half);
      if (fault !== NO_FAULT) return fault;
    } else if (type === VLAN_OUTER_LE) return Fault.VlanStacked;
    const limit = packet.gsoType === GsoType.NONE ? this.parts.device.plan.mtu : IP_PACKET_MAX;
    const header = packet.vlan === UNTAGGED ? Ethernet.HEADER : Ethernet.HEADER + Ethernet.TAG;
    if (packet.bytes > limit + header) return Fault.PacketTooLong;
    // What was judged stays as it is: no checksum is written into the Ethernet header, and the
    // offset survives one more tag.
    const { needsChecksum, checksumStart } = packet;
    const outside = checksumStart < header || checksumStart > CHECKSUM_START_MAX;
    return needsChecksum && outside ? Fault.NetHeaderInvalid : NO_FAULT;
  }

  /** A tag behind a tag would let a packet leave its VLAN when the outer one is removed. */
  private readTag(half: number): FaultCode {
    const { packet } = this;
    const { u16 } = this.arena;
    if (packet.bytes < Ethernet.HEADER + Ethernet.TAG) return Fault.PacketTooShort;
    const inner = u16[half + 8]!;
    if (inner === VLAN_LE || inner === VLAN_OUTER_LE) return Fault.VlanStacked;
    const tag = u16[half + 7]!;
    packet.vlan = ((tag << 8) | (tag >>> 8)) & VLAN_ID_MASK;
    return NO_FAULT;
  }

  private noteFlows(position: number): void {
    const { probes } = this.parts;
    for (let n = 0; n < probes.length; n++) {
      const probe = probes[n]!;
      if (probe.route.lastTicket === this.ticket) probe.served(this.stamps, position);
    }
  }

  publish(): void {
    const { publications } = this.parts;
    publications.publish(this.queue);
    this.queue.count(QueueCounter.REQUESTS, this.uncountedRequests);
    this.queue.count(QueueCounter.BYTES, this.uncountedBytes);
    this.uncountedRequests = this.uncountedBytes = 0;
    if (this.measured) this.measure();
  }

  /** Ends the latency of everything that has just been published. */
  private measure(): void {
    const { probes, time } = this.parts;
    for (let n = 0; n < probes.length; n++) {
      const probe = probes[n]!;
      if (!probe.waiting) continue;
      time.read();
      probe.published();
    }
  }
}
