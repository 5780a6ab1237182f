/**
 * Static routes between devices, default deny: who gets a packet, under which quota, in which form.
 */
import { Drop } from '../../channel/counters.ts';
import { Ethernet, EtherType } from '../../wire/ethernet.ts';
import { GsoType, NetHeader } from '../../wire/virtio-net.ts';
import { storeBe16, type Arena } from '../arena.ts';
import { DELIVERED, type NetDevice } from './net-device.ts';
import { HEAD_BYTES, Packet } from './packet.ts';
import type { Staging } from './staging.ts';
import { NOT_CARRIED, UNTAGGED, type SwitchRoute } from './switch-route.ts';

/** What became of a packet, for the queue it came from. */
export const Forwarded = { DONE: 0, UNROUTED: 1, DEFERRED: 2, SEGMENTING: 3 } as const;

const MACS = 2 * Ethernet.MAC_BYTES;
const TICKET_MASK = 0x3fffffff;

export class VirtualSwitch {
  /** Number of the packet forwarded last: a route remembers whom it delivered. */
  ticket = 0;
  private readonly retagged: Packet;

  private readonly arena: Arena;
  private readonly routes: readonly SwitchRoute[];
  /** Scratch for a head with one VLAN tag more or less. */
  private readonly retagAt: number;

  constructor(arena: Arena, routes: readonly SwitchRoute[], retagAt: number, segmentsMax: number) {
    this.arena = arena;
    this.routes = routes;
    this.retagAt = retagAt;
    this.retagged = new Packet(segmentsMax + 1);
  }

  majorFrameBegins(): void {
    for (let n = 0; n < this.routes.length; n++) this.routes[n]!.policer.majorFrameBegins();
  }

  /**
   * Offers a packet to every route that leaves its device. Whether to defer it is decided before
   * anything was delivered, so that no packet is sent twice.
   */
  // [impl->req~net.static-route~1]
  forward(routes: readonly SwitchRoute[], packet: Packet, pair: number, staging: Staging): number {
    const ticket = (this.ticket + 1) & TICKET_MASK;
    this.ticket = ticket;
    const fansOut = packet.gsoType !== GsoType.NONE && this.matches(routes, packet) > 1;
    let matched = 0;
    for (let n = 0; n < routes.length; n++) {
      const route = routes[n]!;
      const tag = this.tagOn(route, packet);
      if (tag === NOT_CARRIED) continue;
      matched++;
      if (this.mustCut(packet, route.receiver)) {
        route.sent();
        if (!fansOut) return this.beginSegments(route, packet, tag, staging, ticket);
        route.settle(Drop.OFFLOAD_FAN_OUT, 0, ticket);
        continue;
      }
      const admitted = route.policer.admits(packet.bytes);
      if (!admitted && matched === 1 && route.mayDefer(packet.bytes)) {
        route.deferred();
        return Forwarded.DEFERRED;
      }
      route.sent();
      if (!admitted) {
        route.settle(Drop.POLICED, 0, ticket);
        continue;
      }
      route.policer.spend(packet.bytes);
      const form = this.finished(packet, route.receiver, staging);
      route.settle(this.deliver(route, form, tag, pair), packet.bytes, ticket);
    }
    return matched === 0 ? Forwarded.UNROUTED : Forwarded.DONE;
  }

  /** The receiver's tag when the route carries the packet and its driver wants it. */
  private tagOn(route: SwitchRoute, packet: Packet): number {
    const { destinationLow, destinationHigh, vlan } = packet;
    const wanted = route.wants(destinationLow, destinationHigh, vlan);
    return wanted ? route.tagAtReceiver(vlan) : NOT_CARRIED;
  }

  private matches(routes: readonly SwitchRoute[], packet: Packet): number {
    let count = 0;
    for (let n = 0; n < routes.length; n++) {
      if (this.tagOn(routes[n]!, packet) !== NOT_CARRIED) count++;
    }
    return count;
  }

  private mustCut(packet: Packet, receiver: NetDevice): boolean {
    return packet.gsoType !== GsoType.NONE && !receiver.takesGso(packet.gsoType);
  }

  /** The packet itself, or its completed copy where the receiver takes no partial checksums. */
  private finished(packet: Packet, receiver: NetDevice, staging: Staging): Packet {
    return packet.needsChecksum && !receiver.guestChecksum ? staging.finish(packet) : packet;
  }

  // [impl->req~net.offload-completion~1]
  private beginSegments(
    route: SwitchRoute,
    packet: Packet,
    tag: number,
    staging: Staging,
    ticket: number,
  ): number {
    if (!staging.beginSegments(packet)) {
      route.settle(Drop.TOO_LONG_FOR_RECEIVER, 0, ticket);
      return Forwarded.DONE;
    }
    staging.route = route;
    staging.tag = tag;
    staging.ticket = ticket;
    staging.result = DELIVERED;
    return Forwarded.SEGMENTING;
  }

  /**
   * Delivers one more segment, within the quota of the route: {@link Forwarded.SEGMENTING} while
   * there are more, {@link Forwarded.DEFERRED} when the next one waits for the next major frame.
   */
  forwardSegment(staging: Staging, pair: number, packetBytes: number): number {
    const route = staging.route!;
    const { segmentation } = staging;
    const bytes = segmentation.nextBytes;
    if (!route.policer.admits(bytes)) {
      if (route.mayDefer(bytes)) {
        route.deferred();
        return Forwarded.DEFERRED;
      }
      segmentation.active = false;
      staging.settle(Drop.POLICED);
    } else {
      route.policer.spend(bytes);
      staging.settle(this.deliver(route, staging.nextSegment(), staging.tag, pair));
    }
    if (segmentation.active) return Forwarded.SEGMENTING;
    route.settle(staging.result, packetBytes, staging.ticket);
    return Forwarded.DONE;
  }

  private deliver(route: SwitchRoute, packet: Packet, tag: number, pair: number): number {
    const { plan, receiver } = route;
    const form = tag === packet.vlan ? packet : this.retag(packet, tag);
    return receiver.receive(form, pair, plan.reservedByOthers, plan.receiveDescriptorsMax);
  }

  /** The packet with its VLAN tag inserted or removed: only the head is copied. */
  private retag(packet: Packet, tag: number): Packet {
    const { arena, retagged } = this;
    const from = packet.headAt + NetHeader.SIZE;
    const to = this.retagAt + NetHeader.SIZE;
    const head = Math.min(packet.headBytes, HEAD_BYTES);
    const inserted = tag === UNTAGGED ? -Ethernet.TAG : Ethernet.TAG;
    arena.copy(to, from, MACS);
    if (inserted > 0) {
      storeBe16(arena.u8, to + Ethernet.TYPE, EtherType.VLAN);
      storeBe16(arena.u8, to + Ethernet.TYPE + 2, tag);
      arena.copy(to + MACS + Ethernet.TAG, from + MACS, head - MACS);
    } else {
      arena.copy(to + MACS, from + MACS + Ethernet.TAG, head - MACS - Ethernet.TAG);
    }
    retagged.headAt = this.retagAt;
    retagged.headBytes = head + inserted;
    retagged.bytes = packet.bytes + inserted;
    retagged.vlan = tag;
    retagged.restCount = 0;
    if (packet.headBytes > head) retagged.addRest((from + head) | 0, packet.headBytes - head);
    for (let n = 0; n < packet.restCount; n++) {
      retagged.addRest(packet.restAt[n]!, packet.restLength[n]!);
    }
    retagged.takeOffloads(packet, inserted);
    return retagged;
  }
}
