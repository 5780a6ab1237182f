/**
 * Every display, plane, protected region and scanout, with its place and what the rules ask about
 * it.
 */
import type {
  Asil,
  DisplayConfig,
  GatewayConfig,
  GpuDeviceConfig,
  PlaneConfig,
  ProtectedRegionConfig,
} from '../../../schedule/gateway-config.ts';
import type { JsonPath } from '../json-source.ts';

export interface FoundDisplay {
  readonly display: DisplayConfig;
  readonly path: JsonPath;
}

export interface FoundPlane extends FoundDisplay {
  readonly plane: PlaneConfig;
  /** `<display>.<plane>`. */
  readonly id: string;
}

interface FoundRegion extends FoundDisplay {
  readonly region: ProtectedRegionConfig;
  /** Undefined where there is none of its name. */
  readonly plane: PlaneConfig | undefined;
}

interface FoundScanout {
  /** The plane that it names, as `<display>.<plane>`. */
  readonly planeId: string;
  readonly scanout: GpuDeviceConfig['scanouts'][number];
  /** `<partition>.<device>`. */
  readonly deviceId: string;
  readonly device: GpuDeviceConfig;
  readonly partition: { readonly id: string; readonly asil: Asil };
  readonly path: JsonPath;
}

export function* everyDisplay(config: GatewayConfig): Iterable<FoundDisplay> {
  for (const [d, display] of (config.displays ?? []).entries()) {
    yield { display, path: ['displays', d] };
  }
}

export function* everyPlane(config: GatewayConfig): Iterable<FoundPlane> {
  for (const { display, path } of everyDisplay(config)) {
    for (const [p, plane] of display.planes.entries()) {
      yield { display, plane, path: [...path, 'planes', p], id: `${display.id}.${plane.id}` };
    }
  }
}

export function* everyRegion(config: GatewayConfig): Iterable<FoundRegion> {
  for (const { display, path } of everyDisplay(config)) {
    for (const [r, region] of (display.protectedRegions ?? []).entries()) {
      const plane = display.planes.find(({ id }) => id === region.plane);
      yield { display, region, plane, path: [...path, 'protectedRegions', r] };
    }
  }
}

export function* everyScanout(config: GatewayConfig): Iterable<FoundScanout> {
  for (const [p, partition] of config.partitions.entries()) {
    for (const [d, device] of partition.devices.entries()) {
      if (device.type !== 'virtio-gpu') continue;
      for (const [s, scanout] of device.scanouts.entries()) {
        yield {
          planeId: `${scanout.display}.${scanout.plane}`,
          scanout,
          deviceId: `${partition.id}.${device.id}`,
          device,
          partition,
          path: ['partitions', p, 'devices', d, 'scanouts', s],
        };
      }
    }
  }
}

/** Scanouts that show on a plane. */
export function scanoutsOf(config: GatewayConfig, { id }: FoundPlane): FoundScanout[] {
  return [...everyScanout(config)].filter(({ planeId }) => planeId === id);
}
