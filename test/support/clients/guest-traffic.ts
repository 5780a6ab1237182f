/** Traffic between Linux guests, and what arrived of it. */
import { strict as assert } from 'node:assert';
import { address } from '../../../src/cli/clients/guest-network.ts';
import type { LinuxGuest } from '../../../src/cli/clients/linux-guest.ts';

const TRANSFER_MS = 60_000;
const REACHED_MS = 30_000;
const PORT = 5000;

export interface Pings {
  readonly sent: number;
  readonly received: number;
}

export interface PingOptions {
  readonly count?: number;
  readonly intervalMs?: number;
}

/** The guest sends to a host without asking for its address first: nobody has to answer. */
export async function knows(guest: LinuxGuest, host: number, mac: string): Promise<void> {
  await guest.succeed(`ip neigh replace ${address(host)} lladdr ${mac} nud permanent dev eth0`);
}

/** The command, for a guest that goes on with it in the background. */
export function pingCommand(
  to: string,
  { count = 200, intervalMs = 10 }: PingOptions = {},
): string {
  return `ping -n -q -c ${count} -i ${intervalMs / 1000} -W 2 ${to}`;
}

/** What became of a number of echo requests to a host. */
export async function ping(
  guest: LinuxGuest,
  host: number | string,
  { count = 200, intervalMs = 10 }: PingOptions = {},
): Promise<Pings> {
  const to = typeof host === 'number' ? address(host) : host;
  const { output } = await guest.run(pingCommand(to, { count, intervalMs }), 60_000);
  const found = /(\d+) packets transmitted, (\d+) received/.exec(output);
  assert.ok(found, `${guest.name}: ${output}`);
  return { sent: Number(found[1]), received: Number(found[2]) };
}

/** Every one of the echo requests is answered. */
export async function pingsAll(
  guest: LinuxGuest,
  host: number | string,
  options: PingOptions = {},
): Promise<void> {
  const { count = 200 } = options;
  assert.deepEqual(await ping(guest, host, options), { sent: count, received: count }, guest.name);
}

/** Resolves with the first answer of a host: after an outage a guest sees its link with a delay. */
export async function reaches(guest: LinuxGuest, host: number): Promise<void> {
  await guest.succeed(`until ping -n -q -c 1 -W 1 ${address(host)}; do :; done`, REACHED_MS);
}

export interface Transfer {
  readonly from: LinuxGuest;
  readonly to: LinuxGuest;
  /** Host number of the receiver. */
  readonly host: number;
  /** So many times 4 MiB. */
  readonly times?: number;
  /** What happens in the meantime. */
  readonly during?: () => Promise<void>;
}

/** Sends random bytes by TCP; what arrives has the same checksum. The Mbit/s. */
export async function transfer({ from, to, host, times = 4, during }: Transfer): Promise<number> {
  const data = '/tmp/data';
  await from.succeed(`[ -e ${data} ] || dd if=/dev/urandom of=${data} bs=1M count=4`);
  const stream = `for n in $(seq ${times}); do cat ${data}; done`;
  const sum = await from.succeed(`{ ${stream}; } | sha256sum`, TRANSFER_MS);
  // A program behind the connection, because `nc` itself hangs up as soon as its own input ends.
  const server = await to.background(`nc -l -p ${PORT} -e sha256sum`);
  const start = performance.now();
  const connect = `nc ${address(host)} ${PORT} 2>/dev/null`;
  const client = await from.background(`until { ${stream}; } | ${connect}; do usleep 50000; done`);
  await during?.();
  const { output } = await client.result(TRANSFER_MS);
  const milliseconds = performance.now() - start;
  assert.equal((await server.result()).status, 0);
  assert.equal(output, sum, `${from.name} to ${to.name}`);
  return (times * 4 * 2 ** 23) / 1000 / milliseconds;
}

/** Resolves when so many more bytes have come to a guest. */
export async function receives(guest: LinuxGuest, bytes: number): Promise<void> {
  const count = '/sys/class/net/eth0/statistics/rx_bytes';
  const more = `$(($(cat ${count}) - first)) -gt ${bytes}`;
  await guest.succeed(`first=$(cat ${count}); until [ ${more} ]; do usleep 20000; done`);
}

/** Packets that the driver of a guest took from its device so far. */
export async function packetsReceived(guest: LinuxGuest): Promise<number> {
  return Number(await guest.succeed('cat /sys/class/net/eth0/statistics/rx_packets'));
}

/** Bits of the features that the guest's first device has negotiated, in order of their numbers. */
export async function negotiated(guest: LinuxGuest): Promise<string> {
  return guest.succeed('cat /sys/bus/virtio/devices/virtio0/features');
}

/** How many of so many packets that one guest sends to an address reach the driver of another. */
export async function receivesPacketsOf(
  receiver: LinuxGuest,
  sender: LinuxGuest,
  to: string,
  count: number,
): Promise<number> {
  const before = await packetsReceived(receiver);
  await sender.run(`ping -n -q -c ${count} -i 0.01 -W 1 ${to}`);
  return (await packetsReceived(receiver)) - before;
}
