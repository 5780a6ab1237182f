/** Host memory of one transmit queue, for packets that the gateway has to finish itself. */
import { STAGING_HALF } from '../../schedule/arena-layout.ts';
import { NetHeader } from '../../wire/virtio-net.ts';
import type { Arena } from '../arena.ts';
import { completeChecksum, Segmentation } from './offload.ts';
import { DELIVERED } from './net-device.ts';
import { Packet } from './packet.ts';
import type { SwitchRoute } from './switch-route.ts';

export class Staging {
  readonly segmentation = new Segmentation();
  /** The packet with its checksum completed. */
  readonly finished = new Packet(1);
  /** The segment being delivered, and where the segments go. */
  readonly segment = new Packet(1);
  route: SwitchRoute | undefined;
  tag = 0;
  ticket = 0;
  /** Result of the packet as a whole: the first segment that is dropped decides. */
  result = 0;

  private readonly arena: Arena;
  private readonly at: number;

  constructor(arena: Arena, at: number) {
    this.arena = arena;
    this.at = at;
  }

  /** Notes what became of a segment. */
  settle(result: number): void {
    if (this.result === DELIVERED) this.result = result;
  }

  /** Copies a packet here and completes its checksum (5.1.9.2). */
  finish(packet: Packet): Packet {
    const { arena, finished } = this;
    const to = this.at + NetHeader.SIZE;
    packet.copyTo(arena, to);
    completeChecksum(arena, to, packet.bytes, packet.checksumStart, packet.checksumOffset);
    finished.contiguous(this.at, packet.bytes);
    finished.vlan = packet.vlan;
    return finished;
  }

  /** Copies a packet here to be cut; false when its headers do not allow it. */
  beginSegments(packet: Packet): boolean {
    const to = this.at + NetHeader.SIZE;
    packet.copyTo(this.arena, to);
    this.segment.vlan = packet.vlan;
    return this.segmentation.begin(this.arena, to, packet.bytes, packet.gsoSize);
  }

  /** Cuts the next segment. */
  nextSegment(): Packet {
    const { segment, segmentation } = this;
    const at = this.at + STAGING_HALF;
    segment.contiguous(at, segmentation.nextBytes);
    segmentation.next(this.arena, at + NetHeader.SIZE);
    return segment;
  }
}
