/** Compiles displays, planes and protected regions: who draws where, and what can be seen of it. */
import { present } from '../base/assert.ts';
import { areasOutside, type Area } from '../base/rectangle.ts';
import { NS_PER_US } from '../base/time.ts';
import type { DisplayConfig, GpuDeviceConfig, RectanglePx } from './gateway-config.ts';
import type { PlanDisplay, PlanPlane, PlanRegion } from './gateway-plan.ts';

const NS_PER_S = 1e9;

/** A device that may draw, with its number. */
export interface DrawingDevice {
  readonly index: number;
  readonly config: GpuDeviceConfig;
}

export interface DisplayPlan {
  readonly displays: readonly PlanDisplay[];
  readonly planes: readonly PlanPlane[];
  readonly regions: readonly PlanRegion[];
}

export function rectangleOf([x, y, width, height]: RectanglePx): Area {
  return { x, y, width, height };
}

/** Device and scanout that show on a plane. */
function ownerOf(devices: readonly DrawingDevice[], display: string, plane: string) {
  for (const { index, config } of devices) {
    const scanout = config.scanouts.findIndex(
      (candidate) => candidate.display === display && candidate.plane === plane,
    );
    if (scanout >= 0) return { device: index, scanout };
  }
  return { device: -1, scanout: -1 };
}

/** What no higher plane covers, in the plane's own pixels. */
function visibleOf(display: DisplayConfig, id: string): Area[] {
  const own = present(
    display.planes.find((plane) => plane.id === id),
    id,
  );
  const { x, y, width, height } = rectangleOf(own.rectPx);
  const covers = display.planes
    .filter((plane) => plane.z > own.z)
    .map((plane) => rectangleOf(plane.rectPx))
    .map((cover) => ({ ...cover, x: cover.x - x, y: cover.y - y }));
  return areasOutside({ x: 0, y: 0, width, height }, covers);
}

/** The pattern of a CRC-32 that is written as eight hexadecimal digits. */
function crcOf(text: string): number {
  return Number.parseInt(text, 16) | 0;
}

export function planDisplays(
  configs: readonly DisplayConfig[],
  devices: readonly DrawingDevice[],
): DisplayPlan {
  const named = configs.flatMap((display, index) =>
    display.planes.map((plane) => ({ display, index, plane, id: `${display.id}.${plane.id}` })),
  );
  const regions: PlanRegion[] = configs
    .flatMap((display) =>
      (display.protectedRegions ?? []).map((region) => ({ display: display.id, region })),
    )
    .map(({ display, region }, index) => ({
      index,
      id: `${display}.${region.id}`,
      plane: named.findIndex(({ id }) => id === `${display}.${region.plane}`),
      rectangle: rectangleOf(region.rectPx),
      crcs: (region.crcs ?? []).map(crcOf),
      frozenAfterNs: Math.round((region.frozenAfterUs ?? 0) * NS_PER_US),
    }));
  const planes = named.map(({ display, index: displayIndex, plane, id }, index) => ({
    index,
    id,
    display: displayIndex,
    ...ownerOf(devices, display.id, plane.id),
    rectangle: rectangleOf(plane.rectPx),
    visible: visibleOf(display, plane.id),
    asil: plane.asil,
    ownerLost: plane.ownerLost ?? ('keep' as const),
    warningPicture: plane.warningPicture ?? '',
    regions: regions.filter((region) => region.plane === index).map((region) => region.index),
  }));
  const displays = configs.map((display, index) => ({
    index,
    id: display.id,
    widthPx: display.widthPx,
    heightPx: display.heightPx,
    refreshNs: Math.round(NS_PER_S / display.refreshHz),
    planes: planes.filter((plane) => plane.display === index).map((plane) => plane.index),
  }));
  return { displays, planes, regions };
}
