/** Sends every request back to whom it came from; counts what is not a request. */
import { GuestStatistic } from '../../channel/guest-statistics.ts';
import { NS_PER_MS } from '../../base/time.ts';
import { Ethernet } from '../../wire/ethernet.ts';
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { NetDriver } from '../net-driver.ts';
import { PacketKind, TestPacketCodec, type TestPacket } from '../test-packet.ts';

const RECEIVE_MAX = 256;
const WAIT_NS = 50 * NS_PER_MS;

export class Echo {
  private readonly machine: GuestMachine;
  private readonly driver: NetDriver;
  private readonly codec: TestPacketCodec;
  private readonly packet: TestPacket = { kind: 0, sequence: 0, stampNs: 0 };
  private readonly sender = new Uint8Array(Ethernet.MAC_BYTES);

  constructor(machine: GuestMachine, settings: ProgramSettings) {
    this.machine = machine;
    this.driver = new NetDriver(machine, settings.netFunction);
    this.codec = new TestPacketCodec(machine.u8);
  }

  step(): void {
    for (let n = 0; n < RECEIVE_MAX && this.receiveOne(); n++);
    this.driver.waitForPacket(WAIT_NS);
  }

  private receiveOne(): boolean {
    const bytes = this.driver.receive();
    if (bytes < 0) return false;
    const { statistics, u8 } = this.machine;
    statistics.add(GuestStatistic.RECEIVED);
    const at = this.driver.receivedAt;
    if (!this.codec.read(at, bytes, this.packet)) statistics.add(GuestStatistic.CORRUPT);
    else if (this.packet.kind === PacketKind.REQUEST) {
      for (let n = 0; n < Ethernet.MAC_BYTES; n++) this.sender[n] = u8[at + Ethernet.SOURCE + n]!;
      this.answer(bytes);
    }
    this.driver.release();
    return true;
  }

  private answer(bytes: number): void {
    const { statistics } = this.machine;
    const at = this.driver.transmitBuffer();
    if (at === 0) {
      statistics.add(GuestStatistic.ERRORS);
      return;
    }
    this.packet.kind = PacketKind.ANSWER;
    this.codec.write(at, bytes, this.sender, this.driver.mac, this.packet);
    this.driver.transmit(bytes);
    this.driver.flush();
    statistics.add(GuestStatistic.SENT);
  }
}
