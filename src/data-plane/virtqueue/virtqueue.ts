/** What the data plane asks of a virtqueue, split (VIRTIO 2.7) or packed (2.8). */
import type { FaultCode } from '../../base/fault.ts';
import type { DescriptorChain } from './descriptor-chain.ts';

/** Where the three parts of a ring lie in the arena (checked and aligned), and how it starts. */
export interface RingSetup {
  readonly size: number;
  /** 2.6: Descriptor Area, Driver Area and Device Area, whatever the layout keeps in them. */
  readonly descAt: number;
  readonly availAt: number;
  readonly usedAt: number;
  readonly eventIdx: boolean;
  readonly indirect: boolean;
  readonly packed: boolean;
  /** Where service resumes, in the form of {@link Virtqueue.base}. */
  readonly index: number;
}

/**
 * Buffers are taken, completed and published in the order in which they were made available, so
 * that VIRTIO_F_IN_ORDER holds whether or not it is negotiated.
 */
export interface Virtqueue {
  readonly size: number;
  readonly started: boolean;
  /** The fault that stopped the ring, or none. */
  readonly brokenBy: FaultCode;
  /** Buffers taken and buffers seen so far, modulo 2^16, from where the layout begins to count. */
  readonly taken: number;
  readonly seen: number;
  /** The last look saw everything that was there; else it ended at its bound. */
  readonly sawAll: boolean;
  /** Buffers that were there at the last look and are not taken yet. */
  readonly available: number;
  /** A broken ring owes notifications for what it published; one that was stopped does not. */
  readonly mayNotify: boolean;
  /**
   * First buffer that the driver has not got back, as vhost-user's ring state says it: the next
   * available index, or position and wrap counter, available in the low and used in the high half.
   */
  readonly base: number;
  /** A setup that cannot be leaves the ring broken. */
  start(setup: RingSetup): void;
  /** What was completed and not published is forgotten: the next life offers it again. */
  stop(): void;
  /** Looks, once, for what the driver has made available; what cannot be stops the ring. */
  look(): FaultCode;
  /** Takes a buffer, of which the caller has seen one: its head, or -1 when the ring broke. */
  takeHead(): number;
  /**
   * Walks the buffer of a head just taken into `chain`, behind what the chain holds already;
   * `stepsMax` bounds the descriptors of all buffers in `chain` together.
   */
  walk(chain: DescriptorChain, head: number, stepsMax: number): FaultCode;
  /** Gives the last taken head back, as if it had not been looked at. */
  untake(head: number): void;
  /** Completes the oldest head that is taken; the driver sees it at the next {@link publish}. */
  complete(head: number, usedLength: number): void;
  /** Makes everything completed visible, in one step. */
  publish(): void;
  /** Whether the driver wants a used buffer notification; once true, it counts as sent. */
  takeNotification(): boolean;
}
