/** Numbers as people read them: one unit for times, groups of three digits. */

const GROUP = '\u202f';

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, GROUP);
}

export function count(value: number): string {
  return grouped(String(value));
}

function decimal(value: number, digits: number): string {
  const [whole = '', rest = ''] = value.toFixed(digits).split('.');
  return `${grouped(whole)}.${rest}`;
}

/** Microseconds, as the tables of the command line; longer units for what should not be so long. */
export function time(ns: number): string {
  if (ns < 1e8) return `${decimal(ns / 1e3, 1)} µs`;
  return ns < 1e10 ? `${decimal(ns / 1e6, 1)} ms` : `${decimal(ns / 1e9, 1)} s`;
}

/** For axes, where there is little room. */
export function shortTime(ns: number): string {
  if (ns >= 1e9) return `${ns / 1e9} s`;
  if (ns >= 1e6) return `${ns / 1e6} ms`;
  return ns >= 1000 ? `${ns / 1000} µs` : `${ns} ns`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Time since the start of the run. */
export function runTime(ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min ${two(seconds % 60)} s`;
}

/** When something happened, since the start of the run. */
export function instant(ns: number): string {
  return `${decimal(ns / 1e9, 2)} s`;
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let power = 0;
  let rest = value;
  while (rest >= 1024 && power < units.length - 1) {
    rest /= 1024;
    power++;
  }
  return power === 0 ? `${value} B` : `${rest.toFixed(1)} ${units[power]!}`;
}
