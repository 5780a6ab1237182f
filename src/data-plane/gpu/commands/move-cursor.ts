/** MOVE_CURSOR: the cursor of a scanout is elsewhere (5.7.6.10). */
import { GpuHeader, GpuResponse, GpuUpdateCursor } from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ShortCommand } from './command.ts';

export class MoveCursor extends ShortCommand {
  readonly bytes = GpuUpdateCursor.SIZE;
  readonly answerBytes = GpuHeader.SIZE;

  begin(request: GpuRequest): number {
    const scanout = this.device.scanouts[request.number(GpuUpdateCursor.SCANOUT_ID)];
    if (!scanout) return GpuResponse.ERR_INVALID_SCANOUT_ID;
    const { plane } = scanout;
    const x = request.word(GpuUpdateCursor.X);
    const y = request.word(GpuUpdateCursor.Y);
    plane.showCursor(plane.cursorVisible, x, y);
    return GpuResponse.OK_NODATA;
  }
}
