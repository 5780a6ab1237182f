/** PCI configuration space of an emulated function: identity, capability list, base address register. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import {
  BarLayout,
  CommonConfig,
  Msix,
  PciCapabilityId,
  PciCommand,
  PciHeader,
  VirtioPciCap,
  VirtioPciCapType,
} from '../../src/wire/virtio-pci.ts';
import { NetConfig } from '../../src/wire/virtio-net.ts';
import { FunctionBench } from '../support/function-bench.ts';
import { RegisterDriver } from '../support/register-driver.ts';
import { netDevice } from '../support/rig.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const { COMMON, NOTIFY, ISR, DEVICE, PCI_ACCESS } = VirtioPciCapType;
const ALL_ONES = 0xffff_ffff;
const HEADER_END = 0x40;

function controlledBench(): FunctionBench {
  const offer = [
    'VIRTIO_F_VERSION_1',
    'VIRTIO_NET_F_MAC',
    'VIRTIO_NET_F_CTRL_VQ',
    'VIRTIO_NET_F_MQ',
  ];
  return new FunctionBench({
    devices: { a: netDevice(1, { offer, queuePairs: 3 }), b: netDevice(2) },
  });
}

function space() {
  const target = controlledBench().functions[0]!;
  const u8 = (at: number) => target.readConfig(at, 1);
  const u16 = (at: number) => target.readConfig(at, 2);
  const u32 = (at: number) => target.readConfig(at, 4);
  return { target, u8, u16, u32 };
}

type Space = ReturnType<typeof space>;

interface Capability {
  readonly at: number;
  readonly id: number;
}

function capabilities({ u8 }: Space): Capability[] {
  const found: Capability[] = [];
  for (let at = u8(PciHeader.CAPABILITIES); at !== 0 && found.length < 48; at = u8(at + 1)) {
    found.push({ at, id: u8(at) });
  }
  return found;
}

function structures(read: Space) {
  const { u8, u32 } = read;
  return capabilities(read)
    .filter(({ id }) => id === PciCapabilityId.VENDOR)
    .map(({ at }) => ({
      at,
      type: u8(at + VirtioPciCap.CFG_TYPE),
      length: u8(at + VirtioPciCap.LEN),
      bar: u8(at + VirtioPciCap.BAR),
      offset: u32(at + VirtioPciCap.OFFSET),
      bytes: u32(at + VirtioPciCap.LENGTH),
    }));
}

function structure(read: Space, type: number) {
  const found = structures(read).find((candidate) => candidate.type === type);
  assert.ok(found, `structure ${type}`);
  return found;
}

describe('PCI configuration space (4.1.2, 4.1.4)', () => {
  it('[utest->req~pci.function~1] 4.1.2.1: the ids are those of a modern network device', () => {
    const { u16 } = space();
    assert.equal(u16(PciHeader.VENDOR), 0x1af4);
    assert.equal(u16(PciHeader.DEVICE), 0x1041);
  });

  it('[utest->req~pci.function~1] 4.1.2.1: revision and subsystem id are those of a non-transitional device', () => {
    const { u8, u16 } = space();
    assert.ok(u8(PciHeader.REVISION) >= 1);
    assert.ok(u16(PciHeader.SUBSYSTEM) >= 0x40);
  });

  it('[utest->req~pci.function~1] 4.1.1: a type 0 header of an Ethernet controller without INTx pin', () => {
    const { u8, u32 } = space();
    assert.equal(u32(PciHeader.REVISION) >>> 8, 0x020000);
    assert.equal(u8(PciHeader.HEADER_TYPE), 0);
    assert.equal(u8(PciHeader.INTERRUPT_PIN), 0);
  });

  it('[utest->req~pci.function~1] 4.1.4: the status register announces a capability list, which ends', () => {
    const read = space();
    assert.equal(read.u16(PciHeader.STATUS) & 0x10, 0x10);
    const list = capabilities(read);
    assert.ok(list.length < 48, 'a list without end');
    assert.deepEqual(
      list.map(({ at }) => at % 4),
      list.map(() => 0),
    );
  });

  it('[utest->req~pci.function~1] 4.1.4: each of the five structures is there once, and MSI-X', () => {
    const read = space();
    assert.deepEqual(
      structures(read)
        .map(({ type }) => type)
        .sort(),
      [COMMON, NOTIFY, ISR, DEVICE, PCI_ACCESS],
    );
    assert.equal(capabilities(read).filter(({ id }) => id === PciCapabilityId.MSIX).length, 1);
  });

  it('[utest->req~pci.function~1] 4.1.4.2: cap_len covers the extra data of a capability', () => {
    const read = space();
    for (const { type, length } of structures(read)) {
      const extended = type === NOTIFY || type === PCI_ACCESS;
      assert.equal(length, extended ? 20 : 16, `type ${type}`);
    }
  });

  it('[utest->req~pci.function~1] 4.1.4.2: capabilities lie behind the header and do not overlap', () => {
    const read = space();
    const extents = capabilities(read)
      .map(({ at, id }) => ({
        from: at,
        to: at + (id === PciCapabilityId.MSIX ? 12 : read.u8(at + 2)),
      }))
      .sort((a, b) => a.from - b.from);
    assert.ok(extents[0]!.from >= HEADER_END);
    assert.ok(extents.at(-1)!.to <= PciHeader.SIZE);
    extents.slice(1).forEach((extent, n) => assert.ok(extent.from >= extents[n]!.to));
  });

  it('[utest->req~pci.function~1] 4.1.4: structures, MSI-X table and PBA lie apart inside BAR 0', () => {
    const read = space();
    const msixAt = capabilities(read).find(({ id }) => id === PciCapabilityId.MSIX)!.at;
    const vectors = (read.u16(msixAt + Msix.CONTROL) & 0x7ff) + 1;
    const table = read.u32(msixAt + Msix.TABLE);
    const pending = read.u32(msixAt + Msix.PBA);
    assert.deepEqual([table & 7, pending & 7], [0, 0], 'both in BAR 0');
    const parts = [
      ...structures(read)
        .filter(({ type }) => type !== PCI_ACCESS)
        .map(({ offset, bytes, bar }) => ({ offset, bytes, bar })),
      { offset: table, bytes: vectors * 16, bar: 0 },
      { offset: pending, bytes: Math.ceil(vectors / 64) * 8, bar: 0 },
    ].sort((a, b) => a.offset - b.offset);
    parts.forEach(({ offset, bytes, bar }, n) => {
      assert.equal(bar, 0);
      assert.ok(bytes > 0);
      assert.ok(offset + bytes <= (parts[n + 1]?.offset ?? BarLayout.SIZE), `part at ${offset}`);
    });
  });

  it('[utest->req~pci.function~1] 4.1.4.3.1: the common structure is aligned and holds queue_reset', () => {
    const { offset, bytes } = structure(space(), COMMON);
    assert.equal(offset % 4, 0);
    assert.ok(bytes >= CommonConfig.QUEUE_RESET + 2);
  });

  it('[utest->req~pci.function~1] 4.1.4.4.1: the notification structure has room for every queue', () => {
    const bench = controlledBench();
    const driver = new RegisterDriver(bench);
    const read = space();
    const { at, offset, bytes } = structure(read, NOTIFY);
    const multiplier = read.u32(at + VirtioPciCap.NOTIFY_OFF_MULTIPLIER);
    assert.equal(offset % 2, 0);
    assert.ok(
      multiplier === 0 || (multiplier % 2 === 0 && Number.isInteger(Math.log2(multiplier))),
    );
    for (let queue = 0; queue < driver.read(CommonConfig.NUM_QUEUES); queue++) {
      driver.select(queue);
      assert.ok(
        bytes >= driver.read(CommonConfig.QUEUE_NOTIFY_OFF) * multiplier + 2,
        `queue ${queue}`,
      );
    }
  });

  it('[utest->req~pci.function~1] 4.1.4.6.1: the device structure is aligned and holds every field', () => {
    const { offset, bytes } = structure(space(), DEVICE);
    assert.equal(offset % 4, 0);
    assert.ok(bytes >= NetConfig.SIZE);
  });

  it('[utest->req~pci.function~1] 4.1.5.1.2.1: Table Size has a vector for each queue and the configuration', () => {
    const read = space();
    const { at } = capabilities(read).find(({ id }) => id === PciCapabilityId.MSIX)!;
    assert.equal(
      read.u16(at + Msix.CONTROL) & 0x7ff,
      7,
      'seven queues and the configuration, minus one',
    );
  });

  it('[utest->req~pci.function~1] 4.1.1: BAR 0 tells its size, keeps an address, and no other BAR exists', () => {
    const { target, u32 } = space();
    for (let bar = 0; bar < 6; bar++) target.writeConfig(PciHeader.BAR0 + 4 * bar, 4, ALL_ONES);
    const sizes = Array.from({ length: 6 }, (_, bar) => u32(PciHeader.BAR0 + 4 * bar));
    assert.equal((~(sizes[0]! & ~0xf) + 1) >>> 0, BarLayout.SIZE);
    assert.equal(sizes[0]! & 0xf, 0, '32-bit memory, not prefetchable');
    assert.deepEqual(sizes.slice(1), [0, 0, 0, 0, 0]);
    target.writeConfig(PciHeader.BAR0, 4, 0xe010_0000);
    assert.equal(u32(PciHeader.BAR0), 0xe010_0000);
  });

  it('[utest->req~pci.function~1] 4.1.4.1: writes of any kind leave ids, status and capabilities as they are', () => {
    const writable = (read: Space) => {
      const window = structure(read, PCI_ACCESS).at;
      const msix = capabilities(read).find(({ id }) => id === PciCapabilityId.MSIX)!.at;
      const at = (from: number, bytes: number) => Array.from({ length: bytes }, (_, n) => from + n);
      return new Set([
        ...at(PciHeader.COMMAND, 2),
        ...at(PciHeader.BAR0, 4),
        PciHeader.INTERRUPT_LINE,
        window + VirtioPciCap.BAR,
        ...at(window + VirtioPciCap.OFFSET, 8),
        ...at(window + VirtioPciCap.PCI_CFG_DATA, 4),
        ...at(msix + Msix.CONTROL, 2),
      ]);
    };
    const write = fc.record({
      offset: fc.nat(0xff),
      width: fc.constantFrom(1, 2, 4),
      value: fc.integer({ min: 0, max: ALL_ONES }),
    });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
        const read = space();
        const fixed = [...Array(PciHeader.SIZE).keys()].filter((at) => !writable(read).has(at));
        const before = fixed.map(read.u8);
        for (const { offset, width, value } of writes)
          read.target.writeConfig(offset, width, value);
        assert.deepEqual(fixed.map(read.u8), before);
      }),
      seededRuns(41, 40),
    );
  });

  it('[utest->req~pci.function~1] 4.1.1: only decoding, bus mastering and INTx disable of the command are kept', () => {
    const { target, u16 } = space();
    target.writeConfig(PciHeader.COMMAND, 2, 0xffff);
    assert.equal(u16(PciHeader.COMMAND), PciCommand.MEMORY | PciCommand.BUS_MASTER | 0x400);
  });

  it('[utest->req~pci.function~1] 4.1.1: without memory decoding the registers are not there', () => {
    const bench = new FunctionBench();
    const driver = new RegisterDriver(bench);
    driver.negotiate();
    driver.target.writeConfig(PciHeader.COMMAND, 2, PciCommand.BUS_MASTER);
    driver.select(1);
    assert.equal(driver.read(CommonConfig.DEVICE_FEATURE), ALL_ONES);
    driver.target.writeConfig(PciHeader.COMMAND, 2, PciCommand.MEMORY);
    assert.equal(driver.read(CommonConfig.QUEUE_SELECT), 0);
  });

  it('[utest->req~pci.function~1] 4.1.2: the hex dump has the bytes a driver reads, in the form of lspci -xxx', () => {
    const read = space();
    const lines = read.target.space.hexDump(3).split('\n');
    assert.match(lines[0]!, /^00:03\.0 /);
    const rows = lines.slice(1).filter((line) => line !== '');
    assert.deepEqual(
      rows.map((row) => row.slice(0, 4)),
      Array.from({ length: 16 }, (_, n) => `${n.toString(16)}0: `),
    );
    const bytes = rows.flatMap((row) =>
      row
        .slice(4)
        .split(' ')
        .map((hex) => Number.parseInt(hex, 16)),
    );
    assert.deepEqual(bytes, [...Array(PciHeader.SIZE).keys()].map(read.u8));
  });
});

describe('regressions', () => {
  it('[utest->req~pci.function~1] 4.1.1: PCI knows no 8-byte configuration access, so that one changes nothing', () => {
    const { target, u32 } = space();
    target.writeConfig(PciHeader.BAR0 - 4, 8, 0xe010_0000);
    assert.equal(u32(PciHeader.BAR0), 0);
  });
});
