/** RESOURCE_ATTACH_BACKING: the guest memory that transfers read from (5.7.6.8). */
import { GpuAttachBacking, GpuHeader, GpuResponse } from '../../../wire/virtio-gpu.ts';
import { EntryReader } from '../entry-reader.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';
import type { GpuCommand } from './command.ts';

export class ResourceAttachBacking implements GpuCommand {
  readonly bytes = GpuAttachBacking.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  readonly available = true;
  private readonly device: GpuDevice;
  private readonly entries: EntryReader;

  constructor(device: GpuDevice) {
    this.device = device;
    this.entries = new EntryReader(device.resources.backing);
  }

  get movedBytes(): number {
    return this.entries.movedBytes;
  }

  begin(request: GpuRequest): number {
    const resource = this.device.resources.find(request.word(GpuAttachBacking.RESOURCE_ID));
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    if (resource.isBlob || resource.hasBacking) return GpuResponse.ERR_INVALID_PARAMETER;
    const count = request.number(GpuAttachBacking.NR_ENTRIES);
    return this.entries.begin(request, resource, GpuAttachBacking.SIZE, count);
  }

  advance(request: GpuRequest, bytesMax: number): number {
    return this.entries.advance(request, bytesMax);
  }

  abandon(): void {
    this.entries.giveUp();
  }
}
