/** Bad messages beside running guests: refused where an answer is asked for, else the end of the connection. */
import { strict as assert } from 'node:assert';
import { openDescriptors } from '../../../src/host/descriptors.ts';
import { pause, within } from './connection.ts';
import type { GatewayHost } from './gateway-host.ts';
import { packet } from './guest-port.ts';
import { HeaderFlag, type Outgoing, PROTOCOL_FEATURES, Request, requestName } from './message.ts';
import { NetGuest } from './net-guest.ts';
import { negotiateProtocol, start } from './sequences.ts';

const QUIET_MS = 3;
const PATIENCE_MS = 5000;
const RAM = { bytes: 2 ** 19 };

export interface BadMessage {
  readonly title: string;
  readonly message: (guest: NetGuest) => Outgoing;
  /** The end of the connection even where an answer is asked for: there is none to give. */
  readonly closes?: boolean;
}

/** A request with its name as the beginning of a title. */
export function bad(
  request: number,
  what: string,
  rest: Omit<Outgoing, 'request'> | ((guest: NetGuest) => Omit<Outgoing, 'request'>),
  options: { readonly closes?: boolean } = {},
): BadMessage {
  return {
    title: `${requestName(request)} ${what}`,
    message: (guest) => ({ request, ...(typeof rest === 'function' ? rest(guest) : rest) }),
    ...options,
  };
}

/**
 * Partitions a and b talk all the time; a sends bad messages that need an answer. A guest of e sends
 * them without asking, and is closed.
 */
export class Refusals {
  private readonly host: GatewayHost;
  private a: NetGuest | undefined;
  private b: NetGuest | undefined;

  constructor(host: GatewayHost) {
    this.host = host;
  }

  private async running(id: string): Promise<NetGuest> {
    const guest = await NetGuest.open(this.host.socket(id), RAM);
    await start('qemu', guest);
    guest.port.supply();
    return guest;
  }

  /** A guest with features and memory, whose rings do not run. */
  private async prepared(id: string): Promise<NetGuest> {
    const guest = await NetGuest.open(this.host.socket(id), RAM);
    const { frontEnd, ram } = guest;
    await negotiateProtocol(frontEnd, 2n ** 64n - 1n);
    await frontEnd.setU64(Request.SET_FEATURES, guest.wanted | PROTOCOL_FEATURES);
    await frontEnd.set(Request.SET_MEM_TABLE, ram.table, ram.descriptors);
    return guest;
  }

  async begin(): Promise<void> {
    this.a = await this.running('a');
    this.b = await this.running('b');
  }

  end(): void {
    this.a?.end();
    this.b?.end();
  }

  /** The guest of a, which runs. */
  get guest(): NetGuest {
    return this.a!;
  }

  /** Packets go both ways, as they did before. */
  async assertTalk(): Promise<void> {
    const ends = [
      { id: 'a', guest: this.a! },
      { id: 'b', guest: this.b! },
    ] as const;
    for (const [from, to] of [ends, ends.toReversed()]) {
      const sent = packet(this.host.mac(to!.id), this.host.mac(from!.id), 7);
      assert.ok(from!.guest.port.send(sent));
      assert.deepEqual(await to!.guest.receives(1), [sent]);
    }
  }

  /** One line at most for what was refused, and one for the end of a connection. */
  private async assertLogged(partition: string, before: number, ended: boolean): Promise<void> {
    await pause(QUIET_MS);
    const lines = this.host.troubleLines(partition).slice(before);
    const ends = lines.filter((line) => line.includes('the connection was closed')).length;
    const wrong = `lines about ${partition}: ${JSON.stringify(lines)}`;
    assert.ok(ends <= (ended ? 1 : 0) && lines.length - ends <= 1, wrong);
  }

  private async answered({ message, closes = false }: BadMessage): Promise<void> {
    const guest = this.a!;
    const { frontEnd } = guest;
    const lines = this.host.troubleLines('a').length;
    const sent = message(guest);
    if (closes) {
      await frontEnd.connection.send({
        ...sent,
        flags: ((sent.flags ?? HeaderFlag.VERSION) | HeaderFlag.NEED_REPLY) >>> 0,
      });
      await frontEnd.assertClosed();
      guest.end();
      this.a = await this.running('a');
    } else {
      assert.equal(await frontEnd.acknowledged(sent), false, 'it is refused');
      await frontEnd.assertUsable(QUIET_MS);
    }
    await this.assertTalk();
    await this.assertLogged('a', lines, closes);
  }

  private async unasked({ message }: BadMessage): Promise<void> {
    const guest = await this.prepared('e');
    const lines = this.host.troubleLines('e').length;
    try {
      await guest.frontEnd.connection.send(message(guest));
      await guest.frontEnd.assertClosed();
      await this.assertLogged('e', lines, true);
    } finally {
      guest.end();
    }
  }

  /** A bad message does no harm, asked for an answer or not, and leaves no descriptor behind. */
  async check(badMessage: BadMessage): Promise<void> {
    const before = openDescriptors();
    await this.answered(badMessage);
    await this.unasked(badMessage);
    const back = await within(PATIENCE_MS, () => (openDescriptors() <= before ? true : undefined));
    assert.ok(back, `${openDescriptors()} descriptors instead of ${before}`);
  }
}
