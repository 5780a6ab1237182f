/** `check`: is the configuration right, what does its schedule look like. */
import { flowBounds } from '../analysis/flow-bounds.ts';
import { movedBounds, type MovedBound } from '../analysis/comparison.ts';
import { picture } from '../analysis/picture.ts';
import { warningsFor } from '../analysis/warnings.ts';
import { loadConfig, type LoadedConfig } from '../control-plane/config/load-config.ts';
import type { Problem } from '../control-plane/config/json-source.ts';
import { ConfigSpace } from '../control-plane/pci/config-space.ts';
import { configurationOf } from '../control-plane/device-configuration.ts';
import { writeTextFile } from '../host/files.ts';
import { WASM_PAGE } from '../schedule/arena-layout.ts';
import { compilePlan } from '../schedule/compile-plan.ts';
import type { GatewayPlan, PlanWindow } from '../schedule/gateway-plan.ts';
import { parseArguments, type CommandShape } from './arguments.ts';
import { boundsReport, boundTable, refusals, schedulable } from './bounds.ts';
import { ExitCode } from './exit-code.ts';
import { textTable, us } from './text-table.ts';

export const CHECK_SHAPE: CommandShape = {
  positionals: ['CONFIG'],
  options: { json: 'flag', 'dump-pci': 'value', svg: 'value', against: 'value', debug: 'flag' },
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

/** The document of `check --json`. */
export function checkReport(loaded: LoadedConfig, plan: GatewayPlan | undefined) {
  const { config } = loaded;
  const bounds = plan ? flowBounds(plan) : [];
  return {
    ok: plan !== undefined && schedulable(bounds),
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
    flows: plan ? boundsReport(plan, bounds) : [],
    warnings: plan ? warningsFor(plan, bounds) : [],
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

function printPlan(plan: GatewayPlan, report: CheckReport): void {
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
  if (plan.flows.length > 0) console.log(`\n${boundTable(report.flows)}`);
  for (const { id, assumptions } of report.flows) {
    console.log(`assumed for ${id}: ${assumptions.join('; ')}`);
  }
}

type CheckReport = ReturnType<typeof checkReport>;

/** Configuration spaces of all functions, in the form that `lspci -F` reads. */
export function pciDump(plan: GatewayPlan): string {
  return plan.devices
    .map((device) =>
      new ConfigSpace({
        type: device.type,
        queues: device.queues.length,
        vectors: device.queues.length + 1,
        deviceConfigBytes: configurationOf(device, NO_WORDS, 0).bytes,
      }).hexDump(device.index),
    )
    .join('\n');
}

/** Bounds that moved since another configuration; undefined when that one is wrong itself. */
function movedSince(file: string, plan: GatewayPlan): MovedBound[] | undefined {
  const other = loadConfig(file);
  printProblems(file, other.problems);
  return other.config && movedBounds(compilePlan(other.config), plan);
}

function printMoved(file: string, moved: readonly MovedBound[]): void {
  const time = (ns: number | null) => (ns === null ? 'none' : us(ns));
  console.log(`\nagainst ${file}: ${moved.length === 0 ? 'no bound moved' : 'bounds moved'}`);
  for (const { flow, beforeNs, afterNs, why } of moved) {
    console.log(`${flow}: ${time(beforeNs)} -> ${time(afterNs)} (${why.join('; ')})`);
  }
}

export function check(words: readonly string[]): number {
  const { positionals, options } = parseArguments(words, CHECK_SHAPE);
  const file = positionals[0]!;
  const loaded = loadConfig(file);
  printProblems(file, loaded.problems);
  const plan = loaded.config && compilePlan(loaded.config);
  const report = checkReport(loaded, plan);
  const { against } = options;
  const moved = plan && typeof against === 'string' ? movedSince(against, plan) : [];
  const document = against === undefined ? report : { ...report, moved };
  if (options['json']) console.log(JSON.stringify(document, null, 2));
  else if (plan) printPlan(plan, report);
  if (!plan || !moved) return ExitCode.USAGE;
  if (typeof against === 'string' && !options['json']) printMoved(against, moved);
  if (typeof options['svg'] === 'string') {
    writeTextFile(options['svg'], picture(plan, flowBounds(plan)));
  }
  for (const warning of report.warnings) process.stderr.write(`${file}: warning: ${warning}\n`);
  if (typeof options['dump-pci'] === 'string') writeTextFile(options['dump-pci'], pciDump(plan));
  if (report.ok) return ExitCode.OK;
  process.stderr.write(`${refusals(report.flows)}\n`);
  return ExitCode.NOT_SCHEDULABLE;
}
