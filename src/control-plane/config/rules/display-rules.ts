/** Rules about displays, their planes, and who draws them. */
import { Rect, rectInside, type Area } from '../../../base/rectangle.ts';
import { nsOf } from '../../../schedule/compile-plan.ts';
import { composeCostNs } from '../../../schedule/cost-model.ts';
import { rectangleOf } from '../../../schedule/display-plan.ts';
import {
  ASILS,
  type Asil,
  type GatewayConfig,
  type PlaneConfig,
} from '../../../schedule/gateway-config.ts';
import { edidProblems } from '../../../wire/edid.ts';
import { includesFeature } from '../../features/feature-sets.ts';
import { didYouMean, type Finding } from '../validator.ts';
import { everyDisplay, everyPlane, everyScanout, scanoutsOf } from './display-entries.ts';
import { at, duplicates, type Rule } from './rule.ts';

/** Where a plane's rectangle says what an EDID has to describe. */
const RECT_FIELD = { widthPx: 2, heightPx: 3 } as const;

function isBelow(one: Asil, other: Asil): boolean {
  return ASILS.indexOf(one) < ASILS.indexOf(other);
}

export function meets(one: Area, other: Area): boolean {
  const rect = new Rect();
  rect.copy(one);
  return rect.meets(other);
}

/** Whether an area has pixels, all of them in a picture of this size. */
export function liesIn(
  { x, y, width, height }: Area,
  pictureWidth: number,
  pictureHeight: number,
): boolean {
  const some = width > 0 && height > 0;
  return some && rectInside(x, y, width, height, pictureWidth, pictureHeight);
}

function overlap(one: PlaneConfig, other: PlaneConfig): boolean {
  return meets(rectangleOf(one.rectPx), rectangleOf(other.rectPx));
}

function* displayIds(config: GatewayConfig): Iterable<Finding> {
  const displays = [...everyDisplay(config)];
  yield* duplicates(
    displays.map(({ display, path }) => ({ value: display.id, path: [...path, 'id'] })),
    'display id',
  );
}

function* planeIds(config: GatewayConfig): Iterable<Finding> {
  for (const { display, path } of everyDisplay(config)) {
    yield* duplicates(
      display.planes.map((plane, p) => ({
        value: `${display.id}.${plane.id}`,
        path: [...path, 'planes', p, 'id'],
      })),
      'plane id',
    );
  }
}

function* scanoutPlanes(config: GatewayConfig): Iterable<Finding> {
  const displays = (config.displays ?? []).map(({ id }) => id);
  for (const { scanout, path } of everyScanout(config)) {
    const display = config.displays?.find(({ id }) => id === scanout.display);
    if (!display) {
      yield at(
        [...path, 'display'],
        `there is no display "${scanout.display}".${didYouMean(scanout.display, displays)}`,
      );
      continue;
    }
    const planes = display.planes.map(({ id }) => id);
    if (planes.includes(scanout.plane)) continue;
    yield at(
      [...path, 'plane'],
      `display "${display.id}" has no plane "${scanout.plane}".${didYouMean(scanout.plane, planes)}`,
    );
  }
}

// [impl->req~gpu.one-owner~1]
function* planesOwnedTwice(config: GatewayConfig): Iterable<Finding> {
  const owners = new Map<string, string>();
  for (const { planeId, deviceId, path } of everyScanout(config)) {
    const owner = owners.get(planeId);
    owners.set(planeId, owner ?? deviceId);
    if (owner === undefined) continue;
    yield at(
      [...path, 'plane'],
      `plane "${planeId}" is drawn by "${owner}" already; a plane has one owner`,
    );
  }
}

function* planesWithoutOwner(config: GatewayConfig): Iterable<Finding> {
  for (const found of everyPlane(config)) {
    if (scanoutsOf(config, found).length > 0) continue;
    yield at([...found.path, 'id'], `no scanout of any device shows on plane "${found.id}"`);
  }
}

function* planesInside(config: GatewayConfig): Iterable<Finding> {
  for (const { display, plane, path, id } of everyPlane(config)) {
    const { widthPx, heightPx } = display;
    if (liesIn(rectangleOf(plane.rectPx), widthPx, heightPx)) continue;
    yield at(
      [...path, 'rectPx'],
      `plane "${id}" is [${plane.rectPx.join(', ')}]; ` +
        `it must have pixels, all of them on the display of ${widthPx} x ${heightPx}`,
    );
  }
}

function* planesOfSameHeight(config: GatewayConfig): Iterable<Finding> {
  for (const { display, plane, path } of everyPlane(config)) {
    for (const other of display.planes.slice(0, display.planes.indexOf(plane))) {
      if (plane.z !== other.z || !overlap(plane, other)) continue;
      yield at(
        [...path, 'z'],
        `planes "${other.id}" and "${plane.id}" overlap and both have "z" ${plane.z}; ` +
          'one must be above the other',
      );
    }
  }
}

// [impl->req~gpu.asil-cover~1]
function* planesCovered(config: GatewayConfig): Iterable<Finding> {
  for (const { display, plane, path } of everyPlane(config)) {
    for (const below of display.planes) {
      const covers = plane.z > below.z && overlap(plane, below);
      if (!covers || !isBelow(plane.asil, below.asil)) continue;
      yield at(
        [...path, 'z'],
        `plane "${plane.id}" (${plane.asil}) covers plane "${below.id}" (${below.asil}); ` +
          'only a plane of the same or a higher level may',
      );
    }
  }
}

// [impl->req~gpu.asil-cover~1]
function* ownerLevels(config: GatewayConfig): Iterable<Finding> {
  for (const found of everyPlane(config)) {
    for (const { partition, path } of scanoutsOf(config, found)) {
      if (!isBelow(partition.asil, found.plane.asil)) continue;
      yield at(
        [...path, 'plane'],
        `plane "${found.id}" needs an owner of level ${found.plane.asil} or higher; ` +
          `partition "${partition.id}" has ${partition.asil}`,
      );
    }
  }
}

function* edids(config: GatewayConfig): Iterable<Finding> {
  for (const found of everyPlane(config)) {
    const { display, plane, path, id } = found;
    const { width, height } = rectangleOf(plane.rectPx);
    const mode = { widthPx: width, heightPx: height, refreshHz: display.refreshHz };
    for (const { device, deviceId } of scanoutsOf(config, found)) {
      if (!includesFeature(device.type, device.features.offer, 'VIRTIO_GPU_F_EDID')) continue;
      for (const { field, message } of edidProblems(mode)) {
        yield at(
          field === 'refreshHz'
            ? [...path.slice(0, 2), field]
            : [...path, 'rectPx', RECT_FIELD[field]],
          `no EDID can describe plane "${id}", as VIRTIO_GPU_F_EDID of "${deviceId}" wants: ` +
            `"${field}" ${message}`,
        );
      }
    }
  }
}

function* warningPictures(config: GatewayConfig): Iterable<Finding> {
  for (const { plane, path, id } of everyPlane(config)) {
    const warns = plane.ownerLost === 'warning';
    if (warns && plane.warningPicture === undefined) {
      yield at(
        [...path, 'ownerLost'],
        `plane "${id}" shows a warning when its owner is lost: it needs a "warningPicture"`,
      );
    } else if (!warns && plane.warningPicture !== undefined) {
      yield at(
        [...path, 'warningPicture'],
        `plane "${id}" never shows its "warningPicture": "ownerLost" is not "warning"`,
      );
    }
  }
}

function* displaysComposed(config: GatewayConfig): Iterable<Finding> {
  const composed = config.schedule.windows
    .filter(({ kind }) => kind === 'compositor')
    .map(({ display }) => display);
  for (const { display, path } of everyDisplay(config)) {
    if (composed.includes(display.id)) continue;
    yield at([...path, 'id'], `no compositor window composes display "${display.id}"`);
  }
}

function* windowsHoldBand(config: GatewayConfig): Iterable<Finding> {
  const { costs, schedule } = config;
  const leastNs = composeCostNs(costs) + costs.windowSwitchNs;
  for (const [w, window] of schedule.windows.entries()) {
    if (window.kind !== 'compositor' || nsOf(window.durationUs) >= leastNs) continue;
    yield at(
      ['schedule', 'windows', w, 'durationUs'],
      `window "${window.id}" has ${window.durationUs} µs; one band of a composition costs ` +
        `up to ${leastNs / 1000} µs with the window switch`,
    );
  }
}

export const DISPLAY_RULES: readonly Rule[] = [
  { name: 'duplicate-display-id', check: displayIds },
  { name: 'duplicate-plane-id', check: planeIds },
  { name: 'scanout-plane-unknown', check: scanoutPlanes },
  { name: 'plane-owned-twice', check: planesOwnedTwice },
  { name: 'plane-without-owner', check: planesWithoutOwner },
  { name: 'plane-outside-display', check: planesInside },
  { name: 'planes-of-same-z', check: planesOfSameHeight },
  { name: 'plane-covers-higher-asil', check: planesCovered },
  { name: 'plane-owner-below-asil', check: ownerLevels },
  { name: 'edid-impossible', check: edids },
  { name: 'warning-picture-wrong', check: warningPictures },
  { name: 'display-not-composed', check: displaysComposed },
  { name: 'compositor-window-short', check: windowsHoldBand },
];
