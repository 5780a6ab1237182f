/** One ring as its front-end has set it up: what survives a stop, and its descriptors. */
import { closeForeign } from '../../host/descriptors.ts';
import type { RingAddresses } from '../ring-place.ts';
import { NO_SIGNAL, type Signal } from './signal.ts';

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
  call = NO_SIGNAL;
  error = NO_SIGNAL;

  /** Index in the messages. */
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }

  /** Each takes another descriptor; the one it replaces, for whoever closes it, or -1. */
  exchangeKick(descriptor: number): number {
    const before = this.kick;
    this.kick = descriptor;
    return before;
  }

  exchange(which: 'call' | 'error', signal: Signal): number {
    const before = this[which].descriptor;
    this[which] = signal;
    return before;
  }

  /** Closes what it owns. The data plane must not use them any more. */
  // [impl->req~vhost.descriptor-ownership~1]
  close(): void {
    closeIfAny(this.exchangeKick(-1));
    closeIfAny(this.exchange('call', NO_SIGNAL));
    closeIfAny(this.exchange('error', NO_SIGNAL));
  }
}

export function closeIfAny(descriptor: number): void {
  if (descriptor >= 0) closeForeign(descriptor);
}
