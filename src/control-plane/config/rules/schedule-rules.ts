/** Rules about the schedule table. */
import { nsOf } from '../../../schedule/compile-plan.ts';
import {
  parametersOf,
  type GatewayConfig,
  type WindowConfig,
} from '../../../schedule/gateway-config.ts';
import { queueNamesOf } from '../../../schedule/queue-names.ts';
import type { JsonPath } from '../json-source.ts';
import { didYouMean, type Finding } from '../validator.ts';
import { everyRegion } from './display-entries.ts';
import { at, duplicates, type Rule } from './rule.ts';
import { servedQueues, windowEntries } from './window-entries.ts';

const endUs = (window: WindowConfig): number => window.offsetUs + window.durationUs;

/** Every value in microseconds, with its place. */
function* microseconds(config: GatewayConfig): Iterable<[JsonPath, number | undefined]> {
  const { majorFrameUs, windows } = config.schedule;
  yield [['schedule', 'majorFrameUs'], majorFrameUs];
  for (const [w, window] of windows.entries()) {
    for (const key of ['offsetUs', 'durationUs', 'pollUs'] as const) {
      yield [['schedule', 'windows', w, key], window[key]];
    }
  }
  for (const [f, { deadlineUs, arrival }] of config.flows.entries()) {
    yield [['flows', f, 'deadlineUs'], deadlineUs];
    for (const key of ['periodUs', 'jitterUs', 'spacingUs'] as const) {
      yield [['flows', f, 'arrival', key], arrival[key]];
    }
  }
  for (const { region, path } of everyRegion(config)) {
    yield [[...path, 'frozenAfterUs'], region.frozenAfterUs];
  }
  for (const [p, { guest }] of config.partitions.entries()) {
    for (const key of ['periodUs', 'framePeriodUs'] as const) {
      yield [['partitions', p, 'guest', 'parameters', key], parametersOf(guest)?.[key]];
    }
  }
}

function* wholeNanoseconds(config: GatewayConfig): Iterable<Finding> {
  for (const [path, us] of microseconds(config)) {
    if (us === undefined || Number(us.toFixed(3)) === us) continue;
    yield at(path, `${us} µs is not a whole number of nanoseconds: three decimals at most`);
  }
}

function* insideMajorFrame(config: GatewayConfig): Iterable<Finding> {
  const { majorFrameUs, windows } = config.schedule;
  for (const [w, window] of windows.entries()) {
    if (nsOf(endUs(window)) <= nsOf(majorFrameUs)) continue;
    yield at(
      ['schedule', 'windows', w],
      `window "${window.id}" ends at ${endUs(window)} µs, behind the major frame of ` +
        `${majorFrameUs} µs; a window may not wrap: split it, or move the origin of the frame`,
    );
  }
}

function* sumWithinFrame(config: GatewayConfig): Iterable<Finding> {
  const { majorFrameUs, windows } = config.schedule;
  const sum = windows.reduce((total, window) => total + window.durationUs, 0);
  if (nsOf(sum) <= nsOf(majorFrameUs)) return;
  yield at(
    ['schedule', 'windows'],
    `the windows sum up to ${sum} µs, more than the major frame of ${majorFrameUs} µs`,
  );
}

/** Windows in order of their start, with their position in the file. */
function inOrder(config: GatewayConfig): { window: WindowConfig; w: number }[] {
  return config.schedule.windows
    .map((window, w) => ({ window, w }))
    .sort((a, b) => a.window.offsetUs - b.window.offsetUs);
}

function* overlaps(config: GatewayConfig): Iterable<Finding> {
  const ordered = inOrder(config);
  for (const [n, { window, w }] of ordered.entries()) {
    const before = ordered[n - 1]?.window;
    if (!before || nsOf(endUs(before)) <= nsOf(window.offsetUs)) continue;
    yield at(
      ['schedule', 'windows', w, 'offsetUs'],
      `window "${window.id}" starts at ${window.offsetUs} µs, before "${before.id}" ends at ${endUs(before)} µs`,
    );
  }
}

function sharesQueue(a: WindowConfig, b: WindowConfig): boolean {
  const names = new Set((a.queues ?? []).map((entry) => entry.queue));
  return a.partition === b.partition && (b.queues ?? []).some((entry) => names.has(entry.queue));
}

/**
 * Two visits without a gap look like one window and are not: caps begin anew, no request spans
 * them.
 */
function* touching(config: GatewayConfig): Iterable<Finding> {
  const ordered = inOrder(config);
  const { majorFrameUs } = config.schedule;
  for (const [n, { window, w }] of ordered.entries()) {
    const next = ordered[(n + 1) % ordered.length]!.window;
    if (next === window || !sharesQueue(window, next)) continue;
    const wraps = n === ordered.length - 1;
    const nextUs = next.offsetUs + (wraps ? majorFrameUs : 0);
    if (nsOf(endUs(window)) !== nsOf(nextUs)) continue;
    yield at(
      ['schedule', 'windows', w],
      `windows "${window.id}" and "${next.id}" serve the same queue without a gap` +
        (wraps
          ? ' across the end of the major frame: move the origin of the frame so that they are one window'
          : ': make them one window'),
    );
  }
}

function* windowOwners(config: GatewayConfig): Iterable<Finding> {
  const ids = config.partitions.map((partition) => partition.id);
  for (const [w, window] of config.schedule.windows.entries()) {
    const path = ['schedule', 'windows', w] as const;
    const { kind = 'partition' } = window;
    if (kind !== 'partition') {
      if (window.partition !== undefined)
        yield at([...path, 'partition'], `a ${kind} window belongs to no partition`);
      if (window.queues !== undefined)
        yield at([...path, 'queues'], `a ${kind} window serves no queues`);
    } else if (window.partition === undefined || window.queues === undefined) {
      yield at(path, `window "${window.id}" needs "partition" and "queues"`);
    } else if (!ids.includes(window.partition)) {
      yield at(
        [...path, 'partition'],
        `there is no partition "${window.partition}".${didYouMean(window.partition, ids)}`,
      );
    }
  }
}

function* windowDisplays(config: GatewayConfig): Iterable<Finding> {
  const ids = (config.displays ?? []).map((display) => display.id);
  for (const [w, window] of config.schedule.windows.entries()) {
    const path = ['schedule', 'windows', w] as const;
    const composes = window.kind === 'compositor';
    if (composes && window.display === undefined) {
      yield at(path, `compositor window "${window.id}" needs "display"`);
    } else if (!composes && window.display !== undefined) {
      yield at([...path, 'display'], 'only a compositor window composes a display');
    } else if (window.display !== undefined && !ids.includes(window.display)) {
      yield at(
        [...path, 'display'],
        `there is no display "${window.display}".${didYouMean(window.display, ids)}`,
      );
    }
  }
}

function* queuesExist(config: GatewayConfig): Iterable<Finding> {
  for (const { path, window, entry, known } of windowEntries(config)) {
    if (known.includes(entry.queue)) continue;
    yield at(
      [...path, 'queue'],
      `partition "${window.partition}" has no queue "${entry.queue}".${didYouMean(entry.queue, known)}`,
    );
  }
}

function* queuesPolled(config: GatewayConfig): Iterable<Finding> {
  for (const { path, entry } of windowEntries(config)) {
    if (!entry.queue.includes('.receiveq')) continue;
    yield at(
      [...path, 'queue'],
      `"${entry.queue}" is filled by the senders' windows; a window of its own belongs to delivery "window", which is not there yet`,
    );
  }
}

function* queuesOnce(config: GatewayConfig): Iterable<Finding> {
  for (const [w, window] of config.schedule.windows.entries()) {
    yield* duplicates(
      (window.queues ?? []).map((entry, q) => ({
        value: entry.queue,
        path: ['schedule', 'windows', w, 'queues', q, 'queue'],
      })),
      'queue',
    );
  }
}

function* everyQueueServed(config: GatewayConfig): Iterable<Finding> {
  const served = servedQueues(config);
  for (const [p, partition] of config.partitions.entries()) {
    for (const [d, device] of partition.devices.entries()) {
      for (const { name, role } of queueNamesOf(device)) {
        if (role === 'receive' || served.has(`${partition.id}.${device.id}.${name}`)) continue;
        yield at(
          ['partitions', p, 'devices', d],
          `no window serves "${partition.id}.${device.id}.${name}"`,
        );
      }
    }
  }
}

export const SCHEDULE_RULES: readonly Rule[] = [
  {
    name: 'duplicate-window-id',
    check: (config) =>
      duplicates(
        config.schedule.windows.map((window, w) => ({
          value: window.id,
          path: ['schedule', 'windows', w, 'id'],
        })),
        'window id',
      ),
  },
  { name: 'fraction-of-nanosecond', check: wholeNanoseconds },
  { name: 'window-behind-major-frame', check: insideMajorFrame },
  { name: 'windows-exceed-major-frame', check: sumWithinFrame },
  { name: 'windows-overlap', check: overlaps },
  { name: 'windows-touch', check: touching },
  { name: 'window-owner-wrong', check: windowOwners },
  { name: 'window-display-wrong', check: windowDisplays },
  { name: 'window-queue-unknown', check: queuesExist },
  { name: 'window-serves-receiveq', check: queuesPolled },
  { name: 'window-queue-twice', check: queuesOnce },
  { name: 'queue-not-served', check: everyQueueServed },
];
