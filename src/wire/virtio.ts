/** Names and numbers of VIRTIO version 1.4 that all device types share (2.1, 5). */

/** Device status bits (2.1). */
export const DeviceStatus = {
  ACKNOWLEDGE: 1,
  DRIVER: 2,
  DRIVER_OK: 4,
  FEATURES_OK: 8,
  DEVICE_NEEDS_RESET: 64,
  FAILED: 128,
} as const;

/** Device type numbers (5). */
export const DEVICE_TYPE_ID = { 'virtio-net': 1, 'virtio-gpu': 16 } as const;
export type DeviceType = keyof typeof DEVICE_TYPE_ID;
