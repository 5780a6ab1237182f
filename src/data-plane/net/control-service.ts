/**
 * The controlq of a network device (VIRTIO 5.1.9.5): a command is read once, judged, then carried
 * out.
 */
import { Fault, NO_FAULT } from '../../base/fault.ts';
import { QueueCounter } from '../../channel/counters.ts';
import { EventKind, type EventLog } from '../../channel/event-log.ts';
import { Scratch } from '../../schedule/arena-layout.ts';
import { bitOf } from '../../wire/features.ts';
import { NetCtrl, NetStatus } from '../../wire/virtio-net.ts';
import type { Arena } from '../arena.ts';
import type { DeviceQueue } from '../device-queue.ts';
import type { FrameTime } from '../frame-time.ts';
import type { Publications } from '../publications.ts';
import { Served, type QueueService } from '../queue-service.ts';
import type { DescriptorChain } from '../virtqueue/descriptor-chain.ts';
import { MAC_TABLE_MAX } from './receive-filter.ts';
import type { NetDevice } from './net-device.ts';

const VLAN_IDS = 4096;
const MAC_BYTES = 6;
const COUNT_BYTES = 4;

const bitMask = (name: string) => 1 << bitOf('virtio-net', name);
const GUEST_OFFLOADS =
  bitMask('VIRTIO_NET_F_GUEST_CSUM') |
  bitMask('VIRTIO_NET_F_GUEST_TSO4') |
  bitMask('VIRTIO_NET_F_GUEST_TSO6');
const GUEST_CSUM = bitMask('VIRTIO_NET_F_GUEST_CSUM');
/** Features that admit a class of commands; bits 0-31 only. */
const CLASS_FEATURE: readonly number[] = [
  bitMask('VIRTIO_NET_F_CTRL_RX'),
  bitMask('VIRTIO_NET_F_CTRL_RX'),
  bitMask('VIRTIO_NET_F_CTRL_VLAN'),
  bitMask('VIRTIO_NET_F_GUEST_ANNOUNCE'),
  bitMask('VIRTIO_NET_F_MQ'),
  bitMask('VIRTIO_NET_F_CTRL_GUEST_OFFLOADS'),
];
const CTRL_RX_EXTRA = bitMask('VIRTIO_NET_F_CTRL_RX_EXTRA');

export interface ControlParts {
  readonly arena: Arena;
  readonly device: NetDevice;
  readonly queue: DeviceQueue;
  readonly chain: DescriptorChain;
  /** Host scratch for one command. */
  readonly commandAt: number;
  /** Link and announce bits that both planes see. */
  readonly statusAt: number;
  readonly publications: Publications;
  readonly events: EventLog;
  readonly time: FrameTime;
}

export class ControlService implements QueueService {
  lastBytes = 0;

  private readonly parts: ControlParts;

  constructor(parts: ControlParts) {
    this.parts = parts;
  }

  majorFrameBegins(): void {}

  /** Commands are carried out at once: nothing is under way between two of them. */
  reset(): void {}

  look(): number {
    const { device, queue } = this.parts;
    return device.started && queue.enabled ? queue.look() : 0;
  }

  serveMany(): number {
    return 0;
  }

  serve(bytesLeft: number): number {
    const { queue, chain, arena, commandAt } = this.parts;
    const { ring } = queue;
    const head = ring.takeHead();
    if (head < 0) {
      queue.fault(ring.brokenBy);
      return Served.BROKEN;
    }
    chain.begin();
    let fault = ring.walk(chain, head, chain.descriptorsMax);
    if (
      fault === NO_FAULT &&
      (chain.readableBytes < NetCtrl.HEADER_SIZE || chain.writableBytes < 1)
    ) {
      fault = Fault.ControlMalformed;
    }
    // A longer one is answered with an error, and costs no more than the longest that is read.
    const bytes = Math.min(chain.readableBytes, Scratch.COMMAND_BYTES);
    if (fault === NO_FAULT && bytes > bytesLeft) {
      ring.untake(head);
      return Served.CLOSED;
    }
    queue.count(QueueCounter.REQUESTS, 1);
    if (fault !== NO_FAULT) {
      ring.complete(head, 0);
      queue.fault(fault);
      this.lastBytes = 0;
      return Served.ONE;
    }
    this.lastBytes = bytes;
    arena.u8[chain.at[chain.readableSegments]! >>> 0] = this.command(commandAt);
    ring.complete(head, 1);
    return Served.ONE;
  }

  publish(): void {
    this.parts.publications.publish(this.parts.queue);
  }

  /** Reads the command into scratch and carries it out; the ack byte. */
  private command(at: number): number {
    const { chain, arena, device } = this.parts;
    const bytes = chain.readableBytes;
    if (bytes > Scratch.COMMAND_BYTES) return NetCtrl.ERR;
    chain.gather(0, bytes, at);
    const kind = arena.u8[at]!;
    const command = arena.u8[at + 1]!;
    const needed =
      kind === NetCtrl.RX && command > NetCtrl.RX_ALLMULTI ? CTRL_RX_EXTRA : CLASS_FEATURE[kind];
    if (needed === undefined || (device.negotiatedLow & needed) === 0) return NetCtrl.ERR;
    const data = at + NetCtrl.HEADER_SIZE;
    const length = bytes - NetCtrl.HEADER_SIZE;
    const done = this.carryOut(kind, command, data, length);
    return done ? NetCtrl.OK : NetCtrl.ERR;
  }

  // [impl->req~net.control-exact~1]
  private carryOut(kind: number, command: number, data: number, length: number): boolean {
    switch (kind) {
      case NetCtrl.RX:
        return length === 1 && this.receiveMode(command, this.parts.arena.u8[data]!);
      case NetCtrl.MAC:
        return command === NetCtrl.MAC_TABLE_SET && this.macTable(data, length);
      case NetCtrl.VLAN:
        return length === 2 && this.vlan(command, this.word16(data));
      case NetCtrl.ANNOUNCE:
        return length === 0 && this.announced(command);
      case NetCtrl.MQ:
        return length === 2 && this.pairs(command, this.word16(data));
      default:
        return length === 8 && this.offloads(command, data);
    }
  }

  private word16(at: number): number {
    const { u8 } = this.parts.arena;
    return u8[at]! | (u8[at + 1]! << 8);
  }

  /** 5.1.9.5.1: one byte, 0 or 1. */
  private receiveMode(command: number, value: number): boolean {
    const { filter } = this.parts.device;
    if (value > 1) return false;
    const on = value === 1;
    switch (command) {
      case NetCtrl.RX_PROMISC:
        filter.promiscuous = on;
        return true;
      case NetCtrl.RX_ALLMULTI:
        filter.allMulticast = on;
        return true;
      case NetCtrl.RX_ALLUNI:
        filter.allUnicast = on;
        return true;
      case NetCtrl.RX_NOMULTI:
        filter.noMulticast = on;
        return true;
      case NetCtrl.RX_NOUNI:
        filter.noUnicast = on;
        return true;
      case NetCtrl.RX_NOBCAST:
        filter.noBroadcast = on;
        return true;
      default:
        return false;
    }
  }

  /** 5.1.9.5.2: unicast entries, then multicast entries, each behind its count; exactly so long. */
  private macTable(data: number, length: number): boolean {
    if (length < 2 * COUNT_BYTES) return false;
    const unicast = this.word32(data);
    if (unicast > MAC_TABLE_MAX || length < 2 * COUNT_BYTES + unicast * MAC_BYTES) return false;
    const multicastAt = data + COUNT_BYTES + unicast * MAC_BYTES;
    const multicast = this.word32(multicastAt);
    if (multicast > MAC_TABLE_MAX) return false;
    if (length !== 2 * COUNT_BYTES + (unicast + multicast) * MAC_BYTES) return false;
    this.parts.device.filter.clearTable();
    this.addAddresses(data + COUNT_BYTES, unicast);
    this.addAddresses(multicastAt + COUNT_BYTES, multicast);
    return true;
  }

  private word32(at: number): number {
    return (this.word16(at) | (this.word16(at + 2) << 16)) >>> 0;
  }

  private addAddresses(at: number, count: number): void {
    for (let n = 0; n < count; n++) {
      const address = at + n * MAC_BYTES;
      this.parts.device.filter.addAddress(this.word32(address) | 0, this.word16(address + 4));
    }
  }

  private vlan(command: number, id: number): boolean {
    if (id >= VLAN_IDS || command > NetCtrl.VLAN_DEL) return false;
    this.parts.device.filter.setVlan(id, command === NetCtrl.VLAN_ADD);
    return true;
  }

  /** 5.1.9.5.4: the bit is cleared before the buffer is used. */
  private announced(command: number): boolean {
    if (command !== NetCtrl.ANNOUNCE_ACK) return false;
    const { arena, statusAt, events, device, queue, time } = this.parts;
    Atomics.and(arena.i32, statusAt >>> 2, ~NetStatus.ANNOUNCE);
    events.report(EventKind.ANNOUNCE_ACKNOWLEDGED, device.plan.index, queue.index, 0, time.now);
    return true;
  }

  private pairs(command: number, pairs: number): boolean {
    const { device } = this.parts;
    if (command !== NetCtrl.MQ_VQ_PAIRS_SET) return false;
    if (pairs < NetCtrl.MQ_PAIRS_MIN || pairs > device.plan.queuePairs) return false;
    device.setPairs(pairs);
    return true;
  }

  /** 5.1.9.5.8: a subset of what was negotiated, dependencies kept. */
  private offloads(command: number, data: number): boolean {
    const { device } = this.parts;
    if (command !== NetCtrl.GUEST_OFFLOADS_SET || this.word32(data + 4) !== 0) return false;
    const wanted = this.word32(data);
    if ((wanted & ~(device.negotiatedLow & GUEST_OFFLOADS)) !== 0) return false;
    if (wanted !== 0 && (wanted & GUEST_CSUM) === 0) return false;
    device.setGuestOffloads(wanted);
    return true;
  }
}
