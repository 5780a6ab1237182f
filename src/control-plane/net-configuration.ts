/** Device-specific configuration of a network device (5.1.4), read-only, with its generation. */
import type { PlanNetDevice } from '../schedule/gateway-plan.ts';
import { DUPLEX_FULL, NetConfig, NetStatus } from '../wire/virtio-net.ts';
import type { DeviceConfiguration } from './device-configuration.ts';
import { readBytes } from './pci/register-bytes.ts';

/** Rounded up so that 32-bit reads of the last field stay inside. */
const NET_CONFIG_BYTES = 20;

export class NetConfiguration implements DeviceConfiguration {
  readonly bytes = NET_CONFIG_BYTES;
  private readonly fields = new Uint8Array(NET_CONFIG_BYTES);
  private readonly view = new DataView(this.fields.buffer);
  private readonly words: Int32Array;
  private readonly statusIndex: number;
  private lastStatus: number;
  private changes = 0;

  constructor(device: PlanNetDevice, words: Int32Array, statusAt: number) {
    this.fields.set(device.mac, NetConfig.MAC);
    this.view.setUint16(NetConfig.MAX_VIRTQUEUE_PAIRS, device.queuePairs, true);
    this.view.setUint16(NetConfig.MTU, device.mtu, true);
    this.view.setUint32(NetConfig.SPEED, device.speedMbps, true);
    this.view.setUint8(NetConfig.DUPLEX, DUPLEX_FULL);
    this.words = words;
    this.statusIndex = statusAt >>> 2;
    this.lastStatus = Atomics.load(words, this.statusIndex);
  }

  get linkUp(): boolean {
    return (Atomics.load(this.words, this.statusIndex) & NetStatus.LINK_UP) !== 0;
  }

  /** Takes over the status word that both planes may change. */
  private refresh(): void {
    const status = Atomics.load(this.words, this.statusIndex);
    if (status !== this.lastStatus) this.changes++;
    this.lastStatus = status;
    this.view.setUint16(NetConfig.STATUS, status & 0xffff, true);
  }

  get generation(): number {
    this.refresh();
    return this.changes & 0xff;
  }

  read(offset: number, width: number): number {
    this.refresh();
    return readBytes(this.fields, offset, width, 0);
  }

  /** 5.1.4: every field is read-only for the driver. */
  write(): boolean {
    return false;
  }

  /** True when that changed the link. */
  setLink(up: boolean): boolean {
    return up ? this.changeStatus(NetStatus.LINK_UP, 0) : this.changeStatus(0, NetStatus.LINK_UP);
  }

  /** Sets and clears bits of the status; true when that changed it. */
  changeStatus(set: number, clear: number): boolean {
    // Bit by bit: the data plane may clear the announce bit at the same time.
    const cleared = Atomics.and(this.words, this.statusIndex, ~clear) & clear;
    const added = set & ~Atomics.or(this.words, this.statusIndex, set);
    return cleared !== 0 || added !== 0;
  }
}
