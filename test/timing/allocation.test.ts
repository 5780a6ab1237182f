/** The data plane allocates nothing per request in steady state, above 2 GiB, and the test can tell. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** A young generation large enough that no collection hides what was allocated. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
/** Half an object of 16 bytes per burst of 32 requests: what the engine keeps about itself is below. */
const BYTES_PER_REQUEST_MAX = 0.4;
const SERVING = 'allocation-probe.js';
const NOTIFYING = 'notify-probe.js';
const DRAWING = 'gpu-allocation-probe.js';

interface Growth {
  readonly bytes: number;
  readonly requests: number;
  readonly sliceAt: number;
  readonly composed?: number;
  readonly checks?: number;
  readonly faults?: Readonly<Record<string, number>>;
}

function heapGrowth(probe: string, mode: string, rings = 'split'): Growth {
  const program = path.join(__dirname, probe);
  const { stdout, stderr } = spawnSync(process.execPath, [...FLAGS, program, mode], {
    encoding: 'utf8',
    env: { ...process.env, TEST_RINGS: rings },
  });
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Growth;
}

describe('allocation', () => {
  for (const rings of ['split', 'packed']) {
    it(`[utest->req~sched.no-allocation~1] a million requests on ${rings} rings above 2 GiB leave the heap as it was`, function () {
      this.timeout(120_000);
      const { bytes, requests, sliceAt } = heapGrowth(SERVING, 'clean', rings);
      assert.ok(requests >= 1e6 && sliceAt >= 2 ** 31);
      assert.ok(
        bytes < requests * BYTES_PER_REQUEST_MAX,
        `${bytes} bytes for ${requests} requests`,
      );
    });
  }

  it('[utest->req~sched.no-allocation~1] a million GPU commands, and what is composed of them, leave the heap as it was', function () {
    this.timeout(120_000);
    const { bytes, requests, sliceAt, composed, checks, faults } = heapGrowth(DRAWING, 'clean');
    assert.ok(requests >= 0.99e6 && sliceAt >= 2 ** 31);
    assert.ok(composed! > 10_000 && checks! > 10_000, `${composed} composed, ${checks} checked`);
    assert.deepEqual(Object.keys(faults!), ['gpu-command-refused', 'gpu-quota-exceeded']);
    assert.ok(bytes < requests * BYTES_PER_REQUEST_MAX, `${bytes} bytes for ${requests} requests`);
    const leaking = heapGrowth(DRAWING, 'leaky');
    assert.ok(leaking.bytes >= 8 * leaking.requests * 0.9, `${leaking.bytes} bytes would be seen`);
  });

  it('[utest->req~sched.no-allocation~1] one object of 16 bytes per request would be seen', function () {
    this.timeout(120_000);
    const { bytes, requests } = heapGrowth(SERVING, 'leaky');
    assert.ok(bytes >= 16 * requests * 0.9, `${bytes} bytes for ${requests} requests`);
  });

  for (const way of ['event', 'write', 'socket']) {
    it(`[utest->req~sched.no-allocation~1] a million notifications leave the heap as it was: ${way}`, function () {
      this.timeout(120_000);
      const { bytes, requests } = heapGrowth(NOTIFYING, way);
      assert.ok(bytes < requests, `${bytes} bytes for ${requests} notifications`);
    });
  }
});
