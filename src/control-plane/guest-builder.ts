/** Builds the guests of a plan with their device models: embedded ones, and those of front-ends. */
import type { FaultCode } from '../base/fault.ts';
import type { SharedState } from '../data-plane/data-plane.ts';
import { GuestMemory } from '../data-plane/guest-memory.ts';
import { DescriptorNotifier } from '../host/descriptor-notifier.ts';
import { ArenaMapping } from '../host/arena-mapping.ts';
import { ResidentMemory } from '../host/realtime.ts';
import { embeddedRegion } from '../schedule/arena-layout.ts';
import type { VhostUserGuestConfig } from '../schedule/gateway-config.ts';
import type { GatewayPlan, PlanDevice, PlanPartition } from '../schedule/gateway-plan.ts';
import { socketPathOf } from '../schedule/socket-path.ts';
import type { DataPlaneLink } from './data-plane-link.ts';
import { configurationOf } from './device-configuration.ts';
import type { DeviceModel } from './device-model.ts';
import { EmbeddedGuest } from './embedded-guest.ts';
import type { Guest } from './guest.ts';
import { VirtioFunction } from './pci/virtio-function.ts';
import { PartitionMemory } from './vhost-user/partition-memory.ts';
import { scanoutSources } from './vhost-user/scanout-feed.ts';
import { VhostUserDevice } from './vhost-user/vhost-user-device.ts';
import { VhostUserGuest } from './vhost-user/vhost-user-guest.ts';

/** What happens to the guests, for whoever reacts to it. */
export interface GuestEvents {
  readonly onFault: (partition: number, queue: number, fault: FaultCode, detail: string) => void;
  readonly onReady: (device: number, ready: boolean) => void;
  readonly log: (line: string) => void;
}

export interface BuilderParts {
  readonly plan: GatewayPlan;
  readonly shared: SharedState;
  readonly words: Int32Array;
  readonly link: DataPlaneLink;
  /** Memory that front-ends share is there and locked, as far as the host grants it. */
  readonly realtime: boolean;
  readonly events: GuestEvents;
  /** What front-ends say is written to the log. */
  readonly decode: boolean;
}

export class GuestBuilder {
  /** By device number, once their guests are built. */
  readonly devices: DeviceModel[] = [];
  private readonly parts: BuilderParts;
  private readonly claims = new Map<string, number>();
  private mapping: ArenaMapping | undefined;
  private resident: ResidentMemory | undefined;
  private notifier: DescriptorNotifier | undefined;

  constructor(parts: BuilderParts) {
    this.parts = parts;
  }

  build(partition: PlanPartition): Guest {
    const { guest } = partition;
    return guest.type === 'embedded' ? this.embedded(partition) : this.vhostUser(partition, guest);
  }

  private embedded(partition: PlanPartition): EmbeddedGuest {
    const { plan, shared, link, events } = this.parts;
    const functions = partition.devices.map((device) => this.virtioFunction(plan.devices[device]!));
    return new EmbeddedGuest({
      plan,
      partition,
      memory: shared.memory,
      functions,
      mustWait: () => link.backlogged,
      onFault: (fault, detail) => events.onFault(partition.index, -1, fault, detail),
    });
  }

  private virtioFunction(device: PlanDevice): VirtioFunction {
    const { plan, words, link, events } = this.parts;
    const area = plan.layout.partitions[device.partition]!;
    const memory = new GuestMemory();
    memory.setRegions([embeddedRegion(area)]);
    const position = plan.partitions[device.partition]!.devices.indexOf(device.index);
    const built = new VirtioFunction({
      plan: device,
      queues: plan.queues,
      memory,
      words,
      statusAt: plan.layout.devices[device.index]!.statusAt,
      link,
      vectorsAt: area.vectorsAt[position]!,
      onFault: (fault, queue, detail) => events.onFault(device.partition, queue, fault, detail),
      onReady: (ready) => events.onReady(device.index, ready),
    });
    this.devices[device.index] = built;
    return built;
  }

  private vhostUser(partition: PlanPartition, guest: VhostUserGuestConfig): VhostUserGuest {
    this.mapping ??= new ArenaMapping(this.parts.shared.memory);
    const { plan, shared, realtime, events } = this.parts;
    if (realtime) this.resident ??= new ResidentMemory(this.mapping, events.log);
    const memory = new PartitionMemory({
      partition: partition.index,
      area: plan.layout.partitions[partition.index]!,
      mapping: this.mapping,
      resident: this.resident,
      acceptUnsealed: guest.unsealed === 'accept',
      claims: this.claims,
    });
    this.notifier ??= new DescriptorNotifier(shared.memory);
    const common = { memory, notifier: this.notifier };
    return new VhostUserGuest(
      partition.devices.map((index) => this.vhostUserDevice(plan.devices[index]!, guest, common)),
    );
  }

  private vhostUserDevice(
    device: PlanDevice,
    guest: VhostUserGuestConfig,
    common: { readonly memory: PartitionMemory; readonly notifier: DescriptorNotifier },
  ): VhostUserDevice {
    const { plan, words, link, events, decode } = this.parts;
    const { statusAt, regionsAt } = plan.layout.devices[device.index]!;
    const built = new VhostUserDevice({
      plan: device,
      link,
      words,
      regionsAt,
      ...common,
      config: configurationOf(device, words, statusAt),
      scanouts: device.type === 'virtio-gpu' ? scanoutSources(plan, device) : [],
      socketPath: socketPathOf(guest.socketDirectory, ownId(device)),
      socketMode: guest.socketMode,
      onFault: (fault, queue, detail) => events.onFault(device.partition, queue, fault, detail),
      onReady: (ready) => events.onReady(device.index, ready),
      log: events.log,
      decode,
    });
    this.devices[device.index] = built;
    return built;
  }

  /** Gives back what the guests had together, when all of them are closed. */
  close(): void {
    this.notifier?.close();
    this.notifier = undefined;
  }
}

/** The id of a device without its partition. */
function ownId({ id }: PlanDevice): string {
  return id.slice(id.indexOf('.') + 1);
}
