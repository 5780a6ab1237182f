/** A pair of honest guests that talk all the time beside an attack: not one packet may be missing or different. */
import { strict as assert } from 'node:assert';
import type { GatewayHost } from './gateway-host.ts';
import { numberOf, packet } from './guest-port.ts';
import { NetGuest } from './net-guest.ts';
import { qemuConnect, qemuStart } from './sequences.ts';
import { within } from './connection.ts';

const LOOK_MS = 2;
const IN_FLIGHT_MAX = 8;
const PROGRESS_MS = 10_000;

class Direction {
  private next = 0;
  private expected = 0;
  trouble: string | undefined;
  private readonly from: NetGuest;
  private readonly to: NetGuest;
  private readonly macs: readonly [readonly number[], readonly number[]];

  constructor(from: NetGuest, to: NetGuest, macs: readonly [readonly number[], readonly number[]]) {
    this.from = from;
    this.to = to;
    this.macs = macs;
  }

  get arrived(): number {
    return this.expected;
  }

  private make(number: number): number[] {
    return packet(this.macs[1], this.macs[0], number, 60 + (number % 800));
  }

  step(): void {
    for (const bytes of this.to.port.received()) {
      const wanted = this.make(this.expected & 0xffff);
      if (this.trouble === undefined && !Buffer.from(bytes).equals(Buffer.from(wanted)))
        this.trouble = `packet ${this.expected}: ${numberOf(bytes)} with ${bytes.length} bytes`;
      this.expected++;
    }
    while (this.next - this.expected < IN_FLIGHT_MAX) {
      if (!this.from.port.send(this.make(this.next & 0xffff))) return;
      this.next++;
    }
  }
}

export class Neighbours {
  private readonly guests: readonly NetGuest[];
  private readonly directions: readonly Direction[];
  private readonly timer: NodeJS.Timeout;
  private readonly host: GatewayHost;

  private constructor(host: GatewayHost, ids: readonly string[], guests: readonly NetGuest[]) {
    this.host = host;
    this.guests = guests;
    const [left, right] = guests as [NetGuest, NetGuest];
    const [leftMac, rightMac] = ids.map((id) => host.mac(id)) as [number[], number[]];
    this.directions = [
      new Direction(left, right, [leftMac, rightMac]),
      new Direction(right, left, [rightMac, leftMac]),
    ];
    this.timer = setInterval(() => this.directions.forEach((way) => way.step()), LOOK_MS);
  }

  static async start(host: GatewayHost, left = 'c', right = 'd'): Promise<Neighbours> {
    const guests = await Promise.all(
      [left, right].map((id) => NetGuest.open(host.socket(id), { bytes: 2 ** 19 })),
    );
    for (const guest of guests) {
      await qemuConnect(guest);
      await qemuStart(guest);
      guest.port.supply();
    }
    return new Neighbours(host, [left, right], guests);
  }

  /** Packets go on both ways, none is missing, none has changed, and no fault is reported. */
  async assertUndisturbed(): Promise<void> {
    for (const way of this.directions) {
      const { arrived } = way;
      const more = await within(PROGRESS_MS, () =>
        way.trouble !== undefined || way.arrived > arrived + IN_FLIGHT_MAX ? true : undefined,
      );
      assert.equal(way.trouble, undefined);
      assert.ok(more, 'the neighbours still talk');
    }
    for (const id of ['c', 'd']) assert.deepEqual(this.host.troubleLines(id), []);
  }

  end(): void {
    clearInterval(this.timer);
    for (const guest of this.guests) guest.end();
  }
}
