/** The resources of one device, their pixels and their backings: a bounded number of each. */
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { GuestMemory } from '../guest-memory.ts';
import { BackingStore } from './backing-store.ts';
import { Extents, NO_ROOM } from './extents.ts';
import { Resource } from './resource.ts';

/** Pixels are given out in units of so many bytes. */
const UNIT_BYTES = 4096;
/** Larger sides are nobody's picture; products of two stay exact. */
export const SIDE_MAX = 16384;

export interface ResourceLimits {
  readonly resourcesMax: number;
  readonly resourceBytes: number;
  readonly backingEntriesMax: number;
}

// [impl->req~gpu.quota~1]
export class ResourceTable {
  readonly backing: BackingStore;
  private readonly resources: readonly Resource[];
  private readonly ids: Int32Array;
  private readonly pixels: Extents;
  private readonly pixelsAt: number;

  /** `pixelsAt`: arena offset of the device's pixel store. */
  constructor(limits: ResourceLimits, pixelsAt: number, memory: GuestMemory) {
    const { resourcesMax, resourceBytes, backingEntriesMax } = limits;
    this.pixelsAt = pixelsAt | 0;
    this.resources = Array.from({ length: resourcesMax }, () => new Resource());
    this.ids = new Int32Array(resourcesMax);
    this.pixels = new Extents(Math.floor(resourceBytes / UNIT_BYTES), resourcesMax);
    this.backing = new BackingStore(memory, backingEntriesMax, resourcesMax);
  }

  /** The resource of this id, which is not 0 (a 32-bit pattern). */
  find(id: number): Resource | undefined {
    const at = this.ids.indexOf(id);
    return id === 0 || at < 0 ? undefined : this.resources[at];
  }

  /** A 2D resource that does not exist yet; undefined when there is no room for it. */
  createPicture(id: number, format: number, width: number, height: number): Resource | undefined {
    if (width > SIDE_MAX || height > SIDE_MAX) return undefined;
    const units = Math.ceil((width * height * GPU_PIXEL_BYTES) / UNIT_BYTES);
    const resource = this.unused();
    if (!resource) return undefined;
    const firstUnit = this.pixels.take(units);
    if (firstUnit === NO_ROOM) return undefined;
    this.name(resource, id);
    resource.format = format;
    resource.width = width;
    resource.height = height;
    resource.firstUnit = firstUnit;
    resource.pixelsAt = (this.pixelsAt + firstUnit * UNIT_BYTES) | 0;
    return resource;
  }

  /** A blob that does not exist yet; undefined when there is no room for it. */
  createBlob(id: number, bytes: number): Resource | undefined {
    const resource = this.unused();
    if (!resource) return undefined;
    this.name(resource, id);
    resource.blobBytes = bytes;
    return resource;
  }

  private unused(): Resource | undefined {
    const at = this.ids.indexOf(0);
    return at < 0 ? undefined : this.resources[at];
  }

  private name(resource: Resource, id: number): void {
    resource.id = id;
    this.ids[this.resources.indexOf(resource)] = id;
  }

  remove(resource: Resource): void {
    this.backing.release(resource);
    if (!resource.isBlob) this.pixels.release(resource.firstUnit);
    this.ids[this.resources.indexOf(resource)] = 0;
    resource.forget();
  }

  clear(): void {
    this.ids.fill(0);
    this.pixels.clear();
    this.backing.clear();
    for (let n = 0; n < this.resources.length; n++) this.resources[n]!.forget();
  }
}
