/** UPDATE_CURSOR: another picture for the cursor of a scanout, or none (5.7.6.10). */
import { PixelOrder, pixelOrderOf } from '../../../wire/pixel-order.ts';
import {
  GPU_CURSOR_SIDE,
  GPU_PIXEL_BYTES,
  GpuHeader,
  GpuResponse,
  GpuUpdateCursor,
} from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import type { Resource } from '../resource.ts';
import { ShortCommand } from './command.ts';

const PIXELS = GPU_CURSOR_SIDE * GPU_CURSOR_SIDE;

export class UpdateCursor extends ShortCommand {
  readonly bytes = GpuUpdateCursor.SIZE;
  readonly answerBytes = GpuHeader.SIZE;

  begin(request: GpuRequest): number {
    const { device } = this;
    const scanout = device.scanouts[request.number(GpuUpdateCursor.SCANOUT_ID)];
    if (!scanout) return GpuResponse.ERR_INVALID_SCANOUT_ID;
    const { plane } = scanout;
    const x = request.word(GpuUpdateCursor.X);
    const y = request.word(GpuUpdateCursor.Y);
    const id = request.word(GpuUpdateCursor.RESOURCE_ID);
    if (id !== 0) {
      const resource = device.resources.find(id);
      if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
      const hotX = request.number(GpuUpdateCursor.HOT_X);
      const hotY = request.number(GpuUpdateCursor.HOT_Y);
      const isCursor = resource.width === GPU_CURSOR_SIDE && resource.height === GPU_CURSOR_SIDE;
      if (!isCursor || hotX >= GPU_CURSOR_SIDE || hotY >= GPU_CURSOR_SIDE) {
        return GpuResponse.ERR_INVALID_PARAMETER;
      }
      if (!this.take(resource, plane.cursorAt)) return GpuResponse.ERR_INVALID_PARAMETER;
      plane.cursorPictureChanged(hotX, hotY);
    }
    plane.showCursor(id !== 0, x, y);
    return GpuResponse.OK_NODATA;
  }

  /**
   * The fourth byte is alpha even where the format calls it X: Linux gives its cursor such a
   * format. False for an order of bytes that no driver uses.
   */
  private take({ format, pixelsAt }: Resource, to: number): boolean {
    if (pixelOrderOf(format) !== PixelOrder.BGRX) return false;
    this.device.arena.copy(to, pixelsAt, PIXELS * GPU_PIXEL_BYTES);
    return true;
  }
}
