/** One TCP packet to be cut on its way from a to b, and what its segments must be. */
import { strict as assert } from 'node:assert';
import { GsoType, NetHeaderFlag } from '../../src/wire/virtio-net.ts';
import type { RouteConfig, WindowConfig } from '../../src/schedule/gateway-config.ts';
import {
  TCP,
  TcpFlag,
  dissect,
  unfinished,
  word16,
  word32,
  type PacketShape,
  type UnfinishedPacket,
} from './inet.ts';
import { features, netHeader, tagged, type HeaderFields } from './net-guest.ts';
import { Rig, netDevice, route, type DeviceOptions } from './rig.ts';

export const SENDER = features('CSUM', 'HOST_TSO4', 'HOST_TSO6');

export interface SegmentsOptions {
  readonly sender?: DeviceOptions;
  readonly receiver?: DeviceOptions;
  readonly routes?: readonly RouteConfig[];
  readonly windows?: readonly WindowConfig[];
}

export function segmentsRig(options: SegmentsOptions = {}): Rig {
  const { sender = {}, receiver = {}, routes = [route('a', 'b')], windows } = options;
  return new Rig({
    memoryMiB: 2,
    devices: {
      a: netDevice(1, { offer: SENDER, ...sender }),
      b: netDevice(2, { queueSize: 256, ...receiver }),
      c: netDevice(3),
    },
    routes,
    ...(windows && { schedule: { windows } }),
  });
}

/** A window of a for its first transmitq. */
export function windowOfA(offsetUs: number, bytesMax: number, requestsMax = 1000): WindowConfig {
  return {
    id: `w${offsetUs}`,
    partition: 'a',
    offsetUs,
    durationUs: 1000,
    pollUs: 100,
    queues: [{ queue: 'net0.transmitq0', requestsMax, requestsGuaranteed: 1, bytesMax }],
  };
}

export interface TcpOptions extends Partial<Omit<PacketShape, 'payload' | 'protocol' | 'macs'>> {
  readonly payloadBytes?: number;
  readonly header?: Partial<HeaderFields>;
  readonly gsoSize?: number;
  /** VLAN id of the packet as it is sent. */
  readonly vlan?: number;
}

export interface Original extends UnfinishedPacket {
  /** As sent, with its tag if it has one. */
  readonly sent: number[];
  readonly header: number[];
  readonly gsoSize: number;
  readonly payload: number[];
}

export function original(rig: Rig, options: TcpOptions = {}): Original {
  const {
    payloadBytes = 3500,
    gsoSize = 1000,
    version = 4,
    flags = TcpFlag.ACK | TcpFlag.PSH,
    vlan,
    header,
    ...shape
  } = options;
  const payload = Array.from({ length: payloadBytes }, (_, n) => (n * 31 + (n >>> 8)) & 0xff);
  const packet = unfinished({
    ...shape,
    version,
    flags,
    payload,
    protocol: TCP,
    macs: [...rig.guest('b').mac, ...rig.guest('a').mac],
  });
  const shift = vlan === undefined ? 0 : 4;
  return {
    ...packet,
    payload,
    gsoSize,
    sent: vlan === undefined ? packet.bytes : tagged(packet.bytes, vlan),
    header: netHeader({
      flags: NetHeaderFlag.NEEDS_CSUM,
      gsoType: version === 4 ? GsoType.TCPV4 : GsoType.TCPV6,
      gsoSize,
      headerLength: packet.headerLength + shift,
      checksumStart: packet.checksumStart + shift,
      checksumOffset: packet.checksumOffset,
      ...header,
    }),
  };
}

export function sendOriginal(rig: Rig, options: TcpOptions = {}): Original {
  const packet = original(rig, options);
  rig.send('a', packet.sent, packet.header);
  return packet;
}

/** Every untagged segment is a valid packet of its own, and together they carry the original's payload. */
export function assertSegments(segments: readonly (readonly number[])[], of: Original): void {
  const { bytes, payload, gsoSize } = of;
  const whole = dissect(bytes);
  const { FIN, PSH, CWR } = TcpFlag;
  const flags = whole.transport[13]!;
  assert.equal(segments.length, Math.ceil(payload.length / gsoSize), 'number of segments');
  let sent = 0;
  segments.forEach((segment, n) => {
    const parts = dissect(segment);
    const last = n === segments.length - 1;
    const inherited = flags & (last ? 0xff : ~(FIN | PSH)) & (n === 0 ? 0xff : ~CWR);
    assert.equal(
      parts.payload.length,
      last ? payload.length - sent : gsoSize,
      `payload of segment ${n}`,
    );
    assert.equal(parts.saidBytes, segment.length - 14, `IP length of segment ${n}`);
    assert.ok(parts.ipChecksumHolds, `IP checksum of segment ${n}`);
    assert.ok(parts.transportChecksumHolds, `TCP checksum of segment ${n}`);
    const sequence = (word32(whole.transport, 4) + sent) % 2 ** 32;
    assert.equal(word32(parts.transport, 4), sequence, `sequence number of segment ${n}`);
    assert.equal(parts.transport[13], inherited, `flags of segment ${n}`);
    const id = (word16(whole.ip, 4) + n) & 0xffff;
    if (whole.version === 4) assert.equal(word16(parts.ip, 4), id, `IP id of segment ${n}`);
    assert.deepEqual(
      constantFields(segment),
      constantFields(bytes),
      `all other fields of segment ${n}`,
    );
    sent += parts.payload.length;
  });
  assert.deepEqual(
    segments.flatMap((segment) => dissect(segment).payload),
    payload,
  );
}

/** Headers without the fields that a segment has of its own. */
function constantFields(packet: readonly number[]): number[] {
  const { version, ip, transport, payload } = dissect(packet);
  const own = version === 4 ? [2, 3, 4, 5, 10, 11] : [4, 5];
  const ipHeader = ip
    .slice(0, ip.length - transport.length)
    .map((byte, n) => (own.includes(n) ? -1 : byte));
  const tcp = transport
    .slice(0, transport.length - payload.length)
    .map((byte, n) => ([4, 5, 6, 7, 13, 16, 17].includes(n) ? -1 : byte));
  return [...packet.slice(0, 14), ...ipHeader, ...tcp];
}
