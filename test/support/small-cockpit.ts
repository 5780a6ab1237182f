/** The cockpit with a quarter of its width and height, for tests that draw it as instrumented code. */
import { readFileSync } from 'node:fs';
import { Canvas } from '../../src/guest/raster/canvas.ts';
import { ClusterScene } from '../../src/guest/scenes/cluster-scene.ts';
import { InfotainmentScene } from '../../src/guest/scenes/infotainment-scene.ts';
import type { Scene, SceneParts } from '../../src/guest/scenes/scene.ts';
import type { GatewayConfig, GuestParameters } from '../../src/schedule/gateway-config.ts';
import { repositoryPath } from './judged.ts';
import type { Draft } from './two-partitions.ts';

export type CockpitDraft = Draft<GatewayConfig>;

const SHRINK = 4;
const canvas = (width: number, height: number) => Canvas.ofOwn(width, height);

export function cockpitConfig(): CockpitDraft {
  return JSON.parse(readFileSync(repositoryPath('config/cockpit.json'), 'utf8')) as CockpitDraft;
}

/** Everything on the display is smaller; a lost owner's plane is black. */
export function smallCockpit(change: (draft: CockpitDraft) => void = () => {}): GatewayConfig {
  const draft = cockpitConfig();
  for (const display of draft.displays!) {
    display.widthPx /= SHRINK;
    display.heightPx /= SHRINK;
    for (const plane of display.planes) {
      plane.rectPx = plane.rectPx.map((side) => side / SHRINK) as typeof plane.rectPx;
      plane.ownerLost = 'blank';
      delete plane.warningPicture;
    }
    for (const region of display.protectedRegions!) {
      region.rectPx = region.rectPx.map((side) => side / SHRINK) as typeof region.rectPx;
      delete region.crcs;
      // A host that runs tests keeps guests waiting.
      region.frozenAfterUs = 20_000_000;
    }
  }
  for (const flow of draft.flows) if ('command' in flow) flow.bytesMax /= SHRINK * SHRINK;
  change(draft);
  return draft as GatewayConfig;
}

/** Changes parameters of the program of a partition, or gives it another program. */
export function setProgram(
  draft: CockpitDraft,
  partition: string,
  parameters: Partial<GuestParameters>,
  program?: string,
): void {
  const { guest } = draft.partitions.find(({ id }) => id === partition)!;
  if (guest.type !== 'embedded') throw new Error(`${partition} is not embedded`);
  guest.parameters = { ...guest.parameters, ...parameters };
  if (program !== undefined) guest.program = program as typeof guest.program;
}

const SCENES = {
  cluster: (parts: SceneParts) => new ClusterScene(parts),
  infotainment: (parts: SceneParts) => new InfotainmentScene(parts),
} as const;
export type SceneName = keyof typeof SCENES;

/** Rows of a picture that is compared with the pictures of a scene. */
export interface Shown {
  readonly width: number;
  readonly bytes: Uint8Array;
  /** The rows of the whole picture that the scene draws, from 0 on, and those of them to compare. */
  readonly height: number;
  readonly fromRow: number;
  readonly toRow: number;
}

/** Draws the pictures of a scene, to find the one that is shown. */
export class KnownPictures {
  private readonly scene: Scene;
  private readonly own: Canvas;
  private readonly shown: Shown;

  constructor(name: SceneName, shown: Shown) {
    const { width, height } = shown;
    this.shown = shown;
    this.scene = SCENES[name]({ width, height, canvas });
    this.own = canvas(width, height);
  }

  /** The number of the picture that is shown, pixel by pixel, or -1 when none of these is. */
  find(first: number, last: number): number {
    const { width, bytes, fromRow, toRow } = this.shown;
    const rows = bytes.subarray(fromRow * width * 4, toRow * width * 4);
    for (let frame = last; frame >= Math.max(0, first); frame--) {
      this.scene.draw(this.own, frame);
      const pixels = this.own.pixels.subarray(fromRow * width, toRow * width);
      const drawn = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
      if (Buffer.compare(rows, drawn) === 0) return frame;
    }
    return -1;
  }
}
