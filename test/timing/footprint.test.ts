/** What a gateway with eight connected partitions needs of a processor and of memory. */
import { strict as assert } from 'node:assert';
import { EightPartitions } from '../../src/cli/bench/eight-partitions.ts';
import { growth } from '../../src/cli/bench/memory.ts';

const IDLE_PERCENT_MAX = 15;
const RESIDENT_MIB_MAX = 150;
const TRIES = 4;
const IDLE_S = 2;

describe('eight connected partitions', function () {
  this.timeout(60_000);
  const partitions = new EightPartitions();

  before(() => partitions.start());
  after(() => partitions.stop());

  it('[utest->req~host.memory-bounded~1] need at most 150 MiB beyond the memory of their guests', async () => {
    await partitions.send(2);
    for (let n = 0; n < 8; n++) await partitions.reconnect(n);
    const before = partitions.received;
    await partitions.send(1);
    assert.ok(partitions.received - before > 100, 'packets arrive');
    const { anonymous, file, shared } = partitions.resident;
    assert.ok(shared > 2, `the memory of the guests is counted apart: ${shared} MiB`);
    assert.ok(anonymous + file <= RESIDENT_MIB_MAX, `${anonymous} + ${file} MiB`);
  });

  it('[utest->req~host.idle-cost~1] use at most 15 % of a processor while they are silent', async () => {
    const shares: number[] = [];
    // Whoever else uses the processors makes each wake-up dearer.
    for (let n = 0; n < TRIES && Math.min(...shares) > IDLE_PERCENT_MAX; n++)
      shares.push(await partitions.idlePercent(IDLE_S));
    assert.ok(Math.min(...shares) <= IDLE_PERCENT_MAX, `${shares.join(', ')} %`);
    assert.ok(Math.min(...shares) > 0.5, 'the schedule is followed all the time');
  });
});

describe('growth of memory', () => {
  const samples = (mib: (n: number) => number) =>
    Array.from({ length: 60 }, (_, n) => ({
      ...{ seconds: 10 * n, anonymous: mib(n), file: 40, shared: n },
    }));

  it('[utest->req~host.memory-bounded~1] is the slope of what is resident, guests apart', () => {
    assert.deepEqual(growth(samples(() => 50)), { median: 0, low: 0, high: 0 });
    assert.ok(Math.abs(growth(samples((n) => 50 + n / 36)).median - 10) < 1e-6);
  });

  it('[utest->req~host.memory-bounded~1] is not swayed by collections', () => {
    const { median, low, high } = growth(samples((n) => 50 + (n % 7) / 10));
    assert.ok(Math.abs(median) < 1, `${median} MiB per hour`);
    assert.ok(low <= median && median <= high);
  });
});
