/** `doctor`: what this host grants a gateway, and the line that would grant the rest. */
import { Arena } from '../data-plane/arena.ts';
import { ArenaMapping, SELF_TEST_BYTES } from '../host/arena-mapping.ts';
import { readBuiltFile } from '../host/files.ts';
import { clientGrants, hostGrants, type HostGrant } from '../host/host-grants.ts';
import { machine } from '../host/machine.ts';
import { WASM_PAGE } from '../schedule/arena-layout.ts';
import { parseArguments, type CommandShape } from './arguments.ts';
import { ExitCode } from './exit-code.ts';
import { textTable } from './text-table.ts';

export const DOCTOR_SHAPE: CommandShape = {
  positionals: [],
  options: { json: 'flag', debug: 'flag' },
};

/** Guests' memory files can be mapped, overlaid and copied from with this kernel and this V8. */
function arenaGrant(): HostGrant {
  const memory = Arena.memory(1 + SELF_TEST_BYTES / WASM_PAGE);
  const kernel = new WebAssembly.Module(readBuiltFile('data-plane/arena-kernel.wasm'));
  const { copy } = new Arena(memory, kernel);
  const problem = new ArenaMapping(memory).selfTest(WASM_PAGE, copy);
  return {
    item: 'memory files in the arena',
    granted: problem === undefined,
    detail: problem ?? 'mapped, overlaid and copied from',
    fix: 'use Node.js 20 from 20.19 on, and Linux 5.14 or later',
  };
}

/** A table of everything, then a line for each item that is not granted. */
export function grantsText(grants: readonly HostGrant[]): string {
  const missing = grants.filter(({ granted }) => !granted);
  const rows = grants.map(({ item, granted, detail }) => [item, granted ? 'yes' : 'no', detail]);
  const fixes = missing.map(({ item, fix }) => `  ${item}: ${fix}`);
  return [
    textTable([['host', 'granted', 'found'], ...rows]),
    ...(fixes.length > 0 ? ['', 'to grant the rest:', ...fixes] : []),
  ].join('\n');
}

export function doctor(words: readonly string[]): number {
  const { options } = parseArguments(words, DOCTOR_SHAPE);
  const grants = [...hostGrants(), arenaGrant(), ...clientGrants()];
  const { cpu, cores, node } = machine();
  if (options['json'])
    console.log(JSON.stringify({ machine: { cpu, cores, node }, grants }, null, 2));
  else console.log(`${cpu}, ${cores} cores, Node.js ${node}\n\n${grantsText(grants)}`);
  return ExitCode.OK;
}
