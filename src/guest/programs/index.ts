/** The embedded programs by the name they have in a configuration. */
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { Babbler } from './babbler.ts';
import { Echo } from './echo.ts';
import { Traffic } from './traffic.ts';

export interface Program {
  /** One round of work; returns soon, so that a stop is seen. */
  step(): void;
}

export const PROGRAMS: Readonly<
  Record<string, new (machine: GuestMachine, settings: ProgramSettings) => Program>
> = { babbler: Babbler, echo: Echo, traffic: Traffic };
