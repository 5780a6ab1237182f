/** The parts of a plan that only fill it: one partition, one sending and one receiving device, one wide route. */
import { netPlan } from './network.ts';
import { compilePlan } from '../../src/schedule/compile-plan.ts';
import type { GatewayPlan } from '../../src/schedule/gateway-plan.ts';
import { twoPartitions } from './two-partitions.ts';

const WIDE = 1_000_000_000;
const base = compilePlan(twoPartitions());

/** A plan in which the first device has so many queue pairs, and its route carries everything. */
export function embeddedPlanParts(queuePairs: number): GatewayPlan {
  const [sender, receiver] = base.devices.map(netPlan);
  return {
    ...base,
    devices: [
      { ...sender!, queuePairs, queueSizeMax: 32768 },
      { ...receiver!, queuePairs },
    ],
    routes: [{ ...base.routes[0]!, packetsPerMajorFrame: WIDE, bytesPerMajorFrame: WIDE }],
  };
}
