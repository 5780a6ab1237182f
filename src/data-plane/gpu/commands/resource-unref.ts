/**
 * RESOURCE_UNREF: the resource is gone, and every scanout that showed it is disabled and black
 * (5.7.6.8).
 */
import { GpuHeader, GpuResourceOnly, GpuResponse } from '../../../wire/virtio-gpu.ts';
import type { GpuDevice } from '../gpu-device.ts';
import type { GpuRequest } from '../gpu-request.ts';
import { UpdateStep, type PlaneUpdate } from '../plane-update.ts';
import type { Resource } from '../resource.ts';
import { GOES_ON, type GpuCommand } from './command.ts';

export class ResourceUnref implements GpuCommand {
  readonly bytes = GpuResourceOnly.SIZE;
  readonly answerBytes = GpuHeader.SIZE;
  readonly available = true;
  private readonly device: GpuDevice;
  private readonly update: PlaneUpdate;
  private resource: Resource | undefined;
  /** Scanouts whose planes have to become black. */
  private scanouts = 0;

  constructor(device: GpuDevice, update: PlaneUpdate) {
    this.device = device;
    this.update = update;
  }

  get movedBytes(): number {
    return this.update.movedBytes;
  }

  begin(request: GpuRequest): number {
    const { resources } = this.device;
    const resource = resources.find(request.word(GpuResourceOnly.RESOURCE_ID));
    if (!resource) return GpuResponse.ERR_INVALID_RESOURCE_ID;
    this.resource = resource;
    this.scanouts = resource.scanouts;
    return this.goOn(resource);
  }

  /** The planes first, so that the command can begin anew as long as it is not complete. */
  private goOn(resource: Resource): number {
    if (this.scanouts !== 0) {
      this.beginNext();
      return GOES_ON;
    }
    this.device.hide(resource);
    this.device.resources.remove(resource);
    return GpuResponse.OK_NODATA;
  }

  private beginNext(): void {
    const scanout = 31 - Math.clz32(this.scanouts);
    this.scanouts &= ~(1 << scanout);
    this.update.beginBlack(this.device.scanouts[scanout]!.plane);
  }

  advance(_request: GpuRequest, bytesMax: number): number {
    if (this.update.step(bytesMax) === UpdateStep.GOES_ON) return GOES_ON;
    return this.goOn(this.resource!);
  }

  abandon(): void {}
}
