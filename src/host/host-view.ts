/** What can be read and tried of a host; tests give their own. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import path from 'node:path';
import { fileFacts } from './arena-mapping.ts';
import { closeDescriptor, createMemoryFile } from './descriptors.ts';
import { EventSignal } from './native/aio.ts';
import { readMonotonic, sleepUntil } from './native/clock.ts';
import {
  removeTimerSlack,
  restoreTimerSlack,
  setThreadNice,
  useFifo,
  useOrdinaryScheduling,
} from './native/thread.ts';

export interface HostView {
  /** Text of a file without the white space around it; undefined when it cannot be read. */
  read(file: string): string | undefined;
  /** Each tries for the calling thread, and takes it back. */
  grantsNice(): boolean;
  grantsFifo(): boolean;
  grantsSeals(): boolean;
  grantsEventSignals(): boolean;
  /** How late sleepers wake, in nanoseconds: half of them no later, and all but one in fifty. */
  wakeUpLateness(): { readonly usualNs: number; readonly rareNs: number };
  /** Path of a program by its name, as a shell finds it. */
  find(program: string): string | undefined;
}

const NICE = -20;
const WAKE_UPS = 100;
const SLEEP_NS = 300_000;

export const thisHost: HostView = {
  read(file) {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      return undefined;
    }
  },
  grantsNice() {
    const before = getPriority();
    const granted = setThreadNice(NICE);
    if (granted) setThreadNice(before);
    return granted;
  },
  grantsFifo() {
    const granted = useFifo(1);
    if (granted) useOrdinaryScheduling();
    return granted;
  },
  grantsSeals() {
    const descriptor = createMemoryFile('seals', 1, { seal: true });
    const sealed = fileFacts(descriptor)?.shrinkSealed ?? false;
    closeDescriptor(descriptor);
    return sealed;
  },
  grantsEventSignals() {
    const signal = EventSignal.open();
    signal?.close();
    return signal !== null;
  },
  wakeUpLateness() {
    const [target, now] = [new Float64Array(1), new Float64Array(1)];
    removeTimerSlack();
    const lateness = Float64Array.from({ length: WAKE_UPS }, () => {
      readMonotonic(now);
      target[0] = now[0]! + SLEEP_NS;
      sleepUntil(target);
      readMonotonic(now);
      return now[0]! - target[0]!;
    }).sort();
    restoreTimerSlack();
    return { usualNs: lateness[WAKE_UPS / 2]!, rareNs: lateness[(WAKE_UPS * 49) / 50]! };
  },
  find(program) {
    const places = (process.env['PATH'] ?? '').split(path.delimiter);
    return places.map((place) => path.join(place, program)).find(isProgram);
  },
};

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Numbers of a list such as `0-3,8`; none of an empty or missing one. */
export function cpuList(text: string | undefined): number[] {
  return (text ?? '')
    .split(',')
    .filter((range) => range.trim() !== '')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, n) => first + n);
    });
}

/** CPUs that the process may run on. */
export function allowedCpus(host: HostView): number[] {
  const status = host.read('/proc/self/status') ?? '';
  return cpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1]);
}

/** CPUs that the kernel keeps free of ordinary threads. */
export function isolatedCpus(host: HostView): number[] {
  return cpuList(host.read('/sys/devices/system/cpu/isolated'));
}

/** Whether a real-time thread that never sleeps is stopped for a part of each second. */
export function throttlesRealtime(host: HostView): boolean {
  return host.read('/proc/sys/kernel/sched_rt_runtime_us') !== '-1';
}

/** Nice value of the session's group; undefined where sessions are not grouped. */
export function sessionNice(host: HostView): number | undefined {
  if (host.read('/proc/sys/kernel/sched_autogroup_enabled') !== '1') return undefined;
  const nice = /nice (-?\d+)$/.exec(host.read('/proc/self/autogroup') ?? '')?.[1];
  return nice === undefined ? undefined : Number(nice);
}
