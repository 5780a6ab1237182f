/** Register accesses that each ask something of the data plane, more than it can carry out (catalogue 80). */
import { strict as assert } from 'node:assert';
import { CommonConfig } from '../../src/wire/virtio-pci.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';

/** What the mailbox service admits in one supervision tick. */
const ACCESSES_PER_TICK = 512;
const TICKS = 20;
const RESETTABLE = ['VIRTIO_F_VERSION_1', 'VIRTIO_F_RING_RESET', 'VIRTIO_NET_F_MAC'];

function live() {
  const bench = new FunctionBench({
    devices: { a: netDevice(1, { offer: RESETTABLE }), b: netDevice(2) },
  });
  return { bench, driver: new RegisterDriver(bench).start() };
}

/** As many accesses as the budget lets through, one major frame of the data plane after each tick. */
function flood(bench: FunctionBench, access: () => void): void {
  for (let tick = 0; tick < TICKS; tick++) {
    for (let n = 0; n < ACCESSES_PER_TICK; n++) access();
    bench.frames(1);
  }
}

describe('floods of commands', () => {
  it('[utest->req~fault.contain~1] 2.4: resets that are waited for never fill the command channel', () => {
    const { bench, driver } = live();
    for (let n = 0; n < 1000; n++) {
      driver.reset();
      assert.equal(driver.status, 0);
    }
    driver.start();
    driver.transmit();
    bench.frames(2);
    assert.equal(driver.ring(1).usedIndex, 1);
  });
});

describe('regressions', () => {
  it('[utest->req~fault.contain~1] 2.4: a flood of device resets does not end the control plane (catalogue 80)', () => {
    const { bench, driver } = live();
    assert.doesNotThrow(() =>
      flood(bench, () => {
        driver.status = 0;
      }),
    );
  });

  it('[utest->req~fault.contain~1] 2.6.1: a flood of queue resets does not end the control plane (catalogue 80)', () => {
    const { bench, driver } = live();
    driver.select(1);
    assert.doesNotThrow(() => flood(bench, () => driver.write(CommonConfig.QUEUE_RESET, 1)));
  });
});
