/** The figures of the display bench, taken where the answer is known to be right: over QEMU's own back-end. */
import { strict as assert } from 'node:assert';
import { drawOver } from '../../src/cli/bench/gpu.ts';
import { describeWithClients } from '../support/clients/missing-clients.ts';

const SECOND_NS = 1e9;

describeWithClients('the display bench', ['display'], (suite) => {
  suite.timeout(120_000);

  it('[utest->req~gpu.real-guests~1] has rates of updates and flips, and what the back-end spent on each', async () => {
    const { dirty, flip } = await drawOver('peer', { dirty: 200, flip: 60 });
    assert.deepEqual([dirty.count, flip.count], [200, 60]);
    for (const [operation, { perSecond, backEndNs }] of Object.entries({ dirty, flip })) {
      assert.ok(perSecond > 1, operation);
      // It has copied the whole display, and had no more than the time there was.
      assert.ok(backEndNs > 50_000, `${operation}: ${backEndNs} ns`);
      assert.ok(backEndNs < (1.5 * SECOND_NS) / perSecond, `${operation}: ${backEndNs} ns`);
    }
  });
});
