/** GET_EDID: what the display of a scanout says of itself (5.7.6.8). */
import { GpuEdid, GpuGetEdid, GpuResponse } from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ShortCommand } from './command.ts';

export class GetEdid extends ShortCommand {
  readonly bytes = GpuGetEdid.SIZE;
  readonly answerBytes = GpuEdid.SIZE;

  override get available(): boolean {
    return this.device.hasEdid;
  }

  begin(request: GpuRequest): number {
    const edid = this.device.edids[request.number(GpuGetEdid.SCANOUT)];
    if (!edid) return GpuResponse.ERR_INVALID_SCANOUT_ID;
    request.put(GpuEdid.EDID_SIZE, edid.byteLength);
    for (let n = 0; n < edid.length; n++) request.put(GpuEdid.EDID + 4 * n, edid[n]!);
    return GpuResponse.OK_EDID;
  }
}
