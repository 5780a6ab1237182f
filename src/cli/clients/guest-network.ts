/** The network that guests are put into: their addresses, and when their link is there. */
import type { LinuxGuest } from './linux-guest.ts';

/** A host of the guests' network. */
export function address(host: number): string {
  return `10.0.0.${host}`;
}

export async function addAddress(guest: LinuxGuest, host: number): Promise<void> {
  await guest.succeed(`ip link set eth0 up && ip addr add ${address(host)}/24 dev eth0`);
}

/** Resolves when the link of a guest is up, or down. */
export async function hasCarrier(guest: LinuxGuest, up: boolean): Promise<void> {
  const carrier = '"$(cat /sys/class/net/eth0/carrier)"';
  await guest.succeed(`until [ ${carrier} = ${up ? 1 : 0} ]; do usleep 20000; done`);
}

/** Gives a guest its address, and waits until it can be used. */
export async function configure(guest: LinuxGuest, host: number): Promise<void> {
  await addAddress(guest, host);
  await hasCarrier(guest, true);
}
