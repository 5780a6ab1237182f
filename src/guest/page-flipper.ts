/**
 * Two pictures for one scanout: one is shown while the other is drawn, and they change places when
 * the device has answered the fence.
 */
import { GuestStatistic } from '../channel/guest-statistics.ts';
import { GPU_PIXEL_BYTES } from '../wire/virtio-gpu.ts';
import type { Framebuffer, GpuDriver } from './gpu-driver.ts';
import type { GuestMachine } from './guest-machine.ts';
import { Canvas } from './raster/canvas.ts';

/** Commands of one frame: transfer, scanout, flush. */
const COMMANDS_PER_FRAME = 3;
const BUFFERS = 2;

export class PageFlipper {
  readonly width: number;
  readonly height: number;
  private readonly machine: GuestMachine;
  private readonly driver: GpuDriver;
  private readonly scanout: number;
  private readonly framebuffers: readonly Framebuffer[];
  private readonly canvases: readonly Canvas[];
  private readonly frameTime = new Float64Array(1);
  private drawn = 0;
  /** Fence of the frame under way, and when it was handed over. */
  private fence = 0;
  private handedOver = 0;

  constructor(machine: GuestMachine, driver: GpuDriver, scanout: number, wantsBlob: boolean) {
    this.machine = machine;
    this.driver = driver;
    this.scanout = scanout;
    const { width, height } = driver.mode(scanout);
    this.width = width;
    this.height = height;
    this.framebuffers = Array.from({ length: BUFFERS }, () =>
      driver.createFramebuffer(width, height, wantsBlob),
    );
    this.canvases = this.framebuffers.map(
      ({ at }) => new Canvas(machine.i32, at / GPU_PIXEL_BYTES, width, height),
    );
  }

  /** Whether the device still works on the frame before. */
  get isBusy(): boolean {
    const { control } = this.driver;
    control.reap();
    if (control.answered < this.fence) return true;
    if (this.handedOver > 0) this.noteShown();
    return control.room < COMMANDS_PER_FRAME;
  }

  private noteShown(): void {
    const { statistics } = this.machine;
    this.frameTime[0] = this.machine.readClock() - this.handedOver;
    this.handedOver = 0;
    statistics.frameTime.recordFrom(this.frameTime, 0);
    statistics.add(GuestStatistic.FRAMES_SHOWN);
  }

  /** What may be drawn on while nothing is under way. */
  get canvas(): Canvas {
    return this.canvases[this.drawn]!;
  }

  /** Shows what was drawn, and draws on the other picture from now on. */
  flip(): void {
    const { driver, machine } = this;
    const framebuffer = this.framebuffers[this.drawn]!;
    const all = { x: 0, y: 0, width: this.width, height: this.height };
    this.handedOver = machine.readClock();
    if (!framebuffer.isBlob) driver.transfer(framebuffer, all);
    driver.show(this.scanout, framebuffer);
    this.fence = driver.flush(framebuffer, all);
    driver.control.publish();
    this.drawn = (this.drawn + 1) % BUFFERS;
    machine.statistics.add(GuestStatistic.FRAMES);
  }

  /** Waits for the device, for at most `ns` nanoseconds. */
  wait(ns: number): void {
    this.driver.control.waitForAnswer(ns);
  }

  /** Switches the scanout off and gives the pictures back. */
  release(): void {
    this.driver.hide(this.scanout);
    for (const framebuffer of this.framebuffers) this.driver.release(framebuffer);
    this.driver.control.publish();
  }
}
