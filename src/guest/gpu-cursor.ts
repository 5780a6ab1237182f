/** The cursor of one scanout: its picture, and where it is (VIRTIO 5.7.6.10). */
import { GPU_CURSOR_SIDE, GpuCommand, GpuFormat, GpuUpdateCursor } from '../wire/virtio-gpu.ts';
import type { Framebuffer, GpuDriver } from './gpu-driver.ts';

export class GpuCursor {
  /** Pixels B, G, R, A with premultiplied colours; they count from {@link show} on. */
  readonly picture: Framebuffer;
  private readonly driver: GpuDriver;
  private readonly scanout: number;

  constructor(driver: GpuDriver, scanout: number) {
    this.driver = driver;
    this.scanout = scanout;
    const side = GPU_CURSOR_SIDE;
    this.picture = driver.createFramebuffer(side, side, false, GpuFormat.B8G8R8A8_UNORM);
  }

  /** Takes the picture over and shows it with this point of it at (x, y). */
  show(hotX: number, hotY: number, x: number, y: number): void {
    const { driver, picture } = this;
    const { width, height } = picture;
    // The two queues are served in no order: the picture has to be there first.
    driver.settled(driver.transfer(picture, { x: 0, y: 0, width, height }));
    this.give(GpuCommand.UPDATE_CURSOR, picture.id, x, y, hotX, hotY);
  }

  move(x: number, y: number): void {
    this.give(GpuCommand.MOVE_CURSOR, 0, x, y, 0, 0);
  }

  hide(): void {
    this.give(GpuCommand.UPDATE_CURSOR, 0, 0, 0, 0, 0);
  }

  private give(type: number, id: number, x: number, y: number, hotX: number, hotY: number): void {
    const { cursor } = this.driver;
    cursor.reap();
    // A position that cannot be told now is told by the next one.
    if (cursor.room === 0) return;
    cursor.begin(type, GpuUpdateCursor.SIZE);
    cursor.put(GpuUpdateCursor.SCANOUT_ID, this.scanout);
    cursor.put(GpuUpdateCursor.X, x);
    cursor.put(GpuUpdateCursor.Y, y);
    cursor.put(GpuUpdateCursor.RESOURCE_ID, id);
    cursor.put(GpuUpdateCursor.HOT_X, hotX);
    cursor.put(GpuUpdateCursor.HOT_Y, hotY);
    cursor.end(GpuUpdateCursor.SIZE);
    cursor.publish();
  }
}
