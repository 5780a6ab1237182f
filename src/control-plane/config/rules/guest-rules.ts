/** Rules about guests with front-ends of their own: their sockets, and what their memory may be. */
import type { GatewayConfig } from '../../../schedule/gateway-config.ts';
import { normalPath, SOCKET_PATH_BYTES_MAX, socketPathOf } from '../../../schedule/socket-path.ts';
import type { Finding } from '../validator.ts';
import { at, type Rule } from './rule.ts';

function* everyVhostUserGuest(config: GatewayConfig) {
  for (const [p, partition] of config.partitions.entries()) {
    const { guest } = partition;
    if (guest.type !== 'vhost-user') continue;
    yield { partition, guest, path: ['partitions', p, 'guest'] as const };
  }
}

/** Every socket with the place where its directory stands. */
function* everySocket(config: GatewayConfig) {
  for (const { partition, guest, path } of everyVhostUserGuest(config)) {
    for (const device of partition.devices) {
      yield {
        socket: socketPathOf(guest.socketDirectory, device.id),
        device: `${partition.id}.${device.id}`,
        path: [...path, 'socketDirectory'],
      };
    }
  }
}

/** Who can shrink its memory can end the gateway, and with it every other guest. */
// [impl->req~cfg.unsealed-qm~1]
function* unsealed(config: GatewayConfig): Iterable<Finding> {
  const { asil } = config.gateway;
  if (asil === 'QM') return;
  for (const { partition, guest, path } of everyVhostUserGuest(config)) {
    if (guest.unsealed !== 'accept') continue;
    yield at(
      [...path, 'unsealed'],
      `"unsealed" is "accept", so that the guest of "${partition.id}" can end the gateway: only ` +
        `a gateway whose "asil" is "QM" may, not "${asil}"; "refuse" would be right`,
    );
  }
}

function* socketPaths(config: GatewayConfig): Iterable<Finding> {
  for (const { socket, path } of everySocket(config)) {
    const bytes = new TextEncoder().encode(socket).length;
    if (bytes <= SOCKET_PATH_BYTES_MAX) continue;
    yield at(
      path,
      `the socket "${socket}" has a path of ${bytes} bytes; ` +
        `at most ${SOCKET_PATH_BYTES_MAX} are possible`,
    );
  }
}

function* socketsShared(config: GatewayConfig): Iterable<Finding> {
  const owners = new Map<string, string>();
  for (const { socket, device, path } of everySocket(config)) {
    const place = normalPath(socket);
    const owner = owners.get(place);
    if (owner === undefined) owners.set(place, device);
    // Two devices of one partition share a socket only by sharing their id, which has its own rule.
    else if (owner !== device) {
      yield at(
        path,
        `"${device}" has the same socket as "${owner}", ${place}: each partition needs a ` +
          'directory of its own',
      );
    }
  }
}

export const GUEST_RULES: readonly Rule[] = [
  { name: 'unsealed-above-qm', check: unsealed },
  { name: 'socket-path-too-long', check: socketPaths },
  { name: 'socket-shared', check: socketsShared },
];
