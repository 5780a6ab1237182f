/** A guest with one network device on a vhost-user socket: connection, memory, rings and descriptors of one life. */
import { strict as assert } from 'node:assert';
import { writeSync } from 'node:fs';
import { closeDescriptor, createEventFd, readCounter } from '../../../src/host/descriptors.ts';
import { UnixSocket } from '../../../src/host/unix-socket.ts';
import type { RingDouble } from '../ring-double.ts';
import { type Connection, within } from './connection.ts';
import { FrontEnd } from './front-end.ts';
import { GuestPort } from './guest-port.ts';
import { GuestRam, type RamOptions } from './guest-ram.ts';
import { Request, ringAddresses, u32, u64 } from './message.ts';

const PATIENCE_MS = 10_000;
/** Feature bits as VIRTIO numbers them. */
export const VERSION_1 = 1n << 32n;
export const MAC = 1n << 5n;
export const EVENT_IDX = 1n << 29n;

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

export interface NetGuestOptions extends RamOptions {
  readonly queueSize?: number;
  readonly queuePairs?: number;
  /** Features the driver takes where they are offered. */
  readonly wanted?: bigint;
  /** How its connection is made; an ordinary one when absent. */
  readonly open?: (path: string) => Connection;
}

export class NetGuest {
  readonly frontEnd: FrontEnd;
  readonly ram: GuestRam;
  ports: readonly GuestPort[] = [];
  rings: readonly GuestRing[] = [];
  readonly wanted: bigint;
  /** The other end of the channel for requests of the back-end. */
  channel: UnixSocket | undefined;
  /** The back-end has the memory regions, region by region. */
  hasSlots = false;
  private readonly shape: { readonly queueSize: number; readonly queuePairs: number };
  private readonly owned: number[] = [];
  private readonly sockets: UnixSocket[] = [];

  private constructor(frontEnd: FrontEnd, ram: GuestRam, options: NetGuestOptions) {
    const { queueSize = 64, queuePairs = 1, wanted = VERSION_1 | MAC } = options;
    this.wanted = wanted;
    this.frontEnd = frontEnd;
    this.ram = ram;
    this.shape = { queueSize, queuePairs };
  }

  /** Fresh rings with fresh descriptors, in memory that is zeros again: the driver starts anew. */
  renew(): void {
    this.ram.clear();
    this.addRings();
  }

  private addRings(): void {
    const { queueSize, queuePairs } = this.shape;
    this.ports = Array.from({ length: queuePairs }, () => new GuestPort(this.ram, queueSize));
    this.rings = this.ports.flatMap(({ rings }) => rings).map((ring, n) => this.ringOf(ring, n));
  }

  private ringOf(double: RingDouble, index: number): GuestRing {
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

  /** The same guest, with its memory and rings as they are, after its front-end lost its connection. */
  async reconnected(path: string): Promise<NetGuest> {
    this.frontEnd.close();
    const again = new NetGuest(await FrontEnd.served(path), this.ram, {
      ...this.shape,
      wanted: this.wanted,
    });
    again.ports = this.ports;
    again.rings = this.ports.flatMap(({ rings }) => rings).map((ring, n) => again.ringOf(ring, n));
    return again;
  }

  /** Another device of the same machine: its memory is the same, its rings are its own. */
  async second(path: string): Promise<NetGuest> {
    const other = new NetGuest(await FrontEnd.served(path), this.ram, {
      ...this.shape,
      wanted: this.wanted,
    });
    other.addRings();
    return other;
  }

  /** A guest whose front-end is the one that is served at a socket. */
  static async open(path: string, options: NetGuestOptions = {}): Promise<NetGuest> {
    const frontEnd = await FrontEnd.served(path, options.open);
    const guest = new NetGuest(frontEnd, new GuestRam(options), options);
    guest.renew();
    return guest;
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

  get port(): GuestPort {
    return this.ports[0]!;
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

  /** So many packets that arrive, at least. */
  async receives(count: number, milliseconds = PATIENCE_MS): Promise<number[][]> {
    const found: number[][] = [];
    const done = await within(milliseconds, () => {
      found.push(...this.port.received());
      return found.length >= count ? found : undefined;
    });
    assert.ok(done, `${found.length} of ${count} packets have arrived`);
    return done;
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
