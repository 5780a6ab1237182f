/** RESOURCE_ASSIGN_UUID: a name for the resource beyond its device (5.7.6.8). */
import { GpuResourceOnly, GpuResourceUuid, GpuResponse } from '../../../wire/virtio-gpu.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ShortCommand } from './command.ts';

/** RFC 9562, version 8: the numbers are our own. Words are little-endian. */
const PREFIX = 0x67746776;
const VERSION_8 = 0x80000000 | 0;
const VARIANT = 0x80;

export class ResourceAssignUuid extends ShortCommand {
  readonly bytes = GpuResourceOnly.SIZE;
  readonly answerBytes = GpuResourceUuid.SIZE;

  override get available(): boolean {
    return this.device.hasUuid;
  }

  begin(request: GpuRequest): number {
    const { device } = this;
    const resource = device.resources.find(request.word(GpuResourceOnly.RESOURCE_ID));
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    if (resource.uuid === 0) resource.uuid = ++device.uuids;
    request.put(GpuResourceUuid.UUID, PREFIX);
    request.put(GpuResourceUuid.UUID + 4, VERSION_8 >>> 8);
    request.put(GpuResourceUuid.UUID + 8, VARIANT | (device.plan.index << 8));
    request.put(GpuResourceUuid.UUID + 12, resource.uuid);
    return GpuResponse.OK_RESOURCE_UUID;
  }
}
