/** How a front-end's descriptor is signalled: only in ways that nobody can hold up. */
import { NotifyKind } from '../../channel/command-channel.ts';
import { type DescriptorKind, descriptorKind, isStreamEnd } from '../../host/descriptors.ts';

/** A descriptor with the kind of notification that reaches its reader. */
export interface Signal {
  readonly kind: number;
  readonly descriptor: number;
}

export const NO_SIGNAL: Signal = { kind: NotifyKind.NONE, descriptor: -1 };

/**
 * Decided once, when the descriptor comes; a string says why it cannot be. A writer of a pipe waits
 * for its lock even when it is non-blocking, and whoever holds that can be kept from going on by
 * memory that never comes.
 */
// [impl->req~vhost.notification~1]
export function signalBy(descriptor: number): Signal | string {
  if (descriptor < 0) return NO_SIGNAL;
  const kind = descriptorKind(descriptor);
  if (kind === 'eventfd') return { kind: NotifyKind.EVENT, descriptor };
  if (kind === 'socket' && isStreamEnd(descriptor)) return { kind: NotifyKind.SOCKET, descriptor };
  return `${NAMES[kind]} instead of an eventfd or an end of a unix stream socket`;
}

const NAMES: Readonly<Record<DescriptorKind, string>> = {
  eventfd: 'an eventfd',
  socket: 'another socket',
  pipe: 'a pipe',
  file: 'a file',
  other: 'something else',
};
