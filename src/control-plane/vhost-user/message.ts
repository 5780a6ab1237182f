/** One vhost-user message of a front-end: its payload, and the descriptors that came with it. */

/** What a request led to: done, an answer of its own, or refused with the reason. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'reply'; readonly payload: Uint8Array; readonly descriptor?: number }
  | { readonly kind: 'refused'; readonly reason: string }
  /** Refused, where no answer could say so: the connection ends. */
  | { readonly kind: 'fatal'; readonly reason: string };

export const DONE: Outcome = { kind: 'done' };

export function refused(reason: string): Outcome {
  return { kind: 'refused', reason };
}

const U64_BYTES = 8;
const TWO_32 = 0x1_0000_0000;

/** An answer of one 64-bit word. */
export function replyU64(low: number, high = 0): Outcome {
  const payload = new Uint8Array(U64_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint32(0, low, true);
  view.setUint32(4, high, true);
  return { kind: 'reply', payload };
}

export class Message {
  readonly request: number;
  readonly payload: DataView;
  /** The front-end waits for an answer, whatever the request. */
  readonly needsReply: boolean;
  /** Descriptors that nobody has taken over yet: whoever closes the message closes them. */
  private readonly descriptors: number[];

  constructor(
    request: number,
    payload: DataView,
    descriptors: number[],
    needsReply: boolean = false,
  ) {
    this.request = request;
    this.payload = payload;
    this.needsReply = needsReply;
    this.descriptors = descriptors;
  }

  get descriptorCount(): number {
    return this.descriptors.length;
  }

  /** The next descriptor, which stays the message's; -1 when there is none. */
  get firstDescriptor(): number {
    return this.descriptors[0] ?? -1;
  }

  /** Hands the next descriptor over: the caller owns it from now on. */
  takeDescriptor(): number {
    return this.descriptors.shift() ?? -1;
  }

  /** The descriptors that are left, for whoever closes them. */
  remaining(): number[] {
    return this.descriptors.splice(0);
  }

  u16(at: number): number {
    return this.payload.getUint16(at, true);
  }

  u32(at: number): number {
    return this.payload.getUint32(at, true);
  }

  /** A 64-bit field as a Number; NaN from 2^53 on, where it would not be exact. */
  u64(at: number): number {
    const value = this.u32(at + 4) * TWO_32 + this.u32(at);
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }
}
