/** RESOURCE_DETACH_BACKING: nothing of the guest's memory is read for it any more (5.7.6.8). */
import { GpuHeader, GpuResourceOnly, GpuResponse } from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ShortCommand } from './command.ts';

export class ResourceDetachBacking extends ShortCommand {
  readonly bytes = GpuResourceOnly.SIZE;
  readonly answerBytes = GpuHeader.SIZE;

  begin(request: GpuRequest): number {
    const { resources } = this.device;
    const resource = resources.find(request.word(GpuResourceOnly.RESOURCE_ID));
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    if (!resource.hasBacking) return GpuResponse.ERR_INVALID_PARAMETER;
    if (resource.isBlob) this.device.hide(resource);
    resources.backing.release(resource);
    return GpuResponse.OK_NODATA;
  }
}
