/** Rules about the programs of embedded guests: what they drive, and what they draw. */
import { CITY } from '../../../guest/scenes/city-map.ts';
import { PIXEL_BYTES } from '../../../schedule/arena-layout.ts';
import type { EmbeddedProgram, GatewayConfig } from '../../../schedule/gateway-config.ts';
import type { DeviceType } from '../../../wire/virtio.ts';
import type { Finding } from '../validator.ts';
import { at, type Rule } from './rule.ts';

/** What a program cannot do without. */
const DRIVES: Readonly<Record<EmbeddedProgram, DeviceType>> = {
  traffic: 'virtio-net',
  echo: 'virtio-net',
  babbler: 'virtio-net',
  'cluster-display': 'virtio-gpu',
  'infotainment-display': 'virtio-gpu',
  'gpu-babbler': 'virtio-gpu',
};

/** Guest memory for what a display program draws only once; `pictures`: two for each scanout. */
export function sceneBytes(program: EmbeddedProgram, pictures: number): number {
  if (program === 'cluster-display') return pictures / 2;
  return program === 'infotainment-display' ? CITY.width * CITY.height * PIXEL_BYTES : 0;
}

function* programDevices(config: GatewayConfig): Iterable<Finding> {
  for (const [p, { id, guest, devices }] of config.partitions.entries()) {
    if (guest.type !== 'embedded') continue;
    const needed = DRIVES[guest.program];
    if (devices.some(({ type }) => type === needed)) continue;
    yield at(
      ['partitions', p, 'guest', 'program'],
      `program "${guest.program}" drives a ${needed} device; partition "${id}" has none`,
    );
  }
}

export const PROGRAM_RULES: readonly Rule[] = [
  { name: 'program-without-device', check: programDevices },
];
