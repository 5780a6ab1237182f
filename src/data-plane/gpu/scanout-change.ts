/**
 * What SET_SCANOUT and SET_SCANOUT_BLOB do alike: show a resource, and blacken what is uncovered.
 */
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
  // What the scanout will show; no resource: nothing.
  private index = 0;
  private resource: Resource | undefined;
  private format = 0;
  private stride = 0;
  private readonly offset = new Float64Array(1);
  private x = 0;
  private y = 0;
  private width = 0;
  private height = 0;

  constructor(device: GpuDevice, update: PlaneUpdate) {
    this.device = device;
    this.update = update;
  }

  get movedBytes(): number {
    return this.update.movedBytes;
  }

  abstract begin(request: GpuRequest): number;

  advance(_request: GpuRequest, bytesMax: number): number {
    return this.update.step(bytesMax) === UpdateStep.GOES_ON ? GOES_ON : this.change();
  }

  /** Until it is complete, the scanout is as it was. */
  abandon(): void {}

  /** The scanout shows nothing; its plane becomes black. */
  protected disable(index: number): number {
    const scanout = this.device.scanouts[index]!;
    if (!scanout.resource) return GpuResponse.OK_NODATA;
    this.index = index;
    this.resource = undefined;
    this.update.beginBlack(scanout.plane);
    return GOES_ON;
  }

  /** Which part of its resource a scanout shows; {@link show} says how. */
  protected place(x: number, y: number, width: number, height: number): void {
    this.x = x;
    this.y = y;
    this.width = width;
    this.height = height;
  }

  /**
   * The scanout shows the part of a resource that {@link place} said, from the next flush on. The
   * plane becomes black where it would go on to show something older.
   */
  protected show(
    index: number,
    resource: Resource,
    format: number,
    stride: number,
    offset: number,
  ): number {
    const scanout = this.device.scanouts[index]!;
    this.index = index;
    this.resource = resource;
    this.format = format;
    this.stride = stride;
    this.offset[0] = offset;
    const uncovers = this.width < scanout.width || this.height < scanout.height;
    if (!uncovers && !scanout.plane.isStale) return this.change();
    this.update.beginBlack(scanout.plane);
    return GOES_ON;
  }

  private change(): number {
    const { index, resource } = this;
    const scanout = this.device.scanouts[index]!;
    if (scanout.resource) scanout.resource.scanouts &= ~(1 << index);
    if (resource) {
      resource.scanouts |= 1 << index;
      scanout.offset[0] = this.offset[0]!;
      scanout.show(resource, this.format, this.stride);
      scanout.place(this.x, this.y, this.width, this.height);
    } else scanout.disable();
    return GpuResponse.OK_NODATA;
  }
}
