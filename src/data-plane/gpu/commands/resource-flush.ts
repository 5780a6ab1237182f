/**
 * RESOURCE_FLUSH: what a resource holds becomes the picture of the planes it shows on (5.7.6.8).
 */
import { Rect, rectInside } from '../../../base/rectangle.ts';
import { GpuHeader, GpuRect, GpuResourceFlush, GpuResponse } from '../../../wire/virtio-gpu.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { UpdateStep, type PlaneUpdate } from '../plane-update.ts';
import { SIDE_MAX } from '../resource-table.ts';
import { GOES_ON, type GpuCommand } from './command.ts';

export class ResourceFlush implements GpuCommand {
  readonly bytes = GpuResourceFlush.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  readonly available = true;
  private readonly device: GpuDevice;
  private readonly update: PlaneUpdate;
  /** What is flushed, in pixels of the resource, and then of a plane. */
  private readonly flushed = new Rect();
  private readonly area = new Rect();
  /** Scanouts that are still to be brought up to date. */
  private scanouts = 0;

  constructor(device: GpuDevice, update: PlaneUpdate) {
    this.device = device;
    this.update = update;
  }

  get movedBytes(): number {
    return this.update.movedBytes;
  }

  begin(request: GpuRequest): number {
    const resource = this.device.resources.find(request.word(GpuResourceFlush.RESOURCE_ID));
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    const x = request.number(GpuResourceFlush.RECT + GpuRect.X);
    const y = request.number(GpuResourceFlush.RECT + GpuRect.Y);
    const width = request.number(GpuResourceFlush.RECT + GpuRect.WIDTH);
    const height = request.number(GpuResourceFlush.RECT + GpuRect.HEIGHT);
    // A blob has no size in pixels; what lies outside the scanout is cut away in any case.
    const pictureWidth = resource.isBlob ? SIDE_MAX : resource.width;
    const pictureHeight = resource.isBlob ? SIDE_MAX : resource.height;
    if (!rectInside(x, y, width, height, pictureWidth, pictureHeight)) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    this.flushed.set(x, y, width, height);
    this.scanouts = resource.scanouts;
    return this.nextScanout() ? GOES_ON : GpuResponse.OK_NODATA;
  }

  /** Begins the next scanout that shows some of what is flushed; false when there is none. */
  private nextScanout(): boolean {
    while (this.scanouts !== 0) {
      const index = 31 - Math.clz32(this.scanouts);
      this.scanouts &= ~(1 << index);
      const scanout = this.device.scanouts[index]!;
      const { area, flushed } = this;
      area.copy(flushed);
      area.intersect(scanout);
      if (area.isEmpty()) continue;
      area.move(-scanout.x, -scanout.y);
      this.update.beginCopy(scanout, area);
      return true;
    }
    return false;
  }

  advance(_request: GpuRequest, bytesMax: number): number {
    switch (this.update.step(bytesMax)) {
      case UpdateStep.GOES_ON:
        return GOES_ON;
      case UpdateStep.UNREACHABLE:
        return GpuResponse.ERR_UNSPEC;
      default:
        return this.nextScanout() ? GOES_ON : GpuResponse.OK_NODATA;
    }
  }

  /** The plane is told by what updates it. */
  abandon(): void {}
}
