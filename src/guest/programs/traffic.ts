/** Sends bursts at a period, checks the answers: order, loss, content, round trip. */
import { GuestStatistic } from '../../channel/guest-statistics.ts';
import { NS_PER_US } from '../../base/time.ts';
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { NetDriver } from '../net-driver.ts';
import {
  PacketKind,
  TEST_PACKET_BYTES_MIN,
  TestPacketCodec,
  type TestPacket,
} from '../test-packet.ts';

const PERIOD_US = 10_000;
const RECEIVE_MAX = 256;

export class Traffic {
  private readonly machine: GuestMachine;
  private readonly settings: ProgramSettings;
  private readonly driver: NetDriver;
  private readonly codec: TestPacketCodec;
  private readonly packet: TestPacket = { kind: 0, sequence: 0, stampNs: 0 };
  private readonly roundTrip = new Float64Array(1);
  private readonly periodNs: number;
  /** Nothing is sent before somebody can be reached. */
  private linkUp = false;
  private sequence = 0;
  private expected = 0;
  private nextNs: number;

  constructor(machine: GuestMachine, settings: ProgramSettings) {
    this.machine = machine;
    this.settings = settings;
    this.driver = new NetDriver(machine, settings.netFunction);
    this.codec = new TestPacketCodec(machine.u8);
    this.periodNs = (settings.periodUs ?? PERIOD_US) * NS_PER_US;
    this.nextNs = machine.readClock() + this.periodNs;
  }

  /** Works, and waits until there is more to do. */
  step(): void {
    this.work();
    this.wait(this.nextNs - this.machine.readClock());
  }

  /** When the next burst is due. */
  get dueNs(): number {
    return this.nextNs;
  }

  /** Waits for a packet, for at most `ns` nanoseconds. */
  wait(ns: number): void {
    this.driver.waitForPacket(ns);
  }

  /** Sends when it is time, and receives what there is. */
  work(): void {
    const now = this.machine.readClock();
    if (now >= this.nextNs) {
      this.linkUp ||= this.driver.linkUp;
      if (this.linkUp) this.sendBurst();
      this.nextNs += this.periodNs;
      // Bursts whose time is over are left out: they would break the contract of the flow.
      if (this.nextNs < now) this.nextNs = now + this.periodNs;
    }
    for (let n = 0; n < RECEIVE_MAX && this.receiveOne(); n++);
  }

  private sendBurst(): void {
    const { settings, machine } = this;
    const bytes = Math.max(TEST_PACKET_BYTES_MIN, settings.bytes ?? TEST_PACKET_BYTES_MIN);
    for (let n = 0; n < (settings.burst ?? 1); n++) {
      const at = this.driver.transmitBuffer();
      if (at === 0) {
        machine.statistics.add(GuestStatistic.ERRORS);
        continue;
      }
      this.codec.write(at, bytes, settings.toMac, this.driver.mac, {
        kind: PacketKind.REQUEST,
        sequence: this.sequence++,
        stampNs: machine.readClock(),
      });
      this.driver.transmit(bytes);
      machine.statistics.add(GuestStatistic.SENT);
    }
    this.driver.flush();
  }

  private receiveOne(): boolean {
    const bytes = this.driver.receive();
    if (bytes < 0) return false;
    const { statistics } = this.machine;
    statistics.add(GuestStatistic.RECEIVED);
    if (!this.codec.read(this.driver.receivedAt, bytes, this.packet))
      statistics.add(GuestStatistic.CORRUPT);
    else if (this.packet.kind === PacketKind.ANSWER) this.answered();
    this.driver.release();
    return true;
  }

  // [impl->req~guest.traffic-verified~1]
  private answered(): void {
    const { statistics } = this.machine;
    const { sequence, stampNs } = this.packet;
    statistics.add(GuestStatistic.ANSWERED);
    if (sequence < this.expected) statistics.add(GuestStatistic.DUPLICATE);
    else {
      statistics.add(GuestStatistic.LOST, sequence - this.expected);
      this.expected = sequence + 1;
    }
    this.roundTrip[0] = this.machine.readClock() - stampNs;
    statistics.roundTrip.recordFrom(this.roundTrip, 0);
  }
}
