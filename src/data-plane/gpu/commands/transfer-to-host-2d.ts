/** TRANSFER_TO_HOST_2D: copies a rectangle from the backing into the resource (5.7.6.8). */
import { rectInside } from '../../../base/rectangle.ts';
import { GPU_PIECE_RUNS } from '../../../schedule/cost-model.ts';
import {
  GPU_PIXEL_BYTES,
  GpuHeader,
  GpuRect,
  GpuResponse,
  GpuTransferToHost2d,
} from '../../../wire/virtio-gpu.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';
import type { Resource } from '../resource.ts';
import { GOES_ON, type GpuCommand } from './command.ts';

export class TransferToHost2d implements GpuCommand {
  readonly bytes = GpuTransferToHost2d.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  readonly available = true;
  movedBytes = 0;
  private readonly device: GpuDevice;
  private resource: Resource | undefined;
  /** Bytes of one row, and from one row to the next; whole rows are taken as one. */
  private rowBytes = 0;
  private stride = 0;
  private rowsLeft = 0;
  private done = 0;
  /** Where the present row begins, in the backing and in the arena. */
  private readonly from = new Float64Array(1);
  private to = 0;

  constructor(device: GpuDevice) {
    this.device = device;
  }

  // [impl->req~gpu.arithmetic~1]
  begin(request: GpuRequest): number {
    const { resources } = this.device;
    const resource = resources.find(request.word(GpuTransferToHost2d.RESOURCE_ID));
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    const x = request.number(GpuTransferToHost2d.RECT + GpuRect.X);
    const y = request.number(GpuTransferToHost2d.RECT + GpuRect.Y);
    const width = request.number(GpuTransferToHost2d.RECT + GpuRect.WIDTH);
    const height = request.number(GpuTransferToHost2d.RECT + GpuRect.HEIGHT);
    const offset = request.number(GpuTransferToHost2d.OFFSET);
    const offsetHigh = request.word(GpuTransferToHost2d.OFFSET + 4);
    if (
      resource.isBlob ||
      offsetHigh !== 0 ||
      !rectInside(x, y, width, height, resource.width, resource.height)
    ) {
      return GpuResponse.ERR_INVALID_PARAMETER;
    }
    const stride = resource.width * GPU_PIXEL_BYTES;
    if (width === 0 || height === 0) return GpuResponse.ERR_INVALID_PARAMETER;
    const end = offset + stride * (height - 1) + width * GPU_PIXEL_BYTES;
    if (!resources.backing.reaches(resource, end)) return GpuResponse.ERR_INVALID_PARAMETER;
    const whole = width === resource.width;
    this.resource = resource;
    this.stride = stride;
    this.rowBytes = whole ? stride * height : width * GPU_PIXEL_BYTES;
    this.rowsLeft = whole ? 1 : height;
    this.done = 0;
    this.from[0] = offset;
    this.to = (resource.pixelsAt + y * stride + x * GPU_PIXEL_BYTES) | 0;
    return GOES_ON;
  }

  advance(_request: GpuRequest, bytesMax: number): number {
    const { arena, resources } = this.device;
    const { backing } = resources;
    this.movedBytes = 0;
    for (let run = 0; run < GPU_PIECE_RUNS && this.rowsLeft > 0; run++) {
      const wanted = Math.min(this.rowBytes - this.done, bytesMax - this.movedBytes);
      if (wanted === 0) break;
      const at = backing.find(this.resource!, this.from[0]! + this.done, wanted);
      if (at === 0) return GpuResponse.ERR_UNSPEC;
      const found = backing.foundBytes;
      arena.copy((this.to + this.done) | 0, at, found);
      this.movedBytes += found;
      this.done += found;
      if (this.done === this.rowBytes) this.nextRow();
    }
    return this.rowsLeft > 0 ? GOES_ON : GpuResponse.OK_NODATA;
  }

  private nextRow(): void {
    this.done = 0;
    this.rowsLeft--;
    this.from[0]! += this.stride;
    this.to = (this.to + this.stride) | 0;
  }

  /** What was copied is copied again. */
  abandon(): void {}
}
