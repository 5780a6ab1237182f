/**
 * Shows a scene at a steady rate, and sends and answers network traffic besides where the
 * configuration names a receiver.
 */
import { GuestStatistic } from '../../channel/guest-statistics.ts';
import { NS_PER_MS, NS_PER_US } from '../../base/time.ts';
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import { GpuDriver } from '../gpu-driver.ts';
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { PageFlipper } from '../page-flipper.ts';
import { Canvas } from '../raster/canvas.ts';
import type { Scene, SceneParts } from '../scenes/scene.ts';
import { Pointer } from './pointer.ts';
import { Traffic } from './traffic.ts';

/** 60 pictures a second. */
const FRAME_PERIOD_US = 16_667;
const SCANOUT = 0;
/** Longest wait without a look at everything. */
const WAIT_NS = 5 * NS_PER_MS;
/** From here on the clock is watched instead of the interrupt. */
const NEAR_NS = NS_PER_MS / 2;
const PAGE = 4096;

/** Makes the scene of a program. */
export type MakeScene = (parts: SceneParts) => Scene;

interface Shown {
  readonly flipper: PageFlipper;
  readonly scene: Scene;
  readonly pointer: Pointer | undefined;
}

// [impl->req~guest.display-pictures~1]
export class DisplayProgram {
  private readonly machine: GuestMachine;
  private readonly settings: ProgramSettings;
  private readonly driver: GpuDriver;
  private readonly traffic: Traffic | undefined;
  private readonly makeScene: MakeScene;
  private readonly periodNs: number;
  private readonly wakeAt = new Float64Array(1);
  /** There once the device answers, which it does when the partition is served. */
  private shown: Shown | undefined;
  private frame = 0;
  private dueNs = 0;

  constructor(machine: GuestMachine, settings: ProgramSettings, makeScene: MakeScene) {
    this.machine = machine;
    this.settings = settings;
    this.makeScene = makeScene;
    this.driver = new GpuDriver(machine, settings.gpuFunction);
    const sends = settings.netFunction >= 0 && settings.toMac.length > 0;
    this.traffic = sends ? new Traffic(machine, settings) : undefined;
    this.periodNs = (settings.framePeriodUs ?? FRAME_PERIOD_US) * NS_PER_US;
  }

  step(): void {
    const { flipper } = (this.shown ??= this.begin());
    this.traffic?.work();
    const now = this.machine.readClock();
    const { isBusy } = flipper;
    if (!isBusy && !this.isFrozen && now >= this.dueNs) this.show(this.shown, now);
    this.wait(flipper);
  }

  private begin(): Shown {
    const { machine, driver, settings } = this;
    const flipper = new PageFlipper(machine, driver, SCANOUT, settings.blob === true);
    const { width, height } = flipper;
    const canvas = (w: number, h: number): Canvas => {
      const at = machine.at(machine.allocate(w * h * GPU_PIXEL_BYTES, PAGE));
      return new Canvas(machine.i32, at / GPU_PIXEL_BYTES, w, h);
    };
    const scene = this.makeScene({ width, height, canvas });
    const pointer = settings.cursor === true ? new Pointer(machine, driver, SCANOUT) : undefined;
    this.dueNs = machine.readClock();
    return { flipper, scene, pointer };
  }

  private get isFrozen(): boolean {
    return this.frame >= (this.settings.freezeAfterFrames ?? Infinity);
  }

  private show({ flipper, scene, pointer }: Shown, now: number): void {
    const { statistics } = this.machine;
    // Pictures whose time is over are left out: a number is a time.
    const missed = Math.floor((now - this.dueNs) / this.periodNs);
    statistics.add(GuestStatistic.FRAMES_SKIPPED, missed);
    this.frame += missed;
    scene.draw(flipper.canvas, this.frame);
    flipper.flip();
    pointer?.move(this.frame, flipper);
    statistics.words[GuestStatistic.FRAME] = this.frame;
    this.frame++;
    // Who waited for the device goes on at the device's pace.
    this.dueNs = Math.max(this.dueNs + (missed + 1) * this.periodNs, now);
  }

  /** Until the next picture or burst is due, or somebody answers. */
  private wait(flipper: PageFlipper): void {
    const { machine, traffic } = this;
    const now = machine.readClock();
    if (now >= this.dueNs && !this.isFrozen) {
      flipper.wait(Math.min(WAIT_NS, (traffic?.dueNs ?? Infinity) - now));
      return;
    }
    const pictureNs = this.isFrozen ? Infinity : this.dueNs;
    const wakeNs = Math.min(pictureNs, traffic?.dueNs ?? Infinity, now + WAIT_NS);
    if (wakeNs - now > NEAR_NS) {
      if (traffic) traffic.wait(wakeNs - now - NEAR_NS);
      else flipper.wait(wakeNs - now - NEAR_NS);
      return;
    }
    this.wakeAt[0] = wakeNs;
    machine.sleepUntil(this.wakeAt);
  }
}
