/** A rig whose services take a chosen time and leave a trace: what the tests of the serving rule stand on. */
import { networkOf } from './network.ts';
import type { QueueService } from '../../src/data-plane/queue-service.ts';
import type { WindowConfig, WindowQueueConfig } from '../../src/schedule/gateway-config.ts';
import { netDevice, Rig, type RigOptions } from './rig.ts';

/** Declared cost of one request of every transmitq of a bench, in nanoseconds. */
export const COST_NS = 1000;

export interface Step {
  readonly queue: string;
  readonly call: 'look' | 'serve' | 'publish';
  /** Nanoseconds of the major frame, before the call. */
  readonly ns: number;
}

export function window(
  id: string,
  partition: string,
  offsetNs: number,
  durationNs: number,
  queues: readonly WindowQueueConfig[],
  options: Partial<WindowConfig> = {},
): WindowConfig {
  return {
    id,
    partition,
    offsetUs: offsetNs / 1000,
    durationUs: durationNs / 1000,
    pollUs: 100,
    queues,
    ...options,
  };
}

export function caps(queue: string, options: Partial<WindowQueueConfig> = {}): WindowQueueConfig {
  return {
    queue: `net0.${queue}`,
    requestsMax: 1000,
    bytesMax: 1_000_000,
    requestsGuaranteed: 0,
    ...options,
  };
}

export interface BenchOptions extends Omit<RigOptions, 'schedule'> {
  readonly windows: readonly WindowConfig[];
  readonly majorFrameNs?: number;
  /** Virtual time that each served request takes; its declared cost, and `extraNs` more, when absent. */
  readonly takesNs?: number;
  readonly extraNs?: number;
}

/** Partitions a (two pairs and a control queue) and b; only a sends. */
export class DispatcherBench extends Rig {
  readonly trace: Step[] = [];
  /** Start of the first major frame, on the virtual clock. */
  readonly origin: number;
  clockReads = 0;
  waits = 0;
  private readonly due: { readonly ns: number; readonly action: () => void }[] = [];

  constructor({
    windows,
    majorFrameNs = 10_000_000,
    takesNs,
    extraNs = 0,
    ...options
  }: BenchOptions) {
    super({
      devices: {
        a: netDevice(1, {
          queuePairs: 2,
          queueSize: 256,
          mtu: 1500,
          offer: [
            'VIRTIO_F_VERSION_1',
            'VIRTIO_NET_F_MQ',
            'VIRTIO_NET_F_CTRL_VQ',
            'VIRTIO_NET_F_CTRL_RX',
          ],
        }),
        b: netDevice(2, { queueSize: 256 }),
      },
      ...options,
      costs: {
        netForward: { baseNs: COST_NS, perKibNs: 0, perDescriptorNs: 0 },
        netControlNs: COST_NS,
        ...options.costs,
      },
      schedule: { windows, majorFrameUs: majorFrameNs / 1000 },
    });
    this.time.perReadNs = 0;
    this.origin = this.plane.time.frameStart[0]!;
    for (const { index } of this.plan.devices) {
      const device = networkOf(this.plane, index);
      device.setPairs(device.plan.queuePairs);
    }
    this.plan.queues.forEach(({ name, costNs }, index) =>
      this.instrument(name, index, takesNs ?? costNs + extraNs),
    );
    this.watchClock();
  }

  private instrument(name: string, index: number, takesNs: number): void {
    const service = this.plane.services[index];
    if (!service) return;
    const { look, serve, publish } = service;
    const note = (call: Step['call']) =>
      this.trace.push({ queue: shortName(name), call, ns: this.frameNs });
    const wrapped: Partial<QueueService> = {
      look: () => (note('look'), look.call(service)),
      // One by one, so that each takes its time and leaves its trace.
      serveMany: () => 0,
      serve: (bytesLeft) => {
        note('serve');
        const result = serve.call(service, bytesLeft);
        if (result === 0) this.advance(takesNs);
        return result;
      },
      publish: () => (note('publish'), publish.call(service)),
    };
    Object.assign(service, wrapped);
  }

  private watchClock(): void {
    const { readInto, waitUntil } = this.time;
    this.time.readInto = (cell) => {
      this.clockReads++;
      this.runDue(this.time.nowNs + this.time.perReadNs);
      readInto.call(this.time, cell);
    };
    this.time.waitUntil = (target, now) => {
      this.waits++;
      this.runDue(Math.max(this.time.nowNs, target[0]!));
      waitUntil.call(this.time, target, now);
    };
  }

  /** Nanoseconds since the start of the present major frame. */
  get frameNs(): number {
    return this.time.nowNs - this.plane.time.frameStart[0]!;
  }

  /** Lets virtual time pass, as a service that takes so long does. */
  advance(ns: number): void {
    this.runDue(this.time.nowNs + ns);
    this.time.nowNs += ns;
  }

  /** Runs an action when virtual time reaches so many nanoseconds after the first major frame began. */
  at(ns: number, action: () => void): void {
    this.due.push({ ns: this.origin + ns, action });
    this.due.sort((one, other) => one.ns - other.ns);
  }

  private runDue(until: number): void {
    while (this.due.length > 0 && this.due[0]!.ns <= until) this.due.shift()!.action();
  }

  /** Sends so many packets of `bytes` bytes from a to b on one pair. */
  backlog(count: number, pair = 0, bytes = 64): void {
    for (let n = 0; n < count; n++) this.send('a', this.packet('a', 'b', bytes), undefined, pair);
  }

  /** Puts so many control commands, each for promiscuous mode on, into a's control queue. */
  controlBacklog(count: number): void {
    const { slice, control } = this.guest('a');
    for (let n = 0; n < count; n++) {
      const address = slice.allocate(4);
      slice.write(address, [0, 0, 1, 0xff]);
      control!.submit([
        { address, length: 3 },
        { address: address + 3, length: 1, flags: 2 },
      ]);
    }
  }

  /** Names of the queues of these calls, in order; repeated ones as `name*count`. */
  order(call: Step['call']): string[] {
    const runs: { queue: string; count: number }[] = [];
    for (const step of this.trace) {
      if (step.call !== call) continue;
      const last = runs.at(-1);
      if (last?.queue === step.queue) last.count++;
      else runs.push({ queue: step.queue, count: 1 });
    }
    return runs.map(({ queue, count }) => (count === 1 ? queue : `${queue}*${count}`));
  }

  /** When these calls were made, in nanoseconds of the major frame. */
  times(call: Step['call'], queue: string): number[] {
    return this.trace
      .filter((step) => step.call === call && step.queue === queue)
      .map((step) => step.ns);
  }

  /** Requests of one queue that were started since the trace was last cleared. */
  served(queue: string): number {
    return this.times('serve', queue).length;
  }
}

function shortName(name: string): string {
  return name.replace('.net0.transmitq', '.tx').replace('.net0.controlq', '.control');
}
