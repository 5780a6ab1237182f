/** A route with its receiver, its quota, and what it counts. */
import { RouteCounter, type Counters } from '../../channel/counters.ts';
import type { PlanRoute } from '../../schedule/gateway-plan.ts';
import { DELIVERED, type NetDevice } from './net-device.ts';
import { Policer } from './policer.ts';

/** The route does not carry packets with this tag. */
export const NOT_CARRIED = -2;
/** The receiver sees the packet without a tag. */
export const UNTAGGED = -1;

export class SwitchRoute {
  readonly policer: Policer;
  /** Ticket of the request that was last delivered here, so that a flow knows its own. */
  lastTicket = 0;
  /** VLAN id (or {@link UNTAGGED}) with which packets come in and go out. */
  private readonly enters: number;
  private readonly leaves: number;
  private readonly words: Float64Array;
  private readonly countersAt: number;

  readonly plan: PlanRoute;
  readonly receiver: NetDevice;

  constructor(plan: PlanRoute, receiver: NetDevice, counters: Counters) {
    this.plan = plan;
    this.receiver = receiver;
    this.policer = new Policer(plan.packetsPerMajorFrame, plan.bytesPerMajorFrame);
    this.enters = plan.vlanAction === 'insert' ? UNTAGGED : plan.vlan;
    this.leaves = plan.vlanAction === 'remove' ? UNTAGGED : plan.vlan;
    this.words = counters.words;
    this.countersAt = counters.routeAt(plan.index);
  }

  /**
   * VLAN id under which the receiver sees a packet with this tag, {@link UNTAGGED} or {@link
   * NOT_CARRIED}.
   */
  // [impl->req~net.vlan~1]
  tagAtReceiver(vlan: number): number {
    return vlan === this.enters ? this.leaves : NOT_CARRIED;
  }

  /** Whether the route carries packets with this tag, and its receiver wants this destination. */
  wants(low: number, high: number, vlan: number): boolean {
    const tag = this.tagAtReceiver(vlan);
    return tag !== NOT_CARRIED && this.receiver.filter.accepts(low, high, tag);
  }

  /** Whether a packet past the quota waits, because the next major frame can carry it. */
  mayDefer(bytes: number): boolean {
    return this.plan.excess === 'defer' && this.policer.fitsAnEmptyFrame(bytes);
  }

  sent(): void {
    this.words[this.countersAt + RouteCounter.SENT]! += 1;
  }

  /** Counts packets that were sent here and delivered, all of them. */
  deliveredPlain(packets: number, bytes: number): void {
    this.words[this.countersAt + RouteCounter.SENT]! += packets;
    this.words[this.countersAt + RouteCounter.DELIVERED]! += packets;
    this.words[this.countersAt + RouteCounter.BYTES]! += bytes;
  }

  deferred(): void {
    this.words[this.countersAt + RouteCounter.DEFERRED]! += 1;
  }

  /** Counts the end of a packet that was sent here: delivered, or dropped for a reason. */
  settle(result: number, bytes: number, ticket: number): void {
    if (result !== DELIVERED) {
      this.words[this.countersAt + RouteCounter.DROPS + result]! += 1;
      return;
    }
    this.words[this.countersAt + RouteCounter.DELIVERED]! += 1;
    this.words[this.countersAt + RouteCounter.BYTES]! += bytes;
    this.lastTicket = ticket;
  }
}
