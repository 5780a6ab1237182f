/** The embedded programs by the name they have in a configuration. */
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { Babbler } from './babbler.ts';
import { ClusterDisplay } from './cluster-display.ts';
import { Echo } from './echo.ts';
import { GpuBabbler } from './gpu-babbler.ts';
import { InfotainmentDisplay } from './infotainment-display.ts';
import { Traffic } from './traffic.ts';

export interface Program {
  /** One round of work; returns soon, so that a stop is seen. */
  step(): void;
}

export const PROGRAMS: Readonly<
  Record<string, new (machine: GuestMachine, settings: ProgramSettings) => Program>
> = {
  babbler: Babbler,
  'cluster-display': ClusterDisplay,
  echo: Echo,
  'gpu-babbler': GpuBabbler,
  'infotainment-display': InfotainmentDisplay,
  traffic: Traffic,
};
