/** The other end of a traffic test, by hand: reads what arrived, and sends what a test wants to be sent. */
import { netPlan } from './network.ts';
import { TestPacketCodec, type TestPacket } from '../../src/guest/test-packet.ts';
import { NetHeader } from '../../src/wire/virtio-net.ts';
import type { FunctionBench } from './function-bench.ts';
import { RegisterDriver } from './register-driver.ts';

const BUFFER_BYTES = 2048;

export interface ArrivedPacket extends TestPacket {
  readonly bytes: readonly number[];
}

/** A device whose driver is the test, with receive buffers for so many packets. */
export class PacketPeer {
  readonly driver: RegisterDriver;
  private readonly codec: TestPacketCodec;
  private readonly buffers = new Map<number, number>();
  private read = 0;

  constructor(bench: FunctionBench, device: number, buffers = 32) {
    this.driver = new RegisterDriver(bench, device).start();
    this.codec = new TestPacketCodec(bench.plane.arena.u8);
    for (let n = 0; n < buffers; n++) {
      const address = this.driver.slice.allocate(BUFFER_BYTES);
      this.buffers.set(
        this.driver.ring(0).submit([{ address, length: BUFFER_BYTES, flags: 2 }]),
        address,
      );
    }
  }

  /** Packets that have arrived since the last call. */
  arrived(): ArrivedPacket[] {
    const packets: ArrivedPacket[] = [];
    for (const ring = this.driver.ring(0); this.read < ring.usedIndex; this.read++) {
      const { id, length } = ring.usedElement(this.read);
      const at = this.buffers.get(id)! + NetHeader.SIZE;
      const bytes = this.driver.slice.read(at, length - NetHeader.SIZE);
      const packet = { kind: -1, sequence: -1, stampNs: -1 };
      this.codec.read(this.driver.slice.at(at), bytes.length, packet);
      packets.push({ ...packet, bytes });
    }
    return packets;
  }

  /** Sends bytes as one packet. */
  send(bytes: readonly number[]): void {
    const address = this.driver.slice.allocate(NetHeader.SIZE + bytes.length);
    this.driver.slice.write(address, [...new Array<number>(NetHeader.SIZE).fill(0), ...bytes]);
    this.driver.ring(1).submit([{ address, length: NetHeader.SIZE + bytes.length }]);
  }

  /** The bytes of a test packet to a device. */
  packet(to: readonly number[], packet: TestPacket, bytes = 64): number[] {
    const u8 = new Uint8Array(bytes);
    new TestPacketCodec(u8).write(0, bytes, to, netPlan(this.driver.plan).mac, packet);
    return Array.from(u8);
  }
}
