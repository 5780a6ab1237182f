/**
 * `bench gpu`: the same guest and the same drawing program through this gateway, and through QEMU's
 * own back-end for displays, in alternating runs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NS_PER_S } from '../../base/time.ts';
import type { ClientProcess } from '../clients/client-process.ts';
import { startDisplayBackEnd } from '../clients/display-back-end.ts';
import { displayConfig } from '../clients/display-config.ts';
import { GatewayProcess } from '../clients/gateway-process.ts';
import { socketOf } from '../clients/guests-config.ts';
import { QemuGuest } from '../clients/qemu-guest.ts';
import { processNs } from '../clients/thread-time.ts';
import { nowNs } from '../clients/wait.ts';
import { textTable } from '../text-table.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { copiesText, gpuCopies } from './gpu-copies.ts';
import { gpuNeighbour, neighbourText } from './gpu-neighbour.ts';
import { spreadOf, type Spread } from './spread.ts';

const RUNS_MAX = 5;
/** A pair of boots begins only if it will probably have ended by then. */
const LIMIT_NS = 570 * NS_PER_S;
const NS_PER_US = 1000;
const STEP_MS = 60_000;
const OPERATIONS = ['dirty', 'flip'] as const;
const SYSTEMS = ['gateway', 'peer'] as const;

/** One step of draw.c against the clock. */
export type Operation = (typeof OPERATIONS)[number];
type System = (typeof SYSTEMS)[number];
type Counts = Readonly<Record<Operation, number>>;

const COUNTS: Counts = { dirty: 1500, flip: 500 };
/** So many warm up: their figures do not count. */
const WARM_UP: Counts = { dirty: 100, flip: 40 };

export interface Drawn {
  readonly count: number;
  readonly perSecond: number;
  /** What the back-end has had of processors meanwhile, per operation. */
  readonly backEndNs: number;
}

/** One boot: what was measured of each operation. */
export type DisplaySample = Readonly<Record<Operation, Drawn>>;

interface BackEnd {
  readonly socket: string;
  readonly process: ClientProcess;
}

const BACK_ENDS: Readonly<Record<System, (directory: string) => Promise<BackEnd>>> = {
  gateway: async (directory) => {
    const { process } = await GatewayProcess.start(displayConfig(directory));
    return { process, socket: socketOf(directory, 'screen', 'gpu0') };
  },
  peer: async (directory) => {
    const socket = path.join(directory, 'display.sock');
    return { process: await startDisplayBackEnd(socket), socket };
  },
};

/** Draws in the guest; the clock of the back-end is read when the program says that it begins. */
async function drawn(
  guest: QemuGuest,
  operation: Operation,
  counts: Counts,
  backEndNs: () => number,
): Promise<Drawn> {
  const from = guest.process.position;
  const steps = [`${operation}=${WARM_UP[operation]}`, `${operation}=${counts[operation]}`];
  const ended = guest.succeed(`draw picture ${steps.join(' ')}`, STEP_MS);
  const watched = (pattern: RegExp) => guest.process.waitFor(pattern, STEP_MS, from);
  const begins = `${operation}=\\d+ done\\n${operation} begins\\n`;
  const measured = watched(new RegExp(begins)).then(async () => {
    const before = backEndNs();
    const rate = `${operation}: (\\d+) in [\\d.]+ s, ([\\d.]+) per second\\n`;
    const [, count, perSecond] = await watched(new RegExp(`${begins}${rate}`));
    const spent = backEndNs() - before;
    return { count: Number(count), perSecond: Number(perSecond), spent };
  });
  const [{ count, perSecond, spent }] = await Promise.all([measured, ended]);
  return { count, perSecond, backEndNs: spent / count };
}

/** Boots the guest once over a back-end of its own. */
export async function drawOver(system: System, counts = COUNTS): Promise<DisplaySample> {
  const directory = mkdtempSync(path.join(tmpdir(), 'virtio-gateway-'));
  let backEnd: BackEnd | undefined;
  let guest: QemuGuest | undefined;
  try {
    backEnd = await BACK_ENDS[system](directory);
    const { socket, process } = backEnd;
    const display = { device: 'vhost-user-gpu-pci', socket } as const;
    guest = await QemuGuest.start('guest', { devices: [], display });
    const spent = () => processNs(process.pid);
    const dirty = await drawn(guest, 'dirty', counts, spent);
    return { dirty, flip: await drawn(guest, 'flip', counts, spent) };
  } finally {
    await guest?.kill();
    await backEnd?.process.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Comparison {
  readonly operation: Operation;
  readonly gatewayPerSecond: number;
  readonly peerPerSecond: number;
  /** Medians of pairs; rates above 1 and processor time below 1 are in favour of the gateway. */
  readonly ratio: number;
  readonly ratios: Spread;
  readonly gatewayCpuUs: Spread;
  readonly peerCpuUs: Spread;
  readonly cpuRatio: number;
}

type Pair = Readonly<Record<System, DisplaySample>>;

/** What the runs of both systems say of one operation. */
function compare(operation: Operation, pairs: readonly Pair[]): Comparison {
  const spread = (system: System, of: (drawn: Drawn) => number) =>
    spreadOf(pairs.map((pair) => of(pair[system][operation])));
  const ratios = (of: (drawn: Drawn) => number) =>
    spreadOf(pairs.map(({ gateway, peer }) => of(gateway[operation]) / of(peer[operation])));
  const rate = ({ perSecond }: Drawn) => perSecond;
  const cpuUs = ({ backEndNs }: Drawn) => backEndNs / NS_PER_US;
  return {
    operation,
    gatewayPerSecond: spread('gateway', rate).median,
    peerPerSecond: spread('peer', rate).median,
    ratio: ratios(rate).median,
    ratios: ratios(rate),
    gatewayCpuUs: spread('gateway', cpuUs),
    peerCpuUs: spread('peer', cpuUs),
    cpuRatio: ratios(cpuUs).median,
  };
}

function tableOf(display: readonly Comparison[]): string {
  const range = ({ median, min, max }: Spread, digits: number) =>
    `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
  return textTable([
    ['operation', 'gateway/s', 'QEMU/s', 'ratio', 'gateway CPU', 'QEMU CPU', 'CPU ratio'],
    ...display.map((row) => [
      ...[row.operation, row.gatewayPerSecond.toFixed(0), row.peerPerSecond.toFixed(0)],
      ...[range(row.ratios, 2), range(row.gatewayCpuUs, 0), range(row.peerCpuUs, 0)],
      row.cpuRatio.toFixed(2),
    ]),
  ]);
}

/** What the figures are made of; a test puts its own in their place. */
const SOURCES = { drawOver, copies: gpuCopies, neighbour: gpuNeighbour };

export async function gpu(
  progress: Progress,
  sources: Partial<typeof SOURCES> = {},
): Promise<BenchResult> {
  const from = { ...SOURCES, ...sources };

  const pairs: Pair[] = [];
  const start = nowNs();
  progress('copies');
  const copies = from.copies();
  const neighbour = await from.neighbour(progress);
  for (let pairNs = 0; pairs.length < RUNS_MAX && nowNs() - start + pairNs < LIMIT_NS;) {
    const began = nowNs();
    const sample = async (system: System) => {
      progress(`pair ${pairs.length + 1} of ${RUNS_MAX} at most, ${system}`);
      return from.drawOver(system);
    };
    pairs.push({ gateway: await sample('gateway'), peer: await sample('peer') });
    pairNs = nowNs() - began;
  }
  const display = OPERATIONS.map((operation) => compare(operation, pairs));
  return {
    document: { runs: pairs.length, display, copies, neighbour },
    text: [
      `1280x800, ${pairs.length} pairs of boots; CPU of the back-end in µs per operation`,
      tableOf(display),
      "QEMU's back-end sends its front-end every update, the gateway what changed once a refresh",
      '',
      copiesText(copies),
      '',
      neighbourText(neighbour),
    ].join('\n'),
  };
}
