/** The figures of the display bench, over both of its systems. */
import { strict as assert } from 'node:assert';
import { drawOver } from '../../src/cli/bench/gpu.ts';
import { describeWithClients } from '../support/clients/missing-clients.ts';

const SECOND_NS = 1e9;
/** Of the gateway's two planes, and a little of its helpers. */
const PROCESSORS_MAX = 2.5;

describeWithClients('the display bench', ['display'], (suite) => {
  suite.timeout(120_000);

  for (const [system, name] of [
    ['peer', "QEMU's own back-end"],
    ['gateway', 'this gateway'],
  ] as const)
    it(`[utest->req~gpu.real-guests~1] has rates of updates and flips, and what ${name} spent on each`, async () => {
      const { dirty, flip } = await drawOver(system, { dirty: 200, flip: 60 });
      assert.deepEqual([dirty.count, flip.count], [200, 60]);
      for (const [operation, { perSecond, backEndNs }] of Object.entries({ dirty, flip })) {
        assert.ok(perSecond > 1, operation);
        // It has copied the whole display, and had no more than the processors that there are.
        assert.ok(backEndNs > 50_000, `${operation}: ${backEndNs} ns`);
        const most = (PROCESSORS_MAX * SECOND_NS) / perSecond;
        assert.ok(backEndNs < most, `${operation}: ${backEndNs} ns`);
      }
    });
});
