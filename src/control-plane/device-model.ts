/** What the gateway asks of a device model, emulated or served over vhost-user. */
export interface DeviceModel {
  /** Whether the driver is shown a link that is up. */
  readonly linkUp: boolean;
  setLink(up: boolean): void;
  /** 2.1.2: the device stops until its driver resets it. */
  needsReset(): void;
}
