/** Layout tables against field lists: every offset is the sum of the sizes before it. */
import { strict as assert } from 'node:assert';
import { NetConfig, NetCtrl, NetHeader } from '../../../src/wire/virtio-net.ts';
import {
  BarLayout,
  CommonConfig,
  Msix,
  PciHeader,
  VirtioPciCap,
  VirtioPciCapType,
} from '../../../src/wire/virtio-pci.ts';
import { DEVICE_TYPE_ID, DeviceStatus } from '../../../src/wire/virtio.ts';
import {
  availRingBytes,
  descriptorTableBytes,
  PACKED_ALIGN,
  PACKED_WRAP,
  PackedDesc,
  PackedDescFlag,
  PackedEvent,
  PackedEventFlags,
  usedRingBytes,
  VIRTQ_ALIGN,
  VirtqAvail,
  VirtqDesc,
  VirtqDescFlag,
  VirtqUsed,
} from '../../../src/wire/virtqueue.ts';
import { offsetsOf } from '../../support/packed-fields.ts';

describe('wire: layouts', () => {
  it('[utest->req~queue.setup-valid~1] 2.7.5: a descriptor is address, length, flags and next, 16 bytes', () => {
    assert.deepEqual(
      VirtqDesc,
      offsetsOf([
        ['ADDR', 8],
        ['LEN', 4],
        ['FLAGS', 2],
        ['NEXT', 2],
      ]),
    );
    assert.deepEqual(VirtqDescFlag, { NEXT: 1, WRITE: 2, INDIRECT: 4 });
  });

  it('[utest->req~queue.setup-valid~1] 2.7.6, 2.7.8: both rings begin with flags and index', () => {
    for (const ring of [VirtqAvail, VirtqUsed]) {
      assert.deepEqual([ring.FLAGS, ring.IDX, ring.RING], [0, 2, 4]);
    }
    assert.deepEqual([VirtqAvail.ELEMENT_SIZE, VirtqUsed.ELEMENT_SIZE], [2, 8]);
    assert.deepEqual([VirtqAvail.NO_INTERRUPT, VirtqUsed.NO_NOTIFY], [1, 1]);
  });

  it('[utest->req~queue.setup-valid~1] 2.7: sizes and alignments of the three parts, for every queue size', () => {
    for (let size = 1; size <= 32768; size *= 2) {
      assert.equal(descriptorTableBytes(size), 16 * size);
      assert.equal(availRingBytes(size), 6 + 2 * size);
      assert.equal(usedRingBytes(size), 6 + 8 * size);
    }
    assert.deepEqual(VIRTQ_ALIGN, { DESC: 16, AVAIL: 2, USED: 4 });
  });

  it('[utest->req~queue.setup-valid~1] 2.8.13, 2.8.1: a packed descriptor ends with id and flags', () => {
    assert.deepEqual(
      PackedDesc,
      offsetsOf([
        ['ADDR', 8],
        ['LEN', 4],
        ['ID', 2],
        ['FLAGS', 2],
      ]),
    );
    assert.deepEqual(PackedDescFlag, { AVAIL: 128, USED: 32768 });
  });

  it('[utest->req~queue.setup-valid~1] 2.8.14, 2.8.10.1: an event suppression structure is offset and flags', () => {
    assert.deepEqual(
      PackedEvent,
      offsetsOf([
        ['OFFSET', 2],
        ['FLAGS', 2],
      ]),
    );
    assert.deepEqual(PackedEventFlags, { ENABLE: 0, DISABLE: 1, DESC: 2, MASK: 3 });
    assert.deepEqual([PACKED_WRAP, PACKED_ALIGN.EVENT], [0x8000, 4]);
  });

  it('[utest->req~net.header-valid~1] 5.1.9: the virtio-net header has 12 bytes since VERSION_1', () => {
    assert.deepEqual(
      NetHeader,
      offsetsOf([
        ['FLAGS', 1],
        ['GSO_TYPE', 1],
        ['HDR_LEN', 2],
        ['GSO_SIZE', 2],
        ['CSUM_START', 2],
        ['CSUM_OFFSET', 2],
        ['NUM_BUFFERS', 2],
      ]),
    );
    assert.equal(NetHeader.SIZE, 12);
  });

  it('[utest->req~pci.function~1] 5.1.4: the configuration of a network device, up to duplex', () => {
    assert.deepEqual(
      NetConfig,
      offsetsOf([
        ['MAC', 6],
        ['STATUS', 2],
        ['MAX_VIRTQUEUE_PAIRS', 2],
        ['MTU', 2],
        ['SPEED', 4],
        ['DUPLEX', 1],
      ]),
    );
  });

  it('[utest->req~net.control-exact~1] 5.1.9.5: classes are numbered 0 to 5, commands from 0 in each', () => {
    const { RX, MAC, VLAN, ANNOUNCE, MQ, GUEST_OFFLOADS } = NetCtrl;
    assert.deepEqual([RX, MAC, VLAN, ANNOUNCE, MQ, GUEST_OFFLOADS], [0, 1, 2, 3, 4, 5]);
    const { RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST } = NetCtrl;
    assert.deepEqual(
      [RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST],
      [0, 1, 2, 3, 4, 5],
    );
    assert.deepEqual([NetCtrl.MAC_TABLE_SET, NetCtrl.MAC_ADDR_SET], [0, 1]);
    assert.deepEqual([NetCtrl.VLAN_ADD, NetCtrl.VLAN_DEL], [0, 1]);
    assert.deepEqual(
      [NetCtrl.ANNOUNCE_ACK, NetCtrl.MQ_VQ_PAIRS_SET, NetCtrl.GUEST_OFFLOADS_SET],
      [0, 0, 0],
    );
    assert.deepEqual([NetCtrl.MQ_PAIRS_MIN, NetCtrl.MQ_PAIRS_MAX], [1, 0x8000]);
    assert.deepEqual([NetCtrl.HEADER_SIZE, NetCtrl.OK, NetCtrl.ERR], [2, 0, 1]);
  });

  it('[utest->req~pci.function~1] 4.1.4.3: the common configuration structure', () => {
    assert.deepEqual(
      CommonConfig,
      offsetsOf([
        ['DEVICE_FEATURE_SELECT', 4],
        ['DEVICE_FEATURE', 4],
        ['DRIVER_FEATURE_SELECT', 4],
        ['DRIVER_FEATURE', 4],
        ['CONFIG_MSIX_VECTOR', 2],
        ['NUM_QUEUES', 2],
        ['DEVICE_STATUS', 1],
        ['CONFIG_GENERATION', 1],
        ['QUEUE_SELECT', 2],
        ['QUEUE_SIZE', 2],
        ['QUEUE_MSIX_VECTOR', 2],
        ['QUEUE_ENABLE', 2],
        ['QUEUE_NOTIFY_OFF', 2],
        ['QUEUE_DESC', 8],
        ['QUEUE_DRIVER', 8],
        ['QUEUE_DEVICE', 8],
        ['QUEUE_NOTIFY_CONFIG_DATA', 2],
        ['QUEUE_RESET', 2],
        ['_admin', 4],
      ]),
    );
  });

  it('[utest->req~pci.function~1] 4.1.4: a capability, and its longer forms behind it', () => {
    const { NOTIFY_OFF_MULTIPLIER, NOTIFY_SIZE, PCI_CFG_DATA, PCI_CFG_SIZE, ...capability } =
      VirtioPciCap;
    assert.deepEqual(
      capability,
      offsetsOf([
        ['ID', 1],
        ['NEXT', 1],
        ['LEN', 1],
        ['CFG_TYPE', 1],
        ['BAR', 1],
        ['INSTANCE', 1],
        ['_padding', 2],
        ['OFFSET', 4],
        ['LENGTH', 4],
      ]),
    );
    assert.deepEqual([NOTIFY_OFF_MULTIPLIER, NOTIFY_SIZE], [capability.SIZE, capability.SIZE + 4]);
    assert.deepEqual([PCI_CFG_DATA, PCI_CFG_SIZE], [capability.SIZE, capability.SIZE + 4]);
    assert.deepEqual(VirtioPciCapType, { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4, PCI_ACCESS: 5 });
  });

  it('[utest->req~pci.function~1] a function header of type 0 and an MSI-X capability', () => {
    assert.deepEqual(PciHeader, {
      VENDOR: 0,
      DEVICE: 2,
      COMMAND: 4,
      STATUS: 6,
      REVISION: 8,
      CLASS: 9,
      HEADER_TYPE: 14,
      BAR0: 16,
      SUBSYSTEM_VENDOR: 44,
      SUBSYSTEM: 46,
      CAPABILITIES: 52,
      INTERRUPT_LINE: 60,
      INTERRUPT_PIN: 61,
      SIZE: 256,
    });
    assert.deepEqual([Msix.CONTROL, Msix.TABLE, Msix.PBA, Msix.SIZE], [2, 4, 8, 12]);
    assert.deepEqual([Msix.ENTRY_DATA, Msix.ENTRY_CONTROL, Msix.ENTRY_SIZE], [8, 12, 16]);
  });

  it('[utest->req~pci.function~1] the five structures lie apart in BAR 0, inside its power of two', () => {
    const { SIZE, NOTIFY_MULTIPLIER, ...places } = BarLayout;
    const starts = Object.values(places).toSorted((a, b) => a - b);
    starts.forEach((start, n) => assert.ok(start >= n * 0x1000 && start % 0x1000 === 0));
    assert.equal(new Set(starts).size, starts.length);
    assert.ok(Number.isInteger(Math.log2(SIZE)) && SIZE >= starts.at(-1)! + 0x1000);
    assert.equal(NOTIFY_MULTIPLIER, 4);
    assert.ok(CommonConfig.SIZE <= 0x1000);
  });

  it('[utest->req~neg.state-machine~1] 2.1: each status bit is one bit, and none is used twice', () => {
    assert.deepEqual(DeviceStatus, {
      ACKNOWLEDGE: 1,
      DRIVER: 2,
      DRIVER_OK: 4,
      FEATURES_OK: 8,
      DEVICE_NEEDS_RESET: 64,
      FAILED: 128,
    });
  });

  it('[utest->req~pci.function~1] 5: the device types, of the version that is pinned', () => {
    assert.deepEqual(DEVICE_TYPE_ID, { 'virtio-net': 1, 'virtio-gpu': 16 });
  });
});
