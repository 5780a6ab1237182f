/**
 * `bench interference`: a pair of front-ends with a deadline beside one that floods, through this
 * gateway and through DPDK's testpmd, in turn; the same front-ends on both.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NS_PER_US } from '../../base/time.ts';
import type { GatewayConfig, WindowConfig } from '../../schedule/gateway-config.ts';
import { macOctets } from '../../wire/ethernet.ts';
import { favoured, favourSession } from '../clients/favour.ts';
import { GatewayProcess } from '../clients/gateway-process.ts';
import { Testpmd } from '../clients/testpmd.ts';
import { CrossingBench, type Crossing, type Endpoint } from './crossing.ts';
import { FRONT_END_BYTES, FrontEnd, RING_SIZE } from './front-end.ts';
import { View } from './shared-memory.ts';
import { textTable, us } from '../text-table.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { spreadOf, type Spread } from './spread.ts';

const SYSTEMS = ['gateway', 'testpmd'] as const;
type System = (typeof SYSTEMS)[number];

/** In the order of testpmd's ports, which forwards between the first two and the last two. */
const ROLES = ['victim', 'peer', 'flood', 'sink'] as const;
type Role = (typeof ROLES)[number];

const FLOW = 'victim-peer';
const DEADLINE_US = 1000;
/** Of a major frame: time, and packets. */
const SHARES: Readonly<Record<Role, { readonly windowUs: number; readonly packets: number }>> = {
  victim: { windowUs: 50, packets: 64 },
  peer: { windowUs: 20, packets: 16 },
  flood: { windowUs: 120, packets: 4096 },
  sink: { windowUs: 20, packets: 16 },
};
const CONTROL_WINDOW_US = 15;
const GAP_US = 2;
/** With a VLAN tag. */
const PACKET_BYTES_MAX = 1518;

const PAIRS = 7;
const SECONDS = 8;

const macOf = (role: Role) => `52:54:00:00:00:0${ROLES.indexOf(role) + 1}`;
const socketOf = (directory: string, role: Role) => path.join(directory, role, 'net0.sock');

function route(from: Role, to: Role): GatewayConfig['network']['routes'][number] {
  const { packets } = SHARES[from];
  return {
    ...{ id: `${from}-${to}`, from: `${from}.net0`, to: `${to}.net0`, vlan: null },
    ...{
      packetsPerMajorFrame: packets,
      bytesPerMajorFrame: PACKET_BYTES_MAX * packets,
      excess: 'defer',
    },
    delivery: 'immediate',
  };
}

/** A window for each partition, one after the other. */
function partitionWindows(): WindowConfig[] {
  let offsetUs = 0;
  return ROLES.map((role) => {
    const { windowUs, packets } = SHARES[role];
    const at = offsetUs;
    offsetUs += windowUs + GAP_US;
    return {
      ...{ id: role, partition: role, offsetUs: at, durationUs: windowUs },
      queues: [
        { queue: 'net0.transmitq0', requestsMax: packets, bytesMax: PACKET_BYTES_MAX * packets },
      ],
    };
  });
}

/** Quotas and every check are on. */
function interferenceConfig(directory: string): GatewayConfig {
  const windows = partitionWindows();
  const last = windows.at(-1)!;
  const controlAt = last.offsetUs + last.durationUs + GAP_US;
  return {
    formatVersion: 1,
    gateway: { name: 'interference', revision: 1, asil: 'QM' },
    partitions: ROLES.map((role) => ({
      ...{ id: role, asil: 'QM', memoryMiB: FRONT_END_BYTES / 2 ** 20 },
      guest: {
        ...{ type: 'vhost-user', socketDirectory: path.join(directory, role) },
        ...{ socketMode: 'listen', unsealed: 'refuse' },
      },
      devices: [
        {
          ...{ id: 'net0', type: 'virtio-net', mac: macOf(role) },
          ...{ queuePairs: 1, queueSize: RING_SIZE },
          features: { offer: ['VIRTIO_F_VERSION_1'], require: ['VIRTIO_F_VERSION_1'] },
        },
      ],
    })),
    network: { routes: [route('victim', 'peer'), route('flood', 'sink')] },
    schedule: {
      majorFrameUs: controlAt + CONTROL_WINDOW_US + GAP_US,
      idle: 'spin',
      windows: [
        ...windows,
        { id: 'control', kind: 'control', offsetUs: controlAt, durationUs: CONTROL_WINDOW_US },
      ],
    },
    costs: {
      netForward: { baseNs: 200, perKibNs: 40, perDescriptorNs: 0 },
      controlCommandNs: 5000,
      windowSwitchNs: 500,
    },
    flows: [
      {
        ...{ id: FLOW, from: 'victim.net0.transmitq0', route: FLOW, bytesMax: 64 },
        arrival: { periodUs: 100, jitterUs: 0, spacingUs: 0 },
        deadlineUs: DEADLINE_US,
      },
    ],
    health: { reactions: [] },
  };
}

/** A back-end that listens at a socket for each role. */
interface BackEnd {
  stop(): Promise<void>;
}

async function startGateway(directory: string): Promise<BackEnd> {
  const gateway = await GatewayProcess.start(interferenceConfig(directory), '--realtime');
  return { stop: () => gateway.kill() };
}

async function startTestpmd(directory: string): Promise<BackEnd> {
  const testpmd = await Testpmd.start('testpmd', {
    ports: ROLES.map((role) => ({ driver: 'vhost', socket: socketOf(directory, role) })),
    ...{ memoryMiB: 512, mbufs: 16_384 },
  });
  favourSession(testpmd.process.pid);
  await testpmd.succeed('start');
  return { stop: () => testpmd.kill() };
}

/** One pair of series; both with the same process on the other side. */
interface Pair {
  readonly quiet: Crossing;
  readonly flooded: Crossing;
}

async function pair(system: System, seconds: number): Promise<Pair> {
  const directory = mkdtempSync(path.join(tmpdir(), 'virtio-gateway-'));
  const start = { gateway: startGateway, testpmd: startTestpmd }[system];
  const view = new View(ROLES.length, FRONT_END_BYTES);
  const frontEnds: FrontEnd[] = [];
  let backEnd: BackEnd | undefined;
  try {
    for (const role of ROLES) mkdirSync(path.join(directory, role));
    backEnd = await start(directory);
    const endpoints: Partial<Record<Role, Endpoint>> = {};
    for (const role of ROLES) {
      const frontEnd = await FrontEnd.connect(socketOf(directory, role), view.memory());
      frontEnds.push(frontEnd);
      endpoints[role] = { frontEnd, mac: macOctets(macOf(role)) };
    }
    const crossing = new CrossingBench({ view, ...(endpoints as Record<Role, Endpoint>) });
    return { quiet: crossing.measure(seconds, false), flooded: crossing.measure(seconds, true) };
  } finally {
    for (const frontEnd of frontEnds) frontEnd.close();
    view.close();
    await backEnd?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Medians of the series of one kind. */
type Medians = Readonly<Record<keyof Crossing, number>>;

interface Interference {
  readonly id: string;
  readonly system: System;
  readonly p999NsQuiet: number;
  readonly p999NsFlooded: number;
  /** Median of p99.9 flooded by p99.9 quiet, pair by pair. */
  readonly ratio: number;
  readonly ratios: Spread;
  readonly quiet: Medians;
  readonly flooded: Medians;
  readonly pairs: readonly Pair[];
}

function medians(series: readonly Crossing[]): Medians {
  const keys = Object.keys(series[0]!) as (keyof Crossing)[];
  return Object.fromEntries(
    keys.map((key) => [key, spreadOf(series.map((each) => each[key])).median]),
  ) as Medians;
}

function judged(system: System, pairs: readonly Pair[]): Interference {
  const quiet = medians(pairs.map((each) => each.quiet));
  const flooded = medians(pairs.map((each) => each.flooded));
  const ratios = spreadOf(pairs.map((each) => each.flooded.p999Ns / each.quiet.p999Ns));
  return {
    ...{ id: FLOW, system, p999NsQuiet: quiet.p999Ns, p999NsFlooded: flooded.p999Ns },
    ...{ ratio: ratios.median, ratios, quiet, flooded, pairs },
  };
}

/** Alternating pairs; each has two series of so many seconds. */
async function measure(
  count: number,
  seconds: number,
  progress: Progress,
): Promise<Interference[]> {
  const pairs: Record<System, Pair[]> = { gateway: [], testpmd: [] };
  for (let n = 0; n < count; n++)
    for (const system of SYSTEMS) {
      progress(`pair ${n + 1} of ${count}, ${system}`);
      pairs[system].push(await pair(system, seconds));
    }
  return SYSTEMS.map((system) => judged(system, pairs[system]));
}

export async function interference(progress: Progress): Promise<BenchResult> {
  const flows = await favoured(() => measure(PAIRS, SECONDS, progress));
  const row = (system: string, state: string, series: Medians) => [
    ...[system, state, us(series.p50Ns), us(series.p99Ns), us(series.p999Ns), us(series.maxNs)],
    ...[String(series.samples), String(series.lost), series.floodMpps.toFixed(2)],
  ];
  const heads = ['p50', 'p99', 'p99.9', 'max', 'packets', 'lost', 'flood Mpps'];
  const text = [
    `${FLOW}, one way, medians of ${PAIRS} alternating pairs of ${SECONDS} s each`,
    textTable([
      ['system', 'neighbour', ...heads],
      ...flows.flatMap(({ system, quiet, flooded }) => [
        row(system, 'silent', quiet),
        row(system, 'floods', flooded),
      ]),
    ]),
    ...flows.map(
      ({ system, ratio, ratios: { min, max } }) =>
        `${system}: p99.9 with the flood is ${ratio.toFixed(2)} times that without ` +
        `(${min.toFixed(2)}-${max.toFixed(2)})`,
    ),
    ...flows.map(
      ({ system, quiet: { gapsPerSecond, gapNsMax } }) =>
        `${system}: meanwhile this host stopped the front-ends ${gapsPerSecond.toFixed(0)} times a ` +
        `second, ${us(gapNsMax)} at most; it does the same to a back-end, and no less is resolved`,
    ),
  ];
  return {
    document: { runs: PAIRS, seconds: SECONDS, deadlineNs: DEADLINE_US * NS_PER_US, flows },
    text: text.join('\n'),
  };
}
