/** A guest with one network device on a vhost-user socket: connection, memory, rings and descriptors of one life. */
import { strict as assert } from 'node:assert';
import { type Connection, within } from './connection.ts';
import { DeviceGuest } from './device-guest.ts';
import { FrontEnd } from './front-end.ts';
import { GuestPort } from './guest-port.ts';
import { GuestRam, type RamOptions } from './guest-ram.ts';

const PATIENCE_MS = 10_000;
/** Feature bits as VIRTIO numbers them. */
export const VERSION_1 = 1n << 32n;
export const MAC = 1n << 5n;
export const EVENT_IDX = 1n << 29n;

export interface NetGuestOptions extends RamOptions {
  readonly queueSize?: number;
  readonly queuePairs?: number;
  /** Features the driver takes where they are offered. */
  readonly wanted?: bigint;
  /** How its connection is made; an ordinary one when absent. */
  readonly open?: (path: string) => Connection;
}

export class NetGuest extends DeviceGuest {
  ports: readonly GuestPort[] = [];
  private readonly shape: { readonly queueSize: number; readonly queuePairs: number };

  private constructor(frontEnd: FrontEnd, ram: GuestRam, options: NetGuestOptions) {
    const { queueSize = 64, queuePairs = 1, wanted = VERSION_1 | MAC } = options;
    super(frontEnd, ram, wanted);
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

  get port(): GuestPort {
    return this.ports[0]!;
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
}
