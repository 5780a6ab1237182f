/** One virtio-gpu device (VIRTIO 5.7): its resources, its scanouts, and what was negotiated. */
import type { PlanGpuDevice } from '../../schedule/gateway-plan.ts';
import { bitOf, hasBit } from '../../wire/features.ts';
import type { Arena } from '../arena.ts';
import type { Device } from '../device.ts';
import type { GuestMemory } from '../guest-memory.ts';
import type { Partition } from '../partition.ts';
import type { Resource } from './resource.ts';
import { ResourceTable } from './resource-table.ts';
import { Scanout } from './scanout.ts';
import type { Plane } from './plane.ts';

export interface GpuDeviceParts {
  readonly plan: PlanGpuDevice;
  readonly partition: Partition;
  readonly memory: GuestMemory;
  readonly arena: Arena;
  /** Arena offset of the pixels of all resources. */
  readonly resourcesAt: number;
  readonly planes: readonly Plane[];
  /** EDID of each scanout, as words. */
  readonly edids: readonly Int32Array[];
}

const EDID = bitOf('virtio-gpu', 'VIRTIO_GPU_F_EDID');
const UUID = bitOf('virtio-gpu', 'VIRTIO_GPU_F_RESOURCE_UUID');
const BLOB = bitOf('virtio-gpu', 'VIRTIO_GPU_F_RESOURCE_BLOB');

export class GpuDevice implements Device {
  readonly plan: PlanGpuDevice;
  readonly partition: Partition;
  readonly memory: GuestMemory;
  readonly arena: Arena;
  readonly resources: ResourceTable;
  readonly scanouts: readonly Scanout[];
  readonly edids: readonly Int32Array[];
  started = false;
  hasEdid = false;
  hasUuid = false;
  hasBlob = false;
  /** UUIDs given out so far. */
  uuids = 0;

  constructor(parts: GpuDeviceParts) {
    this.plan = parts.plan;
    this.partition = parts.partition;
    this.memory = parts.memory;
    this.arena = parts.arena;
    this.edids = parts.edids;
    this.resources = new ResourceTable(parts.plan, parts.resourcesAt, parts.memory);
    this.scanouts = parts.planes.map((plane) => new Scanout(plane));
  }

  start(low: number, high: number): void {
    const bits = { low, high };
    this.hasEdid = hasBit(bits, EDID);
    this.hasUuid = hasBit(bits, UUID);
    this.hasBlob = hasBit(bits, BLOB);
    this.started = true;
  }

  /** A driver that was only paused finds everything as it was. */
  stop(): void {
    this.started = false;
  }

  /** 5.7.5: a new driver; what the last one made is gone. */
  renew(): void {
    this.resources.clear();
    for (let n = 0; n < this.scanouts.length; n++) {
      const scanout = this.scanouts[n]!;
      scanout.disable();
      scanout.plane.forget();
    }
  }

  ringsChanged(): void {}

  /** Stops showing a resource; its planes keep the picture until it is cleared or replaced. */
  hide(resource: Resource): void {
    for (let n = 0; n < this.scanouts.length; n++) {
      if ((resource.scanouts & (1 << n)) !== 0) this.scanouts[n]!.disable();
    }
    resource.scanouts = 0;
  }
}
