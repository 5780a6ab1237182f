/** The infotainment, drawn by its own driver. */
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { InfotainmentScene } from '../scenes/infotainment-scene.ts';
import { DisplayProgram } from './display-program.ts';

export class InfotainmentDisplay extends DisplayProgram {
  constructor(machine: GuestMachine, settings: ProgramSettings) {
    super(machine, settings, (parts) => new InfotainmentScene(parts));
  }
}
