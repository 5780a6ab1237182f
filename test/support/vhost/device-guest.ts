/** A guest with one device on a vhost-user socket: connection, memory, rings and descriptors of one life. */
import { strict as assert } from 'node:assert';
import { writeSync } from 'node:fs';
import { closeDescriptor, createEventFd, readCounter } from '../../../src/host/descriptors.ts';
import { UnixSocket } from '../../../src/host/unix-socket.ts';
import type { RingDouble } from '../ring-double.ts';
import { within } from './connection.ts';
import type { FrontEnd } from './front-end.ts';
import type { GuestRam } from './guest-ram.ts';
import { Request, ringAddresses, u32, u64 } from './message.ts';

const PATIENCE_MS = 10_000;

/** Where a back-end's calls arrive: an eventfd, or one end of a pair of sockets. */
type Called = () => number;

/** A ring with its descriptors, as a front-end knows it. */
export interface GuestRing {
  readonly index: number;
  readonly double: RingDouble;
  readonly kick: number;
  readonly error: number;
  /** What the back-end is to write to. */
  call: number;
  called: Called;
}

export class DeviceGuest {
  readonly frontEnd: FrontEnd;
  readonly ram: GuestRam;
  rings: readonly GuestRing[] = [];
  /** Features the driver takes where they are offered. */
  readonly wanted: bigint;
  /** The other end of the channel for requests of the back-end. */
  channel: UnixSocket | undefined;
  /** The back-end has the memory regions, region by region. */
  hasSlots = false;
  private readonly owned: number[] = [];
  private readonly sockets: UnixSocket[] = [];

  protected constructor(frontEnd: FrontEnd, ram: GuestRam, wanted: bigint) {
    this.frontEnd = frontEnd;
    this.ram = ram;
    this.wanted = wanted;
  }

  protected ringOf(double: RingDouble, index: number): GuestRing {
    const [kick, error, call] = [0, 1, 2].map(() => this.own(createEventFd()));
    return {
      index,
      double,
      kick: kick!,
      error: error!,
      call: call!,
      called: () => readCounter(call!),
    };
  }

  /** Ends of sockets that live as long as the guest. */
  keep(socket: UnixSocket): UnixSocket {
    this.sockets.push(socket);
    return socket;
  }

  /** A ring is called through a socket from now on, as UML does it; the end to hand over. */
  callBySocket(index: number): number {
    const [own, theirs] = UnixSocket.pair().map((socket) => this.keep(socket));
    const bytes = Buffer.alloc(8);
    const ring = this.ring(index);
    ring.call = theirs!.descriptor;
    ring.called = () => Math.max(own!.receive(bytes, bytes.length, []), 0);
    return ring.call;
  }

  own(descriptor: number): number {
    this.owned.push(descriptor);
    return descriptor;
  }

  ring(index: number): GuestRing {
    return this.rings[index]!;
  }

  /** The payload of SET_VRING_ADDR for a ring. */
  addresses(index: number, flags = 0): Buffer {
    const { desc, used, avail } = this.ring(index).double;
    const user = (address: number) => this.ram.user(address);
    return ringAddresses(index, { flags, desc: user(desc), used: user(used), avail: user(avail) });
  }

  /** The guest has added buffers: what its driver would tell the device. */
  kick(index: number): void {
    writeSync(this.ring(index).kick, u64(1));
  }

  /** Sets one ring up and starts it: size, index, addresses, kick, call; asks for no answers. */
  async startRing(index: number, base = 0): Promise<void> {
    const { frontEnd } = this;
    const { double, kick, call } = this.ring(index);
    await frontEnd.tell(Request.SET_VRING_NUM, u32(index, double.size));
    await frontEnd.tell(Request.SET_VRING_BASE, u32(index, base));
    await frontEnd.tell(Request.SET_VRING_ADDR, this.addresses(index));
    await frontEnd.tell(Request.SET_VRING_KICK, u64(index), [kick]);
    await frontEnd.tell(Request.SET_VRING_CALL, u64(index), [call]);
  }

  async enable(index: number, on = 1): Promise<void> {
    await this.frontEnd.set(Request.SET_VRING_ENABLE, u32(index, on));
  }

  /** The call descriptor of a ring is signalled. */
  async called(index: number, milliseconds = PATIENCE_MS): Promise<number> {
    const found = await within(milliseconds, () => this.ring(index).called() || undefined);
    assert.ok(found, `ring ${index} is called`);
    return found;
  }

  /** The guest and its front-end end: everything of theirs is given back. */
  end(): void {
    this.frontEnd.close();
    for (const socket of this.sockets.splice(0)) socket.close();
    for (const descriptor of this.owned.splice(0)) closeDescriptor(descriptor);
    this.ram.release();
  }
}
