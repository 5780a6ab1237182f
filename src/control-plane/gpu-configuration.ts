/** Device-specific configuration of a GPU device (5.7.4): scanouts are static, no events occur. */
import { GpuConfig } from '../wire/virtio-gpu.ts';
import type { DeviceConfiguration } from './device-configuration.ts';
import { readBytes } from './pci/register-bytes.ts';

export class GpuConfiguration implements DeviceConfiguration {
  readonly bytes = GpuConfig.SIZE;
  readonly generation = 0;
  /** There is nothing at the other end of a display. */
  readonly linkUp = true;
  private readonly fields = new Uint8Array(GpuConfig.SIZE);

  constructor(scanouts: number) {
    new DataView(this.fields.buffer).setUint32(GpuConfig.NUM_SCANOUTS, scanouts, true);
  }

  read(offset: number, width: number): number {
    return readBytes(this.fields, offset, width, 0);
  }

  /** 5.7.4.2: events_clear has nothing to clear; every other field is read-only. */
  write(offset: number, width: number): boolean {
    return offset === GpuConfig.EVENTS_CLEAR && width === 4;
  }

  setLink(): boolean {
    return false;
  }
}
