/** What SET_SCANOUT and SET_SCANOUT_BLOB do alike: show a resource, and blacken what is uncovered. */
import { GpuResponse } from '../../wire/virtio-gpu.ts';
import { GOES_ON, type GpuCommand } from './commands/command.ts';
import type { GpuDevice } from './gpu-device.ts';
import type { GpuRequest } from './gpu-request.ts';
import { UpdateStep, type PlaneUpdate } from './plane-update.ts';
import type { Resource } from './resource.ts';

export abstract class ScanoutChange implements GpuCommand {
  abstract readonly bytes: number;
  abstract readonly answerBytes: number;
  abstract readonly available: boolean;
  protected readonly device: GpuDevice;
  private readonly update: PlaneUpdate;

  constructor(device: GpuDevice, update: PlaneUpdate) {
    this.device = device;
    this.update = update;
  }

  get movedBytes(): number {
    return this.update.movedBytes;
  }

  abstract begin(request: GpuRequest): number;

  advance(_request: GpuRequest, bytesMax: number): number {
    const step = this.update.step(bytesMax);
    return step === UpdateStep.GOES_ON ? GOES_ON : GpuResponse.OK_NODATA;
  }

  /** The scanout shows nothing; its plane becomes black. */
  protected disable(index: number): number {
    const scanout = this.device.scanouts[index]!;
    if (!scanout.resource) return GpuResponse.OK_NODATA;
    scanout.resource.scanouts &= ~(1 << index);
    scanout.disable();
    this.update.beginBlack(scanout.plane);
    return GOES_ON;
  }

  /** The scanout shows a part of a resource, from the next flush on. */
  protected show(
    index: number,
    resource: Resource,
    format: number,
    stride: number,
    x: number,
    y: number,
    width: number,
    height: number,
  ): number {
    const scanout = this.device.scanouts[index]!;
    const uncovers = width < scanout.width || height < scanout.height;
    if (scanout.resource) scanout.resource.scanouts &= ~(1 << index);
    resource.scanouts |= 1 << index;
    scanout.show(resource, format, stride);
    scanout.place(x, y, width, height);
    if (!uncovers) return GpuResponse.OK_NODATA;
    this.update.beginBlack(scanout.plane);
    return GOES_ON;
  }
}
