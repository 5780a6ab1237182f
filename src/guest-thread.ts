/**
 * Entry of an embedded guest's thread: a machine, a driver, a program, until it is asked to stop.
 */
import { workerData } from 'node:worker_threads';
import { present } from './base/assert.ts';
import { GuestStatistic } from './channel/guest-statistics.ts';
import type { GuestThreadData } from './control-plane/embedded-guest.ts';
import { GpuDriver } from './guest/gpu-driver.ts';
import { GuestMachine } from './guest/guest-machine.ts';
import { NetDriver } from './guest/net-driver.ts';
import { PROGRAMS } from './guest/programs/index.ts';
import { monotonicClock, SleepPace } from './host/monotonic-clock.ts';
import { removeTimerSlack, setThreadNice } from './host/native/thread.ts';
import { parametersOf } from './schedule/gateway-config.ts';
import type { DeviceType } from './wire/virtio.ts';

/** A guest never competes with the data plane for a processor on equal terms. */
const NICE = 10;

const { memory, plan, partition: index } = workerData as GuestThreadData;
const partition = present(plan.partitions[index], 'partition');
const parameters = parametersOf(partition.guest) ?? {};
/** Position on the bus of the program's device of a type: the one that is named, or the first. */
const functionOf = (type: DeviceType): number =>
  partition.devices.findIndex((candidate) => {
    const device = present(plan.devices[candidate], 'device');
    const isNamed = device.id === `${partition.id}.${parameters.device}`;
    return device.type === type && (parameters.device === undefined || isNamed);
  });
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
  netFunction: functionOf('virtio-net'),
  gpuFunction: functionOf('virtio-gpu'),
  toMac: to?.type === 'virtio-net' ? to.mac : [],
});
// A partition is ready when all of its devices are, also those that its program does not use.
for (const [position, index] of partition.devices.entries()) {
  if (machine.driven.has(position)) continue;
  const { type } = present(plan.devices[index], 'device');
  void new (type === 'virtio-net' ? NetDriver : GpuDriver)(machine, position);
}
machine.statistics.add(GuestStatistic.STARTED);
while (!machine.stopRequested) program.step();
