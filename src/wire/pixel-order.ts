/** The orders in which the formats of a GPU have the bytes of a pixel (VIRTIO 1.4, 5.7.6.8). */
// [impl->req~gpu.pixels-exact~1]
import { GpuFormat } from './virtio-gpu.ts';

/** A name lists the bytes by address; X stands for alpha as well, which no scanout shows. */
export const PixelOrder = { BGRX: 0, XRGB: 1, RGBX: 2, XBGR: 3 } as const;

/** The order of a format, or -1 for a number that is none of the eight. */
export function pixelOrderOf(format: number): number {
  switch (format) {
    case GpuFormat.B8G8R8A8_UNORM:
    case GpuFormat.B8G8R8X8_UNORM:
      return PixelOrder.BGRX;
    case GpuFormat.A8R8G8B8_UNORM:
    case GpuFormat.X8R8G8B8_UNORM:
      return PixelOrder.XRGB;
    case GpuFormat.R8G8B8A8_UNORM:
    case GpuFormat.R8G8B8X8_UNORM:
      return PixelOrder.RGBX;
    case GpuFormat.A8B8G8R8_UNORM:
    case GpuFormat.X8B8G8R8_UNORM:
      return PixelOrder.XBGR;
    default:
      return -1;
  }
}
