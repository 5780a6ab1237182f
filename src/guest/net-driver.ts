/** A network driver on one receive and one transmit queue: frames in, frames out. */
import { EMBEDDED_BUFFER_BYTES } from '../schedule/arena-layout.ts';
import { bitOf, bitsOf, hasBit } from '../wire/features.ts';
import { NetConfig, NetHeader, NetStatus } from '../wire/virtio-net.ts';
import type { DriverQueue } from './driver-queue.ts';
import type { GuestMachine } from './guest-machine.ts';
import { enumerateVirtio } from './pci-bus.ts';
import { DriverError, VirtioDriver } from './virtio-driver.ts';

const WANTED = bitsOf('virtio-net', [
  'VIRTIO_F_VERSION_1',
  'VIRTIO_RING_F_EVENT_IDX',
  'VIRTIO_NET_F_MAC',
  'VIRTIO_NET_F_MTU',
  'VIRTIO_NET_F_STATUS',
]);
const EVENT_IDX = bitOf('virtio-net', 'VIRTIO_RING_F_EVENT_IDX');
/** 5.1.5: without the mac field the driver chooses an address of its own. */
const LOCALLY_ADMINISTERED = 0x02;
const MAC = bitOf('virtio-net', 'VIRTIO_NET_F_MAC');
const STATUS = bitOf('virtio-net', 'VIRTIO_NET_F_STATUS');
const RECEIVE_VECTOR = 1;
const TRANSMIT_VECTOR = 2;

export class NetDriver {
  readonly mac: readonly number[];
  private readonly driver: VirtioDriver;
  private readonly machine: GuestMachine;
  private readonly receiveq: DriverQueue;
  private readonly transmitq: DriverQueue;
  private readonly receiveWord: number;
  /** Transmit buffers that the device does not have. */
  private readonly free: Uint16Array;
  private freeCount: number;
  private received = -1;

  constructor(machine: GuestMachine, functionNumber: number) {
    const pci = enumerateVirtio(machine).find((candidate) => candidate.number === functionNumber);
    if (!pci) throw new DriverError(`no virtio function ${functionNumber} on the bus`);
    this.machine = machine;
    const driver = new VirtioDriver(machine, pci);
    this.driver = driver;
    driver.negotiate(WANTED);
    const eventIdx = hasBit(driver.negotiated, EVENT_IDX);
    this.mac = hasBit(driver.negotiated, MAC)
      ? Array.from({ length: 6 }, (_, n) => driver.deviceConfig(NetConfig.MAC + n))
      : [LOCALLY_ADMINISTERED, 0, 0, 0, 0, functionNumber];
    this.receiveq = driver.setUpQueue(0, RECEIVE_VECTOR, EMBEDDED_BUFFER_BYTES, eventIdx);
    this.transmitq = driver.setUpQueue(1, TRANSMIT_VECTOR, EMBEDDED_BUFFER_BYTES, eventIdx);
    this.receiveWord = machine.vectorWord(functionNumber, RECEIVE_VECTOR);
    this.transmitq.disarmNotification();
    this.free = Uint16Array.from({ length: this.transmitq.size }, (_, n) => n);
    this.freeCount = this.transmitq.size;
    for (let n = 0; n < this.receiveq.size; n++)
      this.receiveq.expose(n, EMBEDDED_BUFFER_BYTES, true);
    this.receiveq.publish();
    driver.driverOk();
  }

  /** 5.1.4.2: without the status field the link counts as up. */
  get linkUp(): boolean {
    if (!hasBit(this.driver.negotiated, STATUS)) return true;
    return (this.driver.deviceConfig(NetConfig.STATUS) & NetStatus.LINK_UP) !== 0;
  }

  /** Where the next packet may be written, or 0 when the device has every buffer. */
  transmitBuffer(): number {
    this.reclaim();
    if (this.freeCount === 0) return 0;
    return this.transmitq.bufferAt(this.free[this.freeCount - 1]!) + NetHeader.SIZE;
  }

  private reclaim(): void {
    for (let n = 0; n < this.transmitq.size; n++) {
      const index = this.transmitq.reap();
      if (index < 0) return;
      this.free[this.freeCount++] = index;
    }
  }

  /** Hands over the buffer that {@link transmitBuffer} gave, with a packet of so many bytes. */
  transmit(bytes: number): void {
    const index = this.free[--this.freeCount]!;
    this.machine.u8.fill(
      0,
      this.transmitq.bufferAt(index),
      this.transmitq.bufferAt(index) + NetHeader.SIZE,
    );
    this.transmitq.expose(index, NetHeader.SIZE + bytes, false);
  }

  /** Makes handed-over packets visible to the device. */
  flush(): void {
    this.transmitq.publish();
  }

  /** Length of the next received packet, or -1; it lies at {@link receivedAt}. */
  receive(): number {
    this.received = this.receiveq.reap();
    return this.received < 0 ? -1 : Math.max(0, this.receiveq.usedLength - NetHeader.SIZE);
  }

  get receivedAt(): number {
    return this.receiveq.bufferAt(this.received) + NetHeader.SIZE;
  }

  /** Gives the received packet's buffer back to the device. */
  release(): void {
    this.receiveq.expose(this.received, EMBEDDED_BUFFER_BYTES, true);
    this.receiveq.publish();
  }

  /** Waits for a packet, for at most `ns` nanoseconds. */
  waitForPacket(ns: number): void {
    const seen = this.machine.interrupts(this.receiveWord);
    if (this.receiveq.armNotification()) return;
    this.machine.waitForInterrupt(this.receiveWord, seen, ns);
  }
}
