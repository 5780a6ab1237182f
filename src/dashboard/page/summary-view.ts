/** The head of the page and its key figures. */
import { byId, html, setFigure, setText } from './dom.ts';
import { count, runTime, time } from './format.ts';
import type { ConnectionState } from './connection.ts';
import type { Hello, Numbers } from './message.ts';

const STATES: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'No connection; trying again',
  full: 'Too many viewers; trying again',
  ended: 'Run ended',
};

interface Figure {
  readonly name: string;
  readonly of: (numbers: Numbers) => number;
  readonly text: (value: number) => string;
  /** Above 0 it is a reason to look. */
  readonly alarm?: 'warn' | 'bad';
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const FIGURES: readonly Figure[] = [
  { name: 'Major frames', of: ({ majorFrames }) => majorFrames, text: count },
  {
    name: 'Frames skipped',
    of: ({ skippedMajorFrames }) => skippedMajorFrames,
    text: count,
    alarm: 'warn',
  },
  { name: 'Start late, p50', of: (n) => n.windowStartJitterNs.p50, text: time },
  { name: 'Start late, p99', of: (n) => n.windowStartJitterNs.p99, text: time },
  { name: 'Start late, p99.9', of: (n) => n.windowStartJitterNs.p999, text: time },
  { name: 'Start late, max', of: (n) => n.windowStartJitterNs.max, text: time },
  {
    name: 'Late ends',
    of: ({ overruns }) => sum(overruns.map((overrun) => overrun.count)),
    text: count,
    alarm: 'warn',
  },
  { name: 'Late ends by GC', of: ({ gc }) => gc.count, text: count, alarm: 'warn' },
  {
    name: 'Deadlines missed',
    of: ({ flows }) => sum(flows.map(({ violations }) => violations)),
    text: count,
    alarm: 'bad',
  },
  { name: 'Events lost', of: ({ lostEvents }) => lostEvents, text: count, alarm: 'warn' },
];

export class SummaryView {
  private readonly cells: readonly HTMLElement[];
  private readonly connection = byId('connection');
  private readonly alarm = byId('alarm');
  private readonly time = byId('run-time');

  constructor() {
    this.cells = FIGURES.map(({ name }) => {
      const value = html('dd', { 'data-figure': name });
      byId('figures').append(html('div', {}, html('dt', {}, name), value));
      return value;
    });
  }

  begin({ gateway }: Hello): void {
    document.title = `${gateway.name} · virtio-gateway`;
    setText(byId('gateway-name'), gateway.name);
    setText(byId('gateway-revision'), `revision ${gateway.revision}`);
    setText(byId('gateway-hash'), `configuration ${gateway.sha256.slice(0, 12)}`);
    byId('gateway-hash').title = gateway.sha256;
  }

  show(numbers: Numbers): void {
    setFigure(this.time, numbers.durationNs, runTime(numbers.durationNs));
    FIGURES.forEach(({ of, text, alarm }, n) => {
      const value = of(numbers);
      const cell = this.cells[n]!;
      setFigure(cell, value, text(value));
      if (alarm) cell.toggleAttribute(`data-${alarm}`, value > 0);
    });
    this.alarm.hidden = numbers.safeState === null;
    setText(this.alarm, numbers.safeState === null ? '' : `Safe state: ${numbers.safeState}`);
  }

  showState(state: ConnectionState): void {
    this.connection.dataset['state'] = state;
    setText(this.connection, STATES[state]);
    byId('reconnect').hidden = state !== 'ended';
  }
}
