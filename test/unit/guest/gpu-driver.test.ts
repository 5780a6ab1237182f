/** The embedded GPU driver on a real device: pictures, scanouts, fences, a cursor, and what it gives back. */
import { strict as assert } from 'node:assert';
import { Fault } from '../../../src/base/fault.ts';
import { GuestStatistic } from '../../../src/channel/guest-statistics.ts';
import { GpuCursor } from '../../../src/guest/gpu-cursor.ts';
import { GpuDriver, type Framebuffer } from '../../../src/guest/gpu-driver.ts';
import { PageFlipper } from '../../../src/guest/page-flipper.ts';
import { DriverError } from '../../../src/guest/virtio-driver.ts';
import { GpuHeader, GpuResponse } from '../../../src/wire/virtio-gpu.ts';
import { GpuGuest } from '../../support/gpu-guest.ts';
import { ALL_FEATURES, HEIGHT, WIDTH, type GpuRigOptions } from '../../support/gpu-rig.ts';

const EVENT_IDX = 'VIRTIO_RING_F_EVENT_IDX';
const without = (feature: string) =>
  [...ALL_FEATURES, EVENT_IDX].filter((name) => name !== feature);
const offering = (...offer: readonly string[]): GpuRigOptions => ({
  partitions: { a: { gpu: { planes: ['low'], offer } } },
});

function driven(options: GpuRigOptions = offering(...ALL_FEATURES, EVENT_IDX)) {
  const guest = new GpuGuest(options);
  const driver = new GpuDriver(guest.machine, 0);
  return { guest, driver };
}

const ALL = { x: 0, y: 0, width: WIDTH, height: HEIGHT };

function fill({ machine }: GpuGuest, { at, width, height }: Framebuffer, colour: number): void {
  machine.i32.fill(colour, at / 4, at / 4 + width * height);
}

/** Shows a picture and waits until the device is done with it. */
function present(driver: GpuDriver, framebuffer: Framebuffer): boolean {
  if (!framebuffer.isBlob) driver.transfer(framebuffer, ALL);
  driver.show(0, framebuffer);
  return driver.settled(driver.flush(framebuffer, ALL));
}

const refused = ({ machine }: GpuGuest) => machine.statistics.get(GuestStatistic.REFUSED);

describe('embedded GPU driver', () => {
  it('[utest->req~guest.gpu-driver~1] 5.7.6.8: a scanout offers the size of its plane, and its EDID says the same', () => {
    const { driver } = driven();
    assert.equal(driver.scanouts, 1);
    const { width, height, edid } = driver.mode(0);
    assert.deepEqual([width, height], [WIDTH, HEIGHT]);
    assert.equal(edid!.length % 128, 0);
    const [low, , high] = edid!.slice(56, 59);
    assert.equal(low! | ((high! & 0xf0) << 4), WIDTH);
  });

  it('[utest->req~guest.gpu-driver~1] without EDID there is none, and nothing is asked that was not negotiated', () => {
    const { driver, guest } = driven(offering(...without('VIRTIO_GPU_F_EDID')));
    assert.equal(driver.mode(0).edid, undefined);
    assert.equal(refused(guest), 0);
  });

  it('[utest->req~guest.gpu-driver~1] an EDID of a scanout that is not there is refused, counted, and no end', () => {
    const { driver, guest } = driven();
    assert.deepEqual(driver.mode(5), { width: 0, height: 0, edid: undefined });
    assert.equal(refused(guest), 1);
  });

  for (const wantsBlob of [false, true]) {
    it(`[utest->req~guest.gpu-driver~1] a picture ${wantsBlob ? 'as a blob' : 'with a transfer'} shows on its plane`, () => {
      const { driver, guest } = driven();
      const framebuffer = driver.createFramebuffer(WIDTH, HEIGHT, wantsBlob);
      assert.equal(framebuffer.isBlob, wantsBlob);
      fill(guest, framebuffer, 0xff336699 | 0);
      assert.ok(present(driver, framebuffer));
      assert.ok(guest.plane().every((pixel) => pixel === (0xff336699 | 0)));
      assert.equal(refused(guest), 0);
    });
  }

  it('[utest->req~guest.gpu-driver~1] without blobs a picture that wants to be one is transferred', () => {
    const { driver } = driven(offering(...without('VIRTIO_GPU_F_RESOURCE_BLOB')));
    assert.equal(driver.hasBlob, false);
    assert.equal(driver.createFramebuffer(WIDTH, HEIGHT, true).isBlob, false);
  });

  it('[utest->req~guest.gpu-driver~1] only what is flushed changes on the plane', () => {
    const { driver, guest } = driven();
    const framebuffer = driver.createFramebuffer(WIDTH, HEIGHT, false);
    fill(guest, framebuffer, -1);
    present(driver, framebuffer);
    fill(guest, framebuffer, 0xff000000 | 0);
    const area = { x: 8, y: 4, width: 16, height: 2 };
    driver.transfer(framebuffer, area);
    assert.ok(driver.settled(driver.flush(framebuffer, area)));
    const changed = Array.from(guest.plane()).flatMap((pixel, n) => (pixel === -1 ? [] : [n]));
    assert.deepEqual([changed.length, changed[0]], [32, 4 * WIDTH + 8]);
  });

  it('[utest->req~guest.gpu-driver~1] a fence is repeated by the answer that says the flush is done', () => {
    const { driver, guest } = driven();
    const framebuffer = driver.createFramebuffer(WIDTH, HEIGHT, true);
    driver.show(0, framebuffer);
    const fence = driver.flush(framebuffer, ALL);
    driver.settled(fence);
    const { i32 } = guest.machine;
    const word = driver.control.answerAt / 4;
    assert.deepEqual([i32[word], i32[word + 2]], [GpuResponse.OK_NODATA, fence]);
  });

  it('[utest->req~guest.gpu-driver~1] an answer that repeats another fence is an error of the device', () => {
    const { driver, guest } = driven();
    const framebuffer = driver.createFramebuffer(WIDTH, HEIGHT, true);
    driver.show(0, framebuffer);
    driver.flush(framebuffer, ALL);
    driver.control.publish();
    guest.bench.frames(3);
    const word = driver.control.answerAt / 4;
    // The answers of the commands before lie in the pairs that the device was given then.
    const { i32 } = guest.machine;
    for (let n = 0; n < 64; n++) i32[word + n * 264 + GpuHeader.FENCE_ID / 4] = 77;
    for (let n = 1; n < 64; n++) i32[word - n * 264 + GpuHeader.FENCE_ID / 4] = 77;
    driver.control.reap();
    assert.equal(guest.statistic(GuestStatistic.ERRORS), 1);
  });

  it('[utest->req~guest.gpu-driver~1] refused commands are counted, and those behind them go on', () => {
    const { driver, guest } = driven();
    const framebuffer = driver.createFramebuffer(WIDTH, HEIGHT, false);
    const nobodys = { ...framebuffer, id: 99 };
    driver.transfer(nobodys, ALL);
    driver.show(0, nobodys);
    assert.equal(driver.settled(driver.flush(nobodys, ALL)), false);
    assert.equal(refused(guest), 3);
    assert.equal(guest.fault(Fault.GpuCommandRefused), 3);
    assert.ok(present(driver, framebuffer));
  });

  it('[utest->req~guest.gpu-driver~1] a picture that the device has no room for is an error with its size', () => {
    const { driver } = driven();
    assert.throws(() => driver.createFramebuffer(640, 480, false), {
      name: 'DriverError',
      message: /640 x 480/,
    });
  });

  it('[utest->req~guest.gpu-driver~1] a device that does not answer is given up', () => {
    const { driver, guest } = driven();
    guest.bench.plane.partitions[0]!.running = false;
    assert.throws(() => driver.mode(0), DriverError);
  });

  it('[utest->req~guest.gpu-driver~1] a device without its modes, and one that is not there, are errors', () => {
    const { driver, guest } = driven();
    assert.throws(() => new GpuDriver(guest.machine, 3), DriverError);
    const { machine } = guest;
    const frames = machine.waitForInterrupt.bind(machine);
    machine.waitForInterrupt = (...wait) => {
      frames(...wait);
      const { control } = driver;
      const at = (control as unknown as { queue: { bufferAt(n: number): number } }).queue;
      for (let n = 1; n < 64; n += 2) machine.i32[at.bufferAt(n) / 4] = GpuResponse.ERR_UNSPEC;
    };
    assert.throws(() => driver.mode(0), DriverError);
  });

  it('[utest->req~guest.gpu-driver~1] what is given back is gone: nothing shows it, and its memory is free', () => {
    const { driver, guest } = driven();
    const pictures = [false, true].map((blob) => driver.createFramebuffer(WIDTH, HEIGHT, blob));
    for (const framebuffer of pictures) {
      fill(guest, framebuffer, -1);
      present(driver, framebuffer);
    }
    driver.hide(0);
    for (const framebuffer of pictures) driver.release(framebuffer);
    driver.settled(driver.control.given);
    assert.equal(refused(guest), 0);
    assert.ok(pictures.every(({ id }) => guest.device.resources.find(id) === undefined));
    assert.ok(guest.plane().every((pixel) => (pixel & 0xffffff) === 0));
  });
});

describe('embedded GPU cursor', () => {
  it('[utest->req~guest.gpu-driver~1] it shows where it is, moves, and can be hidden', () => {
    const { driver, guest } = driven();
    const framebuffer = driver.createFramebuffer(WIDTH, HEIGHT, true);
    fill(guest, framebuffer, 0xff000000 | 0);
    present(driver, framebuffer);
    const cursor = new GpuCursor(driver, 0);
    fill(guest, cursor.picture, -1);
    const lit = () => {
      guest.bench.frames(3);
      const found = Array.from(guest.display()).flatMap((pixel, n) => (pixel === -1 ? [n] : []));
      return [found.length, found[0]];
    };
    cursor.show(4, 2, 0, 8);
    assert.deepEqual(lit(), [64 * 64, 8 * WIDTH]);
    cursor.move(-1, 4);
    assert.deepEqual(lit(), [63 * 64, 4 * WIDTH]);
    cursor.hide();
    assert.deepEqual(lit(), [0, undefined]);
    assert.equal(refused(guest), 0);
  });

  it('[utest->req~guest.gpu-driver~1] positions that the device has no room for are left out', () => {
    const { driver, guest } = driven();
    const cursor = new GpuCursor(driver, 0);
    for (let n = 0; n < 200; n++) cursor.move(n, n);
    assert.equal(driver.cursor.room, 0);
    guest.bench.frames(8);
    cursor.move(1, 1);
    assert.ok(driver.cursor.room > 0);
    assert.equal(refused(guest), 0);
  });
});

describe('page flipper', () => {
  for (const wantsBlob of [false, true]) {
    it(`[utest->req~guest.gpu-driver~1] two ${wantsBlob ? 'blobs' : 'pictures'} take turns, and neither is drawn while the device has it`, () => {
      const { driver, guest } = driven();
      const flipper = new PageFlipper(guest.machine, driver, 0, wantsBlob);
      assert.deepEqual([flipper.width, flipper.height], [WIDTH, HEIGHT]);
      const used = new Set<unknown>();
      for (let frame = 1; frame <= 6; frame++) {
        assert.equal(flipper.isBusy, false);
        used.add(flipper.canvas);
        flipper.canvas.fill(ALL, frame);
        flipper.flip();
        assert.equal(flipper.isBusy, true);
        for (let n = 0; n < 9 && flipper.isBusy; n++) flipper.wait(1e6);
        assert.ok(guest.plane().every((pixel) => pixel === (0xff000000 | frame)));
      }
      assert.equal(used.size, 2);
      assert.equal(guest.statistic(GuestStatistic.FRAMES), 6);
      assert.equal(flipper.isBusy, false);
      assert.equal(guest.statistic(GuestStatistic.FRAMES_SHOWN), 6);
      assert.equal(guest.machine.statistics.frameTime.count, 6);
      flipper.release();
      driver.settled(driver.control.given);
      assert.equal(refused(guest), 0);
    });
  }
});
