/** Floods: keeps its transmit ring full and never waits. What it receives it throws away. */
import { GuestStatistic } from '../../channel/guest-statistics.ts';
import type { GuestMachine, ProgramSettings } from '../guest-machine.ts';
import { NetDriver } from '../net-driver.ts';
import { PacketKind, TEST_PACKET_BYTES_MIN, TestPacketCodec } from '../test-packet.ts';

const ROUND = 64;

export class Babbler {
  private readonly machine: GuestMachine;
  private readonly settings: ProgramSettings;
  private readonly driver: NetDriver;
  private readonly codec: TestPacketCodec;
  private readonly packet = { kind: PacketKind.ANSWER, sequence: 0, stampNs: 0 };

  constructor(machine: GuestMachine, settings: ProgramSettings) {
    this.machine = machine;
    this.settings = settings;
    this.driver = new NetDriver(machine, settings.netFunction);
    this.codec = new TestPacketCodec(machine.u8);
  }

  step(): void {
    const bytes = Math.max(TEST_PACKET_BYTES_MIN, this.settings.bytes ?? TEST_PACKET_BYTES_MIN);
    for (let n = 0; n < ROUND; n++) {
      const at = this.driver.transmitBuffer();
      if (at === 0) break;
      this.packet.sequence++;
      this.codec.write(at, bytes, this.settings.toMac, this.driver.mac, this.packet);
      this.driver.transmit(bytes);
      this.machine.statistics.add(GuestStatistic.SENT);
    }
    this.driver.flush();
    for (let n = 0; n < ROUND && this.driver.receive() >= 0; n++) this.driver.release();
  }
}
