/** A GPU driver for pictures in guest memory: resources, blobs, scanouts, and fences. */
import { bitOf, bitsOf, hasBit } from '../wire/features.ts';
import {
  GPU_PIXEL_BYTES,
  GpuAttachBacking,
  GpuBlobFlag,
  GpuBlobMem,
  GpuCommand,
  GpuConfig,
  GpuCreateBlob,
  GpuDisplayInfo,
  GpuDisplayMode,
  GpuEdid,
  GpuFormat,
  GpuGetEdid,
  GpuHeader,
  GpuMemEntry,
  GpuRect,
  GpuResourceCreate2d,
  GpuResourceFlush,
  GpuResourceOnly,
  GpuResponse,
  GpuSetScanout,
  GpuSetScanoutBlob,
  GpuTransferToHost2d,
} from '../wire/virtio-gpu.ts';
import type { PixelArea } from './raster/canvas.ts';
import { GpuQueue } from './gpu-queue.ts';
import type { GuestMachine } from './guest-machine.ts';
import { enumerateVirtio } from './pci-bus.ts';
import { DriverError, VirtioDriver } from './virtio-driver.ts';

const WANTED = bitsOf('virtio-gpu', [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_RING_F_EVENT_IDX',
  'VIRTIO_GPU_F_EDID',
  'VIRTIO_GPU_F_RESOURCE_BLOB',
]);
const EVENT_IDX = bitOf('virtio-gpu', 'VIRTIO_RING_F_EVENT_IDX');
const EDID = bitOf('virtio-gpu', 'VIRTIO_GPU_F_EDID');
const BLOB = bitOf('virtio-gpu', 'VIRTIO_GPU_F_RESOURCE_BLOB');
const CONTROL_VECTOR = 1;
const CURSOR_VECTOR = 2;
/** Largest command and largest answer: an EDID. */
const BUFFER_BYTES = GpuEdid.SIZE;
const OPAQUE = GpuFormat.B8G8R8X8_UNORM;
const PAGE = 4096;
const WAITS_MAX = 100;
const WAIT_NS = 100_000_000;
const NOTHING: PixelArea = { x: 0, y: 0, width: 0, height: 0 };

/** A picture in guest memory that the device knows as a resource. */
export interface Framebuffer {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  /** Its first pixel, for the driver's own loads and stores. */
  readonly at: number;
  /** The device shows guest memory itself, without a transfer. */
  readonly isBlob: boolean;
}

/** What a scanout offers. */
export interface ScanoutMode {
  readonly width: number;
  readonly height: number;
  /** All of it, where EDID was negotiated. */
  readonly edid: Uint8Array | undefined;
}

/** Commands are visible to the device once the queue is published. */
// [impl->req~guest.gpu-driver~1]
export class GpuDriver {
  readonly control: GpuQueue;
  readonly cursor: GpuQueue;
  readonly hasBlob: boolean;
  private readonly machine: GuestMachine;
  private readonly driver: VirtioDriver;
  private resources = 0;

  constructor(machine: GuestMachine, functionNumber: number) {
    const pci = enumerateVirtio(machine).find((candidate) => candidate.number === functionNumber);
    if (!pci) throw new DriverError(`no virtio function ${functionNumber} on the bus`);
    this.machine = machine;
    const driver = new VirtioDriver(machine, pci);
    this.driver = driver;
    driver.negotiate(WANTED);
    this.hasBlob = hasBit(driver.negotiated, BLOB);
    const queue = (index: number, vector: number) => {
      const eventIdx = hasBit(driver.negotiated, EVENT_IDX);
      const ring = driver.setUpQueue(index, vector, BUFFER_BYTES, eventIdx);
      return new GpuQueue(machine, ring, machine.vectorWord(functionNumber, vector));
    };
    this.control = queue(0, CONTROL_VECTOR);
    this.cursor = queue(1, CURSOR_VECTOR);
    driver.driverOk();
  }

  get scanouts(): number {
    return this.driver.deviceConfig(GpuConfig.NUM_SCANOUTS);
  }

  /** Publishes, and waits until the command of this number is answered; whether it succeeded. */
  settled(number: number): boolean {
    const { control } = this;
    control.publish();
    for (let n = 0; n < WAITS_MAX && control.answered < number; n++) {
      if (control.reap() === 0) control.waitForAnswer(WAIT_NS);
    }
    if (control.answered < number) throw new DriverError('the device does not answer');
    return control.answer < GpuResponse.ERR_UNSPEC;
  }

  /** What a scanout offers (5.7.6.8, GET_DISPLAY_INFO and GET_EDID). */
  mode(scanout: number): ScanoutMode {
    const { control, machine } = this;
    control.begin(GpuCommand.GET_DISPLAY_INFO, GpuHeader.SIZE);
    if (!this.settled(control.end(GpuHeader.SIZE, GpuDisplayInfo.SIZE))) {
      throw new DriverError('the device does not tell its modes');
    }
    const mode = (control.answerAt + GpuDisplayInfo.MODES + scanout * GpuDisplayMode.SIZE) >>> 2;
    const width = machine.i32[mode + (GpuRect.WIDTH >>> 2)]!;
    const height = machine.i32[mode + (GpuRect.HEIGHT >>> 2)]!;
    return { width, height, edid: this.edid(scanout) };
  }

  private edid(scanout: number): Uint8Array | undefined {
    if (!hasBit(this.driver.negotiated, EDID)) return undefined;
    const { control, machine } = this;
    control.begin(GpuCommand.GET_EDID, GpuGetEdid.SIZE);
    control.put(GpuGetEdid.SCANOUT, scanout);
    if (!this.settled(control.end(GpuGetEdid.SIZE, GpuEdid.SIZE))) return undefined;
    const bytes = machine.i32[(control.answerAt + GpuEdid.EDID_SIZE) >>> 2]!;
    const at = control.answerAt + GpuEdid.EDID;
    return machine.u8.slice(at, at + Math.min(bytes >>> 0, GpuEdid.EDID_BYTES));
  }

  /**
   * A picture with memory of its own, as a blob where that is wanted and negotiated.
   * @throws DriverError when the device refuses it
   */
  createFramebuffer(
    width: number,
    height: number,
    wantsBlob: boolean,
    format: number = OPAQUE,
  ): Framebuffer {
    const bytes = width * height * GPU_PIXEL_BYTES;
    const address = this.machine.allocate(bytes, PAGE);
    const isBlob = wantsBlob && this.hasBlob;
    const id = this.nextId();
    const isThere = isBlob
      ? this.settled(this.createBlob(id, address, bytes))
      : this.settled(this.createPicture(id, width, height, format)) &&
        this.settled(this.attachBacking(id, address, bytes));
    if (!isThere) throw new DriverError(`the device refuses a picture of ${width} x ${height}`);
    return { id, width, height, at: this.machine.at(address), isBlob };
  }

  /** A picture over given memory, without waiting for the device. */
  giveFramebuffer(width: number, height: number, address: number): Framebuffer {
    const id = this.nextId();
    this.createPicture(id, width, height, OPAQUE);
    this.attachBacking(id, address, width * height * GPU_PIXEL_BYTES);
    return { id, width, height, at: this.machine.at(address), isBlob: false };
  }

  private nextId(): number {
    return ++this.resources;
  }

  private createBlob(id: number, address: number, bytes: number): number {
    const { control } = this;
    control.begin(GpuCommand.RESOURCE_CREATE_BLOB, GpuCreateBlob.SIZE + GpuMemEntry.SIZE);
    control.put(GpuCreateBlob.RESOURCE_ID, id);
    control.put(GpuCreateBlob.BLOB_MEM, GpuBlobMem.GUEST);
    control.put(GpuCreateBlob.BLOB_FLAGS, GpuBlobFlag.USE_SHAREABLE);
    control.put(GpuCreateBlob.NR_ENTRIES, 1);
    control.putAddress(GpuCreateBlob.BLOB_SIZE, bytes);
    this.putEntry(GpuCreateBlob.SIZE, address, bytes);
    return control.end(GpuCreateBlob.SIZE + GpuMemEntry.SIZE);
  }

  private createPicture(id: number, width: number, height: number, format: number): number {
    const { control } = this;
    control.begin(GpuCommand.RESOURCE_CREATE_2D, GpuResourceCreate2d.SIZE);
    control.put(GpuResourceCreate2d.RESOURCE_ID, id);
    control.put(GpuResourceCreate2d.FORMAT, format);
    control.put(GpuResourceCreate2d.WIDTH, width);
    control.put(GpuResourceCreate2d.HEIGHT, height);
    return control.end(GpuResourceCreate2d.SIZE);
  }

  private attachBacking(id: number, address: number, bytes: number): number {
    const { control } = this;
    control.begin(GpuCommand.RESOURCE_ATTACH_BACKING, GpuAttachBacking.SIZE + GpuMemEntry.SIZE);
    control.put(GpuAttachBacking.RESOURCE_ID, id);
    control.put(GpuAttachBacking.NR_ENTRIES, 1);
    this.putEntry(GpuAttachBacking.SIZE, address, bytes);
    return control.end(GpuAttachBacking.SIZE + GpuMemEntry.SIZE);
  }

  private putEntry(offset: number, address: number, bytes: number): void {
    this.control.putAddress(offset + GpuMemEntry.ADDR, address);
    this.control.put(offset + GpuMemEntry.LENGTH, bytes);
  }

  /** Gives a picture back: detached where it has a backing, then unreferenced. */
  release({ id, isBlob }: Framebuffer): void {
    if (!isBlob) this.resourceOnly(GpuCommand.RESOURCE_DETACH_BACKING, id);
    this.resourceOnly(GpuCommand.RESOURCE_UNREF, id);
  }

  private resourceOnly(type: number, id: number): void {
    const { control } = this;
    control.begin(type, GpuResourceOnly.SIZE);
    control.put(GpuResourceOnly.RESOURCE_ID, id);
    control.end(GpuResourceOnly.SIZE);
  }

  /** Gives what is changed of a picture to the device's own copy of it; the command's number. */
  transfer({ id, width }: Framebuffer, { x, y, width: columns, height: rows }: PixelArea): number {
    const { control } = this;
    control.begin(GpuCommand.TRANSFER_TO_HOST_2D, GpuTransferToHost2d.SIZE);
    control.putRect(GpuTransferToHost2d.RECT, x, y, columns, rows);
    control.putAddress(GpuTransferToHost2d.OFFSET, (y * width + x) * GPU_PIXEL_BYTES);
    control.put(GpuTransferToHost2d.RESOURCE_ID, id);
    return control.end(GpuTransferToHost2d.SIZE);
  }

  /** Lets a scanout show the whole of a picture, from the next flush on. */
  show(scanout: number, { id, width, height, isBlob }: Framebuffer): void {
    const { control } = this;
    if (isBlob) {
      control.begin(GpuCommand.SET_SCANOUT_BLOB, GpuSetScanoutBlob.SIZE);
      control.putRect(GpuSetScanoutBlob.RECT, 0, 0, width, height);
      control.put(GpuSetScanoutBlob.SCANOUT_ID, scanout);
      control.put(GpuSetScanoutBlob.RESOURCE_ID, id);
      control.put(GpuSetScanoutBlob.WIDTH, width);
      control.put(GpuSetScanoutBlob.HEIGHT, height);
      control.put(GpuSetScanoutBlob.FORMAT, OPAQUE);
      control.put(GpuSetScanoutBlob.STRIDES, width * GPU_PIXEL_BYTES);
      control.end(GpuSetScanoutBlob.SIZE);
    } else this.setScanout(scanout, id, { x: 0, y: 0, width, height });
  }

  /** Switches a scanout off. */
  hide(scanout: number): void {
    this.setScanout(scanout, 0, NOTHING);
  }

  private setScanout(scanout: number, id: number, { x, y, width, height }: PixelArea): void {
    const { control } = this;
    control.begin(GpuCommand.SET_SCANOUT, GpuSetScanout.SIZE);
    control.putRect(GpuSetScanout.RECT, x, y, width, height);
    control.put(GpuSetScanout.SCANOUT_ID, scanout);
    control.put(GpuSetScanout.RESOURCE_ID, id);
    control.end(GpuSetScanout.SIZE);
  }

  /** Brings what is changed to the scanouts that show the picture; number of the fence. */
  flush({ id }: Framebuffer, { x, y, width, height }: PixelArea): number {
    const { control } = this;
    control.begin(GpuCommand.RESOURCE_FLUSH, GpuResourceFlush.SIZE);
    control.fence();
    control.putRect(GpuResourceFlush.RECT, x, y, width, height);
    control.put(GpuResourceFlush.RESOURCE_ID, id);
    return control.end(GpuResourceFlush.SIZE);
  }
}
