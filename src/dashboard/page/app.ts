/** Entry of the page: one connection, and a view for each part of what it says. */
import { Connection } from './connection.ts';
import { DisplayView } from './display-view.ts';
import { byId } from './dom.ts';
import { EventsView } from './events-view.ts';
import { LatencyView } from './latency-view.ts';
import type { Numbers, ServerMessage } from './message.ts';
import { PartitionsView } from './partitions-view.ts';
import { ScheduleView } from './schedule-view.ts';
import { SummaryView } from './summary-view.ts';
import { TablesView } from './tables-view.ts';

const summary = new SummaryView();
const schedule = new ScheduleView();
const latency = new LatencyView();
const partitions = new PartitionsView();
const events = new EventsView();
const tables = new TablesView();

const connection = new Connection({
  message: receive,
  picture: (picture) => void displays.show(picture),
  state: (state) => summary.showState(state),
});
const displays = new DisplayView((text) => connection.send(text));

function receive(message: ServerMessage): void {
  switch (message.type) {
    case 'hello':
      for (const view of [summary, schedule, latency, partitions, events, tables, displays])
        view.begin(message);
      return;
    case 'numbers':
      showNumbers(message.numbers);
      return;
    case 'schedule':
      schedule.show(message.visits);
      return;
    case 'latency':
      latency.showLatency(message.flows);
      return;
    case 'happenings':
      events.show(message.entries);
      return;
    case 'ended':
      showNumbers(message.numbers);
      latency.showLatency(message.latency);
  }
}

function showNumbers(numbers: Numbers): void {
  summary.show(numbers);
  latency.showNumbers(numbers);
  partitions.show(numbers.partitions);
  tables.show(numbers);
}

byId('reconnect').addEventListener('click', () => connection.open());
connection.open();
