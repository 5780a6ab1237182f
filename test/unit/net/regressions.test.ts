/** Mistakes that the network half once made. */
import { strict as assert } from 'node:assert';
import { NetCtrl, NetHeaderFlag } from '../../../src/wire/virtio-net.ts';
import {
  arrivals,
  command,
  features,
  netHeader,
  packets,
  tagged,
  type HeaderFields,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';
import { segmentsRig, sendOriginal } from '../../support/segments.ts';

const OWN = [0x52, 0x54, 0, 0, 0, 1];

describe('regressions', () => {
  describe('a checksum field in the Ethernet header', () => {
    /** Sends a packet whose checksum field is chosen freely, to a receiver without GUEST_CSUM. */
    function sendWithField(fields: Partial<HeaderFields>, tag?: number): Rig {
      const rig = new Rig({
        devices: { a: netDevice(1, { offer: features('CSUM') }), b: netDevice(2) },
        routes: [route('a', 'b', { vlan: tag ?? null })],
      });
      rig.supply('b', 1);
      const plain = rig.packet('a', 'b', 64);
      const packet = tag === undefined ? plain : tagged(plain, tag);
      rig.send('a', packet, netHeader({ flags: NetHeaderFlag.NEEDS_CSUM, ...fields }));
      rig.frames();
      return rig;
    }

    it(
      '[utest->req~net.source-guard~1] ' +
        'completion does not change the source address that was checked',
      () => {
        const rig = sendWithField({ checksumStart: 0, checksumOffset: 6 });
        for (const packet of packets(rig, 'b')) assert.deepEqual(packet.slice(6, 12), OWN);
      },
    );

    it(
      '[utest->req~net.receive-filter~1] ' +
        'completion does not change the destination that was filtered',
      () => {
        const rig = sendWithField({ checksumStart: 0, checksumOffset: 0 });
        for (const packet of packets(rig, 'b'))
          assert.deepEqual(packet.slice(0, 6), rig.guest('b').mac);
      },
    );

    it('[utest->req~net.vlan~1] completion does not move a packet to another VLAN', () => {
      const rig = sendWithField({ checksumStart: 14, checksumOffset: 0 }, 10);
      for (const packet of packets(rig, 'b')) assert.deepEqual(packet.slice(14, 16), [0, 10]);
    });

    it('[utest->req~net.vlan~1] completion does not change the EtherType that told there is no tag', () => {
      const rig = sendWithField({ checksumStart: 12, checksumOffset: 0 });
      for (const packet of packets(rig, 'b')) assert.deepEqual(packet.slice(12, 14), [8, 6]);
    });
  });

  describe('offsets that do not survive a change of the tag', () => {
    const TAKES_ALL = features('GUEST_CSUM', 'GUEST_TSO4', 'GUEST_TSO6', 'MRG_RXBUF');

    it(
      '[utest->req~net.header-valid~1] ' +
        'csum_start before a removed tag does not point behind the packet',
      () => {
        const rig = new Rig({
          devices: {
            a: netDevice(1, { offer: features('CSUM') }),
            b: netDevice(2, { offer: TAKES_ALL }),
          },
          routes: [route('a', 'b', { vlan: 10, vlanAction: 'remove' })],
        });
        rig.supply('b', 1);
        rig.send(
          'a',
          tagged(rig.packet('a', 'b', 64), 10),
          netHeader({ flags: NetHeaderFlag.NEEDS_CSUM }),
        );
        rig.frames();
        for (const { header, packet } of arrivals(rig, 'b')) {
          const { checksumStart } = header;
          assert.ok(checksumStart + 2 <= packet.length, `csum_start ${checksumStart}`);
        }
      },
    );

    it('[utest->req~net.header-valid~1] csum_start does not wrap when a tag is inserted', () => {
      const rig = segmentsRig({
        receiver: { offer: TAKES_ALL },
        routes: [route('a', 'b', { vlan: 10, vlanAction: 'insert' })],
      });
      rig.supply('b', 20, 4096);
      sendOriginal(rig, {
        payloadBytes: 65549 - 54,
        header: { checksumStart: 65535, checksumOffset: 0 },
      });
      rig.frames();
      const starts = arrivals(rig, 'b').map(({ header }) => header.checksumStart);
      assert.deepEqual(
        starts.filter((start) => start < 18),
        [],
      );
    });

    for (const [name, action] of [
      ['as it is', undefined],
      ['with a tag inserted', 'insert'],
    ] as const) {
      it(
        `[utest->req~net.header-valid~1] ` +
          `a hdr_len beyond the packet does not reach a receiver ${name} (catalogue 36)`,
        () => {
          const rig = segmentsRig({
            receiver: { offer: TAKES_ALL },
            routes: [route('a', 'b', action ? { vlan: 10, vlanAction: action } : {})],
          });
          rig.supply('b', 20);
          const { headerLength } = sendOriginal(rig, { header: { headerLength: 0xffff } });
          rig.frames();
          for (const { header, packet } of arrivals(rig, 'b')) {
            const least = headerLength + (action ? 4 : 0);
            const said = header.headerLength;
            assert.ok(said >= least && said <= packet.length, `hdr_len ${said}`);
          }
        },
      );
    }
  });

  describe('segments and the quota of their route', () => {
    it('[utest->req~net.rate~1] segments of one packet do not exceed the packets of the route', () => {
      const rig = segmentsRig({ routes: [route('a', 'b', { packetsPerMajorFrame: 4 })] });
      rig.supply('b', 200, 128);
      sendOriginal(rig, { payloadBytes: 100, gsoSize: 1 });
      rig.frames();
      const count = packets(rig, 'b').length;
      assert.ok(count <= 4, `${count} packets arrived on a route for 4`);
    });

    it('[utest->req~net.rate~1] segments of one packet do not exceed the bytes of the route', () => {
      const rig = segmentsRig({ routes: [route('a', 'b', { bytesPerMajorFrame: 1514 })] });
      rig.supply('b', 200, 128);
      sendOriginal(rig, { payloadBytes: 100, gsoSize: 1 });
      rig.frames();
      const bytes = packets(rig, 'b').reduce((sum, packet) => sum + packet.length, 0);
      assert.ok(bytes <= 1514, `${bytes} bytes arrived on a route for 1514`);
    });
  });

  describe('control commands', () => {
    it(
      '[utest->req~net.control-exact~1] ' +
        'a command longer than the bytes of a window is refused, and the next one served',
      () => {
        const rig = new Rig({
          devices: { a: netDevice(1, { offer: features('CTRL_VQ', 'CTRL_RX') }), b: netDevice(2) },
        });
        assert.equal(command(rig, 'a', ...new Array(65_537).fill(0)), NetCtrl.ERR);
        assert.equal(command(rig, 'a', NetCtrl.RX, NetCtrl.RX_PROMISC, 1), NetCtrl.OK);
      },
    );

    for (const which of [
      NetCtrl.RX_ALLUNI,
      NetCtrl.RX_NOMULTI,
      NetCtrl.RX_NOUNI,
      NetCtrl.RX_NOBCAST,
    ]) {
      it(
        `[utest->req~net.control-exact~1] ` +
          `CTRL_RX_EXTRA alone admits receive mode ${which} (5.1.9.5.1.1)`,
        () => {
          const rig = new Rig({
            devices: {
              a: netDevice(1, { offer: features('CTRL_VQ', 'CTRL_RX_EXTRA') }),
              b: netDevice(2),
            },
          });
          assert.equal(command(rig, 'a', NetCtrl.RX, which, 1), NetCtrl.OK);
        },
      );
    }
  });
});
