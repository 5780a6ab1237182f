/** `run`: starts the gateway, shows what it does, stops it in order. */
import { loadConfig } from '../control-plane/config/load-config.ts';
import { Gateway } from '../control-plane/gateway.ts';
import { runReport, type RunFacts, type RunReport } from '../control-plane/run-report.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { writeTextFile } from '../host/files.ts';
import { hostGrants } from '../host/host-grants.ts';
import { monotonicClock } from '../host/monotonic-clock.ts';
import { after, every } from '../host/timers.ts';
import { compilePlan } from '../schedule/compile-plan.ts';
import { parseArguments, positiveNumber, type CommandShape } from './arguments.ts';
import { provenPlan } from './bounds.ts';
import { printProblems } from './check.ts';
import { grantsText } from './doctor.ts';
import { ExitCode } from './exit-code.ts';
import { dashboardPort, openDashboard } from './run-dashboard.ts';
import { screenshotsOf, takeScreenshots, writeScreenshots } from './run-screenshots.ts';
import { finalTable, LiveTable } from './run-tables.ts';

export const RUN_SHAPE: CommandShape = {
  positionals: ['CONFIG'],
  options: {
    duration: 'value',
    json: 'optional-value',
    screenshot: 'list',
    'no-dashboard': 'flag',
    'dashboard-port': 'value',
    realtime: 'flag',
    decode: 'flag',
    debug: 'flag',
  },
};

const LIVE_EVERY_MS = 1000;

interface RunEnd {
  /** Resolves when the user, the safe state, or a call of `now` ends the run. */
  readonly reached: Promise<void>;
  now(): void;
}

/** From now on: a signal that comes while the gateway starts ends it in order, too. */
function endOf(gateway: Gateway): RunEnd {
  let now: () => void = () => {};
  const reached = new Promise<void>((resolve) => {
    const subscription = gateway.enteredSafeState.subscribe(end);
    function end(): void {
      subscription.unsubscribe();
      process.off('SIGINT', end).off('SIGTERM', end);
      resolve();
    }
    process.on('SIGINT', end).on('SIGTERM', end);
    now = end;
  });
  return { reached, now };
}

async function untilEnd(end: RunEnd, seconds: number | undefined): Promise<void> {
  const endTimer = seconds === undefined ? undefined : after(seconds * 1000, end.now);
  await end.reached;
  endTimer?.();
}

/** A deadline missed without the host's doing, or the safe state, is a failure of the run. */
function exitCodeOf(report: RunReport): number {
  const breached = report.safeState !== null || report.flows.some((flow) => flow.violations > 0);
  return breached ? ExitCode.FAILED : ExitCode.OK;
}

/** A table for people; with `--json` the document, on stdout or in the file that was named. */
function printReport(report: RunReport, json: string | true | undefined): void {
  const document = JSON.stringify(report, null, 2);
  console.log(json === true ? document : finalTable(report));
  if (typeof json === 'string') writeTextFile(json, `${document}\n`);
}

/** A gateway that the host does not let start ends in order, with the reason. */
async function started(
  gateway: Gateway,
  end: RunEnd,
  before: () => Promise<Dashboard | undefined>,
): Promise<Dashboard | undefined> {
  try {
    const dashboard = await before();
    gateway.start();
    return dashboard;
  } catch (error) {
    end.now();
    await gateway.stop();
    throw error;
  }
}

/** Nanoseconds since this call. */
function stopwatch(): () => number {
  const now = new Float64Array(1);
  monotonicClock.readInto(now);
  const startedAt = now[0]!;
  return () => {
    monotonicClock.readInto(now);
    return now[0]! - startedAt;
  };
}

/** What the gateway knows of its run. */
function factsOf(gateway: Gateway): Omit<RunFacts, 'config' | 'durationNs'> {
  return {
    plan: gateway.plan,
    counters: gateway.counters,
    modes: gateway.plan.partitions.map(({ index }) => gateway.partitions.mode(index)),
    statistics: gateway.guests.map((guest) => guest.statistics),
    lostEvents: gateway.events.lost,
    safeState: gateway.safeState,
  };
}

export async function run(words: readonly string[]): Promise<number> {
  const { positionals, options, lists } = parseArguments(words, RUN_SHAPE);
  const seconds = positiveNumber(options['duration'], 'duration');
  const port = dashboardPort(options);
  const file = positionals[0]!;
  const loaded = loadConfig(file);
  printProblems(file, loaded.problems);
  const { config } = loaded;
  if (!config) return ExitCode.USAGE;
  const plan = provenPlan(compilePlan(config));
  if (!plan) return ExitCode.NOT_SCHEDULABLE;
  const screenshots = screenshotsOf(lists['screenshot'], config);
  const realtime = options['realtime'] === true;
  // On stderr, because with --json there is one document on stdout and nothing else.
  if (realtime) process.stderr.write(`${grantsText(hostGrants())}\n\n`);
  const gateway = new Gateway(plan, config, {
    realtime,
    decode: options['decode'] === true,
    configFile: file,
  });
  const sinceStart = stopwatch();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  gateway.log.subscribe(say);
  const { name, revision } = config.gateway;
  const identity = { sha256: loaded.sha256, name, revision };
  const end = endOf(gateway);
  const facts = () => ({ ...factsOf(gateway), config: identity, durationNs: sinceStart() });
  const numbers = () => runReport(facts());
  const watched = { gateway, identity, numbers, sinceStartNs: sinceStart, say };
  const dashboard = await started(gateway, end, () => openDashboard(watched, port));
  const live = options['json'] === true ? undefined : new LiveTable(process.stdout);
  const endTicking = every(LIVE_EVERY_MS, () => live?.show(numbers()));
  await untilEnd(end, seconds);
  endTicking();
  live?.end();
  const pictures = await takeScreenshots(gateway.displays, screenshots);
  const modes = facts().modes;
  await gateway.stop();
  const report = runReport({ ...facts(), modes });
  await dashboard?.close(report);
  writeScreenshots(pictures);
  printReport(report, options['json']);
  return exitCodeOf(report);
}
