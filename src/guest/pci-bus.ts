/** The PCI bus as a guest sees it: configuration space, base address registers, capabilities. */
import { MailboxOperation } from '../channel/mailbox.ts';
import {
  PciCapabilityId,
  PciCommand,
  PciHeader,
  VIRTIO_PCI_DEVICE_BASE,
  VIRTIO_PCI_DEVICE_LAST,
  VIRTIO_PCI_VENDOR,
} from '../wire/virtio-pci.ts';
import type { GuestMachine } from './guest-machine.ts';

const FUNCTIONS_MAX = 32;
const CAPABILITIES_MAX = 48;
const NOTHING_THERE = 0xffff;
/** Where this guest puts base address registers: outside its memory. */
const BAR_WINDOW = 0xe000_0000;
const BAR_SPACING = 0x10_0000;

export interface Capability {
  readonly id: number;
  readonly at: number;
}

/** One function on the bus. */
export class PciFunction {
  private readonly machine: GuestMachine;
  readonly number: number;

  constructor(machine: GuestMachine, number: number) {
    this.machine = machine;
    this.number = number;
  }

  read(offset: number, width: 1 | 2 | 4): number {
    return this.machine.mailbox.access({
      operation: MailboxOperation.CONFIG_READ,
      function: this.number,
      offset,
      width,
      low: 0,
      high: 0,
    });
  }

  write(offset: number, width: 1 | 2 | 4, value: number): void {
    this.machine.mailbox.access({
      operation: MailboxOperation.CONFIG_WRITE,
      function: this.number,
      offset,
      width,
      low: value,
      high: 0,
    });
  }

  readBar(offset: number, width: 1 | 2 | 4): number {
    return this.machine.mailbox.access({
      operation: MailboxOperation.BAR_READ,
      function: this.number,
      offset,
      width,
      low: 0,
      high: 0,
    });
  }

  writeBar(offset: number, width: 1 | 2 | 4 | 8, low: number, high = 0): void {
    this.machine.mailbox.access({
      operation: MailboxOperation.BAR_WRITE,
      function: this.number,
      offset,
      width,
      low,
      high,
    });
  }

  /** Sizes BAR 0, gives it an address, and switches memory decoding and bus mastering on. */
  enable(): number {
    this.write(PciHeader.BAR0, 4, 0xffff_ffff);
    const size = (~(this.read(PciHeader.BAR0, 4) & ~0xf) + 1) >>> 0;
    this.write(PciHeader.BAR0, 4, BAR_WINDOW + this.number * BAR_SPACING);
    this.write(PciHeader.COMMAND, 2, PciCommand.MEMORY | PciCommand.BUS_MASTER);
    return size;
  }

  /** The capability list, in order; bounded, because the device may be wrong. */
  capabilities(): Capability[] {
    const found: Capability[] = [];
    let at = this.read(PciHeader.CAPABILITIES, 1) & ~3;
    for (let n = 0; n < CAPABILITIES_MAX && at !== 0; n++) {
      found.push({ id: this.read(at, 1), at });
      at = this.read(at + 1, 1) & ~3;
    }
    return found;
  }

  vendorCapabilities(): Capability[] {
    return this.capabilities().filter((capability) => capability.id === PciCapabilityId.VENDOR);
  }
}

/** 4.1.2.1: device ids of modern functions. */
function isModern(device: number): boolean {
  return device >= VIRTIO_PCI_DEVICE_BASE && device <= VIRTIO_PCI_DEVICE_LAST;
}

/** All virtio functions on the bus, by vendor and modern device id (4.1.2). */
export function enumerateVirtio(machine: GuestMachine): PciFunction[] {
  const found: PciFunction[] = [];
  for (let number = 0; number < FUNCTIONS_MAX; number++) {
    const pciFunction = new PciFunction(machine, number);
    const vendor = pciFunction.read(PciHeader.VENDOR, 2);
    if (vendor === NOTHING_THERE) continue;
    const device = pciFunction.read(PciHeader.DEVICE, 2);
    if (vendor === VIRTIO_PCI_VENDOR && isModern(device)) found.push(pciFunction);
  }
  return found;
}
