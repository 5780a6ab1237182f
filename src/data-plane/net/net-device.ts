/** One virtio-net device: what was negotiated, and how packets come into its receive rings. */
import { Fault, NO_FAULT } from '../../base/fault.ts';
import { Drop } from '../../channel/counters.ts';
import type { PlanNetDevice } from '../../schedule/gateway-plan.ts';
import { Ethernet, IP_PACKET_MAX } from '../../wire/ethernet.ts';
import { bitOf, hasBit } from '../../wire/features.ts';
import { GsoType, NetHeader, NetHeaderFlag } from '../../wire/virtio-net.ts';
import type { Arena } from '../arena.ts';
import type { Device } from '../device.ts';
import type { DeviceQueue } from '../device-queue.ts';
import type { GuestMemory } from '../guest-memory.ts';
import type { Partition } from '../partition.ts';
import type { Publications } from '../publications.ts';
import type { DescriptorChain } from '../virtqueue/descriptor-chain.ts';
import { ReceiveFilter } from './receive-filter.ts';
import type { TransmitOffloads } from './net-header.ts';
import type { Packet } from './packet.ts';

/** Result of a delivery; every other result is a drop reason. */
export const DELIVERED = -1;

/** The least a driver without MRG_RXBUF must supply (5.1.9.3.1): header and 1,514 bytes. */
const RECEIVE_BUFFER_MIN = NetHeader.SIZE + 1514;

export interface NetDeviceParts {
  readonly plan: PlanNetDevice;
  readonly partition: Partition;
  readonly memory: GuestMemory;
  readonly arena: Arena;
  readonly receiveQueues: readonly DeviceQueue[];
  readonly publications: Publications;
  /** Collects the receive buffers of one packet. */
  readonly sink: DescriptorChain;
}

const bit = (name: string) => bitOf('virtio-net', name);
const BIT = {
  CSUM: bit('VIRTIO_NET_F_CSUM'),
  HOST_TSO4: bit('VIRTIO_NET_F_HOST_TSO4'),
  HOST_TSO6: bit('VIRTIO_NET_F_HOST_TSO6'),
  GUEST_CSUM: bit('VIRTIO_NET_F_GUEST_CSUM'),
  GUEST_TSO4: bit('VIRTIO_NET_F_GUEST_TSO4'),
  GUEST_TSO6: bit('VIRTIO_NET_F_GUEST_TSO6'),
  MRG_RXBUF: bit('VIRTIO_NET_F_MRG_RXBUF'),
  CTRL_VQ: bit('VIRTIO_NET_F_CTRL_VQ'),
  MQ: bit('VIRTIO_NET_F_MQ'),
  CTRL_RX: bit('VIRTIO_NET_F_CTRL_RX'),
  CTRL_VLAN: bit('VIRTIO_NET_F_CTRL_VLAN'),
} as const;

export class NetDevice implements Device {
  readonly plan: PlanNetDevice;
  readonly partition: Partition;
  /** What its driver can reach. */
  readonly memory: GuestMemory;
  readonly filter: ReceiveFilter;
  /** The device's address as octets 0-3 (signed pattern) and 4-5. */
  readonly macLow: number;
  readonly macHigh: number;
  /** DRIVER_OK is set and no reset has come since (2.1.2). */
  started = false;
  /** Pairs that the device steers packets to, and those whose transmitq it serves. */
  receivePairs = 1;
  transmitPairs = 1;
  readonly transmit: { -readonly [K in keyof TransmitOffloads]: boolean } = {
    checksum: false,
    tso4: false,
    tso6: false,
  };
  /** What the driver takes unfinished. */
  guestChecksum = false;
  guestTso4 = false;
  guestTso6 = false;
  /** GUEST_* offloads that were negotiated: the most that a control command can turn on. */
  negotiatedLow = 0;

  private mergeable = false;
  private pairsByRings = false;
  /** MTU and Ethernet header. */
  readonly untaggedBytesMax: number;
  private readonly arena: Arena;
  private readonly queues: readonly DeviceQueue[];
  private readonly publications: Publications;
  private readonly sink: DescriptorChain;
  /** Buffers taken for the packet being delivered. */
  private readonly heads: Uint16Array;
  private readonly lengths: Int32Array;

  constructor(parts: NetDeviceParts) {
    const [a, b, c, d, e, f] = parts.plan.mac as [number, number, number, number, number, number];
    this.macLow = a | (b << 8) | (c << 16) | (d << 24);
    this.macHigh = e | (f << 8);
    this.plan = parts.plan;
    this.untaggedBytesMax = parts.plan.mtu + Ethernet.HEADER;
    this.partition = parts.partition;
    this.memory = parts.memory;
    this.arena = parts.arena;
    this.queues = parts.receiveQueues;
    this.publications = parts.publications;
    this.sink = parts.sink;
    this.heads = new Uint16Array(parts.sink.descriptorsMax);
    this.lengths = new Int32Array(parts.sink.descriptorsMax);
    this.filter = new ReceiveFilter(this.macLow, this.macHigh);
  }

  /** DRIVER_OK with this negotiated set. */
  start(low: number, high: number): void {
    const bits = { low, high };
    this.transmit.checksum = hasBit(bits, BIT.CSUM);
    this.transmit.tso4 = hasBit(bits, BIT.HOST_TSO4);
    this.transmit.tso6 = hasBit(bits, BIT.HOST_TSO6);
    this.mergeable = hasBit(bits, BIT.MRG_RXBUF);
    this.negotiatedLow = low;
    this.setGuestOffloads(low);
    this.filter.reset();
    this.filter.filtering = hasBit(bits, BIT.CTRL_RX);
    this.filter.vlanFiltering = hasBit(bits, BIT.CTRL_VLAN);
    // Without a control queue of its own a driver says by enabling its rings which pairs it uses.
    this.pairsByRings = hasBit(bits, BIT.MQ) && !hasBit(bits, BIT.CTRL_VQ);
    this.setPairs(1);
    this.ringsChanged();
    this.started = true;
  }

  /** 5.1.9.5.4: the driver uses the first `pairs` pairs. */
  setPairs(pairs: number): void {
    this.receivePairs = this.transmitPairs = pairs;
  }

  /** A ring was started, stopped, enabled or disabled. */
  ringsChanged(): void {
    if (!this.pairsByRings) return;
    let pairs = 0;
    while (pairs < this.queues.length && this.queues[pairs]!.mayReceive) pairs++;
    this.receivePairs = pairs === 0 ? 1 : pairs;
    this.transmitPairs = this.queues.length;
  }

  stop(): void {
    this.started = false;
  }

  /** Turns receive offloads on and off within what was negotiated (5.1.9.5.8). */
  setGuestOffloads(low: number): void {
    this.guestChecksum = (low & (1 << BIT.GUEST_CSUM)) !== 0;
    this.guestTso4 = (low & (1 << BIT.GUEST_TSO4)) !== 0;
    this.guestTso6 = (low & (1 << BIT.GUEST_TSO6)) !== 0;
  }

  /** Whether the driver takes packets of this segmentation type whole (5.1.9.4.1). */
  takesGso(gsoType: number): boolean {
    return gsoType === GsoType.TCPV4 ? this.guestTso4 : this.guestTso6;
  }

  /** Longest packet for this driver, with one VLAN tag if it has one (5.1.4.1). */
  private packetBytesMax(packet: Packet): number {
    if (packet.gsoType !== GsoType.NONE) return IP_PACKET_MAX + Ethernet.HEADER + Ethernet.TAG;
    return packet.vlan >= 0 ? this.untaggedBytesMax + Ethernet.TAG : this.untaggedBytesMax;
  }

  /** The receive ring that packets of this pair go to, while anything can be put into it. */
  // [impl->req~net.multiqueue~1]
  readyQueue(pair: number): DeviceQueue | undefined {
    if (!this.started || !this.partition.running) return undefined;
    const queue = this.queues[pair < this.receivePairs ? pair : pair % this.receivePairs]!;
    return queue.mayReceive ? queue : undefined;
  }

  /**
   * Puts a packet into the receive ring of this pair, once, from the sender's memory: all buffers
   * are reserved before the first byte is written. {@link DELIVERED} or a drop reason.
   */
  // [impl->req~net.receive-buffers~1]
  receive(packet: Packet, pair: number, reservedByOthers: number, descriptorsMax: number): number {
    const queue = this.readyQueue(pair);
    if (!queue) return this.notReady(pair);
    if (packet.bytes > this.packetBytesMax(packet)) return Drop.TOO_LONG_FOR_RECEIVER;
    const total = NetHeader.SIZE + packet.bytes;
    const { sink } = this;
    sink.begin();
    let count = 0;
    while (sink.writableBytes < total && count < sink.descriptorsMax) {
      if (
        queue.ring.available <= reservedByOthers &&
        queue.look(reservedByOthers + 1) <= reservedByOthers
      ) {
        if (!queue.ring.started) return Drop.RECEIVER_FAULT;
        this.giveBack(queue, count);
        return Drop.NO_RECEIVE_BUFFER;
      }
      const fault = this.takeBuffer(queue, count, descriptorsMax);
      if (!queue.ring.started) {
        queue.fault(fault);
        return Drop.RECEIVER_FAULT;
      }
      count++;
      if (fault !== NO_FAULT) return this.reject(queue, count, fault);
      if (!this.mergeable) break;
    }
    if (sink.writableBytes < total) return this.tooSmall(queue, count);
    this.writeHeader(packet, count);
    this.write(packet);
    this.completeAll(queue, count, total);
    return DELIVERED;
  }

  /** A ring that its driver broke is a fault of the receiver until it is reset. */
  private notReady(pair: number): number {
    const { ring } = this.queues[pair % this.receivePairs]!;
    const broken = this.started && this.partition.running && ring.brokenBy !== NO_FAULT;
    return broken ? Drop.RECEIVER_FAULT : Drop.RECEIVER_NOT_READY;
  }

  /** Takes one buffer into the sink and judges it; the ring may break. */
  private takeBuffer(queue: DeviceQueue, count: number, descriptorsMax: number): number {
    const { sink } = this;
    const before = sink.writableBytes;
    const head = queue.ring.takeHead();
    if (head < 0) return queue.ring.brokenBy;
    const fault = queue.ring.walk(sink, head, descriptorsMax);
    this.heads[count] = head;
    this.lengths[count] = sink.writableBytes - before;
    if (fault !== NO_FAULT) return fault;
    if (sink.readableBytes > 0) return Fault.WrongDirection;
    if (sink.writableBytes === before) return Fault.ChainEmpty;
    if (before === 0 && sink.writableBytes < NetHeader.SIZE) return Fault.ReceiveBufferTooSmall;
    return NO_FAULT;
  }

  /**
   * A receiver's faulty buffer: it goes back with length 0, and so do those taken for the same
   * packet.
   */
  private reject(queue: DeviceQueue, count: number, fault: number): number {
    queue.fault(fault);
    for (let n = 0; n < count; n++) queue.ring.complete(this.heads[n]!, 0);
    this.publications.touch(queue);
    return Drop.RECEIVER_FAULT;
  }

  /**
   * A single buffer below what the driver owes is its fault; one that is just short for this packet
   * is kept.
   */
  private tooSmall(queue: DeviceQueue, count: number): number {
    if (this.mergeable || this.sink.writableBytes < RECEIVE_BUFFER_MIN) {
      return this.reject(queue, count, Fault.ReceiveBufferTooSmall);
    }
    this.giveBack(queue, count);
    return Drop.TOO_LONG_FOR_RECEIVER;
  }

  private giveBack(queue: DeviceQueue, count: number): void {
    for (let n = count - 1; n >= 0; n--) queue.ring.untake(this.heads[n]!);
  }

  /** The header the receiver sees (5.1.9.4.1): only what it negotiated, and num_buffers. */
  private writeHeader(packet: Packet, buffers: number): void {
    const { i32, u16 } = this.arena;
    const word = packet.headAt >>> 2;
    const half = packet.headAt >>> 1;
    if (packet.needsChecksum) {
      i32[word] = NetHeaderFlag.NEEDS_CSUM | (packet.gsoType << 8) | (packet.headerLength << 16);
      u16[half + NetHeader.GSO_SIZE / 2] = packet.gsoSize;
      u16[half + NetHeader.CSUM_START / 2] = packet.checksumStart;
      i32[word + NetHeader.CSUM_OFFSET / 4] = packet.checksumOffset | (buffers << 16);
      return;
    }
    i32[word] = 0;
    i32[word + 1] = 0;
    i32[word + NetHeader.CSUM_OFFSET / 4] = buffers << 16;
  }

  /** One copy from the sender's memory, in one call where both sides are in one piece. */
  private write(packet: Packet): void {
    const { sink } = this;
    const headLength = NetHeader.SIZE + packet.headBytes;
    if (sink.length[0]! >= NetHeader.SIZE + packet.bytes && packet.restCount <= 1) {
      const restLength = packet.restCount === 0 ? 0 : packet.restLength[0]!;
      this.arena.join(sink.at[0]!, packet.headAt, headLength, packet.restAt[0]!, restLength);
      return;
    }
    sink.scatter(packet.headAt, headLength);
    for (let n = 0; n < packet.restCount; n++)
      sink.scatter(packet.restAt[n]!, packet.restLength[n]!);
  }

  // [impl->req~mem.zero-residue~1]
  private completeAll(queue: DeviceQueue, count: number, total: number): void {
    let left = total;
    for (let n = 0; n < count; n++) {
      const used = Math.min(left, this.lengths[n]!);
      queue.ring.complete(this.heads[n]!, used);
      left -= used;
    }
    this.publications.touch(queue);
  }
}
