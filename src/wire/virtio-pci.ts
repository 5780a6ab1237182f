/** PCI configuration space and virtio registers of an emulated function (VIRTIO 1.4, 4.1). */

export const VIRTIO_PCI_VENDOR = 0x1af4;
export const VIRTIO_PCI_DEVICE_BASE = 0x1040;
export const VIRTIO_PCI_DEVICE_LAST = 0x107f;

/** Header type 0 of a PCI function. */
export const PciHeader = {
  VENDOR: 0x00,
  DEVICE: 0x02,
  COMMAND: 0x04,
  STATUS: 0x06,
  REVISION: 0x08,
  CLASS: 0x09,
  HEADER_TYPE: 0x0e,
  BAR0: 0x10,
  SUBSYSTEM_VENDOR: 0x2c,
  SUBSYSTEM: 0x2e,
  CAPABILITIES: 0x34,
  INTERRUPT_LINE: 0x3c,
  INTERRUPT_PIN: 0x3d,
  SIZE: 256,
} as const;
export const PCI_STATUS_CAPABILITIES = 0x10;
export const PciCommand = { MEMORY: 2, BUS_MASTER: 4 } as const;
/** Class code of a function: network controller (Ethernet), display controller (other). */
export const PCI_CLASS = { 'virtio-net': 0x020000, 'virtio-gpu': 0x038000 } as const;

export const PciCapabilityId = { VENDOR: 0x09, MSIX: 0x11 } as const;

/** struct virtio_pci_cap (4.1.4). */
export const VirtioPciCap = {
  ID: 0,
  NEXT: 1,
  LEN: 2,
  CFG_TYPE: 3,
  BAR: 4,
  INSTANCE: 5,
  OFFSET: 8,
  LENGTH: 12,
  SIZE: 16,
  NOTIFY_OFF_MULTIPLIER: 16,
  NOTIFY_SIZE: 20,
  PCI_CFG_DATA: 16,
  PCI_CFG_SIZE: 20,
} as const;
export const VirtioPciCapType = { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4, PCI_ACCESS: 5 } as const;

/** MSI-X capability and table entry (PCI local bus specification 3.0, 6.8.2). */
export const Msix = {
  CONTROL: 2,
  TABLE: 4,
  PBA: 8,
  SIZE: 12,
  ENABLE: 0x8000,
  FUNCTION_MASK: 0x4000,
  ENTRY_SIZE: 16,
  ENTRY_DATA: 8,
  ENTRY_CONTROL: 12,
} as const;

/** struct virtio_pci_common_cfg (4.1.4.3). */
export const CommonConfig = {
  DEVICE_FEATURE_SELECT: 0x00,
  DEVICE_FEATURE: 0x04,
  DRIVER_FEATURE_SELECT: 0x08,
  DRIVER_FEATURE: 0x0c,
  CONFIG_MSIX_VECTOR: 0x10,
  NUM_QUEUES: 0x12,
  DEVICE_STATUS: 0x14,
  CONFIG_GENERATION: 0x15,
  QUEUE_SELECT: 0x16,
  QUEUE_SIZE: 0x18,
  QUEUE_MSIX_VECTOR: 0x1a,
  QUEUE_ENABLE: 0x1c,
  QUEUE_NOTIFY_OFF: 0x1e,
  QUEUE_DESC: 0x20,
  QUEUE_DRIVER: 0x28,
  QUEUE_DEVICE: 0x30,
  QUEUE_NOTIFY_CONFIG_DATA: 0x38,
  QUEUE_RESET: 0x3a,
  SIZE: 0x40,
} as const;

export const NO_VECTOR = 0xffff;

/** Where the five structures lie in BAR 0 of every function of this gateway. */
export const BarLayout = {
  COMMON: 0x0000,
  ISR: 0x1000,
  DEVICE: 0x2000,
  NOTIFY: 0x3000,
  MSIX_TABLE: 0x4000,
  MSIX_PBA: 0x5000,
  SIZE: 0x8000,
  NOTIFY_MULTIPLIER: 4,
} as const;
