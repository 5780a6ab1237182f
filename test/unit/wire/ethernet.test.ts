/** Ethernet and IP offsets, and addresses as text. */
import { strict as assert } from 'node:assert';
import {
  Ethernet,
  EtherType,
  IP_PACKET_MAX,
  IP_PROTOCOL_TCP,
  Ipv4,
  Ipv6,
  macOctets,
  Tcp,
} from '../../../src/wire/ethernet.ts';

describe('wire/ethernet', () => {
  it('[utest->req~net.source-guard~1] the octets of an address are in the order in which they are written', () => {
    assert.deepEqual(macOctets('52:54:00:ab:0f:ff'), [0x52, 0x54, 0, 0xab, 0x0f, 0xff]);
  });

  it('[utest->req~net.length~1] the fields of the Ethernet header follow each other without a gap', () => {
    assert.equal(Ethernet.SOURCE, Ethernet.DESTINATION + Ethernet.MAC_BYTES);
    assert.equal(Ethernet.TYPE, Ethernet.SOURCE + Ethernet.MAC_BYTES);
    assert.equal(Ethernet.HEADER, Ethernet.TYPE + 2);
    assert.equal(Ethernet.TAG, 4);
    assert.equal(IP_PACKET_MAX, 2 ** 16 - 1);
  });

  it('[utest->req~net.vlan~1] the types are those of IEEE 802: IPv4, IPv6, tag, service tag', () => {
    assert.deepEqual(EtherType, { IPV4: 0x0800, IPV6: 0x86dd, VLAN: 0x8100, VLAN_OUTER: 0x88a8 });
  });

  it('[utest->req~net.offload-completion~1] the offsets are those of RFC 791, RFC 8200 and RFC 9293', () => {
    assert.deepEqual(Ipv4, {
      VERSION_IHL: 0,
      TOTAL_LENGTH: 2,
      ID: 4,
      PROTOCOL: 9,
      CHECKSUM: 10,
      HEADER_MIN: 20,
    });
    assert.deepEqual(Ipv6, { PAYLOAD_LENGTH: 4, NEXT_HEADER: 6, HEADER: 40 });
    assert.deepEqual(Tcp, {
      SEQUENCE: 4,
      DATA_OFFSET: 12,
      FLAGS: 13,
      CHECKSUM: 16,
      HEADER_MIN: 20,
      FIN: 0x01,
      PSH: 0x08,
      CWR: 0x80,
    });
    assert.equal(IP_PROTOCOL_TCP, 6);
  });
});
