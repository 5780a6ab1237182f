/** A running gateway: starts both planes and the guests, carries reactions out, stops in order. */
import { Subject, type Observable } from 'rxjs';
import { faultMeaning, faultName, type FaultCode } from '../base/fault.ts';
import { CommandChannel, CommandKind } from '../channel/command-channel.ts';
import { Counters } from '../channel/counters.ts';
import { EventLog, type GatewayEvent } from '../channel/event-log.ts';
import { WindowTrace } from '../channel/window-trace.ts';
import { type SharedState, sharedStateOf } from '../data-plane/data-plane.ts';
import { readBuiltFile } from '../host/files.ts';
import { PlaneThread } from '../host/plane-thread.ts';
import { every } from '../host/timers.ts';
import type { GatewayConfig } from '../schedule/gateway-config.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { DataPlaneLink } from './data-plane-link.ts';
import type { DeviceModel } from './device-model.ts';
import { DisplayView } from './display-view.ts';
import type { Guest } from './guest.ts';
import { GuestBuilder } from './guest-builder.ts';
import { ReactionTable } from './health/reaction-table.ts';
import { Supervision, type FaultReport } from './health/supervision.ts';
import { PartitionManager } from './partition-manager.ts';
import { loadWarningPictures } from './warning-pictures.ts';

const STOP_WITHIN_MS = 5000;

export interface GatewayOptions {
  /** The data plane takes a CPU, priority and memory for itself, as far as the host grants it. */
  readonly realtime?: boolean;
  /** Every message of a front-end is written to the log, in words. */
  readonly decode?: boolean;
  /** File of the configuration: the pictures that it names lie beside it. */
  readonly configFile?: string;
}

/** Why a gateway ended by itself. */
export type SafeStateReason = string;

export class Gateway {
  readonly plan: GatewayPlan;
  readonly counters: Counters;
  readonly events: EventLog;
  readonly windowTrace: WindowTrace;
  readonly partitions: PartitionManager;
  readonly guests: readonly Guest[];
  readonly displays: readonly DisplayView[];
  /** Why the safe state was entered, once it was. */
  safeState: SafeStateReason | undefined;
  private readonly options: GatewayOptions;
  private readonly shared: SharedState;
  private readonly link: DataPlaneLink;
  private readonly supervision: Supervision;
  private readonly builder: GuestBuilder;
  private readonly devices: readonly DeviceModel[];
  private readonly messages = new Subject<string>();
  private readonly faultReports = new Subject<FaultReport>();
  private readonly safeStates = new Subject<SafeStateReason>();
  /** Devices whose driver is ready, with the command that starts their last ring. */
  private readonly starting = new Map<number, number>();
  private readonly readyDevices = new Set<number>();
  private dataPlane: PlaneThread | undefined;
  private stopping = false;

  constructor(plan: GatewayPlan, config: GatewayConfig, options: GatewayOptions = {}) {
    this.plan = plan;
    this.options = options;
    this.shared = sharedStateOf(
      plan,
      new WebAssembly.Module(readBuiltFile('data-plane/arena-kernel.wasm')),
    );
    const arena = new Uint8Array(this.shared.memory.buffer);
    loadWarningPictures(plan, arena, options.configFile ?? '.');
    this.counters = new Counters(plan, this.shared.counters);
    this.displays = plan.displays.map(
      (display) => new DisplayView(plan, display, arena, this.counters),
    );
    this.events = new EventLog(this.shared.events);
    this.windowTrace = new WindowTrace(this.shared.windowTrace);
    this.link = new DataPlaneLink(new CommandChannel(this.shared.commands));
    this.partitions = new PartitionManager(plan.partitions.length);
    this.supervision = new Supervision({
      events: this.events,
      table: new ReactionTable(config.health.reactions),
      partitionIds: plan.partitions.map((partition) => partition.id),
      carryOut: (report) => this.carryOut(report),
      onTick: () => this.tick(),
    });
    this.builder = new GuestBuilder({
      plan,
      shared: this.shared,
      words: new Int32Array(this.shared.memory.buffer),
      link: this.link,
      realtime: options.realtime ?? false,
      events: {
        onFault: (partition, queue, fault, detail) =>
          this.supervision.report(partition, queue, fault, detail),
        onReady: (device, ready) => this.driverReady(device, ready),
        log: (line) => this.messages.next(line),
      },
      decode: options.decode ?? false,
    });
    this.guests = plan.partitions.map((partition) => this.builder.build(partition));
    this.devices = this.builder.devices;
  }

  /** What a person wants to know as it happens: mode changes and logged faults. */
  get log(): Observable<string> {
    return this.messages.asObservable();
  }

  /** What the data plane reports, as it is read from the event log. */
  get reported(): Observable<GatewayEvent> {
    return this.supervision.log;
  }

  /** Every fault with the reaction to it, whether it is logged or not. */
  get faults(): Observable<FaultReport> {
    return this.faultReports.asObservable();
  }

  /** The gateway cannot go on; whoever runs it stops it. */
  get enteredSafeState(): Observable<SafeStateReason> {
    return this.safeStates.asObservable();
  }

  /**
   * A driver is ready, or has reset its device; the data plane follows at its next control window.
   */
  private driverReady(device: number, ready: boolean): void {
    if (ready) {
      this.starting.set(device, this.link.last);
      return;
    }
    this.starting.delete(device);
    this.readyDevices.delete(device);
    this.partitions.request(this.plan.devices[device]!.partition, 'guest-reset', 'guest');
    this.showLinks();
  }

  /**
   * Devices whose rings the data plane has started by now: a guest is ready when all of its are.
   */
  private settleStarting(): void {
    for (const [device, command] of this.starting) {
      if (!this.link.isDone(command)) continue;
      this.starting.delete(device);
      this.readyDevices.add(device);
      const { partition } = this.plan.devices[device]!;
      const all = this.plan.partitions[partition]!.devices.every((own) =>
        this.readyDevices.has(own),
      );
      if (all) this.partitions.request(partition, 'guest-ready', 'guest');
      this.showLinks();
    }
  }

  /** A link is up while a route leads from its device to one that is ready and served. */
  // [impl->req~net.link-state~1]
  private showLinks(): void {
    for (const device of this.plan.devices) {
      if (device.type !== 'virtio-net') continue;
      const { index, routes } = device;
      const up = routes.some((route) => {
        const { to } = this.plan.routes[route]!;
        return (
          this.readyDevices.has(to) && this.partitions.serves(this.plan.devices[to]!.partition)
        );
      });
      this.devices[index]!.setLink(up);
    }
  }

  /** Starts the data plane, then every partition. */
  start(): void {
    this.partitions.transitions.subscribe(({ partition, from, to, cause }) => {
      const kind = this.partitions.serves(partition)
        ? CommandKind.RUN_PARTITION
        : CommandKind.HOLD_PARTITION;
      this.link.post(kind, partition);
      this.showLinks();
      this.messages.next(
        `partition ${this.plan.partitions[partition]!.id}: ${from} -> ${to} (${cause})`,
      );
    });
    this.dataPlane = new PlaneThread(
      'data-plane-thread.js',
      { plan: this.plan, shared: this.shared, realtime: this.options.realtime ?? false },
      {
        said: (line) => this.messages.next(line),
        ended: (code, error) => {
          this.link.abandon();
          if (!this.stopping)
            this.enterSafeState(`the data plane ended: ${error ?? `code ${code}`}`);
        },
      },
    );
    this.supervision.start();
    for (const { index } of this.plan.partitions) {
      this.partitions.request(index, 'start', 'operator');
      this.guests[index]!.start();
    }
  }

  /** Whether a device shows its link as up. */
  linkUp(device: number): boolean {
    return this.devices[device]!.linkUp;
  }

  private tick(): void {
    this.link.flush();
    this.settleStarting();
    for (const guest of this.guests) guest.tick();
  }

  // [impl->req~fault.reaction~1]
  private carryOut(report: FaultReport): void {
    const { partition, queue, code, detail, reaction } = report;
    this.faultReports.next(report);
    const { id, devices } = this.plan.partitions[partition]!;
    if (reaction.log) this.messages.next(this.faultLine(id, queue, code, detail, reaction.action));
    if (this.stopping) return;
    switch (reaction.action) {
      case 'ignore':
        return;
      case 'needs-reset': {
        const device = queue >= 0 ? this.plan.queues[queue]!.device : devices[0]!;
        this.devices[device]!.needsReset();
        this.partitions.request(partition, 'needs-reset', 'supervision');
        return;
      }
      case 'isolate':
        this.partitions.request(partition, 'isolate', 'supervision');
        return;
      case 'restart':
        if (this.partitions.request(partition, 'restart', 'supervision'))
          void this.guests[partition]!.restart();
        return;
      default:
        this.enterSafeState(`fault ${faultName(code)} of partition ${id}`);
    }
  }

  private faultLine(
    id: string,
    queue: number,
    code: FaultCode,
    detail: string,
    action: string,
  ): string {
    const where = queue >= 0 ? this.plan.queues[queue]!.name : id;
    const what = detail || faultMeaning(code);
    return `partition ${id}: fault ${faultName(code)} at ${where}: ${what} (${action})`;
  }

  // [impl->req~fault.safe-state~1]
  private enterSafeState(reason: SafeStateReason): void {
    if (this.safeState !== undefined) return;
    this.safeState = reason;
    this.messages.next(`safe state: ${reason}`);
    this.safeStates.next(reason);
  }

  /** Stops guests first, so that nobody waits for a device, then the data plane. */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    await Promise.all(this.guests.map((guest) => guest.close()));
    this.builder.close();
    for (const { index } of this.plan.partitions)
      this.partitions.request(index, 'stop', 'operator');
    this.link.post(CommandKind.STOP, 0);
    const { dataPlane } = this;
    if (dataPlane && !(await this.ends(dataPlane))) await dataPlane.terminate();
    this.supervision.stop();
    this.messages.complete();
  }

  private async ends(thread: PlaneThread): Promise<boolean> {
    const endFlushing = every(1, () => this.link.flush());
    try {
      return await thread.endsWithin(STOP_WITHIN_MS);
    } finally {
      endFlushing();
    }
  }
}
