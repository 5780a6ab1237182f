/** Emulated virtio-pci functions on a real data plane and a virtual clock: register tests stand on it. */
import { faultName, type FaultName } from '../../src/base/fault.ts';
import { CommandChannel, NotifyKind } from '../../src/channel/command-channel.ts';
import { Counters } from '../../src/channel/counters.ts';
import { DataPlaneLink } from '../../src/control-plane/data-plane-link.ts';
import { VirtioFunction } from '../../src/control-plane/pci/virtio-function.ts';
import { type DataPlane, buildDataPlane, sharedStateOf } from '../../src/data-plane/data-plane.ts';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { EMBEDDED_GUEST_PHYSICAL, type PartitionArea } from '../../src/schedule/arena-layout.ts';
import { compilePlan } from '../../src/schedule/compile-plan.ts';
import type { GatewayConfig } from '../../src/schedule/gateway-config.ts';
import type { GatewayPlan } from '../../src/schedule/gateway-plan.ts';
import { NetStatus } from '../../src/wire/virtio-net.ts';
import {
  kernel,
  NO_EVIDENCE,
  RecordingNotifier,
  rigConfig,
  VirtualTime,
  type RigOptions,
} from './rig.ts';

export interface BenchFault {
  readonly device: number;
  readonly name: FaultName;
  readonly queue: number;
  readonly detail: string;
}

/** Every device of the rig's configuration as an untouched function, every partition running. */
export class FunctionBench {
  readonly plan: GatewayPlan;
  readonly memory: WebAssembly.Memory;
  readonly words: Int32Array;
  readonly counters: Counters;
  readonly plane: DataPlane;
  readonly channel: CommandChannel;
  readonly link: DataPlaneLink;
  readonly functions: readonly VirtioFunction[];
  readonly time = new VirtualTime();
  readonly notifier = new RecordingNotifier();
  readonly faults: BenchFault[] = [];
  readonly readiness: { device: number; ready: boolean }[] = [];

  /** `config`: another configuration than the rig's. */
  constructor(options: RigOptions = {}, config: GatewayConfig = rigConfig(options)) {
    this.plan = compilePlan(config, options.slicesFrom ?? 0);
    const shared = sharedStateOf(this.plan, kernel());
    this.memory = shared.memory;
    this.words = new Int32Array(shared.memory.buffer);
    this.counters = new Counters(this.plan, shared.counters);
    this.plane = buildDataPlane(this.plan, shared, {
      clock: this.time,
      pace: this.time,
      notifier: this.notifier,
      evidence: NO_EVIDENCE,
    });
    this.plane.dispatcher.begin(this.time.nowNs + 1000);
    for (const partition of this.plane.partitions) partition.running = true;
    this.channel = new CommandChannel(shared.commands);
    this.link = new DataPlaneLink(this.channel);
    this.functions = this.plan.devices.map((_, index) => this.build(index));
  }

  private build(index: number): VirtioFunction {
    const plan = this.plan.devices[index]!;
    const area = this.areaOf(index);
    const memory = new GuestMemory();
    memory.setRegions([
      {
        guestPhysical: EMBEDDED_GUEST_PHYSICAL,
        size: area.sliceBytes,
        arenaAt: area.sliceAt,
      },
    ]);
    const { statusAt } = this.plan.layout.devices[index]!;
    this.words[statusAt >>> 2] = NetStatus.LINK_UP;
    return new VirtioFunction({
      plan,
      queues: this.plan.queues,
      memory,
      words: this.words,
      statusAt,
      link: this.link,
      vectorsAt: area.vectorsAt[this.busPositionOf(index)]!,
      onFault: (fault, queue, detail) => {
        this.faults.push({ device: index, name: faultName(fault), queue, detail });
      },
      onReady: (ready) => {
        this.readiness.push({ device: index, ready });
      },
    });
  }

  areaOf(device: number): PartitionArea {
    return this.plan.layout.partitions[this.plan.devices[device]!.partition]!;
  }

  private busPositionOf(device: number): number {
    return this.plan.partitions[this.plan.devices[device]!.partition]!.devices.indexOf(device);
  }

  /** The functions on one partition's bus. */
  busOf(partition: number): VirtioFunction[] {
    return this.plan.partitions[partition]!.devices.map((device) => this.functions[device]!);
  }

  /** Index of the interrupt word of a vector. */
  vectorWord(device: number, vector: number): number {
    return (this.areaOf(device).vectorsAt[this.busPositionOf(device)]! >>> 2) + vector;
  }

  interrupts(device: number, vector: number): number {
    return this.words[this.vectorWord(device, vector)]!;
  }

  /** Interrupt words that the data plane has notified so far, in order. */
  get interruptsSent(): number[] {
    return this.notifier.sent
      .filter(({ kind }) => kind === NotifyKind.ARENA_WORD)
      .map(({ target }) => target);
  }

  /** The data plane carries out every waiting command; how many. */
  settle(): number {
    let count = 0;
    for (this.link.flush(); this.plane.commands.runOne(); this.link.flush()) count++;
    return count;
  }

  /** Whole major frames, control windows included. */
  frames(count = 1): void {
    for (let n = 0; n < count; n++) {
      this.link.flush();
      this.plane.dispatcher.majorFrame();
    }
  }

  faultNames(device = 0): FaultName[] {
    return this.faults.filter((fault) => fault.device === device).map((fault) => fault.name);
  }
}
