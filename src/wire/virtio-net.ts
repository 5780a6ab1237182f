/** Byte layout of the network device (VIRTIO 1.4, 5.1). */

/** struct virtio_net_hdr, 12 bytes since VERSION_1 (5.1.9). */
export const NetHeader = {
  FLAGS: 0,
  GSO_TYPE: 1,
  HDR_LEN: 2,
  GSO_SIZE: 4,
  CSUM_START: 6,
  CSUM_OFFSET: 8,
  NUM_BUFFERS: 10,
  SIZE: 12,
} as const;

export const NetHeaderFlag = { NEEDS_CSUM: 1, DATA_VALID: 2 } as const;
export const GsoType = { NONE: 0, TCPV4: 1, UDP: 3, TCPV6: 4, UDP_L4: 5, ECN: 0x80 } as const;

/** struct virtio_net_config (5.1.4), as far as the features of this gateway make fields valid. */
export const NetConfig = {
  MAC: 0,
  STATUS: 6,
  MAX_VIRTQUEUE_PAIRS: 8,
  MTU: 10,
  SPEED: 12,
  DUPLEX: 16,
  SIZE: 17,
} as const;

export const NetStatus = { LINK_UP: 1, ANNOUNCE: 2 } as const;
export const DUPLEX_FULL = 0;

/** Control command classes and commands (5.1.9.5). */
export const NetCtrl = {
  RX: 0,
  RX_PROMISC: 0,
  RX_ALLMULTI: 1,
  RX_ALLUNI: 2,
  RX_NOMULTI: 3,
  RX_NOUNI: 4,
  RX_NOBCAST: 5,
  MAC: 1,
  MAC_TABLE_SET: 0,
  MAC_ADDR_SET: 1,
  VLAN: 2,
  VLAN_ADD: 0,
  VLAN_DEL: 1,
  ANNOUNCE: 3,
  ANNOUNCE_ACK: 0,
  MQ: 4,
  MQ_VQ_PAIRS_SET: 0,
  MQ_PAIRS_MIN: 1,
  MQ_PAIRS_MAX: 0x8000,
  GUEST_OFFLOADS: 5,
  GUEST_OFFLOADS_SET: 0,
  HEADER_SIZE: 2,
  OK: 0,
  ERR: 1,
} as const;
