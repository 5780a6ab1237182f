/** Builds the GPU devices of a plan, the planes they draw, and the compositors of the displays. */
import { crc32Tables } from '../../base/crc32.ts';
import { ScanoutState } from '../../channel/scanout-state.ts';
import type { PlanGpuDevice, PlanPlane, PlanQueue } from '../../schedule/gateway-plan.ts';
import { edidBlock } from '../../wire/edid.ts';
import { bitOf, hasBit } from '../../wire/features.ts';
import { GpuCommand as Type } from '../../wire/virtio-gpu.ts';
import { FlowProbe } from '../flow-probe.ts';
import { chainOf, memoryOf, type PlaneParts as Parts } from '../plane-parts.ts';
import type { QueueService } from '../queue-service.ts';
import { controlCommands, cursorCommands } from './commands/index.ts';
import { Compositor } from './compositor.ts';
import { GpuDevice } from './gpu-device.ts';
import { GpuRequest } from './gpu-request.ts';
import { GpuService } from './gpu-service.ts';
import { Plane } from './plane.ts';
import { PlaneUpdate } from './plane-update.ts';
import { ProtectedRegion } from './protected-region.ts';

const EDID = bitOf('virtio-gpu', 'VIRTIO_GPU_F_EDID');
const NS_PER_S = 1e9;
/** No command has this type: nothing of the queue is measured. */
const NOTHING = 0;

export class GpuBuilder {
  /** By number of the display. */
  readonly compositors: readonly Compositor[];
  private readonly parts: Parts;
  private readonly planes: readonly Plane[];
  private readonly devices = new Map<number, GpuDevice>();

  constructor(parts: Parts) {
    const { plan, arena } = parts;
    this.parts = parts;
    if (plan.displays.length > 0) {
      arena.i32.set(crc32Tables(), plan.layout.crcTablesAt >>> 2);
    }
    this.planes = plan.planes.map((plane) => this.plane(plane));
    for (const device of plan.devices) {
      if (device.type === 'virtio-gpu') this.devices.set(device.index, this.build(device));
    }
    this.compositors = plan.displays.map(
      (display) =>
        new Compositor({
          ...parts,
          plan: display,
          planes: display.planes.map((plane) => this.planes[plane]!),
          pixelsAt: plan.layout.displays[display.index]!.pixelsAt,
          crcTablesAt: plan.layout.crcTablesAt,
        }),
    );
  }

  private plane(planned: PlanPlane): Plane {
    const { plan, arena, partitions } = this.parts;
    const area = plan.layout.planes[planned.index]!;
    const device = plan.devices[planned.device];
    return new Plane({
      ...area,
      plan: planned,
      owner: device && partitions[device.partition],
      queue: device?.queues[0] ?? -1,
      state: new ScanoutState(arena.i32, area.stateAt),
      regions: planned.regions.map((region) => new ProtectedRegion(plan.regions[region]!)),
    });
  }

  private build(device: PlanGpuDevice): GpuDevice {
    const { parts } = this;
    const planes = device.planes.map((plane) => this.planes[plane]!);
    return new GpuDevice({
      plan: device,
      partition: parts.partitions[device.partition]!,
      memory: memoryOf(parts, device),
      arena: parts.arena,
      resourcesAt: parts.plan.layout.devices[device.index]!.resourcesAt,
      planes,
      edids: hasBit(device.offered, EDID) ? planes.map((plane) => this.edid(plane)) : [],
    });
  }

  /** What a scanout says of its display: the size of its plane, the display's rate and name. */
  private edid({ plan: { index, id, display, rectangle } }: Plane): Int32Array {
    const { refreshNs } = this.parts.plan.displays[display]!;
    const mode = {
      widthPx: rectangle.width,
      heightPx: rectangle.height,
      refreshHz: Math.round(NS_PER_S / refreshNs),
    };
    return new Int32Array(edidBlock(mode, id, index + 1).buffer);
  }

  /** The GPU device of this number; there is one wherever a plan names one. */
  device(index: number): GpuDevice {
    return this.devices.get(index)!;
  }

  service({ index, device: deviceIndex, role }: PlanQueue): QueueService {
    const { parts } = this;
    const { plan, arena, counters, time } = parts;
    const device = this.device(deviceIndex);
    const chain = chainOf(parts, device.memory, device.plan.descriptorsMax);
    const isCursor = role === 'cursor';
    const { resources } = device;
    const update = new PlaneUpdate(arena, resources, time, plan.layout.crcTablesAt);
    return new GpuService({
      ...parts,
      device,
      update,
      queue: parts.queues[index]!,
      request: new GpuRequest(arena, chain, plan.layout.scratchAt),
      commands: isCursor ? cursorCommands(device) : controlCommands(device, update),
      measuredType: isCursor ? NOTHING : Type.RESOURCE_FLUSH,
      isCursor,
      probes: plan.flows
        .filter((flow) => flow.queue === index)
        .map((flow) => new FlowProbe(flow, counters, time)),
    });
  }
}
