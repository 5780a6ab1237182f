/** Of planes and plans whose devices may be of any type: those that are network devices. */
import { NetDevice } from '../../src/data-plane/net/net-device.ts';
import type { DataPlane } from '../../src/data-plane/data-plane.ts';
import type { PlanDevice, PlanNetDevice } from '../../src/schedule/gateway-plan.ts';
import { NetConfiguration } from '../../src/control-plane/net-configuration.ts';
import type { DeviceConfiguration } from '../../src/control-plane/device-configuration.ts';

export function networkOf(plane: DataPlane, index = 0): NetDevice {
  const device = plane.devices[index];
  if (device instanceof NetDevice) return device;
  throw new Error(`device ${index} is no network device`);
}

export function netPlan(device: PlanDevice | undefined): PlanNetDevice {
  if (device?.type === 'virtio-net') return device;
  throw new Error('this is no network device');
}

export function netConfiguration(config: DeviceConfiguration): NetConfiguration {
  if (config instanceof NetConfiguration) return config;
  throw new Error('this is no configuration of a network device');
}
