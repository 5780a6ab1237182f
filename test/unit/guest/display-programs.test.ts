/** The display programs and the flooding one, on a real data plane and a virtual clock. */
import { strict as assert } from 'node:assert';
import { Fault } from '../../../src/base/fault.ts';
import { NS_PER_MS } from '../../../src/base/time.ts';
import { GuestStatistic } from '../../../src/channel/guest-statistics.ts';
import type { ProgramSettings } from '../../../src/guest/guest-machine.ts';
import { ClusterDisplay } from '../../../src/guest/programs/cluster-display.ts';
import { GpuBabbler } from '../../../src/guest/programs/gpu-babbler.ts';
import { InfotainmentDisplay } from '../../../src/guest/programs/infotainment-display.ts';
import { drawPointer, pointerAt } from '../../../src/guest/programs/pointer.ts';
import { Canvas } from '../../../src/guest/raster/canvas.ts';
import { ClusterScene } from '../../../src/guest/scenes/cluster-scene.ts';
import { InfotainmentScene } from '../../../src/guest/scenes/infotainment-scene.ts';
import type { Scene, SceneParts } from '../../../src/guest/scenes/scene.ts';
import { GpuGuest } from '../../support/gpu-guest.ts';
import { DISPLAY, HEIGHT, WIDTH, type GpuRigOptions } from '../../support/gpu-rig.ts';
import { netDevice, route } from '../../support/rig.ts';

const SETTINGS: ProgramSettings = { netFunction: -1, gpuFunction: 0, toMac: [] };
const ONE: GpuRigOptions = {
  partitions: { a: { gpu: { planes: ['low'] } } },
  display: { planes: DISPLAY.planes.slice(0, 1) },
  memoryMiB: 8,
};
const { FRAMES, FRAMES_SHOWN, FRAMES_SKIPPED, FRAME, REFUSED, ERRORS, SENT } = GuestStatistic;
/** From one picture to the next, in major frames of the rig. */
const PERIOD_US = 12_000;

function picture(make: (parts: SceneParts) => Scene, frame: number): Int32Array {
  const own = (width: number, height: number) => Canvas.ofOwn(width, height);
  const canvas = own(WIDTH, HEIGHT);
  make({ width: WIDTH, height: HEIGHT, canvas: own }).draw(canvas, frame);
  return canvas.pixels;
}

const cluster = (parts: SceneParts) => new ClusterScene(parts);

interface Running {
  readonly guest: GpuGuest;
  /** Steps until so many pictures more are shown. */
  readonly shows: (count: number) => void;
  readonly step: (count: number) => void;
}

function running(
  Program: new (machine: GpuGuest['machine'], settings: ProgramSettings) => { step(): void },
  settings: Partial<ProgramSettings> = {},
  options = ONE,
): Running {
  const guest = new GpuGuest(options);
  const program = new Program(guest.machine, {
    ...SETTINGS,
    framePeriodUs: PERIOD_US,
    ...settings,
  });
  const step = (count: number) => {
    for (let n = 0; n < count; n++) program.step();
  };
  return {
    guest,
    step,
    shows: (count) => {
      const wanted = guest.statistic(FRAMES_SHOWN) + count;
      for (let n = 0; n < 1000 && guest.statistic(FRAMES_SHOWN) < wanted; n++) step(1);
      assert.equal(guest.statistic(FRAMES_SHOWN), wanted);
    },
  };
}

describe('display programs', () => {
  for (const blob of [false, true]) {
    it(`[utest->req~guest.display-pictures~1] cluster-display ${blob ? 'with blobs' : 'with transfers'} shows the picture of its number`, () => {
      const { guest, shows } = running(ClusterDisplay, { blob });
      for (let n = 0; n < 3; n++) {
        shows(1);
        // The picture that was answered last; the next one may be handed over already.
        const last = guest.statistic(FRAME);
        const shown = guest.plane();
        const candidates = [last, last - 1].map((frame) => picture(cluster, frame));
        assert.ok(candidates.some((own) => own.every((pixel, at) => pixel === shown[at])));
      }
      assert.equal(guest.statistic(REFUSED) + guest.statistic(ERRORS), 0);
    });
  }

  it('[utest->req~guest.display-pictures~1] infotainment-display shows the picture of its number', () => {
    const { guest, shows } = running(InfotainmentDisplay, { blob: true });
    shows(2);
    const shown = guest.plane();
    const make = (parts: SceneParts) => new InfotainmentScene(parts);
    const last = guest.statistic(FRAME);
    const found = [last, last - 1].map((frame) => picture(make, frame));
    assert.ok(found.some((own) => own.every((pixel, at) => pixel === shown[at])));
  });

  it('[utest->req~guest.display-pictures~1] it hands pictures over at the rate it is asked for', () => {
    const { guest, shows } = running(ClusterDisplay);
    shows(2);
    const [fromNs, from] = [guest.bench.time.nowNs, guest.statistic(FRAMES)];
    shows(50);
    const perPicture = (guest.bench.time.nowNs - fromNs) / (guest.statistic(FRAMES) - from);
    assert.ok(Math.abs(perPicture / 1000 - PERIOD_US) < PERIOD_US * 0.1, `${perPicture}`);
    assert.equal(guest.statistic(FRAMES_SKIPPED), 0);
  });

  it('[utest->req~guest.display-pictures~1] after a pause of its host it goes on with the picture of the time', () => {
    const { guest, shows } = running(ClusterDisplay);
    shows(3);
    const before = guest.statistic(FRAME);
    guest.bench.time.nowNs += 100 * PERIOD_US * 1000;
    shows(2);
    const skipped = guest.statistic(FRAMES_SKIPPED);
    assert.ok(skipped >= 98 && skipped <= 101, `${skipped}`);
    assert.ok(guest.statistic(FRAME) >= before + skipped);
  });

  it('[utest->req~guest.display-pictures~1] fault injection: it draws as many pictures as it is told, and no more', () => {
    const { guest, shows, step } = running(ClusterDisplay, { freezeAfterFrames: 4 });
    shows(4);
    step(200);
    assert.equal(guest.statistic(FRAMES), 4);
    assert.equal(guest.statistic(FRAME), 3);
  });

  it('[utest->req~guest.display-pictures~1] it sends traffic besides where a receiver is named, also when it is frozen', () => {
    const options: GpuRigOptions = {
      partitions: {
        a: { gpu: { planes: ['low'] }, net: netDevice(1) },
        b: { net: netDevice(2) },
      },
      memoryMiB: 8,
      routes: [route('a', 'b')],
    };
    const toMac = [0x52, 0x54, 0, 0, 0, 2];
    const settings = { netFunction: 1, toMac, periodUs: 5000, bytes: 100 };
    const { guest, shows, step } = running(
      ClusterDisplay,
      { ...settings, freezeAfterFrames: 9 },
      options,
    );
    shows(9);
    const sent = guest.statistic(SENT);
    assert.ok(sent > 10, `${sent}`);
    step(100);
    assert.ok(guest.statistic(SENT) > sent + 10);
  });

  it('[utest->req~guest.display-pictures~1] a pointer wanders over the picture where it is asked for', () => {
    const { guest, shows } = running(InfotainmentDisplay, { cursor: true });
    shows(3);
    guest.bench.frames(3);
    const plane = guest.plane();
    const covered = Array.from(guest.display()).flatMap((pixel, n) =>
      pixel === plane[n] ? [] : [n],
    );
    assert.ok(covered.length > 100);
    const { x, y } = pointerAt(guest.statistic(FRAME), WIDTH, HEIGHT);
    for (const n of covered) {
      assert.ok(Math.abs((n % WIDTH) - x) < 64 && Math.abs(Math.floor(n / WIDTH) - y) < 64);
    }
    const own = Canvas.ofOwn(64, 64);
    drawPointer(own);
    assert.ok(own.pixels.some((pixel) => pixel === 0) && own.pixels.some((pixel) => pixel === -1));
  });
});

describe('gpu-babbler', () => {
  it('[utest->req~guest.gpu-flood~1] it keeps its queue full of commands that are all right, and waits for nobody', () => {
    const { guest, step } = running(GpuBabbler);
    const before = guest.bench.time.nowNs;
    step(1);
    // It waits only for the modes, in its first step.
    assert.ok(guest.machine.waits < 5);
    for (let n = 0; n < 40; n++) {
      step(1);
      guest.bench.frames(1);
    }
    assert.ok(guest.statistic(FRAMES) > 40);
    assert.equal(guest.statistic(REFUSED), 0);
    assert.equal(guest.fault(Fault.GpuCommandRefused) + guest.fault(Fault.GpuQuotaExceeded), 0);
    assert.ok(guest.bench.time.nowNs - before > 40 * NS_PER_MS);
  });
});
