/** A driver at register level, honest or not: every access is one call, every width is its caller's choice. */
import { netPlan } from './network.ts';
import type { VirtioFunction } from '../../src/control-plane/pci/virtio-function.ts';
import type { PlanDevice } from '../../src/schedule/gateway-plan.ts';
import { bitOf, bitsOf, hasBit } from '../../src/wire/features.ts';
import { DeviceStatus } from '../../src/wire/virtio.ts';
import {
  BarLayout,
  CommonConfig,
  Msix,
  NO_VECTOR,
  PciCommand,
  PciHeader,
} from '../../src/wire/virtio-pci.ts';
import type { FunctionBench } from './function-bench.ts';
import { ringFor } from './rig.ts';
import { GuestSlice, type RingDouble } from './ring-double.ts';

/** Natural width of every register of the common configuration structure (4.1.4.3). */
export const COMMON_WIDTHS: ReadonlyMap<number, number> = new Map([
  [CommonConfig.DEVICE_FEATURE_SELECT, 4],
  [CommonConfig.DEVICE_FEATURE, 4],
  [CommonConfig.DRIVER_FEATURE_SELECT, 4],
  [CommonConfig.DRIVER_FEATURE, 4],
  [CommonConfig.CONFIG_MSIX_VECTOR, 2],
  [CommonConfig.NUM_QUEUES, 2],
  [CommonConfig.DEVICE_STATUS, 1],
  [CommonConfig.CONFIG_GENERATION, 1],
  [CommonConfig.QUEUE_SELECT, 2],
  [CommonConfig.QUEUE_SIZE, 2],
  [CommonConfig.QUEUE_MSIX_VECTOR, 2],
  [CommonConfig.QUEUE_ENABLE, 2],
  [CommonConfig.QUEUE_NOTIFY_OFF, 2],
  [CommonConfig.QUEUE_DESC, 4],
  [CommonConfig.QUEUE_DESC + 4, 4],
  [CommonConfig.QUEUE_DRIVER, 4],
  [CommonConfig.QUEUE_DRIVER + 4, 4],
  [CommonConfig.QUEUE_DEVICE, 4],
  [CommonConfig.QUEUE_DEVICE + 4, 4],
  [CommonConfig.QUEUE_NOTIFY_CONFIG_DATA, 2],
  [CommonConfig.QUEUE_RESET, 2],
]);

const RING_PACKED = bitOf('virtio-net', 'VIRTIO_F_RING_PACKED');
const PER_QUEUE_FROM = CommonConfig.QUEUE_SIZE;
const { ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK } = DeviceStatus;

export interface QueueOptions {
  readonly size?: number;
  readonly vector?: number;
}

export interface StartOptions {
  /** Features to accept; everything offered without. */
  readonly features?: readonly string[];
  /** Queue indices to set up; the first pair without. */
  readonly queues?: readonly number[];
  readonly vector?: number;
}

export class RegisterDriver {
  readonly target: VirtioFunction;
  readonly plan: PlanDevice;
  readonly slice: GuestSlice;
  readonly rings = new Map<number, RingDouble>();
  private readonly bench: FunctionBench;
  private acceptsPacked = false;

  constructor(bench: FunctionBench, device = 0) {
    this.bench = bench;
    this.target = bench.functions[device]!;
    this.plan = bench.plan.devices[device]!;
    const area = bench.areaOf(device);
    this.slice = new GuestSlice(bench.plane.arena, area.sliceAt, area.sliceBytes);
    this.target.writeConfig(PciHeader.COMMAND, 2, PciCommand.MEMORY | PciCommand.BUS_MASTER);
  }

  read(register: number, width = COMMON_WIDTHS.get(register)!): number {
    return this.target.readBar(BarLayout.COMMON + register, width) >>> 0;
  }

  write(register: number, value: number, width = COMMON_WIDTHS.get(register)!, high = 0): void {
    this.target.writeBar(BarLayout.COMMON + register, width, value >>> 0, high >>> 0);
  }

  get status(): number {
    return this.read(CommonConfig.DEVICE_STATUS);
  }

  set status(value: number) {
    this.write(CommonConfig.DEVICE_STATUS, value);
  }

  /** Writes 0, lets the data plane acknowledge, and reads the status, as 4.1.4.3.2 wants; the status. */
  reset(): number {
    this.status = 0;
    this.bench.settle();
    return this.status;
  }

  offered(word: number): number {
    this.write(CommonConfig.DEVICE_FEATURE_SELECT, word);
    return this.read(CommonConfig.DEVICE_FEATURE);
  }

  accept(word: number, bits: number): void {
    this.write(CommonConfig.DRIVER_FEATURE_SELECT, word);
    this.write(CommonConfig.DRIVER_FEATURE, bits);
    if (word === 1) this.acceptsPacked = hasBit({ low: 0, high: bits }, RING_PACKED);
  }

  acceptNames(names: readonly string[]): void {
    const { low, high } = bitsOf('virtio-net', names);
    this.accept(0, low);
    this.accept(1, high);
  }

  /** Steps 1 to 6 of 3.1.1; the status afterwards. */
  negotiate(features?: readonly string[]): number {
    this.reset();
    this.status = ACKNOWLEDGE;
    this.status = ACKNOWLEDGE | DRIVER;
    if (features) this.acceptNames(features);
    else for (const word of [0, 1]) this.accept(word, this.offered(word));
    this.status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    return this.status;
  }

  select(queue: number): void {
    this.write(CommonConfig.QUEUE_SELECT, queue);
  }

  writeAddress(register: number, address: number): void {
    this.write(register, address % 2 ** 32);
    this.write(register + 4, Math.floor(address / 2 ** 32));
  }

  /** Sets one queue up, without enabling it. */
  configure(
    queue: number,
    { size = this.plan.queueSizeMax, vector = NO_VECTOR }: QueueOptions = {},
  ): RingDouble {
    const ring = ringFor(this.acceptsPacked, this.slice, size);
    this.rings.set(queue, ring);
    this.select(queue);
    this.write(CommonConfig.QUEUE_SIZE, size);
    this.write(CommonConfig.QUEUE_MSIX_VECTOR, vector);
    this.writeAddress(CommonConfig.QUEUE_DESC, ring.desc);
    this.writeAddress(CommonConfig.QUEUE_DRIVER, ring.avail);
    this.writeAddress(CommonConfig.QUEUE_DEVICE, ring.used);
    return ring;
  }

  enable(queue: number): void {
    this.select(queue);
    this.write(CommonConfig.QUEUE_ENABLE, 1);
  }

  setUp(queue: number, options: QueueOptions = {}): RingDouble {
    const ring = this.configure(queue, options);
    this.enable(queue);
    return ring;
  }

  driverOk(): void {
    this.status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
    this.bench.settle();
  }

  /** Everything up to a live device. */
  start({ features, queues = [0, 1], vector = NO_VECTOR }: StartOptions = {}): this {
    this.negotiate(features);
    for (const queue of queues) this.setUp(queue, { vector });
    this.driverOk();
    return this;
  }

  ring(queue: number): RingDouble {
    return this.rings.get(queue)!;
  }

  /** Exposes a packet to itself on a transmitq: nobody gets it, and its buffer comes back. */
  transmit(queue = 1, bytes = 60): void {
    const address = this.slice.allocate(12 + bytes);
    const { mac } = netPlan(this.plan);
    this.slice.write(address, [...new Array<number>(12).fill(0), ...mac, ...mac]);
    this.ring(queue).submit([{ address, length: 12 + bytes }]);
  }

  enableMsix(on = true): void {
    const at = this.target.space.msixAt + Msix.CONTROL;
    const control = this.target.readConfig(at, 2);
    this.target.writeConfig(at, 2, on ? control | Msix.ENABLE : control & ~Msix.ENABLE);
  }

  mask(vector: number, masked: boolean): void {
    const at = BarLayout.MSIX_TABLE + vector * Msix.ENTRY_SIZE + Msix.ENTRY_CONTROL;
    this.target.writeBar(at, 4, masked ? 1 : 0, 0);
  }

  /** Every register that a driver can read, for each queue; the selects are put back. */
  snapshot(): Record<string, number> {
    const queueSelect = this.read(CommonConfig.QUEUE_SELECT);
    const state: Record<string, number> = {};
    for (const register of COMMON_WIDTHS.keys()) {
      if (register < PER_QUEUE_FROM) state[`0x${register.toString(16)}`] = this.read(register);
    }
    for (let queue = 0; queue < this.plan.queues.length; queue++) {
      this.select(queue);
      for (const register of COMMON_WIDTHS.keys()) {
        if (register >= PER_QUEUE_FROM)
          state[`q${queue} 0x${register.toString(16)}`] = this.read(register);
      }
    }
    this.select(queueSelect);
    return state;
  }
}
