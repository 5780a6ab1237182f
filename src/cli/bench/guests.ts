/**
 * `bench guests`: two emulated QEMU guests talk through this gateway, through DPDK's testpmd, and
 * over QEMU's own sockets, in turn.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NS_PER_S } from '../../base/time.ts';
import { textTable, us } from '../text-table.ts';
import { GatewayProcess } from '../clients/gateway-process.ts';
import { address, configure } from '../clients/guest-network.ts';
import { bothWays, guestsConfig, socketOf } from '../clients/guests-config.ts';
import type { LinuxGuest } from '../clients/linux-guest.ts';
import { QemuGuest, type QemuDevice } from '../clients/qemu-guest.ts';
import { Testpmd } from '../clients/testpmd.ts';
import { nowNs, pause } from '../clients/wait.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { spreadOf, type Spread } from './spread.ts';

const RUNS_MAX = 5;
/** A round of all systems begins only if it will probably have ended by then. */
const LIMIT_NS = 570 * NS_PER_S;
/** After this QEMU listens; guests take longer to boot. */
const LISTENS_MS = 1000;
const NAMES = ['one', 'other'] as const;
const MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const;
const [ONE, OTHER] = [1, 2];
/** Short windows for short round trips; they sleep, because the guests need the processors. */
const TIMING = { majorFrameUs: 400, controlUs: 60, pollUs: 60 };
const PINGS = 300;
const PING_INTERVAL_S = 0.005;
const PORT = 5000;
const BLOCK_KIB = 64;
const BLOCKS = 1024;
const WARM_UP_BLOCKS = 64;
const TRANSFER_MS = 120_000;

/** What the guests are connected by, and how it is ended. */
interface Link {
  readonly devices: readonly [QemuDevice, QemuDevice];
  stop(): Promise<void>;
}

type StartLink = (directory: string) => Promise<Link>;

function sockets(directory: string): readonly [QemuDevice, QemuDevice] {
  const device = (n: 0 | 1) => ({ socket: socketOf(directory, NAMES[n]), mac: MACS[n] });
  return [device(0), device(1)];
}

async function gatewayLink(directory: string): Promise<Link> {
  const partitions = NAMES.map((id, n) => ({ id, devices: [{ mac: MACS[n]! }] }));
  const routes = bothWays('one.net0', 'other.net0');
  const gateway = await GatewayProcess.start(guestsConfig(directory, partitions, routes, TIMING));
  return { devices: sockets(directory), stop: () => gateway.kill() };
}

async function testpmdLink(directory: string, segments: boolean): Promise<Link> {
  const testpmd = await Testpmd.start('testpmd', {
    ports: NAMES.map((name) => ({
      ...{ driver: 'vhost', socket: socketOf(directory, name), segments },
    })),
    ...{ memoryMiB: 512, mbufs: 16_384 },
  });
  await testpmd.succeed('start');
  return { devices: sockets(directory), stop: () => testpmd.kill() };
}

async function ownLink(netdevs: readonly [string, string]): Promise<Link> {
  const device = (n: 0 | 1) => ({ netdev: netdevs[n], mac: MACS[n] });
  return Promise.resolve({ devices: [device(0), device(1)], stop: () => Promise.resolve() });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

const SYSTEMS = {
  gateway: gatewayLink,
  testpmd: (directory) => testpmdLink(directory, false),
  'testpmd tso=1': (directory) => testpmdLink(directory, true),
  'qemu stream': (directory) => {
    const words = (server: string) =>
      `stream,server=${server},addr.type=unix,addr.path=${directory}/stream`;
    return ownLink([words('on'), words('off')]);
  },
  'qemu socket': async () => {
    const at = `127.0.0.1:${await freePort()}`;
    return ownLink([`socket,listen=${at}`, `socket,connect=${at}`]);
  },
} as const satisfies Record<string, StartLink>;

type System = keyof typeof SYSTEMS;
const SYSTEM_NAMES = Object.keys(SYSTEMS) as System[];

interface Talk {
  readonly roundTripNs: number;
  readonly mbitPerSecond: number;
}

/** Median of the round trips; the answers go to a file, because a console takes time. */
async function roundTripNs(from: LinuxGuest): Promise<number> {
  const pings = `ping -n -c ${PINGS} -i ${PING_INTERVAL_S} -W 2 ${address(OTHER)}`;
  await from.succeed(`${pings} >/tmp/pings`);
  const lines = await from.succeed("sed -n 's/.*time=\\([0-9.]*\\) ms/\\1/p' /tmp/pings");
  return spreadOf(lines.trim().split('\n').map(Number)).median * 1e6;
}

/** Sends so many blocks by TCP to a program that counts them. */
async function send(from: LinuxGuest, to: LinuxGuest, blocks: number): Promise<number> {
  const server = await to.background(`nc -l -p ${PORT} -e wc -c`);
  const listening = `grep -q ':${PORT.toString(16)} .* 0A ' /proc/net/tcp*`;
  await to.succeed(`until ${listening}; do usleep 5000; done`);
  const stream = `dd if=/dev/zero bs=${BLOCK_KIB}k count=${blocks} 2>/dev/null`;
  const start = nowNs();
  const counted = await from.succeed(`${stream} | nc ${address(OTHER)} ${PORT}`, TRANSFER_MS);
  const ns = nowNs() - start;
  await server.result();
  const bytes = blocks * BLOCK_KIB * 1024;
  if (Number(counted) !== bytes) throw new Error(`${counted} of ${bytes} bytes arrived`);
  return ((bytes * 8) / ns) * 1000;
}

/** Boots both guests over a link of their own. */
async function talk(system: System): Promise<Talk> {
  const directory = mkdtempSync(path.join(tmpdir(), 'virtio-gateway-'));
  for (const name of NAMES) mkdirSync(path.join(directory, name));
  const guests: QemuGuest[] = [];
  let link: Link | undefined;
  try {
    link = await SYSTEMS[system](directory);
    const one = new QemuGuest('one', { devices: [link.devices[0]] });
    guests.push(one);
    // Where QEMU talks to itself the second connects to the first.
    await pause(LISTENS_MS);
    const other = new QemuGuest('other', { devices: [link.devices[1]] });
    guests.push(other);
    await Promise.all(guests.map((guest) => guest.booted()));
    await configure(one, ONE);
    await configure(other, OTHER);
    await one.succeed(`until ping -n -q -c 1 -W 1 ${address(OTHER)}; do :; done`);
    const trip = await roundTripNs(one);
    await send(one, other, WARM_UP_BLOCKS);
    return { roundTripNs: trip, mbitPerSecond: await send(one, other, BLOCKS) };
  } finally {
    for (const guest of guests) await guest.kill();
    await link?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Judgement {
  readonly system: System;
  readonly roundTripNs: Spread;
  readonly mbitPerSecond: Spread;
  /** Medians of runs side by side; above 1 in favour of the gateway. */
  readonly roundTripRatio: number;
  readonly throughputRatio: number;
}

function judged(system: System, talks: Readonly<Record<System, readonly Talk[]>>): Judgement {
  const [own, gateway] = [talks[system], talks.gateway];
  const ratio = (of: (talk: Talk, gateway: Talk) => number) =>
    spreadOf(own.map((each, n) => of(each, gateway[n]!))).median;
  return {
    system,
    roundTripNs: spreadOf(own.map((each) => each.roundTripNs)),
    mbitPerSecond: spreadOf(own.map((each) => each.mbitPerSecond)),
    roundTripRatio: ratio((each, base) => each.roundTripNs / base.roundTripNs),
    throughputRatio: ratio((each, base) => base.mbitPerSecond / each.mbitPerSecond),
  };
}

export async function guests(progress: Progress, talkOver = talk): Promise<BenchResult> {
  const talks = Object.fromEntries(SYSTEM_NAMES.map((system) => [system, []])) as unknown as Record<
    System,
    Talk[]
  >;
  const start = nowNs();
  let runs = 0;
  for (let roundNs = 0; runs < RUNS_MAX && nowNs() - start + roundNs < LIMIT_NS; runs++) {
    const from = nowNs();
    for (const system of SYSTEM_NAMES) {
      progress(`run ${runs + 1} of ${RUNS_MAX} at most, ${system}`);
      talks[system].push(await talkOver(system));
    }
    roundNs = nowNs() - from;
  }
  const systems = SYSTEM_NAMES.map((system) => judged(system, talks));
  const rows = systems.map(
    ({ system, roundTripNs: trip, mbitPerSecond: rate, roundTripRatio, throughputRatio }) => [
      ...[system, us(trip.median), `${us(trip.min)}-${us(trip.max)}`, rate.median.toFixed(0)],
      ...[`${rate.min.toFixed(0)}-${rate.max.toFixed(0)}`, roundTripRatio.toFixed(2)],
      throughputRatio.toFixed(2),
    ],
  );
  const heads = [
    'system',
    'round trip p50',
    'min-max',
    'TCP Mbit/s',
    'min-max',
    'trip ratio',
    'TCP ratio',
  ];
  return {
    document: { runs, pings: PINGS, transferBytes: BLOCKS * BLOCK_KIB * 1024, systems },
    text: [
      `two emulated guests, medians (min-max) of ${runs} alternating runs; ratios above 1 are in ` +
        `the gateway's favour`,
      textTable([heads, ...rows]),
    ].join('\n'),
  };
}
