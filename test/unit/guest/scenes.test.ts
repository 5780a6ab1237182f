/** The scenes of the display programs: a picture depends on its number only, and looks as it is protected. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Canvas } from '../../../src/guest/raster/canvas.ts';
import { CITY } from '../../../src/guest/scenes/city-map.ts';
import { ClusterScene } from '../../../src/guest/scenes/cluster-scene.ts';
import { clockOf, powerOf, speedOf, wayOf } from '../../../src/guest/scenes/drive.ts';
import { InfotainmentScene } from '../../../src/guest/scenes/infotainment-scene.ts';
import type { Scene, SceneParts } from '../../../src/guest/scenes/scene.ts';
import { Lamp, lampsOf } from '../../../src/guest/scenes/telltales.ts';
import { readPng } from '../../../src/host/png.ts';
import type { GatewayConfig } from '../../../src/schedule/gateway-config.ts';
import { repositoryPath } from '../../support/judged.ts';
import { warningPicture } from '../../support/warning-picture.ts';

const canvas = (width: number, height: number) => Canvas.ofOwn(width, height);
const parts = (width: number, height: number): SceneParts => ({ width, height, canvas });

function drawn(scene: Scene, width: number, height: number, ...frames: number[]): Int32Array {
  const picture = canvas(width, height);
  for (const frame of frames) scene.draw(picture, frame);
  return picture.pixels;
}

const SCENES: readonly (readonly [string, (own: SceneParts) => Scene, number, number])[] = [
  ['cluster', (own) => new ClusterScene(own), 320, 80],
  ['infotainment', (own) => new InfotainmentScene(own), 320, 200],
];

describe('scenes', () => {
  for (const [name, make, width, height] of SCENES) {
    it(`[utest->req~guest.display-pictures~1] ${name}: a picture depends on its number and on nothing before it`, () => {
      const scene = make(parts(width, height));
      const fresh = drawn(make(parts(width, height)), width, height, 411);
      for (const before of [[0], [90, 410], [2000, 3]]) {
        assert.deepEqual(drawn(scene, width, height, ...before, 411), fresh);
      }
    });

    it(`[utest->req~guest.display-pictures~1] ${name}: it moves, and every pixel is opaque`, () => {
      const scene = make(parts(width, height));
      const first = drawn(scene, width, height, 100);
      assert.notDeepEqual(drawn(scene, width, height, 101), first);
      assert.ok(first.every((pixel) => pixel >>> 24 === 0xff));
    });
  }

  it('[utest->req~guest.display-pictures~1] the map goes on at its edges as it begins at the others', () => {
    const scene = new InfotainmentScene(parts(64, 40));
    // The drive is as long as the map: its first picture comes again, but for what the cards tell.
    const [one, other] = [0, CITY.height / 2].map((frame) => drawn(scene, 64, 40, frame));
    assert.deepEqual(other!.slice(0, 64 * 20), one!.slice(0, 64 * 20));
    const wide = drawn(scene, 64, 40, 17);
    assert.equal(wide.length, 64 * 40);
  });

  it('[utest->req~guest.display-pictures~1] speed, power and time are in their ranges and go on steadily', () => {
    for (let frame = 0; frame < 5000; frame++) {
      assert.ok(speedOf(frame) > 0 && speedOf(frame) < 2400);
      assert.ok(powerOf(frame) >= -40 && powerOf(frame) <= 100);
      assert.ok(wayOf(frame + 1) > wayOf(frame));
      assert.ok(Math.abs(speedOf(frame + 1) - speedOf(frame)) < 10);
    }
    // What is driven in a second is the speed.
    const metres = wayOf(660) - wayOf(600);
    assert.ok(Math.abs(metres - speedOf(630) / 36) < 0.2, `${metres}, ${speedOf(630) / 36}`);
    assert.deepEqual(clockOf(60 * 61), { hours: '10', minutes: '09', seconds: '01' });
  });
});

describe('warning lamps', () => {
  const scene = new ClusterScene(parts(1280, 320));
  const area = scene.telltaleArea;

  /** CRC-32 of the strip, as a configuration writes it. */
  function sumOf(frame: number): string {
    const picture = drawn(scene, 1280, 320, frame);
    let crc = 0;
    for (let row = area.y; row < area.y + area.height; row++) {
      const at = row * 1280 + area.x;
      crc = crc32(Buffer.from(picture.buffer, at * 4, area.width * 4), crc);
    }
    return (crc >>> 0).toString(16).padStart(8, '0');
  }

  const config = JSON.parse(
    readFileSync(repositoryPath('config/cockpit.json'), 'utf8'),
  ) as GatewayConfig;
  const region = config.displays![0]!.protectedRegions![0]!;

  it('[utest->req~guest.display-pictures~1] config/cockpit.json protects the strip where it lies, and allows each of its pictures', () => {
    assert.deepEqual(region.rectPx, [area.x, area.y, area.width, area.height]);
    const frames = new Map<number, number>();
    for (let frame = 0; frame < 2000; frame++) {
      const lamps = lampsOf(frame);
      if (!frames.has(lamps)) frames.set(lamps, frame);
    }
    assert.deepEqual([...frames.values()].map(sumOf).toSorted(), [...region.crcs!].toSorted());
  });

  it('[utest->req~guest.display-pictures~1] the lamps are tested, then the indicators blink', () => {
    assert.equal(lampsOf(0), 127);
    const later = new Set(Array.from({ length: 2000 }, (_, n) => lampsOf(90 + n)));
    assert.deepEqual(
      later,
      new Set([Lamp.HIGH_BEAM, Lamp.HIGH_BEAM | Lamp.LEFT, Lamp.HIGH_BEAM | Lamp.RIGHT]),
    );
  });

  it('[utest->req~gpu.warning-picture~1] config/cluster-warning.png is the picture that is drawn for it', () => {
    const { bytes, ...size } = readPng(repositoryPath('config/cluster-warning.png'));
    const { bytes: own, ...ownSize } = warningPicture();
    assert.deepEqual(size, ownSize);
    assert.equal(Buffer.compare(bytes, own), 0, 'run build/test/support/warning-picture.js');
  });
});
