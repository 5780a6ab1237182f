/** `check`: is the configuration right, what does its schedule look like. */
import { loadConfig, type LoadedConfig } from '../control-plane/config/load-config.ts';
import type { Problem } from '../control-plane/config/json-source.ts';
import { ConfigSpace } from '../control-plane/pci/config-space.ts';
import { configurationOf } from '../control-plane/device-configuration.ts';
import { writeTextFile } from '../host/files.ts';
import { WASM_PAGE } from '../schedule/arena-layout.ts';
import { compilePlan } from '../schedule/compile-plan.ts';
import type { GatewayPlan, PlanWindow } from '../schedule/gateway-plan.ts';
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
  return plan.windows.map(({ id, partition, display, offsetNs, durationNs, queues }) => ({
    id,
    partition: plan.partitions[partition]?.id ?? null,
    ...(display >= 0 && { display: plan.displays[display]!.id }),
    offsetNs,
    durationNs,
    quota: Object.fromEntries(
      queues.map(({ queue, requestsMax }) => [plan.queues[queue]!.name, requestsMax]),
    ),
  }));
}

function displaysOf({ displays, planes, regions, devices }: GatewayPlan) {
  return displays.map((display) => ({
    id: display.id,
    widthPx: display.widthPx,
    heightPx: display.heightPx,
    refreshNs: display.refreshNs,
    planes: display.planes.map((index) => {
      const { id, rectangle, asil, device, ownerLost, visible, regions: own } = planes[index]!;
      return {
        id,
        rectPx: [rectangle.x, rectangle.y, rectangle.width, rectangle.height],
        asil,
        owner: devices[device]!.id,
        ownerLost,
        visiblePx: visible.reduce((sum, { width, height }) => sum + width * height, 0),
        protectedRegions: own.map((region) => regions[region]!.id),
      };
    }),
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
    displays: plan ? displaysOf(plan) : [],
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

/** What a window is for: its queues with their caps, or the gateway's own work. */
function purposeOf({ queues: planned, displays }: GatewayPlan, window: PlanWindow): string {
  if (window.kind === 'compositor') return `composes ${displays[window.display]!.id}`;
  return window.queues
    .map(
      ({ queue, requestsMax }) =>
        `${planned[queue]!.name.split('.').slice(1).join('.')} ≤ ${requestsMax}`,
    )
    .join(', ');
}

function printDisplays(plan: GatewayPlan): void {
  for (const { id, widthPx, heightPx, refreshNs, planes } of displaysOf(plan)) {
    console.log();
    console.log(`display ${id}: ${widthPx} x ${heightPx} pixels every ${us(refreshNs)}`);
    const rows = planes.map((plane) => [
      plane.id,
      plane.rectPx.join(', '),
      plane.asil,
      plane.owner,
      plane.ownerLost,
      plane.protectedRegions.join(', '),
    ]);
    console.log(
      textTable([
        ['plane', 'x, y, width, height', 'ASIL', 'owner', 'owner lost', 'protected regions'],
        ...rows,
      ]),
    );
  }
}

function printPlan(plan: GatewayPlan): void {
  const rows = plan.windows.map((window) => [
    window.id,
    plan.partitions[window.partition]?.id ?? '(gateway)',
    us(window.offsetNs),
    us(window.durationNs),
    purposeOf(plan, window),
  ]);
  console.log(
    `${plan.name}: major frame ${us(plan.majorFrameNs)}, ${(100 * utilisation(plan)).toFixed(1)} % in windows, ` +
      `arena ${Math.ceil((plan.layout.pages * WASM_PAGE) / MIB)} MiB`,
  );
  console.log(textTable([['window', 'partition', 'offset', 'duration', 'queues'], ...rows]));
  printDisplays(plan);
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
