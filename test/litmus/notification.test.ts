/** Driver and device on two threads over one ring: no wake-up is lost, no index or buffer is torn or repeated. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Arena } from '../../src/data-plane/arena.ts';
import { ARENA_PAGES, WATCHDOG_MS, Word, type LitmusData, type Verdict } from './shared-ring.ts';

const seed = Number(process.env['TEST_SEED'] ?? 27014);
const steps = Number(process.env['TEST_STEPS'] ?? 2_000_000);
/** Slow and shared machines included. */
const NS_PER_STEP_MAX = 20_000;

interface Outcome {
  readonly errors: string[];
  readonly waits: number;
  readonly notifications: number;
  readonly kicks: number;
}

async function run(
  options: Pick<LitmusData, 'size' | 'eventIdx' | 'packed' | 'steps'>,
): Promise<Outcome> {
  const memory = Arena.memory(ARENA_PAGES);
  const data: LitmusData = { memory, seed, ...options };
  const driver = new Worker(path.join(__dirname, 'driver-thread.js'), { workerData: data });
  const [ring] = (await once(driver, 'message')) as [LitmusData['ring']];
  const device = new Worker(path.join(__dirname, 'device-thread.js'), {
    workerData: { ...data, ring },
  });
  await once(device, 'message');
  const verdicts = [driver, device].map(async (worker) => {
    const [verdict] = (await once(worker, 'message')) as [Verdict];
    return verdict;
  });
  const exits = [driver, device].map((worker) => once(worker, 'exit'));
  for (const worker of [device, driver]) worker.postMessage('go');
  const [ofDriver, ofDevice] = await Promise.all(verdicts);
  await Promise.all(exits);
  return {
    errors: [ofDriver!, ofDevice!].flatMap(({ thread, error }) =>
      error === undefined ? [] : [`${thread}: ${error}`],
    ),
    waits: ofDriver!.waits!,
    notifications: ofDevice!.notifications!,
    kicks: Atomics.load(new Int32Array(memory.buffer), Word.KICKS),
  };
}

describe('litmus: notification and publication order on two threads', function () {
  this.timeout(WATCHDOG_MS + 20_000 + (steps * NS_PER_STEP_MAX) / 1e6);

  const cases = [
    { size: 2, eventIdx: true, packed: false, share: 0.01 },
    { size: 4, eventIdx: true, packed: false, share: 0.05 },
    { size: 16, eventIdx: true, packed: false, share: 0.25 },
    { size: 64, eventIdx: true, packed: false, share: 0.6 },
    { size: 4, eventIdx: false, packed: false, share: 0.03 },
    { size: 16, eventIdx: false, packed: false, share: 0.06 },
    { size: 1, eventIdx: true, packed: true, share: 0.01 },
    { size: 2, eventIdx: true, packed: true, share: 0.02 },
    { size: 16, eventIdx: true, packed: true, share: 0.25 },
    { size: 64, eventIdx: true, packed: true, share: 0.4 },
    { size: 16, eventIdx: false, packed: true, share: 0.06 },
  ];
  for (const { size, eventIdx, packed, share } of cases) {
    const mode = `${packed ? 'packed' : 'split'}, ${eventIdx ? 'by event' : 'by flags'}`;
    it(`[utest->req~queue.notify-suppression~1] ${size} buffers, ${mode}: every wait ends, every buffer is whole`, async () => {
      const count = Math.ceil(steps * share);
      const { errors, waits, notifications, kicks } = await run({
        size,
        eventIdx,
        packed,
        steps: count,
      });
      assert.deepEqual(errors, [], `seed ${seed}, ${count} steps`);
      assert.equal(kicks, 0, 'the device polls and wants no kicks');
      assert.ok(waits > 0 && notifications > 0, `${waits} waits, ${notifications} notifications`);
      if (process.env['SHOW']) console.log({ size, packed, waits, notifications, count });
    });
  }
});
