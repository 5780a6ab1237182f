/** Floods a GPU device: makes, transfers, shows, flushes and drops pictures, and never waits. */
import { GuestStatistic } from '../../channel/guest-statistics.ts';
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import { GpuDriver, type ScanoutMode } from '../gpu-driver.ts';
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';

/** Commands of one round: make and attach; transfer, show and flush; detach and drop. */
const COMMANDS_PER_ROUND = 7;
const ROUNDS_MAX = 64;
const SCANOUT = 0;
const PAGE = 4096;

interface Memory extends ScanoutMode {
  readonly address: number;
}

// [impl->req~guest.gpu-flood~1]
export class GpuBabbler {
  private readonly machine: GuestMachine;
  private readonly driver: GpuDriver;
  private memory: Memory | undefined;

  constructor(machine: GuestMachine, settings: ProgramSettings) {
    this.machine = machine;
    this.driver = new GpuDriver(machine, settings.gpuFunction);
  }

  step(): void {
    const memory = (this.memory ??= this.begin());
    const { control } = this.driver;
    control.reap();
    for (let n = 0; n < ROUNDS_MAX && control.room >= COMMANDS_PER_ROUND; n++) this.round(memory);
    control.publish();
  }

  private begin(): Memory {
    const mode = this.driver.mode(SCANOUT);
    const bytes = mode.width * mode.height * GPU_PIXEL_BYTES;
    return { ...mode, address: this.machine.allocate(bytes, PAGE) };
  }

  private round({ width, height, address }: Memory): void {
    const { driver, machine } = this;
    const all = { x: 0, y: 0, width, height };
    const framebuffer = driver.giveFramebuffer(width, height, address);
    driver.transfer(framebuffer, all);
    driver.show(SCANOUT, framebuffer);
    driver.flush(framebuffer, all);
    driver.release(framebuffer);
    machine.statistics.add(GuestStatistic.FRAMES);
  }
}
