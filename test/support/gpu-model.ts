/** What a GPU device answers to a command, from the standard's rules and plain numbers alone. */
import { GpuResponse } from '../../src/wire/virtio-gpu.ts';
import type { RectPx } from './gpu-commands.ts';

const { OK_NODATA, OK_EDID, OK_RESOURCE_UUID, ERR_OUT_OF_MEMORY: NO_ROOM } = GpuResponse;
const {
  ERR_INVALID_SCANOUT_ID: NO_SCANOUT,
  ERR_INVALID_RESOURCE_ID: NO_RESOURCE,
  ERR_INVALID_PARAMETER: WRONG,
} = GpuResponse;

const FORMATS = [1, 2, 3, 4, 67, 68, 121, 134];
const UNIT_PIXELS = 1024;
const SIDE_MAX = 16384;
const CURSOR_SIDE = 64;

/** An entry of a backing: how long it is, and whether the partition reaches all of it. */
export interface ModelEntry {
  readonly length: number;
  readonly reachable: boolean;
  readonly aligned: boolean;
}

export type ModelCommand =
  | {
      readonly is: 'create';
      readonly id: number;
      readonly format: number;
      readonly w: number;
      readonly h: number;
    }
  | {
      readonly is: 'blob';
      readonly id: number;
      readonly bytes: number;
      readonly entries: readonly ModelEntry[];
    }
  | { readonly is: 'unref' | 'detach' | 'uuid'; readonly id: number }
  | { readonly is: 'attach'; readonly id: number; readonly entries: readonly ModelEntry[] }
  | { readonly is: 'scanout'; readonly scanout: number; readonly id: number; readonly rect: RectPx }
  | {
      readonly is: 'scanoutBlob';
      readonly scanout: number;
      readonly id: number;
      readonly rect: RectPx;
      readonly w: number;
      readonly h: number;
      readonly format: number;
      readonly stride: number;
      readonly offset: number;
    }
  | { readonly is: 'flush'; readonly id: number; readonly rect: RectPx }
  | { readonly is: 'transfer'; readonly id: number; readonly rect: RectPx; readonly offset: number }
  | { readonly is: 'edid'; readonly scanout: number }
  | {
      readonly is: 'cursor';
      readonly scanout: number;
      readonly id: number;
      readonly hotX: number;
      readonly hotY: number;
    }
  | { readonly is: 'move'; readonly scanout: number };

interface ModelResource {
  readonly kind: 'picture' | 'blob';
  readonly format: number;
  readonly w: number;
  readonly h: number;
  readonly bytes: number;
  /** Undefined without backing. */
  backing: number | undefined;
}

/** Parts of a range by their owner, each where the first gap is large enough. */
class Room<K> {
  private parts: { owner: K; from: number; size: number }[] = [];
  private readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  take(owner: K, size: number): boolean {
    let from = 0;
    for (const part of this.parts) {
      if (part.from - from >= size) break;
      from = part.from + part.size;
    }
    if (this.size - from < size) return false;
    this.parts.push({ owner, from, size });
    this.parts.sort((a, b) => a.from - b.from);
    return true;
  }

  free(owner: K): void {
    this.parts = this.parts.filter((part) => part.owner !== owner);
  }
}

export interface ModelLimits {
  readonly resources: number;
  readonly units: number;
  readonly entries: number;
  /** Width and height of each scanout's plane. */
  readonly planes: readonly (readonly [number, number])[];
}

export function inside([x, y, w, h]: RectPx, width: number, height: number): boolean {
  return x + w <= width && y + h <= height;
}

export class GpuModel {
  readonly resources = new Map<number, ModelResource>();
  /** The resource that each scanout shows. */
  readonly shown: (number | undefined)[];
  private readonly limits: ModelLimits;
  private readonly pixels: Room<number>;
  private readonly entries: Room<number>;

  constructor(limits: ModelLimits) {
    this.limits = limits;
    this.shown = limits.planes.map(() => undefined);
    this.pixels = new Room(limits.units);
    this.entries = new Room(limits.entries);
  }

  /** Carries a command out; the type of its answer. */
  answer(command: ModelCommand): number {
    switch (command.is) {
      case 'create':
        return this.create(command);
      case 'blob':
        return this.blob(command);
      case 'attach':
        return this.attach(command);
      case 'unref':
      case 'detach':
      case 'uuid':
        return this.named(command);
      case 'scanout':
        return this.scanout(command);
      case 'scanoutBlob':
        return this.scanoutBlob(command);
      case 'flush':
        return this.flush(command);
      case 'transfer':
        return this.transfer(command);
      case 'edid':
        return command.scanout < this.shown.length ? OK_EDID : NO_SCANOUT;
      case 'cursor':
        return this.cursor(command);
      default:
        return command.scanout < this.shown.length ? OK_NODATA : NO_SCANOUT;
    }
  }

  private isFree(id: number): boolean {
    return id !== 0 && !this.resources.has(id);
  }

  private create({ id, format, w, h }: ModelCommand & { is: 'create' }): number {
    if (!this.isFree(id)) return NO_RESOURCE;
    if (!FORMATS.includes(format) || w === 0 || h === 0) return WRONG;
    if (w > SIDE_MAX || h > SIDE_MAX || this.resources.size === this.limits.resources)
      return NO_ROOM;
    if (!this.pixels.take(id, Math.ceil((w * h) / UNIT_PIXELS))) return NO_ROOM;
    this.resources.set(id, { kind: 'picture', format, w, h, bytes: 0, backing: undefined });
    return OK_NODATA;
  }

  private blob({ id, bytes, entries }: ModelCommand & { is: 'blob' }): number {
    if (!this.isFree(id)) return NO_RESOURCE;
    if (bytes === 0 || bytes >= 2 ** 31) return WRONG;
    if (this.resources.size === this.limits.resources) return NO_ROOM;
    if (entries.length === 0) return WRONG;
    if (!this.entries.take(id, entries.length)) return NO_ROOM;
    const sum = entries.reduce((total, { length }) => total + length, 0);
    const good = entries.every((entry) => entry.reachable && entry.aligned && entry.length > 0);
    if (!good || sum < bytes) {
      this.entries.free(id);
      return WRONG;
    }
    this.resources.set(id, { kind: 'blob', format: 0, w: 0, h: 0, bytes, backing: sum });
    return OK_NODATA;
  }

  private attach({ id, entries }: ModelCommand & { is: 'attach' }): number {
    const resource = this.resources.get(id);
    if (!resource) return NO_RESOURCE;
    if (resource.kind === 'blob' || resource.backing !== undefined) return WRONG;
    if (entries.length === 0) return WRONG;
    if (!this.entries.take(id, entries.length)) return NO_ROOM;
    if (!entries.every(({ reachable, length }) => reachable && length > 0)) {
      this.entries.free(id);
      return WRONG;
    }
    resource.backing = entries.reduce((total, { length }) => total + length, 0);
    return OK_NODATA;
  }

  private named({ is, id }: ModelCommand & { is: 'unref' | 'detach' | 'uuid' }): number {
    const resource = this.resources.get(id);
    if (!resource) return NO_RESOURCE;
    if (is === 'uuid') return OK_RESOURCE_UUID;
    if (is === 'detach' && resource.backing === undefined) return WRONG;
    if (is === 'unref' || resource.kind === 'blob') this.hide(id);
    this.entries.free(id);
    resource.backing = undefined;
    if (is === 'detach') return OK_NODATA;
    this.pixels.free(id);
    this.resources.delete(id);
    return OK_NODATA;
  }

  private hide(id: number): void {
    for (const [n, shown] of this.shown.entries()) if (shown === id) this.shown[n] = undefined;
  }

  private scanout({ scanout, id, rect }: ModelCommand & { is: 'scanout' }): number {
    if (scanout >= this.shown.length) return NO_SCANOUT;
    if (id === 0) {
      this.shown[scanout] = undefined;
      return OK_NODATA;
    }
    const resource = this.resources.get(id);
    if (!resource) return NO_RESOURCE;
    const fits = resource.kind === 'picture' && inside(rect, resource.w, resource.h);
    if (!fits || !this.fitsPlane(scanout, rect)) return WRONG;
    this.shown[scanout] = id;
    return OK_NODATA;
  }

  private fitsPlane(scanout: number, [, , w, h]: RectPx): boolean {
    const [width, height] = this.limits.planes[scanout]!;
    return w > 0 && h > 0 && w <= width && h <= height;
  }

  private scanoutBlob(command: ModelCommand & { is: 'scanoutBlob' }): number {
    const { scanout, id, rect, w, h, format, stride, offset } = command;
    if (scanout >= this.shown.length) return NO_SCANOUT;
    if (id === 0) {
      this.shown[scanout] = undefined;
      return OK_NODATA;
    }
    const resource = this.resources.get(id);
    if (!resource) return NO_RESOURCE;
    if (resource.kind !== 'blob' || resource.backing === undefined) return WRONG;
    const end = BigInt(offset) + BigInt(stride) * BigInt(h - 1) + BigInt(w) * 4n;
    const lies = stride % 4 === 0 && offset % 4 === 0 && stride >= 4 * w && end <= resource.bytes;
    const fits = lies && FORMATS.includes(format) && inside(rect, w, h);
    if (!fits || !this.fitsPlane(scanout, rect)) return WRONG;
    this.shown[scanout] = id;
    return OK_NODATA;
  }

  private flush({ id, rect }: ModelCommand & { is: 'flush' }): number {
    const resource = this.resources.get(id);
    if (!resource) return NO_RESOURCE;
    const blob = resource.kind === 'blob';
    const [w, h] = blob ? [SIDE_MAX, SIDE_MAX] : [resource.w, resource.h];
    return inside(rect, w, h) ? OK_NODATA : WRONG;
  }

  private transfer({ id, rect, offset }: ModelCommand & { is: 'transfer' }): number {
    const resource = this.resources.get(id);
    if (!resource) return NO_RESOURCE;
    const [, , w, h] = rect;
    if (resource.kind === 'blob' || !inside(rect, resource.w, resource.h)) return WRONG;
    const end = offset + 4 * (resource.w * (h - 1) + w);
    return w > 0 && h > 0 && end <= (resource.backing ?? 0) ? OK_NODATA : WRONG;
  }

  private cursor({ scanout, id, hotX, hotY }: ModelCommand & { is: 'cursor' }): number {
    if (scanout >= this.shown.length) return NO_SCANOUT;
    if (id === 0) return OK_NODATA;
    const resource = this.resources.get(id);
    if (!resource) return NO_RESOURCE;
    const fits = resource.w === CURSOR_SIDE && resource.h === CURSOR_SIDE;
    const hot = hotX < CURSOR_SIDE && hotY < CURSOR_SIDE;
    return fits && hot && (resource.format === 1 || resource.format === 2) ? OK_NODATA : WRONG;
  }
}
