/**
 * The 256 bytes of a function's PCI configuration space, and which of them a driver may write
 * (4.1.2, 4.1.4).
 */
import {
  BarLayout,
  CommonConfig,
  Msix,
  PCI_CLASS,
  PCI_STATUS_CAPABILITIES,
  PciCapabilityId,
  PciCommand,
  PciHeader,
  VirtioPciCap,
  VirtioPciCapType,
  VIRTIO_PCI_DEVICE_BASE,
  VIRTIO_PCI_VENDOR,
} from '../../wire/virtio-pci.ts';
import { DEVICE_TYPE_ID, type DeviceType } from '../../wire/virtio.ts';
import { readBytes } from './register-bytes.ts';

const REVISION = 1;
const SUBSYSTEM = 0x40;
const FIRST_CAPABILITY = 0x40;
const BAR_SIZE_MASK = ~(BarLayout.SIZE - 1) >>> 0;

export interface FunctionShape {
  readonly type: DeviceType;
  readonly queues: number;
  readonly vectors: number;
  readonly deviceConfigBytes: number;
}

export class ConfigSpace {
  readonly bytes = new Uint8Array(PciHeader.SIZE);
  /** Where the two capabilities that have writable fields lie. */
  readonly msixAt: number;
  readonly pciAccessAt: number;
  private readonly view = new DataView(this.bytes.buffer);
  private readonly writable = new Uint8Array(PciHeader.SIZE);

  constructor(shape: FunctionShape) {
    this.header(shape);
    const caps = this.capabilities(shape);
    this.msixAt = caps.msixAt;
    this.pciAccessAt = caps.pciAccessAt;
    this.allow(PciHeader.COMMAND, [PciCommand.MEMORY | PciCommand.BUS_MASTER, 0x04]);
    this.allow(PciHeader.BAR0, [
      0,
      BAR_SIZE_MASK >>> 8,
      BAR_SIZE_MASK >>> 16,
      BAR_SIZE_MASK >>> 24,
    ]);
    this.allow(PciHeader.INTERRUPT_LINE, [0xff]);
    this.allow(this.msixAt + Msix.CONTROL, [0, 0xc0]);
    this.allow(this.pciAccessAt + VirtioPciCap.BAR, [0xff]);
    this.allow(this.pciAccessAt + VirtioPciCap.OFFSET, new Array<number>(8).fill(0xff));
    this.allow(this.pciAccessAt + VirtioPciCap.PCI_CFG_DATA, [0xff, 0xff, 0xff, 0xff]);
  }

  private header({ type }: FunctionShape): void {
    const { view } = this;
    const typeId = DEVICE_TYPE_ID[type];
    const classCode = PCI_CLASS[type];
    view.setUint16(PciHeader.VENDOR, VIRTIO_PCI_VENDOR, true);
    view.setUint16(PciHeader.DEVICE, VIRTIO_PCI_DEVICE_BASE + typeId, true);
    view.setUint16(PciHeader.STATUS, PCI_STATUS_CAPABILITIES, true);
    view.setUint8(PciHeader.REVISION, REVISION);
    view.setUint8(PciHeader.CLASS + 1, (classCode >>> 8) & 0xff);
    view.setUint8(PciHeader.CLASS + 2, classCode >>> 16);
    view.setUint16(PciHeader.SUBSYSTEM_VENDOR, VIRTIO_PCI_VENDOR, true);
    view.setUint16(PciHeader.SUBSYSTEM, SUBSYSTEM + typeId, true);
    view.setUint8(PciHeader.CAPABILITIES, FIRST_CAPABILITY);
  }

  /** The five virtio structures and MSI-X, one behind the other. */
  private capabilities(shape: FunctionShape): { msixAt: number; pciAccessAt: number } {
    const { view } = this;
    let at = FIRST_CAPABILITY;
    const virtio = (
      type: number,
      offset: number,
      length: number,
      size: number = VirtioPciCap.SIZE,
    ): number => {
      const here = at;
      at += size;
      view.setUint8(here + VirtioPciCap.ID, PciCapabilityId.VENDOR);
      view.setUint8(here + VirtioPciCap.NEXT, at);
      view.setUint8(here + VirtioPciCap.LEN, size);
      view.setUint8(here + VirtioPciCap.CFG_TYPE, type);
      view.setUint32(here + VirtioPciCap.OFFSET, offset, true);
      view.setUint32(here + VirtioPciCap.LENGTH, length, true);
      return here;
    };
    virtio(VirtioPciCapType.COMMON, BarLayout.COMMON, CommonConfig.SIZE);
    const notifyAt = virtio(
      VirtioPciCapType.NOTIFY,
      BarLayout.NOTIFY,
      shape.queues * BarLayout.NOTIFY_MULTIPLIER,
      VirtioPciCap.NOTIFY_SIZE,
    );
    view.setUint32(
      notifyAt + VirtioPciCap.NOTIFY_OFF_MULTIPLIER,
      BarLayout.NOTIFY_MULTIPLIER,
      true,
    );
    virtio(VirtioPciCapType.ISR, BarLayout.ISR, 1);
    virtio(VirtioPciCapType.DEVICE, BarLayout.DEVICE, shape.deviceConfigBytes);
    const pciAccessAt = virtio(VirtioPciCapType.PCI_ACCESS, 0, 0, VirtioPciCap.PCI_CFG_SIZE);
    const msixAt = at;
    view.setUint8(msixAt, PciCapabilityId.MSIX);
    view.setUint16(msixAt + Msix.CONTROL, shape.vectors - 1, true);
    view.setUint32(msixAt + Msix.TABLE, BarLayout.MSIX_TABLE, true);
    view.setUint32(msixAt + Msix.PBA, BarLayout.MSIX_PBA, true);
    return { msixAt, pciAccessAt };
  }

  private allow(at: number, masks: readonly number[]): void {
    masks.forEach((mask, n) => {
      this.writable[at + n] = mask;
    });
  }

  read(offset: number, width: number): number {
    return readBytes(this.bytes, offset, width, 0xff);
  }

  /** Writes the bits that may be written; the others keep their value. */
  write(offset: number, width: number, value: number): void {
    for (let n = 0; n < width && offset + n < PciHeader.SIZE; n++) {
      const mask = this.writable[offset + n]!;
      const byte = (value >>> (8 * n)) & 0xff;
      this.bytes[offset + n] = (this.bytes[offset + n]! & ~mask) | (byte & mask);
    }
  }

  get memoryEnabled(): boolean {
    return (this.bytes[PciHeader.COMMAND]! & PciCommand.MEMORY) !== 0;
  }

  get msixEnabled(): boolean {
    const control = this.read(this.msixAt + Msix.CONTROL, 2);
    return (control & (Msix.ENABLE | Msix.FUNCTION_MASK)) === Msix.ENABLE;
  }

  /** The configuration space in the form of `lspci -xxx`, for `lspci -F`. */
  hexDump(slot: number): string {
    const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
    const rows = Array.from(
      { length: PciHeader.SIZE / 16 },
      (_, row) =>
        `${hex(row * 16, 2)}: ${Array.from(this.bytes.subarray(row * 16, row * 16 + 16), (byte) => hex(byte, 2)).join(' ')}`,
    );
    return [`00:${hex(slot, 2)}.0 Ethernet controller: virtio function ${slot}`, ...rows, ''].join(
      '\n',
    );
  }
}
