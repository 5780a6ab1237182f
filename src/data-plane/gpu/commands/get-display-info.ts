/**
 * GET_DISPLAY_INFO: the mode of every scanout, which is its plane's and never changes (5.7.6.8).
 */
import {
  GpuDisplayInfo,
  GpuDisplayMode,
  GpuHeader,
  GpuRect,
  GpuResponse,
} from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ShortCommand } from './command.ts';

export class GetDisplayInfo extends ShortCommand {
  readonly bytes = GpuHeader.SIZE;
  readonly answerBytes = GpuDisplayInfo.SIZE;

  begin(request: GpuRequest): number {
    const { scanouts } = this.device;
    for (let n = 0; n < scanouts.length; n++) {
      const { width, height } = scanouts[n]!.plane;
      const at = GpuDisplayInfo.MODES + n * GpuDisplayMode.SIZE;
      request.put(at + GpuDisplayMode.RECT + GpuRect.WIDTH, width);
      request.put(at + GpuDisplayMode.RECT + GpuRect.HEIGHT, height);
      request.put(at + GpuDisplayMode.ENABLED, 1);
    }
    return GpuResponse.OK_DISPLAY_INFO;
  }
}
