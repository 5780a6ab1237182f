/**
 * Ethernet, VLAN, IP, TCP and UDP: the few offsets that a switch with offloads reads (big-endian).
 */

export const Ethernet = {
  DESTINATION: 0,
  SOURCE: 6,
  TYPE: 12,
  HEADER: 14,
  TAG: 4,
  MAC_BYTES: 6,
} as const;
export const EtherType = { IPV4: 0x0800, IPV6: 0x86dd, VLAN: 0x8100, VLAN_OUTER: 0x88a8 } as const;

/** Largest payload behind an Ethernet header: an IP packet (gso) is at most 65,535 bytes. */
export const IP_PACKET_MAX = 65535;

export const Ipv4 = {
  VERSION_IHL: 0,
  TOTAL_LENGTH: 2,
  ID: 4,
  PROTOCOL: 9,
  CHECKSUM: 10,
  HEADER_MIN: 20,
} as const;
export const Ipv6 = { PAYLOAD_LENGTH: 4, NEXT_HEADER: 6, HEADER: 40 } as const;
export const Tcp = {
  SEQUENCE: 4,
  DATA_OFFSET: 12,
  FLAGS: 13,
  CHECKSUM: 16,
  HEADER_MIN: 20,
  FIN: 1,
  PSH: 8,
  CWR: 0x80,
} as const;
export const IP_PROTOCOL_TCP = 6;

/** The six octets of an address written `52:54:00:00:00:01`. */
export function macOctets(text: string): number[] {
  return text.split(':').map((octet) => Number.parseInt(octet, 16));
}
