/** What threads have had of a processor, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

interface ThreadTime {
  readonly id: number;
  readonly name: string;
  /** Nanoseconds on a processor so far. */
  readonly ns: number;
}

function threadTimes(process: number): ThreadTime[] {
  const tasks = `/proc/${process}/task`;
  return readdirSync(tasks).map((id) => ({
    id: Number(id),
    name: readFileSync(`${tasks}/${id}/comm`, 'utf8').trim(),
    ns: Number(readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ')[0]),
  }));
}

/** Nanoseconds that the threads of this name have had. */
export function namedThreadNs(process: number, name: string): number {
  return threadTimes(process)
    .filter((thread) => thread.name === name)
    .reduce((sum, { ns }) => sum + ns, 0);
}

/** Nanoseconds of the busiest thread but the first: of a gateway, its data plane while it spins. */
export function busiestThreadNs(process: number): number {
  const others = threadTimes(process).filter(({ id }) => id !== process);
  return Math.max(...others.map(({ ns }) => ns));
}

/** Nanoseconds that all threads together have had. */
export function processNs(process: number): number {
  return threadTimes(process).reduce((sum, { ns }) => sum + ns, 0);
}
