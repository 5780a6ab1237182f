/** The embedded guest's view of its PCI bus: enumeration, BAR sizing, capability list. */
import { strict as assert } from 'node:assert';
import { MailboxOperation } from '../../../src/channel/mailbox.ts';
import { enumerateVirtio, PciFunction } from '../../../src/guest/pci-bus.ts';
import { BarLayout, PciCapabilityId, PciCommand, PciHeader } from '../../../src/wire/virtio-pci.ts';
import { BenchMachine } from '../../support/bench-machine.ts';
import { FunctionBench } from '../../support/function-bench.ts';

function machine() {
  const bench = new FunctionBench();
  const made = new BenchMachine(bench);
  return { bench, machine: made, registers: made.registers };
}

/** A bus on which function 0 has these ids. */
function busWith(vendor: number, device: number) {
  const { machine: made, registers } = machine();
  registers.tamper = ({ offset, function: number, operation }, answer) => {
    if (number !== 0 || operation !== MailboxOperation.CONFIG_READ) return answer;
    return offset === PciHeader.VENDOR ? vendor : offset === PciHeader.DEVICE ? device : answer;
  };
  return enumerateVirtio(made).map(({ number }) => number);
}

describe("embedded guest's PCI bus", () => {
  it('[utest->req~guest.honest-driver~1] 4.1.2.2: it finds its function, and no other on 32 places', () => {
    const { machine: made, registers } = machine();
    assert.deepEqual(
      enumerateVirtio(made).map(({ number }) => number),
      [0],
    );
    assert.equal(new Set(registers.accesses.map((access) => access.function)).size, 32);
  });

  for (const [vendor, device, matches] of [
    [0x1af4, 0x1040, true],
    [0x1af4, 0x107f, true],
    [0x1af4, 0x1000, false],
    [0x8086, 0x1041, false],
  ] as const) {
    const id = `${vendor.toString(16)}:${device.toString(16)}`;
    it(`[utest->req~guest.honest-driver~1] 4.1.2.2: ${id} is ${matches ? '' : 'not '}a modern virtio function`, () => {
      assert.deepEqual(busWith(vendor, device), matches ? [0] : []);
    });
  }

  it('[utest->req~guest.honest-driver~1] 4.1.1: enabling sizes BAR 0, places it aligned, and switches decoding on', () => {
    const { bench, machine: made } = machine();
    const pci = new PciFunction(made, 0);
    assert.equal(pci.enable(), BarLayout.SIZE);
    const { space } = bench.functions[0]!;
    const address = space.read(PciHeader.BAR0, 4);
    assert.ok(address > 0 && address % BarLayout.SIZE === 0);
    assert.equal(space.read(PciHeader.COMMAND, 2), PciCommand.MEMORY | PciCommand.BUS_MASTER);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.1: functions get addresses that do not overlap', () => {
    const { machine: made, registers } = machine();
    registers.tamper = (access, answer) =>
      access.operation === MailboxOperation.CONFIG_READ ? ~(BarLayout.SIZE - 1) : answer;
    for (const number of [0, 1]) new PciFunction(made, number).enable();
    const placed = registers.accesses
      .filter(
        ({ operation, offset, low }) =>
          operation === MailboxOperation.CONFIG_WRITE &&
          offset === PciHeader.BAR0 &&
          low !== 0xffff_ffff,
      )
      .map(({ low }) => low);
    assert.equal(placed.length, 2);
    assert.ok(Math.abs(placed[1]! - placed[0]!) >= BarLayout.SIZE);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.4: the capability list is read in order', () => {
    const pci = new PciFunction(machine().machine, 0);
    const list = pci.capabilities();
    assert.deepEqual(
      list.map(({ id }) => id),
      [...new Array(5).fill(PciCapabilityId.VENDOR), PciCapabilityId.MSIX],
    );
    assert.deepEqual(pci.vendorCapabilities(), list.slice(0, 5));
  });

  it('[utest->req~guest.honest-driver~1] 4.1.4: a capability list that points to itself is walked for a while only', () => {
    const { machine: made, registers } = machine();
    registers.tamper = ({ offset, width }, answer) =>
      width === 1 && offset > PciHeader.CAPABILITIES ? 0x40 : answer;
    assert.ok(new PciFunction(made, 0).capabilities().length <= 48);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.4: a function without capabilities has an empty list', () => {
    const { machine: made, registers } = machine();
    registers.tamper = ({ offset }, answer) => (offset === PciHeader.CAPABILITIES ? 0 : answer);
    assert.deepEqual(new PciFunction(made, 0).capabilities(), []);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.3.2: an 8-byte register write carries both halves', () => {
    const { machine: made, registers } = machine();
    new PciFunction(made, 0).writeBar(0x20, 8, 1, 2);
    const { operation, offset, width, low, high } = registers.accesses.at(-1)!;
    assert.deepEqual(
      [operation, offset, width, low, high],
      [MailboxOperation.BAR_WRITE, 0x20, 8, 1, 2],
    );
  });
});

describe('regressions', () => {
  for (const device of [0x1080, 0x1110]) {
    it(`[utest->req~guest.honest-driver~1] 4.1.2.2: 1af4:${device.toString(16)} is outside 0x1040 to 0x107f, so not virtio`, () => {
      assert.deepEqual(busWith(0x1af4, device), []);
    });
  }
});
