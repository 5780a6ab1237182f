/** Every request that this back-end knows, in the order of the protocol's groups. */
import type { Message, Outcome } from '../message.ts';
import { refused } from '../message.ts';
import type { Session } from '../session.ts';
import { CONFIG_REQUESTS } from './config.ts';
import { FEATURE_REQUESTS } from './features.ts';
import { GPU_REQUESTS } from './gpu.ts';
import { MEMORY_REQUESTS } from './memory.ts';
import { PROTOCOL_REQUESTS } from './protocol-features.ts';
import { fits, type Request } from './request.ts';
import { RING_REQUESTS } from './rings.ts';

export const REQUESTS: readonly Request[] = [
  ...FEATURE_REQUESTS,
  ...PROTOCOL_REQUESTS,
  ...MEMORY_REQUESTS,
  ...RING_REQUESTS,
  ...CONFIG_REQUESTS,
  ...GPU_REQUESTS,
];

const BY_ID = new Map(REQUESTS.map((request) => [request.id, request]));

export function requestName(id: number): string {
  return BY_ID.get(id)?.name ?? `request ${id}`;
}

/** Whether a request is answered by its own reply, so that nothing else can say that it failed. */
export function repliesByItself(id: number): boolean {
  return BY_ID.get(id)?.replies === true;
}

/** Whether the payload is of a length that its request can have. */
export function hasForm({ request, payload }: Message): boolean {
  const known = BY_ID.get(request);
  return known !== undefined && fits(known, payload.byteLength);
}

/** Judges the form of a message, then carries it out; what is refused has changed nothing. */
// [impl->req~vhost.framing~1]
export async function carryOut(session: Session, message: Message): Promise<Outcome> {
  const request = BY_ID.get(message.request);
  if (!request) return refused('a request that this back-end does not know');
  const size = message.payload.byteLength;
  if (!fits(request, size)) return refused(`a payload of ${size} bytes`);
  if (request.needs !== undefined && !session.hasProtocol(request.needs)) {
    return refused('its protocol feature was not negotiated');
  }
  const expected = request.descriptors?.(message) ?? 0;
  if (message.descriptorCount !== expected) {
    return refused(`${message.descriptorCount} descriptors instead of ${expected}`);
  }
  return request.carryOut(session, message);
}
