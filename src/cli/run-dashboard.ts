/** The dashboard of a run: at its own port or at one that is free, and never a reason to end. */
import type { Gateway } from '../control-plane/gateway.ts';
import { Dashboard } from '../dashboard/dashboard.ts';
import type { Hello, Numbers } from '../dashboard/page/message.ts';
import { HostProblem } from '../host/host-problem.ts';
import { monotonicClock } from '../host/monotonic-clock.ts';
import { UsageError, type Arguments } from './arguments.ts';

const DEFAULT_PORT = 8480;
const ANY_PORT = 0;
const PORT_MAX = 65535;

export interface DashboardRun {
  readonly gateway: Gateway;
  readonly identity: Hello['gateway'];
  readonly numbers: () => Numbers;
  readonly sinceStartNs: () => number;
  /** Where people are told of its address. */
  readonly say: (line: string) => void;
}

export type PortChoice = number | 'default' | 'none';

/** Where a command line wants the dashboard; port 0 is any that is free. @throws UsageError */
export function dashboardPort(options: Arguments['options']): PortChoice {
  const value = options['dashboard-port'];
  if (options['no-dashboard']) {
    if (value !== undefined) throw new UsageError('--no-dashboard leaves no --dashboard-port');
    return 'none';
  }
  if (value === undefined) return 'default';
  const port = Number(value);
  if (value === '' || !Number.isInteger(port) || port < 0 || port > PORT_MAX)
    throw new UsageError(`--dashboard-port needs a port from 0 to ${PORT_MAX}, not "${value}"`);
  return port;
}

/**
 * Serves the dashboard and says where. A port that was named is had or the run does not start;
 * otherwise another one will do, and a run without a dashboard is better than none.
 * @throws HostProblem when the named port is not to be had
 */
// [impl->req~dash.served~1]
export async function openDashboard(
  run: DashboardRun,
  port: PortChoice,
): Promise<Dashboard | undefined> {
  if (port === 'none') return undefined;
  const { gateway, say } = run;
  const dashboard = new Dashboard({
    ...run,
    plan: gateway.plan,
    displays: gateway.displays,
    counters: gateway.counters,
    windowTrace: gateway.windowTrace,
    transitions: gateway.partitions.transitions,
    faults: gateway.faults,
    reported: gateway.reported,
    enteredSafeState: gateway.enteredSafeState,
    clock: monotonicClock,
  });
  const ports = port === 'default' ? [DEFAULT_PORT, ANY_PORT] : [port];
  for (const [n, candidate] of ports.entries()) {
    try {
      say(`dashboard: ${await dashboard.open(candidate)}`);
      break;
    } catch (error) {
      if (!(error instanceof HostProblem) || port !== 'default') throw error;
      if (n === ports.length - 1) say(`dashboard: not served: ${error.message}`);
    }
  }
  return dashboard;
}
