/** SET_SCANOUT: a part of a resource shows on a plane, or nothing does (5.7.6.8). */
import { rectInside } from '../../../base/rectangle.ts';
import {
  GPU_PIXEL_BYTES,
  GpuHeader,
  GpuRect,
  GpuResponse,
  GpuSetScanout,
} from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ScanoutChange } from '../scanout-change.ts';

export class SetScanout extends ScanoutChange {
  readonly bytes = GpuSetScanout.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  readonly available = true;

  begin(request: GpuRequest): number {
    const { device } = this;
    const index = request.number(GpuSetScanout.SCANOUT_ID);
    const scanout = device.scanouts[index];
    if (!scanout) return GpuResponse.ERR_INVALID_SCANOUT_ID;
    const id = request.word(GpuSetScanout.RESOURCE_ID);
    if (id === 0) return this.disable(index);
    const resource = device.resources.find(id);
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    const x = request.number(GpuSetScanout.RECT + GpuRect.X);
    const y = request.number(GpuSetScanout.RECT + GpuRect.Y);
    const width = request.number(GpuSetScanout.RECT + GpuRect.WIDTH);
    const height = request.number(GpuSetScanout.RECT + GpuRect.HEIGHT);
    const fits = width <= scanout.plane.width && height <= scanout.plane.height;
    if (
      resource.isBlob ||
      !fits ||
      !rectInside(x, y, width, height, resource.width, resource.height)
    ) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    if (width === 0 || height === 0) return GpuResponse.ERR_INVALID_PARAMETER;
    this.place(x, y, width, height);
    return this.show(index, resource, resource.format, resource.width * GPU_PIXEL_BYTES, 0);
  }
}
