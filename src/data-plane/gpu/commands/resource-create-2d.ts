/** RESOURCE_CREATE_2D: a picture in the device's own memory (5.7.6.8). */
import { pixelOrderOf } from '../../../wire/pixel-order.ts';
import { GpuHeader, GpuResourceCreate2d, GpuResponse } from '../../../wire/virtio-gpu.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { ShortCommand } from './command.ts';

export class ResourceCreate2d extends ShortCommand {
  readonly bytes = GpuResourceCreate2d.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  private readonly device: GpuDevice;

  constructor(device: GpuDevice) {
    super();
    this.device = device;
  }

  begin(request: GpuRequest): number {
    const { resources } = this.device;
    const id = request.word(GpuResourceCreate2d.RESOURCE_ID);
    const format = request.word(GpuResourceCreate2d.FORMAT);
    const width = request.number(GpuResourceCreate2d.WIDTH);
    const height = request.number(GpuResourceCreate2d.HEIGHT);
    if (id === 0 || resources.find(id)) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    if (pixelOrderOf(format) < 0 || width === 0 || height === 0) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    const created = resources.createPicture(id, format, width, height);
    return created ? GpuResponse.OK_NODATA : GpuResponse.ERR_OUT_OF_MEMORY;
  }
}
