/** A TCP packet over IPv4 with the virtio-net headers that leave work to the device (VIRTIO 5.1.9.2). */
import { Ethernet, Ipv4, IP_PROTOCOL_TCP, Tcp } from '../../src/wire/ethernet.ts';
import { GsoType, NetHeaderFlag } from '../../src/wire/virtio-net.ts';
import type { Rig } from './rig.ts';

const TCP_AT = Ethernet.HEADER + Ipv4.HEADER_MIN;
const PAYLOAD_AT = TCP_AT + Tcp.HEADER_MIN;
const PAYLOAD_BYTES = 230;
const SEGMENT_BYTES = 100;

const le16 = (value: number) => [value & 0xff, value >> 8];

/** From a to b; the checksum field holds a sum that the device completes. */
function tcpPacket(rig: Rig): number[] {
  const bytes = rig.packet('a', 'b', PAYLOAD_AT + PAYLOAD_BYTES, [0x08, 0x00]);
  bytes[Ethernet.HEADER] = 0x45;
  bytes[Ethernet.HEADER + Ipv4.PROTOCOL] = IP_PROTOCOL_TCP;
  bytes[TCP_AT + Tcp.DATA_OFFSET] = (Tcp.HEADER_MIN / 4) << 4;
  return bytes;
}

function header(gsoType: number, gsoSize: number): number[] {
  return [
    NetHeaderFlag.NEEDS_CSUM,
    gsoType,
    ...le16(PAYLOAD_AT),
    ...le16(gsoSize),
    ...le16(TCP_AT),
    ...le16(Tcp.CHECKSUM),
    0,
    0,
  ];
}

export function checksumRequest(rig: Rig): { header: number[]; bytes: number[] } {
  return { header: header(GsoType.NONE, 0), bytes: tcpPacket(rig) };
}

/** Three segments: 100, 100 and 30 bytes of payload. */
export function segmentRequest(rig: Rig): { header: number[]; bytes: number[] } {
  return { header: header(GsoType.TCPV4, SEGMENT_BYTES), bytes: tcpPacket(rig) };
}
