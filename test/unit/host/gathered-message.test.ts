/** Messages whose parts lie apart: every byte once, in order, in however many pieces the socket takes them. */
import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import { InternalError } from '../../../src/base/assert.ts';
import { GatheredMessage } from '../../../src/host/gathered-message.ts';
import { SEND_FAILED, SEND_LATER, UnixSocket } from '../../../src/host/unix-socket.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const MEMORY_BYTES = 1 << 20;
const HEAD_BYTES = 32;

describe('a message from several places', () => {
  const memory = new Uint8Array(new SharedArrayBuffer(MEMORY_BYTES));
  memory.forEach((_, n) => (memory[n] = (n * 31 + (n >>> 8)) & 0xff));
  let left: UnixSocket;
  let right: UnixSocket;
  let message: GatheredMessage;

  beforeEach(() => {
    [left, right] = UnixSocket.pair();
    message = new GatheredMessage(memory, HEAD_BYTES, 64);
    for (let n = 0; n < HEAD_BYTES; n++) message.head.setUint8(n, 0xa0 + n);
  });

  afterEach(() => {
    left.close();
    right.close();
  });

  /** Sends and reads in turn until everything has come. */
  function transmit(readBytes = 65536): Buffer {
    const into = new Uint8Array(readBytes);
    const pieces: Buffer[] = [];
    for (;;) {
      if (message.bytesLeft > 0) {
        const sent = left.sendGathered(message);
        assert.ok(sent > 0 || sent === SEND_LATER);
      }
      const count = right.receive(into, into.length, []);
      if (count < 0 && message.bytesLeft === 0) return Buffer.concat(pieces);
      if (count > 0) pieces.push(Buffer.from(into.subarray(0, count)));
    }
  }

  const head = (bytes: number) => Array.from({ length: bytes }, (_, n) => 0xa0 + n);

  it('[utest->req~host.gathered-send~1] the head alone is a message, of as many bytes as are said', () => {
    message.begin(12);
    assert.equal(message.bytesLeft, 12);
    assert.deepEqual([...transmit()], head(12));
  });

  it('[utest->req~host.gathered-send~1] parts follow in their order, whether they touch or not', () => {
    message.begin(4);
    message.add(100, 10);
    message.add(110, 5);
    message.add(50, 3);
    message.add(53, 1);
    const expected = [...head(4), ...memory.subarray(100, 115), ...memory.subarray(50, 54)];
    assert.deepEqual([...transmit()], expected);
  });

  it('[utest->req~host.gathered-send~1] the memory is read when it is sent', () => {
    message.begin(1);
    message.add(500, 1);
    const was = memory[500]!;
    memory[500] = was ^ 0xff;
    assert.deepEqual([...transmit()], [0xa0, was ^ 0xff]);
    memory[500] = was;
  });

  it('[utest->req~host.gathered-send~1] any parts through a socket that is full most of the time (property)', () => {
    const part = fc.record({
      at: fc.nat(MEMORY_BYTES - 65536),
      length: fc.integer({ min: 1, max: 65536 }),
    });
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 64 }),
        fc.integer({ min: 1, max: HEAD_BYTES }),
        fc.integer({ min: 100, max: 300_000 }),
        (parts, headBytes, readBytes) => {
          message.begin(headBytes);
          for (const { at, length } of parts) message.add(at, length);
          const expected = Buffer.concat([
            Buffer.from(head(headBytes)),
            ...parts.map(({ at, length }) => Buffer.from(memory.subarray(at, at + length))),
          ]);
          assert.equal(message.bytesLeft, expected.length);
          assert.ok(transmit(readBytes).equals(expected));
        },
      ),
      seededRuns(73, 60),
    );
  });

  it('[utest->req~host.gathered-send~1] a peer that is gone is a failure and no signal', () => {
    right.close();
    message.begin(8);
    assert.equal(left.sendGathered(message), SEND_FAILED);
  });

  it('[utest->req~host.gathered-send~1] parts outside the memory, too many parts, and nothing at all are our mistakes', () => {
    for (const [at, length] of [
      [-1, 1],
      [MEMORY_BYTES, 1],
      [MEMORY_BYTES - 1, 2],
      [0, 0],
    ] as const) {
      const fresh = new GatheredMessage(memory, HEAD_BYTES, 2);
      fresh.begin(1);
      assert.throws(() => fresh.add(at, length), InternalError);
    }
    const short = new GatheredMessage(memory, HEAD_BYTES, 2);
    short.begin(1);
    for (const at of [10, 20]) short.add(at, 1);
    assert.throws(() => short.add(30, 1), InternalError);
    assert.throws(() => short.begin(1), InternalError, 'the message before is not sent');
    assert.throws(() => new GatheredMessage(memory, HEAD_BYTES, 1024), InternalError);
    assert.throws(() => new GatheredMessage(memory, HEAD_BYTES, 2).begin(0), InternalError);
    assert.throws(() => message.begin(HEAD_BYTES + 1), InternalError);
    assert.throws(() => left.sendGathered(message), InternalError);
  });
});
