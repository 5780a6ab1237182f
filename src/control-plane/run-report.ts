/**
 * What a run did, as the JSON of the contract; everything comes from counters, nothing from memory.
 */
import { FAULT_NAMES } from '../base/fault.ts';
import {
  DisplayCounter,
  DROP_REASONS,
  FlowCounter,
  GatewayCounter,
  PlaneCounter,
  QueueCounter,
  RegionCounter,
  RouteCounter,
  WindowCounter,
  type Counters,
} from '../channel/counters.ts';
import { GuestStatistic, type GuestStatistics } from '../channel/guest-statistics.ts';
import type { Histogram } from '../base/histogram.ts';
import { OVERRUN_CAUSES } from '../data-plane/dispatcher.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import type { PartitionMode } from './partition-manager.ts';

export interface RunFacts {
  readonly plan: GatewayPlan;
  readonly counters: Counters;
  readonly config: { readonly sha256: string; readonly name: string; readonly revision: number };
  readonly durationNs: number;
  readonly modes: readonly PartitionMode[];
  /** By partition; undefined for a guest that says nothing about itself. */
  readonly statistics: readonly (GuestStatistics | undefined)[];
  readonly lostEvents: number;
  readonly safeState: string | undefined;
}

function quantiles(histogram: Histogram) {
  return {
    minNs: histogram.min,
    p50Ns: histogram.quantile(0.5),
    p99Ns: histogram.quantile(0.99),
    p999Ns: histogram.quantile(0.999),
    maxNs: histogram.max,
  };
}

function positive(entries: readonly (readonly [string, number])[]): Record<string, number> {
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

function windowReport({ plan, counters }: RunFacts) {
  return plan.windows.map(({ index, id, partition, durationNs }) => ({
    id,
    partition: plan.partitions[partition]?.id ?? null,
    budgetNs: durationNs,
    visits: counters.window(index, WindowCounter.VISITS),
    requests: counters.window(index, WindowCounter.REQUESTS),
    spentNs: counters.window(index, WindowCounter.SPENT_NS),
    spentNsMax: counters.window(index, WindowCounter.SPENT_NS_MAX),
    overrunNsMax: counters.window(index, WindowCounter.OVERRUN_NS_MAX),
  }));
}

function overrunReport({ plan, counters }: RunFacts) {
  return plan.windows.flatMap(({ index, id }) =>
    OVERRUN_CAUSES.flatMap((cause, n) => {
      const count = counters.window(index, WindowCounter.OVERRUNS_COST + n);
      return count > 0 ? [{ window: id, cause, count }] : [];
    }),
  );
}

function guestReport(statistics: GuestStatistics) {
  const roundTrip = statistics.roundTrip;
  return {
    sent: statistics.get(GuestStatistic.SENT),
    received: statistics.get(GuestStatistic.RECEIVED),
    answered: statistics.get(GuestStatistic.ANSWERED),
    lost: statistics.get(GuestStatistic.LOST),
    corrupt: statistics.get(GuestStatistic.CORRUPT),
    duplicate: statistics.get(GuestStatistic.DUPLICATE),
    errors: statistics.get(GuestStatistic.ERRORS),
    ...(roundTrip.count > 0 && { roundTrip: quantiles(roundTrip) }),
    ...(statistics.get(GuestStatistic.FRAMES) > 0 && { pictures: picturesReport(statistics) }),
  };
}

/** What a guest with a display says of its pictures; the last one's number tells what it shows. */
function picturesReport(statistics: GuestStatistics) {
  return {
    handedOver: statistics.get(GuestStatistic.FRAMES),
    shown: statistics.get(GuestStatistic.FRAMES_SHOWN),
    skipped: statistics.get(GuestStatistic.FRAMES_SKIPPED),
    refusedCommands: statistics.get(GuestStatistic.REFUSED),
    last: statistics.get(GuestStatistic.FRAME),
    time: quantiles(statistics.frameTime),
  };
}

function partitionReport(facts: RunFacts) {
  const { plan, counters, modes, statistics } = facts;
  return plan.partitions.map(({ index, id }) => ({
    id,
    state: modes[index]!,
    faults: positive(FAULT_NAMES.map((name, code) => [name, counters.fault(index, code)] as const)),
    guest: statistics[index] ? guestReport(statistics[index]) : null,
    queues: plan.queues
      .filter((queue) => queue.partition === index)
      .map((queue) => ({
        queue: queue.name,
        requests: counters.queue(queue.index, QueueCounter.REQUESTS),
        bytes: counters.queue(queue.index, QueueCounter.BYTES),
        unrouted: counters.queue(queue.index, QueueCounter.UNROUTED),
        usedNotifications: counters.queue(queue.index, QueueCounter.NOTIFICATIONS),
        usedNotificationsSuppressed: counters.queue(
          queue.index,
          QueueCounter.NOTIFICATIONS_SUPPRESSED,
        ),
        kicksSuppressed: counters.queue(queue.index, QueueCounter.REQUESTS),
      })),
  }));
}

function routeFacts(counters: Counters, route: number) {
  return {
    ...counters.delivery(route),
    deferred: counters.route(route, RouteCounter.DEFERRED),
    dropped: positive(
      DROP_REASONS.map(
        (reason, n) => [reason, counters.route(route, RouteCounter.DROPS + n)] as const,
      ),
    ),
  };
}

function flowReport({ plan, counters }: RunFacts) {
  return plan.flows.map(({ index, id, route, deadlineNs, boundNs }) => {
    const publication = counters.flowPublication(index);
    return {
      id,
      requests: counters.flow(index, FlowCounter.REQUESTS),
      ...(route >= 0 && routeFacts(counters, route)),
      ...quantiles(counters.flowLatency(index)),
      deadlineNs,
      boundNs,
      violations: counters.flow(index, FlowCounter.VIOLATIONS),
      hostBreaches: counters.flow(index, FlowCounter.HOST_BREACHES),
      publicationAfterWindowStart: quantiles(publication),
    };
  });
}

// [impl->req~disp.report~1]
function displayReport({ plan, counters }: RunFacts) {
  return plan.displays.map(({ index, id, planes }) => ({
    id,
    refreshes: counters.display(index, DisplayCounter.REFRESHES),
    composed: counters.display(index, DisplayCounter.COMPOSED),
    bytes: counters.display(index, DisplayCounter.BYTES),
    planes: planes.map((plane) => planeReport(plan, counters, plane)),
  }));
}

/** `latency`: from a flush that is complete to the composition that shows it. */
function planeReport({ planes, regions }: GatewayPlan, counters: Counters, index: number) {
  const plane = planes[index]!;
  return {
    id: plane.id,
    composed: counters.plane(index, PlaneCounter.COMPOSED),
    passedOver: counters.plane(index, PlaneCounter.PASSED_OVER),
    torn: counters.plane(index, PlaneCounter.TORN),
    replaced: counters.plane(index, PlaneCounter.REPLACED),
    latency: quantiles(counters.planeLatency(index)),
    regions: plane.regions.map((region) => ({
      id: regions[region]!.id,
      checks: counters.region(region, RegionCounter.CHECKS),
      mismatches: counters.region(region, RegionCounter.MISMATCHES),
      frozen: counters.region(region, RegionCounter.FROZEN),
    })),
  };
}

// [impl->req~cfg.identity~1]
/** Keys and meanings are those of the contract's `run --json`. */
export function runReport(facts: RunFacts) {
  const { counters, plan } = facts;
  const jitter = counters.windowStartJitter;
  return {
    config: facts.config,
    durationNs: facts.durationNs,
    majorFrames: counters.gateway(GatewayCounter.MAJOR_FRAMES),
    skippedMajorFrames: counters.gateway(GatewayCounter.SKIPPED_FRAMES),
    lateWindowStarts: counters.gateway(GatewayCounter.LATE_STARTS),
    overruns: overrunReport(facts),
    windows: windowReport(facts),
    partitions: partitionReport(facts),
    routes: plan.routes.map(({ index, id }) => ({ id, ...routeFacts(counters, index) })),
    flows: flowReport(facts),
    displays: displayReport(facts),
    gc: {
      count: plan.windows.reduce(
        (sum, { index }) => sum + counters.window(index, WindowCounter.OVERRUNS_GC),
        0,
      ),
      maxNs: null,
    },
    windowStartJitterNs: {
      p50: jitter.quantile(0.5),
      p99: jitter.quantile(0.99),
      p999: jitter.quantile(0.999),
      max: jitter.max,
    },
    lostEvents: facts.lostEvents,
    safeState: facts.safeState ?? null,
  };
}

export type RunReport = ReturnType<typeof runReport>;
