/** Reference model of the serving rule for one window: the text of the contract, step by step, in plain numbers. */

const BURST = 32;

export interface ModelQueue {
  readonly name: string;
  readonly costNs: number;
  /** Time that a request really takes. */
  readonly takesNs: number;
  readonly requestsMax: number;
  readonly requestsGuaranteed: number;
  /** Instants of the window at which requests become visible, ascending. */
  readonly arrivals: readonly number[];
}

export interface ModelWindow {
  readonly durationNs: number;
  readonly pollNs: number;
  readonly queues: readonly ModelQueue[];
}

export interface Start {
  readonly queue: string;
  readonly ns: number;
}

interface State {
  readonly queue: ModelQueue;
  started: number;
  closed: boolean;
}

function unusedGuaranteeNs({ queue, started, closed }: State): number {
  return closed ? 0 : Math.max(0, queue.requestsGuaranteed - started) * queue.costNs;
}

/** Which requests start, in order, and when on the real clock. */
export function serveWindow({ durationNs: end, pollNs, queues }: ModelWindow): Start[] {
  const states: State[] = queues.map((queue) => ({ queue, started: 0, closed: false }));
  const starts: Start[] = [];
  let clock = 0;

  const burst = (state: State): number => {
    const { queue } = state;
    let now = clock;
    const visible = queue.arrivals.filter((at) => at <= clock).length;
    const others = states
      .filter((other) => other !== state)
      .reduce((sum, other) => sum + unusedGuaranteeNs(other), 0);
    let served = 0;
    while (served < BURST && state.started < visible && !state.closed) {
      if (now + queue.costNs > end) {
        state.closed = true;
        break;
      }
      if (state.started >= queue.requestsGuaranteed && now + queue.costNs + others > end) break;
      starts.push({ queue: queue.name, ns: clock });
      clock += queue.takesNs;
      now += queue.costNs;
      served++;
      state.started++;
      state.closed = state.started === queue.requestsMax;
    }
    return served;
  };

  for (;;) {
    const served = states.reduce((sum, state) => sum + (state.closed ? 0 : burst(state)), 0);
    if (states.every(({ closed }) => closed) || clock >= end) return starts;
    if (served === 0) clock = Math.min(clock + pollNs, end);
  }
}
