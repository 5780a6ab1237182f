/** What holds for every compiled plan, whatever configuration it came from. */
import { netPlan } from './network.ts';
import { strict as assert } from 'node:assert';
import { ARENA_PAGES_MAX, WASM_PAGE } from '../../src/schedule/arena-layout.ts';
import type { GatewayPlan, PlanWindow } from '../../src/schedule/gateway-plan.ts';

function assertTimes(plan: GatewayPlan): void {
  let freeFromNs = 0;
  for (const [n, window] of plan.windows.entries()) {
    assert.equal(window.index, n);
    assert.ok([window.offsetNs, window.durationNs, window.pollNs].every(Number.isSafeInteger));
    assert.ok(window.durationNs > 0, `window "${window.id}" is empty`);
    assert.ok(
      window.offsetNs >= freeFromNs,
      `window "${window.id}" begins before the one before it ends`,
    );
    freeFromNs = window.offsetNs + window.durationNs;
  }
  assert.ok(freeFromNs <= plan.majorFrameNs, 'the last window ends behind the major frame');
}

function assertBudgets(plan: GatewayPlan, window: PlanWindow): void {
  const roomNs = window.durationNs - plan.windowSwitchNs;
  let guaranteedNs = 0;
  for (const { queue, requestsMax, requestsGuaranteed, bytesMax } of window.queues) {
    const { costNs, partition, role, device } = plan.queues[queue]!;
    assert.equal(partition, window.partition, 'a queue belongs to the partition of its window');
    assert.ok(role !== 'receive', 'receiveqs are filled, not served');
    assert.ok(costNs <= roomNs, `one request of queue ${queue} fits window "${window.id}"`);
    assert.ok(requestsGuaranteed <= requestsMax);
    if (role === 'transmit') {
      assert.ok(
        bytesMax >= netPlan(plan.devices[device]).packetBytesMax,
        'one packet fits the byte quota',
      );
    }
    guaranteedNs += requestsGuaranteed * costNs;
  }
  if (window.queues.length > 1)
    assert.ok(guaranteedNs <= roomNs, `guarantees fit window "${window.id}"`);
}

function assertServed(plan: GatewayPlan): void {
  const served = new Set(plan.windows.flatMap((window) => window.queues.map(({ queue }) => queue)));
  const missing = plan.queues.filter(({ role, index }) => role !== 'receive' && !served.has(index));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
    'queues without a window',
  );
  const control = plan.windows.filter(({ kind }) => kind === 'control');
  assert.ok(
    control.some(({ durationNs }) => durationNs >= plan.controlCommandNs + plan.windowSwitchNs),
    'room for commands',
  );
}

function assertReferences(plan: GatewayPlan): void {
  for (const { from, to } of plan.routes) {
    assert.ok(plan.devices[from] && plan.devices[to] && from !== to);
  }
  for (const { queue, route } of plan.flows) {
    const { role, device } = plan.queues[queue]!;
    if (plan.devices[device]!.type === 'virtio-gpu') {
      assert.deepEqual([role, route], ['control', -1], 'a flow of a GPU takes no route');
      continue;
    }
    assert.equal(role, 'transmit');
    assert.equal(device, plan.routes[route]!.from, 'a flow takes a route of its device');
  }
}

export function assertPlanHolds(plan: GatewayPlan): void {
  assertTimes(plan);
  for (const window of plan.windows) assertBudgets(plan, window);
  assertServed(plan);
  assertReferences(plan);
  assert.ok(plan.layout.pages <= ARENA_PAGES_MAX);
  for (const { sliceAt, sliceBytes } of plan.layout.partitions) {
    assert.ok(sliceAt + sliceBytes <= plan.layout.pages * WASM_PAGE);
  }
}
