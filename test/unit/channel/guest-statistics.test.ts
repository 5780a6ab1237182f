/** What a guest says of itself, in arena words that the host reads. */
import { strict as assert } from 'node:assert';
import { GuestStatistic, GuestStatistics } from '../../../src/channel/guest-statistics.ts';
import { STATISTICS_BYTES } from '../../../src/schedule/arena-layout.ts';

const AT = 512;

function both() {
  const buffer = new SharedArrayBuffer(AT + STATISTICS_BYTES + 64);
  return { buffer, guest: new GuestStatistics(buffer, AT), host: new GuestStatistics(buffer, AT) };
}

describe('guest statistics', () => {
  it('[utest->req~guest.traffic-verified~1] each statistic is counted apart and seen by the host', () => {
    const { guest, host } = both();
    const statistics = Object.entries(GuestStatistic)
      .filter(([name]) => name !== 'COUNT')
      .map(([, at]) => at);
    for (const at of statistics) guest.add(at, at + 1);
    guest.add(GuestStatistic.SENT);
    assert.deepEqual(
      statistics.map((at) => host.get(at)),
      statistics.map((at) => at + 1 + (at === GuestStatistic.SENT ? 1 : 0)),
    );
  });

  it('[utest->req~guest.traffic-verified~1] the round-trip histogram lies behind the counts and in the area', () => {
    const { guest, host } = both();
    guest.roundTrip.recordFrom(Float64Array.of(3e9), 0);
    assert.equal(host.roundTrip.max, 3e9);
    assert.equal(host.get(GuestStatistic.COUNT - 1), 0);
    assert.ok(guest.words.byteLength <= STATISTICS_BYTES);
  });

  it('[utest->req~guest.traffic-verified~1] nothing is written before or behind the area', () => {
    const { buffer, guest } = both();
    const bytes = new Uint8Array(buffer);
    bytes.fill(0xa5, 0, AT);
    bytes.fill(0xa5, AT + guest.words.byteLength);
    guest.words.fill(-1);
    guest.roundTrip.recordFrom(Float64Array.of(1e12), 0);
    assert.ok(bytes.subarray(0, AT).every((byte) => byte === 0xa5));
    assert.ok(bytes.subarray(AT + guest.words.byteLength).every((byte) => byte === 0xa5));
  });
});
