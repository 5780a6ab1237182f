/** One transmitq: takes a packet, judges it, and hands it to the switch (VIRTIO 5.1.9.2). */
import { Fault, NO_FAULT, type FaultCode } from '../../base/fault.ts';
import { QueueCounter } from '../../channel/counters.ts';
import { Ethernet, EtherType, IP_PACKET_MAX } from '../../wire/ethernet.ts';
import { GsoType, NetHeader } from '../../wire/virtio-net.ts';
import type { Arena } from '../arena.ts';
import type { DeviceQueue } from '../device-queue.ts';
import { ArrivalStamps, type FlowProbe } from '../flow-probe.ts';
import type { FrameTime } from '../frame-time.ts';
import type { Publications } from '../publications.ts';
import { Served, type QueueService } from '../queue-service.ts';
import type { DescriptorChain } from '../virtqueue/descriptor-chain.ts';
import type { NetDevice } from './net-device.ts';
import { readNetHeader } from './net-header.ts';
import { HEAD_BYTES, type Packet } from './packet.ts';
import type { Staging } from './staging.ts';
import { UNTAGGED, type SwitchRoute } from './switch-route.ts';
import { Forwarded, type VirtualSwitch } from './virtual-switch.ts';

const VLAN_ID_MASK = 0xfff;
/** EtherTypes as a little-endian load sees them. */
const VLAN_LE = ((EtherType.VLAN & 0xff) << 8) | (EtherType.VLAN >>> 8);
const VLAN_OUTER_LE = ((EtherType.VLAN_OUTER & 0xff) << 8) | (EtherType.VLAN_OUTER >>> 8);

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
  readonly probes: readonly FlowProbe[];
  readonly time: FrameTime;
}

export class TransmitService implements QueueService {
  lastBytes = 0;
  private readonly parts: TransmitParts;
  private readonly stamps: ArrivalStamps;
  private deferred = false;
  private ticket = 0;
  /** Head and length of the packet that is being cut. */
  private segmentedHead = 0;
  private segmentedBytes = 0;
  private segmentedPosition = 0;

  constructor(parts: TransmitParts) {
    this.parts = parts;
    this.stamps = new ArrivalStamps(parts.device.plan.queueSizeMax);
  }

  majorFrameBegins(): void {
    this.deferred = false;
  }

  /** A stopped or restarted ring ends what was under way. */
  reset(): void {
    this.parts.staging.segmentation.active = false;
    this.deferred = false;
  }

  look(): number {
    const { device, queue, staging, pair, time } = this.parts;
    if (!device.started || pair >= device.activePairs) return 0;
    const { ring } = queue;
    const before = ring.seen;
    const available = queue.look();
    if (this.parts.probes.length > 0 && ring.started) this.stamps.looked(before, ring.seen, time.now);
    if (!ring.started || !queue.partition.running || this.deferred) return 0;
    return staging.segmentation.active ? available + 1 : available;
  }

  serve(bytesLeft: number): number {
    const { queue, packet, vswitch, routes, pair, staging } = this.parts;
    if (staging.segmentation.active) return this.serveSegment(bytesLeft);
    const { ring } = queue;
    const position = ring.taken;
    const head = ring.takeHead();
    if (head < 0) {
      queue.fault(ring.brokenBy);
      return Served.BROKEN;
    }
    const fault = this.admit(head);
    if (fault !== NO_FAULT) return this.refuse(head, fault);
    if (packet.bytes > bytesLeft) {
      ring.untake(head);
      return Served.CLOSED;
    }
    const forwarded = vswitch.forward(routes, packet, pair, staging);
    this.ticket = vswitch.ticket;
    if (forwarded === Forwarded.DEFERRED) {
      ring.untake(head);
      this.deferred = true;
      return Served.CLOSED;
    }
    this.lastBytes = packet.bytes;
    queue.count(QueueCounter.REQUESTS, 1);
    queue.count(QueueCounter.BYTES, packet.bytes);
    if (forwarded === Forwarded.SEGMENTING) {
      this.segmentedHead = head;
      this.segmentedBytes = packet.bytes;
      this.segmentedPosition = position;
      return Served.ONE;
    }
    if (forwarded === Forwarded.UNROUTED) queue.count(QueueCounter.UNROUTED, 1);
    ring.complete(head, 0);
    this.noteFlows(position);
    return Served.ONE;
  }

  /** One segment is one piece of the request; the head goes back with the last one. */
  private serveSegment(bytesLeft: number): number {
    const { queue, staging, vswitch, pair } = this.parts;
    const bytes = staging.segmentation.nextBytes;
    if (bytes > bytesLeft) return Served.CLOSED;
    this.lastBytes = bytes;
    if (vswitch.forwardSegment(staging, pair, this.segmentedBytes)) {
      queue.ring.complete(this.segmentedHead, 0);
      this.noteFlows(this.segmentedPosition);
    }
    return Served.ONE;
  }

  /** A faulty request goes back with length 0, and counts. */
  // [impl->req~queue.chain-returned~1]
  private refuse(head: number, fault: FaultCode): number {
    const { queue } = this.parts;
    queue.ring.complete(head, 0);
    queue.count(QueueCounter.REQUESTS, 1);
    queue.fault(fault);
    this.lastBytes = 0;
    return Served.ONE;
  }

  /** Walks the chain, copies the head once, and judges only the copy. */
  private admit(head: number): FaultCode {
    const { arena, queue, chain, packet, headAt, device } = this.parts;
    chain.begin();
    const fault = queue.ring.walk(chain, head, chain.descriptorsMax);
    if (fault !== NO_FAULT) return fault;
    if (chain.writableBytes > 0 || chain.readableBytes === 0) return Fault.WrongDirection;
    const bytes = chain.readableBytes - NetHeader.SIZE;
    if (bytes < Ethernet.HEADER) return Fault.PacketTooShort;
    const headBytes = bytes < HEAD_BYTES ? bytes : HEAD_BYTES;
    if (chain.length[0]! >= NetHeader.SIZE + headBytes) {
      arena.copy(headAt, chain.at[0]!, NetHeader.SIZE + headBytes);
    } else chain.gather(0, NetHeader.SIZE + headBytes, headAt);
    packet.headAt = headAt;
    packet.headBytes = headBytes;
    packet.bytes = bytes;
    packet.restOf(chain, NetHeader.SIZE + headBytes);
    if (!readNetHeader(arena, packet, device.transmit)) return Fault.NetHeaderInvalid;
    return this.readEthernet();
  }

  // [impl->req~net.source-guard~1]
  // [impl->req~net.length~1]
  private readEthernet(): FaultCode {
    const { arena, packet, device } = this.parts;
    const half = (packet.headAt + NetHeader.SIZE) >>> 1;
    const { i32, u16 } = arena;
    if (u16[half + 3] !== (device.macLow & 0xffff)
      || i32[(half >>> 1) + 2] !== ((device.macLow >>> 16) | (device.macHigh << 16))) {
      return Fault.SourceMacSpoofed;
    }
    packet.destinationLow = i32[half >>> 1]!;
    packet.destinationHigh = u16[half + 2]!;
    packet.vlan = UNTAGGED;
    const type = u16[half + 6]!;
    if (type === VLAN_LE) {
      const fault = this.readTag(half);
      if (fault !== NO_FAULT) return fault;
    } else if (type === VLAN_OUTER_LE) return Fault.VlanStacked;
    const limit = packet.gsoType === GsoType.NONE ? device.plan.mtu : IP_PACKET_MAX;
    const header = packet.vlan === UNTAGGED ? Ethernet.HEADER : Ethernet.HEADER + Ethernet.TAG;
    return packet.bytes > limit + header ? Fault.PacketTooLong : NO_FAULT;
  }

  /** A tag behind a tag would let a packet leave its VLAN when the outer one is removed. */
  private readTag(half: number): FaultCode {
    const { arena, packet } = this.parts;
    if (packet.bytes < Ethernet.HEADER + Ethernet.TAG) return Fault.PacketTooShort;
    const inner = arena.u16[half + 8]!;
    if (inner === VLAN_LE || inner === VLAN_OUTER_LE) return Fault.VlanStacked;
    const tag = arena.u16[half + 7]!;
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
    const { publications, queue, probes, time } = this.parts;
    publications.publish(queue);
    for (let n = 0; n < probes.length; n++) {
      const probe = probes[n]!;
      if (!probe.waiting) continue;
      time.read();
      probe.published();
    }
  }
}
