/** The embedded network driver on a real device: frames in, frames out, and buffers that come back. */
import { strict as assert } from 'node:assert';
import { MailboxOperation } from '../../../src/channel/mailbox.ts';
import { NetDriver } from '../../../src/guest/net-driver.ts';
import { DriverError } from '../../../src/guest/virtio-driver.ts';
import { bitsOf } from '../../../src/wire/features.ts';
import { BarLayout, CommonConfig } from '../../../src/wire/virtio-pci.ts';
import { BenchMachine } from '../../support/bench-machine.ts';
import { FunctionBench } from '../../support/function-bench.ts';
import { PacketPeer } from '../../support/packet-peer.ts';
import { netDevice } from '../../support/rig.ts';

const QUEUE_SIZE = 64;
const HEADER = 12;

function driven(
  offer: readonly string[] = ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC', 'VIRTIO_RING_F_EVENT_IDX'],
) {
  const bench = new FunctionBench({
    devices: { a: netDevice(1, { offer }), b: netDevice(2, { offer }) },
  });
  const machine = new BenchMachine(bench);
  const driver = new NetDriver(machine, 0);
  bench.settle();
  return { bench, machine, driver };
}

/** Fills the next transmit buffer with an Ethernet packet for the other device and hands it over. */
function transmit(
  { machine, driver }: ReturnType<typeof driven>,
  bytes = 64,
  fill = 0x5a,
): boolean {
  const at = driver.transmitBuffer();
  if (at === 0) return false;
  machine.u8.set([0x52, 0x54, 0, 0, 0, 2, ...driver.mac, 0x08, 0x06], at);
  machine.u8.fill(fill, at + 14, at + bytes);
  driver.transmit(bytes);
  return true;
}

describe('embedded network driver', () => {
  it("[utest->req~guest.honest-driver~1] 5.1.4: its address is the device's", () => {
    assert.deepEqual(driven().driver.mac, [0x52, 0x54, 0, 0, 0, 1]);
  });

  it('[utest->req~guest.honest-driver~1] 2.2.1: of its wishes it negotiates what the device offers', () => {
    const { machine } = driven(['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC', 'VIRTIO_NET_F_CSUM']);
    const { low, high } = bitsOf('virtio-net', ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC']);
    assert.deepEqual(machine.registers.writesTo(CommonConfig.DRIVER_FEATURE), [low, high]);
  });

  it('[utest->req~guest.honest-driver~1] 4.1.2: a function that is not on the bus is an error', () => {
    assert.throws(() => new NetDriver(new BenchMachine(new FunctionBench()), 1), DriverError);
  });

  it('[utest->req~guest.honest-driver~1] 5.1.9.3: the device has every receive buffer from the start', () => {
    const { bench } = driven();
    assert.equal(bench.plane.queues[0]!.look(), QUEUE_SIZE);
  });

  it('[utest->req~guest.honest-driver~1] 5.1.9.2: a packet arrives behind a header of zeros, at flush and not before', () => {
    const made = driven();
    const peer = new PacketPeer(made.bench, 1);
    const at = made.driver.transmitBuffer();
    made.machine.u8.fill(0xff, at - HEADER, at);
    transmit(made, 80);
    made.bench.frames(2);
    assert.deepEqual(peer.arrived(), []);
    made.driver.flush();
    made.bench.frames(2);
    const [packet] = peer.arrived();
    assert.equal(packet?.bytes.length, 80);
    assert.deepEqual(packet?.bytes.slice(14), new Array(66).fill(0x5a));
    assert.deepEqual(made.bench.faultNames(), []);
  });

  it('[utest->req~guest.honest-driver~1] 2.7.13: it gives away each transmit buffer once, and knows when none is left', () => {
    const made = driven();
    const places = new Set<number>();
    for (let n = 0; n < QUEUE_SIZE; n++) {
      places.add(made.driver.transmitBuffer());
      assert.ok(transmit(made));
    }
    assert.equal(places.size, QUEUE_SIZE);
    assert.equal(made.driver.transmitBuffer(), 0);
    made.driver.flush();
    made.bench.frames(2);
    assert.notEqual(made.driver.transmitBuffer(), 0, 'the device has returned them');
  });

  it('[utest->req~guest.honest-driver~1] 2.7.14: over many laps every packet arrives once and in order', () => {
    const made = driven();
    const peer = new PacketPeer(made.bench, 1, 64);
    const seen: number[] = [];
    for (let n = 0; n < 60; n++) {
      assert.ok(transmit(made, 64, n));
      made.driver.flush();
      made.bench.frames(1);
      seen.push(...peer.arrived().map(({ bytes }) => bytes[20]!));
    }
    made.bench.frames(2);
    seen.push(...peer.arrived().map(({ bytes }) => bytes[20]!));
    assert.deepEqual(
      seen,
      Array.from({ length: 60 }, (_, n) => n),
    );
  });

  it('[utest->req~guest.honest-driver~1] 5.1.9.4: a received packet has its length without header, and its bytes', () => {
    const { bench, machine, driver } = driven();
    const peer = new PacketPeer(bench, 1);
    assert.equal(driver.receive(), -1);
    const sent = peer.packet(driver.mac, { kind: 0, sequence: 7, stampNs: 9 }, 99);
    peer.send(sent);
    bench.frames(2);
    assert.equal(driver.receive(), 99);
    assert.deepEqual(
      Array.from(machine.u8.subarray(driver.receivedAt, driver.receivedAt + 99)),
      sent,
    );
    driver.release();
    assert.equal(driver.receive(), -1);
  });

  it("[utest->req~guest.honest-driver~1] 5.1.9.3: a released buffer is the device's again", () => {
    const { bench, driver } = driven();
    const peer = new PacketPeer(bench, 1);
    for (let n = 0; n < 3 * QUEUE_SIZE; n++) {
      peer.send(peer.packet(driver.mac, { kind: 0, sequence: n, stampNs: 0 }));
      bench.frames(1);
      while (driver.receive() >= 0) driver.release();
    }
    bench.frames(1);
    while (driver.receive() >= 0) driver.release();
    assert.equal(bench.plane.queues[0]!.look(), QUEUE_SIZE);
    assert.deepEqual(bench.faultNames(), []);
  });

  it('[utest->req~guest.honest-driver~1] 2.7.14: it waits when nothing has come, and does not when something has', () => {
    const { bench, machine, driver } = driven();
    const peer = new PacketPeer(bench, 1);
    driver.waitForPacket(1e6);
    assert.equal(machine.waits, 1);
    peer.send(peer.packet(driver.mac, { kind: 0, sequence: 0, stampNs: 0 }));
    bench.frames(2);
    driver.waitForPacket(1e6);
    assert.equal(machine.waits, 1);
  });

  it('[utest->req~queue.notify-suppression~1] 2.7.7.2: a waiting driver is interrupted on its receive vector alone', () => {
    const { bench, driver } = driven();
    const peer = new PacketPeer(bench, 1);
    driver.waitForPacket(1e6);
    peer.send(peer.packet(driver.mac, { kind: 0, sequence: 0, stampNs: 0 }));
    bench.frames(2);
    assert.deepEqual(bench.interruptsSent, [bench.vectorWord(0, 1)]);
  });
});

describe('regressions', () => {
  it('[utest->req~guest.honest-driver~1] 2.5.1: without VIRTIO_NET_F_MAC the mac field is not read', () => {
    const { machine } = driven(['VIRTIO_F_VERSION_1']);
    const reads = machine.registers.accesses.filter(
      ({ operation, offset }) =>
        operation === MailboxOperation.BAR_READ &&
        offset >= BarLayout.DEVICE &&
        offset < BarLayout.DEVICE + 6,
    );
    assert.deepEqual(reads, []);
  });
});
