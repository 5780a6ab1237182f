/** The traffic programs' packet: what is written is read back, what was changed is not accepted. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import {
  PacketKind,
  TestPacketCodec,
  TEST_PACKET_BYTES_MIN,
} from '../../../src/guest/test-packet.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const TO = [2, 0, 0, 0, 0, 1];
const FROM = [2, 0, 0, 0, 0, 2];
const ROOM = 2048;
const AT = 37;

function written(bytes = 100, sequence = 0x0102_0304, kind: number = PacketKind.REQUEST) {
  const u8 = new Uint8Array(ROOM).fill(0xee);
  const codec = new TestPacketCodec(u8);
  codec.write(AT, bytes, TO, FROM, { kind, sequence, stampNs: 123_456_789_012 });
  const accepts = (length = bytes) => codec.read(AT, length, { kind: 0, sequence: 0, stampNs: 0 });
  return { u8, codec, accepts };
}

/** Positions whose change the packet gives away. */
function detected(bytes = 100): boolean[] {
  return Array.from({ length: bytes }, (_, n) => {
    const { u8, accepts } = written(bytes);
    u8[AT + n]! ^= 0x01;
    return !accepts();
  });
}

describe('test packet', () => {
  it('[utest->req~guest.traffic-verified~1] any packet is read back as it was written', () => {
    const packet = fc.record({
      kind: fc.constantFrom(PacketKind.REQUEST, PacketKind.ANSWER),
      sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
      stampNs: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(
        packet,
        fc.integer({ min: TEST_PACKET_BYTES_MIN, max: 1514 }),
        (expected, bytes) => {
          const u8 = new Uint8Array(ROOM);
          const codec = new TestPacketCodec(u8);
          codec.write(AT, bytes, TO, FROM, expected);
          const found = { kind: -1, sequence: -1, stampNs: -1 };
          assert.equal(codec.read(AT, bytes, found), true);
          assert.deepEqual(found, { ...expected });
          assert.deepEqual(Array.from(u8.subarray(AT, AT + 14)), [...TO, ...FROM, 0x88, 0xb5]);
        },
      ),
      seededRuns(111, 200),
    );
  });

  it('[utest->req~guest.traffic-verified~1] not a byte outside the packet is written', () => {
    const { u8 } = written(100);
    assert.ok(u8.subarray(0, AT).every((byte) => byte === 0xee));
    assert.ok(u8.subarray(AT + 100).every((byte) => byte === 0xee));
  });

  it('[utest->req~guest.traffic-verified~1] a change of type, magic or any byte of the pattern is detected', () => {
    const found = detected();
    const undetected = found.flatMap((seen, n) => (seen ? [] : [n]));
    assert.deepEqual(
      undetected.filter((n) => (n >= 12 && n < 16) || n >= 30),
      [],
    );
  });

  it('[utest->req~guest.traffic-verified~1] packets too short for the fields, and bytes of chance, are not ours', () => {
    const { codec, accepts } = written();
    for (let bytes = 0; bytes < 30; bytes++) assert.equal(accepts(bytes), false);
    assert.equal(codec.read(0, 100, { kind: 0, sequence: 0, stampNs: 0 }), false);
  });

  it('[utest->req~guest.traffic-verified~1] a packet with bytes appended is not as it was sent', () => {
    assert.equal(written().accepts(101), false);
  });

  it('[utest->req~guest.traffic-verified~1] a view into the middle of a buffer is written where it says', () => {
    const buffer = new Uint8Array(ROOM).fill(0xee);
    const codec = new TestPacketCodec(buffer.subarray(1000));
    codec.write(0, 64, TO, FROM, { kind: 0, sequence: 1, stampNs: 2 });
    assert.deepEqual(Array.from(buffer.subarray(1000, 1006)), TO);
    assert.equal(buffer[999], 0xee);
  });
});

describe('regressions', () => {
  for (const [field, from, to] of [
    ['kind', 16, 18],
    ['sequence', 18, 22],
    ['time stamp', 22, 30],
  ] as const) {
    it(`[utest->req~guest.traffic-verified~1] a change of any byte of the ${field} is detected`, () => {
      assert.deepEqual(detected().slice(from, to), new Array(to - from).fill(true));
    });
  }

  it('[utest->req~guest.traffic-verified~1] a packet cut short is not as it was sent', () => {
    assert.equal(written().accepts(99), false);
  });
});
