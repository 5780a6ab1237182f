/**
 * Entry of an embedded guest's thread: a machine, a driver, a program, until it is asked to stop.
 */
import { workerData } from 'node:worker_threads';
import { present } from './base/assert.ts';
import { GuestStatistic } from './channel/guest-statistics.ts';
import type { GuestThreadData } from './control-plane/embedded-guest.ts';
import { GuestMachine } from './guest/guest-machine.ts';
import { PROGRAMS } from './guest/programs/index.ts';
import { monotonicClock, SleepPace } from './host/monotonic-clock.ts';
import { removeTimerSlack, setThreadNice } from './host/native/thread.ts';
import { parametersOf } from './schedule/gateway-config.ts';

/** A guest never competes with the data plane for a processor on equal terms. */
const NICE = 10;

const { memory, plan, partition: index } = workerData as GuestThreadData;
const partition = present(plan.partitions[index], 'partition');
const parameters = parametersOf(partition.guest) ?? {};
const device = plan.devices.findIndex(
  (candidate) =>
    candidate.partition === index &&
    (parameters.device === undefined || candidate.id === `${partition.id}.${parameters.device}`),
);
const to = plan.devices.find((candidate) => candidate.id === parameters.to);

setThreadNice(NICE);
removeTimerSlack();
const machine = new GuestMachine({
  memory,
  area: present(plan.layout.partitions[index], 'area'),
  clock: monotonicClock,
  pace: new SleepPace(),
});
const name = partition.guest.type === 'embedded' ? partition.guest.program : 'traffic';
const Program = present(PROGRAMS[name], name);
const program = new Program(machine, {
  ...parameters,
  function: partition.devices.indexOf(device),
  toMac: to?.type === 'virtio-net' ? to.mac : [],
});
machine.statistics.add(GuestStatistic.STARTED);
while (!machine.stopRequested) program.step();
