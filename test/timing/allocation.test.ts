/** The data plane allocates nothing per request in steady state, above 2 GiB, and the test can tell. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** A young generation large enough that no collection hides what was allocated. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
/** Half an object of 16 bytes per burst of 32 requests: what the engine keeps about itself is below. */
const BYTES_PER_REQUEST_MAX = 0.4;
const PROBE = path.join(__dirname, 'allocation-probe.js');

function heapGrowth(
  mode: string,
  rings = 'split',
): { bytes: number; requests: number; sliceAt: number } {
  const { stdout, stderr } = spawnSync(process.execPath, [...FLAGS, PROBE, mode], {
    encoding: 'utf8',
    env: { ...process.env, TEST_RINGS: rings },
  });
  assert.equal(stderr, '');
  return JSON.parse(stdout) as { bytes: number; requests: number; sliceAt: number };
}

describe('allocation', () => {
  for (const rings of ['split', 'packed']) {
    it(`[utest->req~sched.no-allocation~1] a million requests on ${rings} rings above 2 GiB leave the heap as it was`, function () {
      this.timeout(120_000);
      const { bytes, requests, sliceAt } = heapGrowth('clean', rings);
      assert.ok(requests >= 1e6 && sliceAt >= 2 ** 31);
      assert.ok(
        bytes < requests * BYTES_PER_REQUEST_MAX,
        `${bytes} bytes for ${requests} requests`,
      );
    });
  }

  it('[utest->req~sched.no-allocation~1] one object of 16 bytes per request would be seen', function () {
    this.timeout(120_000);
    const { bytes, requests } = heapGrowth('leaky');
    assert.ok(bytes >= 16 * requests * 0.9, `${bytes} bytes for ${requests} requests`);
  });
});
