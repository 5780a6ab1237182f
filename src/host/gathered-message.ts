/** A message with a head of its own whose body is sent from where it lies in memory, uncopied. */
import { assert } from '../base/assert.ts';
import { addressOf } from './native/libc.ts';
import { Gather, PARTS_MAX } from './native/gather.ts';

// [impl->req~host.gathered-send~1]
export class GatheredMessage {
  /** Filled in before {@link begin}, and left alone until the message is sent. */
  readonly head: DataView;
  /** Bytes that are still to be sent. */
  bytesLeft = 0;
  private readonly gather: Gather;
  private readonly headAt: number;
  private readonly memoryAt: number;
  private readonly memoryBytes: number;

  /** `partsMax`: parts of the body that do not lie one behind the other. */
  constructor(memory: Uint8Array, headBytesMax: number, partsMax: number) {
    assert(partsMax < PARTS_MAX, 'one call sends all parts');
    const head = Buffer.allocUnsafeSlow(headBytesMax).fill(0);
    this.head = new DataView(head.buffer, head.byteOffset, headBytesMax);
    this.headAt = Number(addressOf(head));
    this.memoryAt = Number(addressOf(memory));
    this.memoryBytes = memory.length;
    this.gather = new Gather(partsMax + 1);
  }

  /** Another message, of the first bytes of the head. */
  begin(headBytes: number): void {
    assert(this.bytesLeft === 0, 'the message before has been sent');
    assert(headBytes > 0 && headBytes <= this.head.byteLength, 'a message has a head');
    this.gather.clear();
    this.gather.add(this.headAt, headBytes);
    this.bytesLeft = headBytes;
  }

  /** Appends bytes of the memory; they are read when they are sent. */
  add(at: number, length: number): void {
    assert(at >= 0 && length > 0 && at + length <= this.memoryBytes, 'a part lies in the memory');
    assert(this.gather.add(this.memoryAt + at, length), 'a message has room for its parts');
    this.bytesLeft += length;
  }

  /** Sends what the socket takes at once: bytes, or -errno. */
  sendTo(descriptor: number): number {
    assert(this.bytesLeft > 0, 'there is something to send');
    const sent = this.gather.send(descriptor);
    if (sent > 0) this.bytesLeft -= sent;
    return sent;
  }
}
