/** RESOURCE_CREATE_2D: a picture in the device's own memory, black before it is used (5.7.6.8). */
import { pixelOrderOf } from '../../../wire/pixel-order.ts';
import {
  GPU_PIXEL_BYTES,
  GpuHeader,
  GpuResourceCreate2d,
  GpuResponse,
} from '../../../wire/virtio-gpu.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';
import type { Resource } from '../resource.ts';
import { GOES_ON, type GpuCommand } from './command.ts';

/** Black in every format. */
const NOTHING = 0;

export class ResourceCreate2d implements GpuCommand {
  readonly bytes = GpuResourceCreate2d.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  readonly available = true;
  movedBytes = 0;
  private readonly device: GpuDevice;
  private created: Resource | undefined;
  private at = 0;
  private pixelsLeft = 0;

  constructor(device: GpuDevice) {
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
    this.created = resources.createPicture(id, format, width, height);
    if (!this.created) return GpuResponse.ERR_OUT_OF_MEMORY;
    this.at = this.created.pixelsAt;
    this.pixelsLeft = width * height;
    return GOES_ON;
  }

  /** The memory may hold a picture of another resource, even of another driver. */
  // [impl->req~gpu.no-residue~1]
  advance(_request: GpuRequest, bytesMax: number): number {
    const count = Math.min(this.pixelsLeft, Math.floor(bytesMax / GPU_PIXEL_BYTES));
    this.device.arena.fill32(this.at, count, NOTHING);
    this.movedBytes = count * GPU_PIXEL_BYTES;
    this.at = (this.at + this.movedBytes) | 0;
    this.pixelsLeft -= count;
    return this.pixelsLeft > 0 ? GOES_ON : GpuResponse.OK_NODATA;
  }

  abandon(): void {
    this.device.resources.remove(this.created!);
  }
}
