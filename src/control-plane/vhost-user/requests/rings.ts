/** The rings: size, place, base, descriptors, and whether they are enabled. */
import { FrontendRequest, VringAddr, VringFd } from '../../../wire/vhost-user.ts';
import { isRingSize } from '../../ring-place.ts';
import { DONE, refused, type Message, type Outcome } from '../message.ts';
import type { Session } from '../session.ts';
import { type Signal, signalBy } from '../signal.ts';
import { closeIfAny, type VhostRing } from '../vhost-ring.ts';
import type { Request } from './request.ts';

const STATE_BYTES = 8;

/** A ring that is being served keeps its setup; one that was only disabled is stopped first. */
async function setUp(
  session: Session,
  index: number,
  change: (ring: VhostRing) => string,
): Promise<Outcome> {
  const ring = session.rings.at(index);
  if (!ring) return refused(`there is no ring ${index}`);
  if (ring.started && ring.enabled) return refused(`ring ${index} is being served`);
  await session.rings.stop(ring);
  const problem = change(ring);
  return problem ? refused(problem) : DONE;
}

function setSize({ parts, rings }: Session, ring: VhostRing, size: number): string {
  const { queueSizeMax } = parts.plan;
  if (!isRingSize(size, queueSizeMax, rings.packed)) {
    return `a ring of ${size} entries; a power of two up to ${queueSizeMax} is possible`;
  }
  ring.size = size;
  return '';
}

/** 2.7: an index has 16 bits; where a packed ring goes on is judged with its size at the start. */
function setBase({ rings }: Session, ring: VhostRing, base: number): string {
  if (!rings.packed && base > 0xffff) return `an index of ${base}; it has 16 bits`;
  ring.base = base | 0;
  return '';
}

function setAddresses(ring: VhostRing, message: Message): string {
  if (message.u32(VringAddr.FLAGS) !== 0) return 'flags of a log that is not offered';
  const address = (at: number) => ({ low: message.u32(at), high: message.u32(at + 4) });
  ring.addresses = {
    desc: address(VringAddr.DESC),
    driver: address(VringAddr.AVAIL),
    device: address(VringAddr.USED),
  };
  return '';
}

const settingUp =
  (change: (session: Session, ring: VhostRing, message: Message) => string) =>
  (session: Session, message: Message) =>
    setUp(session, message.u32(0), (ring) => change(session, ring, message));

async function getBase(session: Session, message: Message): Promise<Outcome> {
  const ring = session.rings.at(message.u32(0));
  if (!ring) return refused(`there is no ring ${message.u32(0)}`);
  await session.rings.stop(ring);
  session.showReady();
  const payload = new Uint8Array(STATE_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint32(0, ring.index, true);
  view.setInt32(4, ring.base, true);
  return { kind: 'reply', payload };
}

async function enable(session: Session, message: Message): Promise<Outcome> {
  const ring = session.rings.at(message.u32(0));
  const state = message.u32(4);
  if (!ring || state > 1) return refused(`ring ${message.u32(0)} cannot be set to ${state}`);
  await session.rings.enable(ring, state === 1);
  session.showReady();
  return DONE;
}

/** In the u64 of the three messages: which ring, and whether a descriptor comes along. */
const comesAlong = (message: Message) => ((message.u32(0) & VringFd.NO_FD) === 0 ? 1 : 0);

function ringOf(session: Session, message: Message): VhostRing | undefined {
  const known = VringFd.INDEX_MASK | VringFd.NO_FD;
  const strange = message.u32(4) !== 0 || (message.u32(0) & ~known) !== 0;
  return strange ? undefined : session.rings.at(message.u32(0) & VringFd.INDEX_MASK);
}

function kick(session: Session, message: Message): Outcome {
  const ring = ringOf(session, message);
  if (!ring) return refused('there is no such ring');
  if (!session.featuresSet) return refused('a ring cannot start before the features are set');
  const problem = ring.started ? '' : session.rings.start(ring);
  if (problem) return refused(problem);
  // Its guest is polled: the descriptor is kept so that who writes to it finds somebody there.
  closeIfAny(ring.exchangeKick(message.takeDescriptor()));
  session.showReady();
  return DONE;
}

/** Takes the descriptor of a message over, if it can be signalled. */
// [impl->req~vhost.notification~1]
function takeSignal(session: Session, message: Message): Signal | string {
  const signal = signalBy(message.firstDescriptor);
  if (typeof signal === 'string') return signal;
  message.takeDescriptor();
  session.parts.notifier.prepare(signal.kind, signal.descriptor);
  return signal;
}

async function call(session: Session, message: Message): Promise<Outcome> {
  const ring = ringOf(session, message);
  if (!ring) return refused('there is no such ring');
  const signal = takeSignal(session, message);
  if (typeof signal === 'string') return refused(signal);
  await session.rings.callBy(ring, signal);
  return DONE;
}

function error(session: Session, message: Message): Outcome {
  const ring = ringOf(session, message);
  if (!ring) return refused('there is no such ring');
  const signal = takeSignal(session, message);
  if (typeof signal === 'string') return refused(signal);
  closeIfAny(ring.exchange('error', signal));
  return DONE;
}

// [impl->req~vhost.ring-states~1]
export const RING_REQUESTS: readonly Request[] = [
  {
    id: FrontendRequest.SET_VRING_NUM,
    name: 'SET_VRING_NUM',
    bytes: STATE_BYTES,
    carryOut: settingUp((session, ring, message) => setSize(session, ring, message.u32(4))),
  },
  {
    id: FrontendRequest.SET_VRING_ADDR,
    name: 'SET_VRING_ADDR',
    bytes: VringAddr.BYTES,
    carryOut: settingUp((_, ring, message) => setAddresses(ring, message)),
  },
  {
    id: FrontendRequest.SET_VRING_BASE,
    name: 'SET_VRING_BASE',
    bytes: STATE_BYTES,
    carryOut: settingUp((session, ring, message) => setBase(session, ring, message.u32(4))),
  },
  {
    id: FrontendRequest.GET_VRING_BASE,
    name: 'GET_VRING_BASE',
    bytes: STATE_BYTES,
    replies: true,
    carryOut: getBase,
  },
  {
    id: FrontendRequest.SET_VRING_KICK,
    name: 'SET_VRING_KICK',
    bytes: 8,
    descriptors: comesAlong,
    carryOut: kick,
  },
  {
    id: FrontendRequest.SET_VRING_CALL,
    name: 'SET_VRING_CALL',
    bytes: 8,
    descriptors: comesAlong,
    carryOut: call,
  },
  {
    id: FrontendRequest.SET_VRING_ERR,
    name: 'SET_VRING_ERR',
    bytes: 8,
    descriptors: comesAlong,
    carryOut: error,
  },
  {
    id: FrontendRequest.SET_VRING_ENABLE,
    name: 'SET_VRING_ENABLE',
    bytes: STATE_BYTES,
    carryOut: enable,
  },
];
