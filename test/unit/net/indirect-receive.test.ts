/** Receive buffers in indirect tables: what names a table is not one of the packet's descriptors. */
import { strict as assert } from 'node:assert';
import { INDIRECT, raw, WRITE, writeRaw } from '../../support/hostile-ring.ts';
import { netDevice, Rig, route } from '../../support/rig.ts';

const BUFFER = 512;

describe('receive buffers in indirect tables', () => {
  it('[utest->req~net.receive-buffers~1] three merged buffers of one descriptor each meet a limit of three', () => {
    const offer = ['VIRTIO_F_VERSION_1', 'VIRTIO_RING_F_INDIRECT_DESC', 'VIRTIO_NET_F_MRG_RXBUF'];
    const rig = new Rig({
      devices: { a: netDevice(1), b: netDevice(2, { offer }) },
      routes: [route('a', 'b', { receiveDescriptorsMax: 3 })],
    });
    const { slice, receive } = rig.guest('b');
    for (let n = 0; n < 3; n++) {
      const table = slice.allocate(16);
      writeRaw(receive[0]!, 0, raw(slice.allocate(BUFFER), BUFFER, WRITE), table);
      receive[0]!.submit([{ address: table, length: 16, flags: INDIRECT }]);
    }
    rig.send('a', rig.packet('a', 'b', 1300));
    rig.frames();
    assert.deepEqual(rig.faults('b'), {});
    assert.equal(rig.route('a-b').delivered, 1);
  });
});
