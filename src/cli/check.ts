/** `check`: is the configuration right, what does its schedule look like. */
import { loadConfig, type LoadedConfig } from '../control-plane/config/load-config.ts';
import type { Problem } from '../control-plane/config/json-source.ts';
import { ConfigSpace } from '../control-plane/pci/config-space.ts';
import { configurationOf } from '../control-plane/device-configuration.ts';
import { writeTextFile } from '../host/files.ts';
import { WASM_PAGE } from '../schedule/arena-layout.ts';
import { compilePlan } from '../schedule/compile-plan.ts';
import type { GatewayPlan } from '../schedule/gateway-plan.ts';
import { DEVICE_TYPE_ID } from '../wire/virtio.ts';
import { parseArguments, type CommandShape } from './arguments.ts';
import { ExitCode } from './exit-code.ts';
import { textTable, us } from './text-table.ts';

export const CHECK_SHAPE: CommandShape = {
  positionals: ['CONFIG'],
  options: { json: 'flag', 'dump-pci': 'value', debug: 'flag' },
};

const MIB = 1024 * 1024;
/** The status word of a device that does not run. */
const NO_WORDS = new Int32Array(1);

/** Writes problems as `file:line:col: error: message`, all of them. */
export function printProblems(file: string, problems: readonly Problem[]): void {
  for (const { line, column, message } of problems) {
    process.stderr.write(`${file}:${line}:${column}: error: ${message}\n`);
  }
}

function utilisation(plan: GatewayPlan): number {
  return plan.windows.reduce((sum, window) => sum + window.durationNs, 0) / plan.majorFrameNs;
}

function windowsOf(plan: GatewayPlan) {
  return plan.windows.map(({ id, partition, offsetNs, durationNs, queues }) => ({
    id,
    partition: plan.partitions[partition]?.id ?? null,
    offsetNs,
    durationNs,
    quota: Object.fromEntries(
      queues.map(({ queue, requestsMax }) => [plan.queues[queue]!.name, requestsMax]),
    ),
  }));
}

/** The document of `check --json`; bounds are null until there is an analysis that proves them. */
export function checkReport(loaded: LoadedConfig, plan: GatewayPlan | undefined) {
  const { config } = loaded;
  return {
    ok: plan !== undefined,
    config: {
      sha256: loaded.sha256,
      name: config?.gateway.name ?? null,
      revision: config?.gateway.revision ?? null,
    },
    majorFrameNs: plan?.majorFrameNs ?? null,
    utilisation: plan ? utilisation(plan) : null,
    memoryMiB: plan ? (plan.layout.pages * WASM_PAGE) / MIB : null,
    windows: plan ? windowsOf(plan) : [],
    flows: (plan?.flows ?? []).map(({ id, deadlineNs }) => ({
      id,
      boundNs: null,
      notifiedBoundNs: null,
      deadlineNs,
      schedulable: null,
      backlogMax: null,
      critical: null,
    })),
    errors: loaded.problems,
  };
}

function printPlan(plan: GatewayPlan): void {
  const rows = plan.windows.map(({ id, partition, offsetNs, durationNs, queues }) => [
    id,
    plan.partitions[partition]?.id ?? '(gateway)',
    us(offsetNs),
    us(durationNs),
    queues
      .map(
        ({ queue, requestsMax }) =>
          `${plan.queues[queue]!.name.split('.').slice(1).join('.')} ≤ ${requestsMax}`,
      )
      .join(', '),
  ]);
  console.log(
    `${plan.name}: major frame ${us(plan.majorFrameNs)}, ${(100 * utilisation(plan)).toFixed(1)} % in windows, ` +
      `arena ${Math.ceil((plan.layout.pages * WASM_PAGE) / MIB)} MiB`,
  );
  console.log(textTable([['window', 'partition', 'offset', 'duration', 'queues'], ...rows]));
  if (plan.flows.length === 0) return;
  console.log();
  console.log(
    textTable([
      ['flow', 'deadline', 'bound'],
      ...plan.flows.map(({ id, deadlineNs }) => [id, us(deadlineNs), 'not computed yet']),
    ]),
  );
}

/** Configuration spaces of all functions, in the form that `lspci -F` reads. */
export function pciDump(plan: GatewayPlan): string {
  return plan.devices
    .map((device) =>
      new ConfigSpace({
        typeId: DEVICE_TYPE_ID[device.type],
        queues: device.queues.length,
        vectors: device.queues.length + 1,
        deviceConfigBytes: configurationOf(device, NO_WORDS, 0).bytes,
      }).hexDump(device.index),
    )
    .join('\n');
}

export function check(words: readonly string[]): number {
  const { positionals, options } = parseArguments(words, CHECK_SHAPE);
  const file = positionals[0]!;
  const loaded = loadConfig(file);
  printProblems(file, loaded.problems);
  const plan = loaded.config && compilePlan(loaded.config);
  if (options['json']) console.log(JSON.stringify(checkReport(loaded, plan), null, 2));
  else if (plan) printPlan(plan);
  if (!plan) return ExitCode.USAGE;
  if (typeof options['dump-pci'] === 'string') writeTextFile(options['dump-pci'], pciDump(plan));
  return ExitCode.OK;
}
