/** Timers of the control plane and the command line; each answer ends its timer. */

export type EndTimer = () => void;

/** Longest delay that one timer of Node can hold; a longer one would end at once. */
const TIMER_MS_MAX = 0x7fffffff;

export function after(ms: number, act: () => void): EndTimer {
  const next = Math.min(ms, TIMER_MS_MAX);
  let end: EndTimer = () => {};
  const timer = setTimeout(() => {
    if (ms > next) end = after(ms - next, act);
    else act();
  }, next);
  return () => {
    clearTimeout(timer);
    end();
  };
}

export function every(ms: number, act: () => void): EndTimer {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
}
