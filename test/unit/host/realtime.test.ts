/** Real-time mode: which CPU, which ranges, and what it does to a process of its own. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { planCpus, residentRanges } from '../../../src/host/realtime.ts';
import { allowedCpus, thisHost } from '../../../src/host/host-view.ts';
import { compilePlan } from '../../../src/schedule/compile-plan.ts';
import type { RealtimeSeen, RealtimeWish } from '../../support/realtime-program.ts';
import { twoPartitions } from '../../support/two-partitions.ts';

describe('real-time mode', () => {
  it('[utest->req~host.realtime~1] the data plane takes an isolated CPU, otherwise the last', () => {
    assert.deepEqual(planCpus([0, 1, 2, 3], []), { own: 3, others: [0, 1, 2] });
    assert.deepEqual(planCpus([0, 1, 2, 3], [2]), { own: 2, others: [0, 1, 3] });
    assert.deepEqual(planCpus([0, 1], [3]), { own: 3, others: [0, 1] });
    assert.deepEqual(planCpus([0], [3]), { own: 3, others: [0] });
  });

  it('[utest->req~host.realtime~1] where nobody else would have a CPU, none is taken', () => {
    assert.equal(planCpus([0], []), undefined);
    assert.equal(planCpus([], []), undefined);
    assert.equal(planCpus([2], [2]), undefined);
  });

  it('[utest->req~host.realtime~1] embedded guests’ slices are resident, a front-end’s are not', () => {
    const config = twoPartitions((draft) => {
      draft.partitions[1]!.guest = {
        type: 'vhost-user',
        socketDirectory: 'run/b',
        socketMode: 'listen',
        unsealed: 'refuse',
      };
    });
    const plan = compilePlan(config);
    const [first, second] = plan.layout.partitions;
    assert.deepEqual(residentRanges(plan), [
      { at: 0, bytes: Math.min(first!.sliceAt, second!.sliceAt) },
      { at: first!.sliceAt, bytes: first!.sliceBytes },
    ]);
  });

  /** Begins and ends the mode in a process and session of its own. */
  async function seen(wish: RealtimeWish): Promise<RealtimeSeen> {
    const program = path.join(__dirname, '../../support/realtime-program.js');
    const child = spawn(process.execPath, [program, JSON.stringify(wish)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString();
    });
    await once(child, 'close');
    return JSON.parse(text) as RealtimeSeen;
  }

  const several = allowedCpus(thisHost).length > 1;

  it('[utest->req~host.realtime~1] the data plane has a CPU that no other thread runs on', async () => {
    const { sentences, own, others } = await seen({ files: {} });
    if (!several) {
      assert.equal(sentences[0], 'there is one CPU only, so the data plane shares it');
      return;
    }
    assert.match(sentences[0]!, /^the data plane has CPU \d+, \d+ other threads share [\d, ]+$/);
    assert.equal(own.length, 1);
    assert.ok(others.length > 3, 'threads of the engine are among the others');
    for (const cpus of others) assert.ok(!cpus.includes(own[0]!), String(cpus));
  });

  it('[utest->req~host.realtime~1] memory is locked where the host grants it', async () => {
    const { sentences, lockedKib } = await seen({ files: {} });
    const locked = sentences.includes('1 MiB of the arena are locked');
    assert.equal(locked, lockedKib === 128, `${lockedKib} KiB locked`);
    if (!locked)
      assert.ok(
        sentences.includes('1 MiB of the arena are faulted in, but locking them is refused'),
      );
  });

  it('[utest->req~host.realtime~1] SCHED_FIFO is used only where nothing throttles it', async () => {
    const runtime = '/proc/sys/kernel/sched_rt_runtime_us';
    const throttled = await seen({ files: { [runtime]: '950000' } });
    assert.equal(throttled.policy, 0);
    const reason = several
      ? 'SCHED_FIFO is not used, because the host throttles it'
      : 'SCHED_FIFO is not used on a CPU that is shared';
    assert.ok(throttled.sentences.includes(reason));
    const free = await seen({ files: { [runtime]: '-1' } });
    const expected = several && thisHost.grantsFifo() ? 1 : 0;
    assert.equal(free.policy, expected);
    assert.equal(
      free.sentences.includes('the data plane runs with SCHED_FIFO, priority 50'),
      expected === 1,
    );
  });

  it('[utest->req~host.realtime~1] on the only CPU there is no SCHED_FIFO', async () => {
    const { sentences, policy } = await seen({
      files: {
        '/proc/self/status': 'Cpus_allowed_list:\t0',
        '/sys/devices/system/cpu/isolated': '',
        '/proc/sys/kernel/sched_rt_runtime_us': '-1',
      },
    });
    assert.deepEqual(sentences.slice(0, 2), [
      'there is one CPU only, so the data plane shares it',
      'SCHED_FIFO is not used on a CPU that is shared',
    ]);
    assert.equal(policy, 0);
  });

  it('[utest->req~host.realtime~1] a CPU that is not there is refused, and nobody is moved', async () => {
    const { sentences, own } = await seen({
      files: { '/sys/devices/system/cpu/isolated': '1000' },
    });
    assert.equal(sentences[0], 'CPU 1000 is refused, so the data plane shares a CPU');
    assert.deepEqual(own, allowedCpus(thisHost));
  });

  it('[utest->req~host.realtime~1] the session goes first until the end, and not after', async () => {
    const { sessionNice, sentences } = await seen({ files: {} });
    const [before, during, after] = sessionNice;
    assert.equal(after, before);
    const raised = sentences.includes(`the session has nice -20 until the end (was ${before})`);
    assert.equal(during, raised ? -20 : before);
  });

  it('[utest->req~host.realtime~1] where sessions are not grouped, nothing is said of them', async () => {
    const { sentences } = await seen({
      files: { '/proc/sys/kernel/sched_autogroup_enabled': '0' },
    });
    assert.ok(!sentences.some((sentence) => sentence.includes('session')));
  });
});
