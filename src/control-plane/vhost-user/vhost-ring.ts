/** One ring as its front-end has set it up: what survives a stop, and its descriptors. */
import { closeDescriptor } from '../../host/descriptors.ts';
import type { RingAddresses } from '../ring-place.ts';

export class VhostRing {
  size = 0;
  /** Where service begins: set by the front-end, and what a stop left. */
  base = 0;
  addresses: RingAddresses | undefined;
  /** SET_VRING_ENABLE and SET_VRING_KICK are independent: any order, any time. */
  enabled = false;
  started = false;
  /** Descriptors the front-end gave: kicks are never read, guests are polled. -1 = none. */
  kick = -1;
  call = -1;
  error = -1;

  /** Index in the messages. */
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }

  /** Takes another descriptor; the one it replaces, for whoever closes it, or -1. */
  exchange(which: 'kick' | 'call' | 'error', descriptor: number): number {
    const before = this[which];
    this[which] = descriptor;
    return before;
  }

  /** Closes what it owns. The data plane must not use them any more. */
  // [impl->req~vhost.descriptor-ownership~1]
  close(): void {
    for (const which of ['kick', 'call', 'error'] as const) {
      closeIfAny(this.exchange(which, -1));
    }
  }
}

export function closeIfAny(descriptor: number): void {
  if (descriptor >= 0) closeDescriptor(descriptor);
}
