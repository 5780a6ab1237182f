/** The instrument cluster, drawn by its own driver. */
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { ClusterScene } from '../scenes/cluster-scene.ts';
import { DisplayProgram } from './display-program.ts';

export class ClusterDisplay extends DisplayProgram {
  constructor(machine: GuestMachine, settings: ProgramSettings) {
    super(machine, settings, (parts) => new ClusterScene(parts));
  }
}
