/** One scanout of a device: the part of a resource that shows on its plane (5.7.6.8). */
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { Plane } from './plane.ts';
import type { Resource } from './resource.ts';

export class Scanout {
  readonly plane: Plane;
  /** Undefined while it is disabled. */
  resource: Resource | undefined;
  /** Where the shown part begins in the resource, in pixels. */
  x = 0;
  y = 0;
  width = 0;
  height = 0;
  /** How the source picture lies in the resource; of a blob, where it begins. */
  format = 0;
  stride = 0;
  readonly offset = new Float64Array(1);

  constructor(plane: Plane) {
    this.plane = plane;
  }

  /** Position of a pixel of the plane in its resource, in bytes from the resource's begin. */
  positionOf(x: number, y: number): number {
    return this.offset[0]! + (this.y + y) * this.stride + (this.x + x) * GPU_PIXEL_BYTES;
  }

  show(resource: Resource, format: number, stride: number): void {
    this.resource = resource;
    this.format = format;
    this.stride = stride;
  }

  /** The part that is shown, in pixels of the resource. */
  place(x: number, y: number, width: number, height: number): void {
    const resized = width !== this.width || height !== this.height;
    this.x = x;
    this.y = y;
    this.width = width;
    this.height = height;
    if (resized) this.plane.state.resized(width, height);
  }

  disable(): void {
    this.resource = undefined;
    this.place(0, 0, 0, 0);
  }
}
