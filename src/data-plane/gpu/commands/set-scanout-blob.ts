/** SET_SCANOUT_BLOB: a picture in guest memory shows on a plane (5.7.6.8). */
import { rectInside } from '../../../base/rectangle.ts';
import { pixelOrderOf } from '../../../wire/pixel-order.ts';
import {
  GPU_PIXEL_BYTES,
  GpuHeader,
  GpuRect,
  GpuResponse,
  GpuSetScanoutBlob,
} from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ScanoutChange } from '../scanout-change.ts';

const ALIGNMENT = GPU_PIXEL_BYTES - 1;

export class SetScanoutBlob extends ScanoutChange {
  readonly bytes = GpuSetScanoutBlob.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  private readonly picture = { width: 0, height: 0 };

  get available(): boolean {
    return this.device.hasBlob;
  }

  // [impl->req~gpu.arithmetic~1]
  begin(request: GpuRequest): number {
    const { device, picture } = this;
    const index = request.number(GpuSetScanoutBlob.SCANOUT_ID);
    const scanout = device.scanouts[index];
    if (!scanout) return GpuResponse.ERR_INVALID_SCANOUT_ID;
    const id = request.word(GpuSetScanoutBlob.RESOURCE_ID);
    if (id === 0) return this.disable(index);
    const resource = device.resources.find(id);
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    const x = request.number(GpuSetScanoutBlob.RECT + GpuRect.X);
    const y = request.number(GpuSetScanoutBlob.RECT + GpuRect.Y);
    const width = request.number(GpuSetScanoutBlob.RECT + GpuRect.WIDTH);
    const height = request.number(GpuSetScanoutBlob.RECT + GpuRect.HEIGHT);
    picture.width = request.number(GpuSetScanoutBlob.WIDTH);
    picture.height = request.number(GpuSetScanoutBlob.HEIGHT);
    const format = request.word(GpuSetScanoutBlob.FORMAT);
    const stride = request.number(GpuSetScanoutBlob.STRIDES);
    const offset = request.number(GpuSetScanoutBlob.OFFSETS);
    const fits = width <= scanout.plane.width && height <= scanout.plane.height;
    if (!resource.isBlob || !resource.hasBacking || !fits || pixelOrderOf(format) < 0) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    // Exact up to 2^53, and what is above is not among the sizes of blobs.
    const end = offset + stride * (picture.height - 1) + picture.width * GPU_PIXEL_BYTES;
    const lies =
      ((stride | offset) & ALIGNMENT) === 0 &&
      stride >= picture.width * GPU_PIXEL_BYTES &&
      end <= resource.blobBytes;
    if (!lies || !rectInside(x, y, width, height, picture.width, picture.height)) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    if (width === 0 || height === 0) return GpuResponse.ERR_INVALID_PARAMETER;
    this.place(x, y, width, height);
    return this.show(index, resource, format, stride, offset);
  }
}
