/** What the builders of the devices share: the arena, the rings, the clock, and who counts. */
import type { Counters } from '../channel/counters.ts';
import type { EventLog } from '../channel/event-log.ts';
import { embeddedRegion, Scratch } from '../schedule/arena-layout.ts';
import type { GatewayPlan, PlanDevice } from '../schedule/gateway-plan.ts';
import type { Arena } from './arena.ts';
import type { DeviceQueue } from './device-queue.ts';
import type { FrameTime } from './frame-time.ts';
import { GuestMemory } from './guest-memory.ts';
import type { Partition } from './partition.ts';
import type { Publications } from './publications.ts';
import { DescriptorChain } from './virtqueue/descriptor-chain.ts';

export interface PlaneParts {
  readonly plan: GatewayPlan;
  readonly arena: Arena;
  readonly counters: Counters;
  readonly events: EventLog;
  readonly time: FrameTime;
  readonly partitions: readonly Partition[];
  readonly queues: readonly DeviceQueue[];
  readonly publications: Publications;
}

/** What a driver can reach: an embedded guest its slice, a front-end what it will send. */
export function memoryOf({ plan }: PlaneParts, device: PlanDevice): GuestMemory {
  const memory = new GuestMemory();
  const { guest } = plan.partitions[device.partition]!;
  const area = plan.layout.partitions[device.partition]!;
  if (guest.type === 'embedded') memory.setRegions([embeddedRegion(area)]);
  return memory;
}

export function chainOf(
  { plan, arena }: PlaneParts,
  memory: GuestMemory,
  descriptorsMax: number,
): DescriptorChain {
  return new DescriptorChain(arena, memory, descriptorsMax, plan.layout.scratchAt + Scratch.DESC);
}
