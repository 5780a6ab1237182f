/**
 * `bench vhost-user`: one DPDK client with two ports that bounces packets through this gateway, and
 * through DPDK's own net_vhost, in alternating runs on the same processor.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunReport } from '../../control-plane/run-report.ts';
import type { GatewayConfig, NetDeviceConfig } from '../../schedule/gateway-config.ts';
import { favourSession } from '../clients/favour.ts';
import { GatewayProcess } from '../clients/gateway-process.ts';
import { Testpmd } from '../clients/testpmd.ts';
import { busiestThreadNs } from '../clients/thread-time.ts';
import { nowNs, pause } from '../clients/wait.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { spreadOf } from './spread.ts';

const MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const;
const MEASURE_MS = 2500;
const SETTLE_MS = 700;
/** Of each testpmd. */
const SIZE = { memoryMiB: 512, mbufs: 16_384 } as const;
/** A sample counts when client and back-end had so much of their processors. */
const SHARE_MIN = 0.96;
/** So many tries for one pair of samples that count. */
const TRIES = 3;

interface Series {
  readonly name: string;
  readonly windowUs: number;
  readonly queueSize: number;
  /** Bursts of 32 packets that each port starts with. */
  readonly bursts: number;
}

const RUNS = 5;
const SIZES = [64, 256, 1514];
/** The published claim, the same at shorter windows, and the hard case: few packets at a time. */
const SERIES: readonly Series[] = [
  { name: 'windows-250us', windowUs: 250, queueSize: 1024, bursts: 16 },
  { name: 'windows-100us', windowUs: 100, queueSize: 1024, bursts: 16 },
  { name: 'few-packets', windowUs: 250, queueSize: 256, bursts: 1 },
];

/** One run: packets per second of both ports, and how much of its processor each side had. */
interface Sample {
  readonly mpps: number;
  readonly clientShare: number;
  readonly serverShare: number;
  readonly cpuNsPerPacket: number;
}

function socketOf(directory: string, n: number): string {
  return path.join(directory, `net${n}.sock`);
}

function device(n: number, queueSize: number): NetDeviceConfig {
  return {
    id: `net${n}`,
    type: 'virtio-net',
    mac: MACS[n]!,
    queuePairs: 1,
    queueSize,
    features: {
      offer: ['VIRTIO_F_VERSION_1', 'VIRTIO_F_IN_ORDER', 'VIRTIO_NET_F_MAC'],
      require: ['VIRTIO_F_VERSION_1'],
    },
  };
}

/** Two alternating windows with quotas; everything that is always checked is checked here. */
function benchConfig(socketDirectory: string, series: Series): GatewayConfig {
  const { windowUs, queueSize } = series;
  const limits = { packetsPerMajorFrame: 65_535, bytesPerMajorFrame: 200_000_000 };
  const route = (from: number, to: number) => ({
    id: `net${from}-net${to}`,
    from: `gen.net${from}`,
    to: `gen.net${to}`,
    vlan: null,
    ...limits,
    excess: 'defer' as const,
    delivery: 'immediate' as const,
  });
  const window = (n: number) => ({
    id: `w${n}`,
    partition: 'gen',
    offsetUs: n * (windowUs + 1),
    durationUs: windowUs,
    queues: [{ queue: `net${n}.transmitq0`, requestsMax: 65_535, bytesMax: 200_000_000 }],
  });
  return {
    formatVersion: 1,
    gateway: { name: `bench-${series.name}`, revision: 1, asil: 'QM' },
    partitions: [
      {
        id: 'gen',
        asil: 'QM',
        memoryMiB: 640,
        guest: { type: 'vhost-user', socketDirectory, socketMode: 'listen', unsealed: 'accept' },
        devices: [device(0, queueSize), device(1, queueSize)],
      },
    ],
    network: { routes: [route(0, 1), route(1, 0)] },
    schedule: {
      majorFrameUs: 2 * windowUs + 20,
      idle: 'spin',
      windows: [
        window(0),
        window(1),
        { id: 'control', kind: 'control', offsetUs: 2 * windowUs + 2, durationUs: 10 },
      ],
    },
    costs: {
      netForward: { baseNs: 100, perKibNs: 40, perDescriptorNs: 0 },
      controlCommandNs: 5000,
      windowSwitchNs: 500,
    },
    flows: [],
    health: { reactions: [] },
  };
}

/** The bouncing client on the first processor; the other side has the last. */
function client(directory: string, bytes: number, queueSize: number): Promise<Testpmd> {
  const port = (n: number) => ({
    driver: 'virtio-user' as const,
    socket: socketOf(directory, n),
    mac: MACS[n]!,
    queueSize,
    inOrder: true,
  });
  return Testpmd.start('client', {
    ...SIZE,
    ports: [port(0), port(1)],
    processor: 0,
    packetBytes: bytes,
    peers: [MACS[1], MACS[0]],
  });
}

/** Lets the client bounce, and measures; `serverNs` says what the other side has had so far. */
async function measure(
  directory: string,
  bytes: number,
  series: Series,
  serverNs: () => number,
): Promise<Omit<Sample, 'cpuNsPerPacket'>> {
  const testpmd = await client(directory, bytes, series.queueSize);
  favourSession(testpmd.process.pid);
  try {
    await testpmd.succeed(`start tx_first ${series.bursts}`);
    await pause(SETTLE_MS);
    const from = { at: nowNs(), packets: await testpmd.received(), client: testpmd.workerNs };
    const before = serverNs();
    await pause(MEASURE_MS);
    const packets = (await testpmd.received()) - from.packets;
    const ns = nowNs() - from.at;
    return {
      mpps: (packets / ns) * 1000,
      clientShare: (testpmd.workerNs - from.client) / ns,
      serverShare: (serverNs() - before) / ns,
    };
  } finally {
    await testpmd.kill();
  }
}

/** A process of its own, because real-time mode takes a processor from all other threads. */
async function throughGateway(bytes: number, series: Series): Promise<Sample> {
  const directory = mkdtempSync(path.join(tmpdir(), 'virtio-gateway-'));
  const gateway = await GatewayProcess.start(benchConfig(directory, series), '--realtime');
  try {
    const { pid } = gateway.process;
    const sample = await measure(directory, bytes, series, () => busiestThreadNs(pid));
    await gateway.stop();
    return { ...sample, cpuNsPerPacket: servicePerPacket(gateway.report()) };
  } finally {
    await gateway.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Nanoseconds of bursts that served something, per packet. */
function servicePerPacket({ windows }: RunReport): number {
  const sum = (of: (window: RunReport['windows'][number]) => number) =>
    windows.reduce((total, window) => total + of(window), 0);
  return sum(({ spentNs }) => spentNs) / sum(({ requests }) => requests);
}

async function throughDpdk(bytes: number, series: Series): Promise<Sample> {
  const directory = mkdtempSync(path.join(tmpdir(), 'virtio-gateway-'));
  const port = (n: number) => ({ driver: 'vhost' as const, socket: socketOf(directory, n) });
  const server = await Testpmd.start('testpmd', { ...SIZE, ports: [port(0), port(1)] });
  favourSession(server.process.pid);
  try {
    await server.succeed('start');
    const sample = await measure(directory, bytes, series, () => server.workerNs);
    return { ...sample, cpuNsPerPacket: (sample.serverShare / sample.mpps) * 1000 };
  } finally {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

type Through = (bytes: number, series: Series) => Promise<Sample>;
type Systems = Readonly<Record<'gateway' | 'peer', Through>>;

const SYSTEMS: Systems = { gateway: throughGateway, peer: throughDpdk };

/** One pair of samples that count, the gateway's first; the last try when none does. */
async function pair(bytes: number, series: Series, systems: Systems) {
  for (let n = 1; ; n++) {
    const gateway = await systems.gateway(bytes, series);
    const peer = await systems.peer(bytes, series);
    const least = Math.min(
      ...[gateway, peer].flatMap(({ clientShare, serverShare }) => [clientShare, serverShare]),
    );
    if (least >= SHARE_MIN || n === TRIES) return { gateway, peer, counts: least >= SHARE_MIN };
  }
}

async function forwardingOver(bytes: number, series: Series, systems: Systems) {
  const pairs: Awaited<ReturnType<typeof pair>>[] = [];
  for (let n = 0; n < RUNS; n++) pairs.push(await pair(bytes, series, systems));
  const of = (value: (found: (typeof pairs)[number]) => number) => spreadOf(pairs.map(value));
  return {
    bytes,
    gatewayMpps: of(({ gateway }) => gateway.mpps).median,
    peerMpps: of(({ peer }) => peer.mpps).median,
    ratio: of(({ gateway, peer }) => gateway.mpps / peer.mpps).median,
    ratios: of(({ gateway, peer }) => gateway.mpps / peer.mpps),
    gatewayCpuNsPerPacket: of(({ gateway }) => gateway.cpuNsPerPacket).median,
    peerCpuNsPerPacket: of(({ peer }) => peer.cpuNsPerPacket).median,
    disturbed: pairs.filter(({ counts }) => !counts).length,
  };
}

type Forwarding = Awaited<ReturnType<typeof forwardingOver>>;

function sentence(name: string, forwarding: Forwarding): string {
  const { bytes, gatewayMpps, peerMpps, ratio, ratios, gatewayCpuNsPerPacket } = forwarding;
  return (
    `${name} ${bytes} B: gateway ${gatewayMpps.toFixed(2)} Mpps, DPDK ${peerMpps.toFixed(2)} ` +
    `Mpps, ratio ${ratio.toFixed(2)} (${ratios.min.toFixed(2)}-${ratios.max.toFixed(2)}), ` +
    `${gatewayCpuNsPerPacket.toFixed(0)} ns of service per packet, ` +
    `${forwarding.disturbed} of ${RUNS} pairs disturbed`
  );
}

export async function vhostUser(progress: Progress, systems = SYSTEMS): Promise<BenchResult> {
  const series = [];
  for (const [n, each] of SERIES.entries()) {
    const forwarding: Forwarding[] = [];
    for (const bytes of n === 0 ? SIZES : [64]) {
      progress(`${each.name}, ${bytes} bytes`);
      forwarding.push(await forwardingOver(bytes, each, systems));
    }
    series.push({ ...each, forwarding });
  }
  const lines = series.flatMap(({ name, forwarding }) =>
    forwarding.map((each) => sentence(name, each)),
  );
  return {
    document: { runs: RUNS, forwarding: series[0]!.forwarding, series },
    text: lines.join('\n'),
  };
}
