/** Rules about the protected regions of displays. */
import { rectangleOf } from '../../../schedule/display-plan.ts';
import type { GatewayConfig } from '../../../schedule/gateway-config.ts';
import { didYouMean, type Finding } from '../validator.ts';
import { everyDisplay, everyRegion } from './display-entries.ts';
import { liesIn, meets } from './display-rules.ts';
import { at, duplicates, type Rule } from './rule.ts';

const US_PER_S = 1e6;

function* regionIds(config: GatewayConfig): Iterable<Finding> {
  for (const { display, path } of everyDisplay(config)) {
    yield* duplicates(
      (display.protectedRegions ?? []).map((region, r) => ({
        value: `${display.id}.${region.id}`,
        path: [...path, 'protectedRegions', r, 'id'],
      })),
      'region id',
    );
  }
}

function* regionPlanes(config: GatewayConfig): Iterable<Finding> {
  for (const { display, region, plane, path } of everyRegion(config)) {
    if (plane) continue;
    const planes = display.planes.map(({ id }) => id);
    yield at(
      [...path, 'plane'],
      `display "${display.id}" has no plane "${region.plane}".${didYouMean(region.plane, planes)}`,
    );
  }
}

function* regionsInside(config: GatewayConfig): Iterable<Finding> {
  for (const { region, plane, path } of everyRegion(config)) {
    if (!plane) continue;
    const { width, height } = rectangleOf(plane.rectPx);
    if (liesIn(rectangleOf(region.rectPx), width, height)) continue;
    yield at(
      [...path, 'rectPx'],
      `region "${region.id}" is [${region.rectPx.join(', ')}]; ` +
        `it must have pixels, all of them on plane "${plane.id}" of ${width} x ${height}`,
    );
  }
}

function* regionsCovered(config: GatewayConfig): Iterable<Finding> {
  for (const { display, region, plane, path } of everyRegion(config)) {
    if (!plane) continue;
    const own = rectangleOf(plane.rectPx);
    const { x, y, width, height } = rectangleOf(region.rectPx);
    const area = { x: own.x + x, y: own.y + y, width, height };
    for (const other of display.planes) {
      if (other.z <= plane.z || !meets(area, rectangleOf(other.rectPx))) continue;
      yield at(
        [...path, 'rectPx'],
        `plane "${other.id}" covers region "${region.id}"; a protected region must be visible`,
      );
    }
  }
}

/** A region that no refresh can bring up to date in time would always be late. */
function* regionTimes(config: GatewayConfig): Iterable<Finding> {
  for (const { display, region, path } of everyRegion(config)) {
    const { frozenAfterUs } = region;
    const refreshUs = US_PER_S / display.refreshHz;
    if (frozenAfterUs === undefined || frozenAfterUs > refreshUs) continue;
    yield at(
      [...path, 'frozenAfterUs'],
      `"frozenAfterUs" is ${frozenAfterUs}; it must be longer than one refresh of ` +
        `"${display.id}", ${refreshUs.toFixed(3)} µs`,
    );
  }
}

export const REGION_RULES: readonly Rule[] = [
  { name: 'duplicate-region-id', check: regionIds },
  { name: 'region-plane-unknown', check: regionPlanes },
  { name: 'region-outside-plane', check: regionsInside },
  { name: 'region-covered', check: regionsCovered },
  { name: 'region-frozen-too-soon', check: regionTimes },
];
