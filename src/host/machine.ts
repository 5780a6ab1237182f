/** What machine this is, for measurements. */
import { cpus } from 'node:os';

export function machine(): { cpu: string; cores: number; node: string } {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    node: process.version,
  };
}
