/** An embedded guest with a GPU on a real data plane and a virtual clock, without threads. */
import { GpuDevice } from '../../src/data-plane/gpu/gpu-device.ts';
import { BenchMachine } from './bench-machine.ts';
import { FunctionBench } from './function-bench.ts';
import { gpuRigConfig, type GpuRigOptions } from './gpu-rig.ts';

export class GpuGuest {
  readonly bench: FunctionBench;
  readonly machine: BenchMachine;
  private readonly words: Int32Array;

  /** The guest is the first partition. */
  constructor(options: GpuRigOptions = {}) {
    this.bench = new FunctionBench({}, gpuRigConfig(options));
    this.machine = new BenchMachine(this.bench);
    this.words = new Int32Array(this.bench.memory.buffer);
  }

  get device(): GpuDevice {
    const device = this.bench.plane.devices[0];
    if (!(device instanceof GpuDevice)) throw new Error('the first device is no GPU');
    return device;
  }

  /** Pixels of the plane with this number. */
  plane(index = 0): Int32Array {
    const { pixelsAt, bytes } = this.bench.plan.layout.planes[index]!;
    return this.words.slice(pixelsAt / 4, (pixelsAt + bytes) / 4);
  }

  /** Pixels of the composed display. */
  display(): Int32Array {
    const { pixelsAt, bytes } = this.bench.plan.layout.displays[0]!;
    return this.words.slice(pixelsAt / 4, (pixelsAt + bytes) / 4);
  }

  statistic(statistic: number): number {
    return this.machine.statistics.get(statistic);
  }

  /** Names of the faults of partition 0 that occurred, with their counts. */
  fault(code: number): number {
    return this.bench.counters.fault(0, code);
  }
}
