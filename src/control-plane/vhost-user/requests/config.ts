/** The device's configuration space, and the record of buffers in flight. */
import { createMemoryFile } from '../../../host/descriptors.ts';
import {
  FrontendRequest,
  ProtocolFeature,
  VhostConfig,
  VhostInflight,
} from '../../../wire/vhost-user.ts';
import { DONE, refused, type Message, type Outcome } from '../message.ts';
import type { Session } from '../session.ts';
import type { Request } from './request.ts';

const PAGE = 4096;
const WORD_BYTES = 4;
/** Some front-ends send the structure with the four bytes that pad it. */
const INFLIGHT_BYTES = { least: VhostInflight.BYTES, step: VhostInflight.PADDING };

/** The bytes that were asked for, zeros beyond the last field; an empty answer is an error. */
// [impl->req~vhost.config~1]
function getConfig({ parts }: Session, message: Message): Outcome {
  const offset = message.u32(VhostConfig.OFFSET);
  const size = message.u32(VhostConfig.SIZE);
  const room = message.payload.byteLength - VhostConfig.BYTES;
  const { DATA_MAX } = VhostConfig;
  if (size === 0 || size !== room || size > DATA_MAX || offset > DATA_MAX - size) {
    return { kind: 'reply', payload: new Uint8Array(0) };
  }
  const { buffer, byteOffset, byteLength } = message.payload;
  const payload = new Uint8Array(buffer, byteOffset, byteLength).slice();
  for (let n = 0; n < size; n++) {
    payload[VhostConfig.BYTES + n] = parts.config.read(offset + n, 1);
  }
  return { kind: 'reply', payload };
}

/**
 * Whole words are written one by one: front-ends send the fields that a driver may only read along
 * with the one that it wrote, and those stay as they are.
 */
// [impl->req~vhost.config~1]
function setConfig({ parts }: Session, message: Message): Outcome {
  const offset = message.u32(VhostConfig.OFFSET);
  const size = message.u32(VhostConfig.SIZE);
  const room = message.payload.byteLength - VhostConfig.BYTES;
  if (size !== room || offset > VhostConfig.DATA_MAX - size) {
    return refused(`${size} bytes at ${offset}, of which ${room} came`);
  }
  if (message.u32(VhostConfig.FLAGS) !== 0) return refused('a migration, which is not offered');
  let written = false;
  for (let at = 0; at + WORD_BYTES <= size; at += WORD_BYTES) {
    const value = message.u32(VhostConfig.BYTES + at);
    written = parts.config.write(offset + at, WORD_BYTES, value) || written;
  }
  return written ? DONE : refused('there is no field that a driver may write');
}

/**
 * Buffers are returned in the order they were taken, and the used index says in guest memory how
 * far that is: the record needs no entry, only that it was handed over.
 */
function getInflight({ parts }: Session, message: Message): Outcome {
  const queues = message.u16(VhostInflight.QUEUES);
  const size = message.u16(VhostInflight.QUEUE_SIZE);
  const { plan } = parts;
  if (queues === 0 || queues > plan.queues.length || size === 0 || size > plan.queueSizeMax) {
    return refused(`a record of ${queues} queues with ${size} entries`);
  }
  const descriptor = createMemoryFile('inflight', PAGE, { seal: true });
  const payload = new Uint8Array(message.payload.byteLength);
  const view = new DataView(payload.buffer);
  view.setUint32(VhostInflight.MMAP_SIZE, PAGE, true);
  view.setUint16(VhostInflight.QUEUES, queues, true);
  view.setUint16(VhostInflight.QUEUE_SIZE, size, true);
  return { kind: 'reply', payload, descriptor };
}

function setInflight(session: Session, message: Message): Outcome {
  if (session.rings.anyStarted) return refused('the record comes before the rings start');
  const queues = message.u16(VhostInflight.QUEUES);
  if (queues > session.parts.plan.queues.length) return refused(`a record of ${queues} queues`);
  session.resumed = true;
  return DONE;
}

export const CONFIG_REQUESTS: readonly Request[] = [
  {
    id: FrontendRequest.GET_CONFIG,
    name: 'GET_CONFIG',
    bytes: { least: VhostConfig.BYTES, step: 1 },
    replies: true,
    needs: ProtocolFeature.CONFIG,
    carryOut: getConfig,
  },
  {
    id: FrontendRequest.SET_CONFIG,
    name: 'SET_CONFIG',
    bytes: { least: VhostConfig.BYTES, step: 1 },
    needs: ProtocolFeature.CONFIG,
    carryOut: setConfig,
  },
  {
    id: FrontendRequest.GET_INFLIGHT_FD,
    name: 'GET_INFLIGHT_FD',
    bytes: INFLIGHT_BYTES,
    replies: true,
    needs: ProtocolFeature.INFLIGHT_SHMFD,
    carryOut: getInflight,
  },
  {
    id: FrontendRequest.SET_INFLIGHT_FD,
    name: 'SET_INFLIGHT_FD',
    bytes: INFLIGHT_BYTES,
    descriptors: () => 1,
    needs: ProtocolFeature.INFLIGHT_SHMFD,
    carryOut: setInflight,
  },
];
