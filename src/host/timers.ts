/** Timers of the control plane and the command line; each answer ends its timer. */

export type EndTimer = () => void;

export function after(ms: number, act: () => void): EndTimer {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

export function every(ms: number, act: () => void): EndTimer {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
}
