/** The feature table and its sets of bits: bit 31, 32, 63, 64, aliases, and dependencies that exist. */
import { strict as assert } from 'node:assert';
import {
  bitOf,
  bitsOf,
  FEATURES,
  featuresOf,
  hasBit,
  namesOf,
} from '../../../src/wire/features.ts';

const NET = 'virtio-net';
const GPU = 'virtio-gpu';

describe('wire/features', () => {
  it('[utest->req~neg.dependencies~1] no device type has a name, alias or bit twice', () => {
    for (const device of [NET, GPU] as const) {
      const features = featuresOf(device);
      const names = features.flatMap(({ name, alias }) => (alias ? [name, alias] : [name]));
      assert.equal(new Set(names).size, names.length);
      assert.equal(new Set(features.map(({ bit }) => bit)).size, features.length);
    }
  });

  it('[utest->req~neg.dependencies~1] every dependency names a feature of the same device type, never itself', () => {
    for (const { name, device, requires = [], requiresAny = [] } of FEATURES) {
      const known = FEATURES.filter((other) => other.device === device).map((other) => other.name);
      for (const other of [...requires, ...requiresAny]) {
        assert.ok(known.includes(other) && other !== name, `${name} requires ${other}`);
      }
    }
  });

  it('[utest->req~neg.dependencies~1] 5.1.3.1: the dependencies of what this gateway supports', () => {
    const needed = Object.fromEntries(
      FEATURES.filter(({ supported, requires }) => supported && requires).map(
        ({ name, requires }) => [name.replace('VIRTIO_NET_F_', ''), requires],
      ),
    );
    const [control, checksum, guestChecksum] = ['CTRL_VQ', 'CSUM', 'GUEST_CSUM'].map((name) => [
      `VIRTIO_NET_F_${name}`,
    ]);
    assert.deepEqual(needed, {
      CTRL_GUEST_OFFLOADS: control,
      CTRL_RX: control,
      CTRL_VLAN: control,
      CTRL_RX_EXTRA: control,
      GUEST_ANNOUNCE: control,
      MQ: control,
      HOST_TSO4: checksum,
      HOST_TSO6: checksum,
      GUEST_TSO4: guestChecksum,
      GUEST_TSO6: guestChecksum,
    });
  });

  it('[utest->req~neg.offered-only~1] a device type has its own features and those of every virtqueue', () => {
    const net = featuresOf(NET);
    const gpu = featuresOf(GPU);
    assert.ok(net.every(({ device }) => device === NET || device === 'ring'));
    assert.ok(gpu.every(({ device }) => device === GPU || device === 'ring'));
    const ring = FEATURES.filter(({ device }) => device === 'ring').length;
    assert.equal(net.length + gpu.length, FEATURES.length + ring);
  });

  it('[utest->req~neg.offered-only~1] what has no place in 64 bits is not supported', () => {
    const beyond = FEATURES.filter(({ bit }) => bit > 63);
    assert.ok(beyond.length > 0);
    assert.deepEqual(
      beyond.filter(({ supported }) => supported),
      [],
    );
  });

  it('[utest->req~neg.offered-only~1] bits go to the word they belong to, unsigned, also bits 31, 32 and 63', () => {
    assert.deepEqual(bitsOf(NET, []), { low: 0, high: 0 });
    assert.deepEqual(bitsOf(NET, ['VIRTIO_NET_F_CSUM', 'VIRTIO_RING_F_EVENT_IDX']), {
      low: 0x20000001,
      high: 0,
    });
    assert.deepEqual(bitsOf(NET, ['VIRTIO_F_VERSION_1']), { low: 0, high: 1 });
    assert.deepEqual(bitsOf(NET, ['VIRTIO_NET_F_SPEED_DUPLEX']), { low: 0, high: 0x80000000 });
    assert.deepEqual(
      bitsOf(
        NET,
        FEATURES.map(({ name }) => name),
      ).high >>> 31,
      1,
    );
  });

  it('[utest->req~neg.offered-only~1] names of other device types, unknown names and bits past 63 set nothing', () => {
    const names = [
      'VIRTIO_GPU_F_EDID',
      'VIRTIO_NET_F_NONSENSE',
      'VIRTIO_NET_F_RSS_CONTEXT',
      'VIRTIO_NET_F_IPSEC',
    ];
    assert.deepEqual(bitsOf(NET, names), { low: 0, high: 0 });
    assert.deepEqual(bitsOf(GPU, ['VIRTIO_GPU_F_EDID', 'VIRTIO_NET_F_MAC']), { low: 2, high: 0 });
  });

  it('[utest->req~neg.offered-only~1] an alias is its feature', () => {
    const byName = bitsOf(NET, ['VIRTIO_RING_F_INDIRECT_DESC', 'VIRTIO_RING_F_EVENT_IDX']);
    assert.deepEqual(bitsOf(NET, ['VIRTIO_F_INDIRECT_DESC', 'VIRTIO_F_EVENT_IDX']), byName);
    assert.equal(bitOf(NET, 'VIRTIO_F_EVENT_IDX'), bitOf(NET, 'VIRTIO_RING_F_EVENT_IDX'));
  });

  it('[utest->req~neg.offered-only~1] a bit is looked up by name in its own device type only', () => {
    assert.equal(bitOf(NET, 'VIRTIO_NET_F_MRG_RXBUF'), 15);
    assert.equal(bitOf(NET, 'VIRTIO_F_RING_RESET'), 40);
    for (const name of ['VIRTIO_GPU_F_EDID', '', 'virtio_net_f_mac'])
      assert.equal(bitOf(NET, name), -1);
  });

  it('[utest->req~neg.offered-only~1] a bit is in a set exactly when its place is 1, and outside 0 to 63 never', () => {
    const all = { low: 0xffffffff, high: 0xffffffff };
    for (const bit of [0, 31, 32, 63]) {
      const only = { low: bit < 32 ? 2 ** bit : 0, high: bit < 32 ? 0 : 2 ** (bit - 32) };
      for (let other = 0; other < 64; other++) assert.equal(hasBit(only, other), other === bit);
      assert.equal(hasBit(all, bit), true);
    }
    for (const bit of [-1, 64, 70]) assert.equal(hasBit(all, bit), false);
  });

  it('[utest->req~neg.offered-only~1] the names of a set are in table order, and lead back to the set', () => {
    const names = [
      'VIRTIO_RING_F_EVENT_IDX',
      'VIRTIO_F_VERSION_1',
      'VIRTIO_NET_F_MAC',
      'VIRTIO_NET_F_SPEED_DUPLEX',
    ];
    const bits = bitsOf(NET, names.toReversed());
    assert.deepEqual(namesOf(NET, bits), names);
    assert.deepEqual(bitsOf(NET, namesOf(NET, bits)), bits);
  });

  it('[utest->req~neg.offered-only~1] bits that the table does not know have no name', () => {
    const unknown = [4, 6, 23 + 32, 10 + 32].filter(
      (bit) => !featuresOf(NET).some((known) => known.bit === bit),
    );
    assert.ok(unknown.length > 0);
    for (const bit of unknown) {
      const bits = { low: bit < 32 ? 2 ** bit : 0, high: bit < 32 ? 0 : 2 ** (bit - 32) };
      assert.deepEqual(namesOf(NET, bits), []);
    }
  });
});
