/** What the tests of one file share: a gateway, guests that end with their test, and neighbours. */
import { strict as assert } from 'node:assert';
import { FrontEnd } from './front-end.ts';
import { GatewayHost, type PartitionChoice, TWO_PAIRS } from './gateway-host.ts';
import { numberOf, packet } from './guest-port.ts';
import { Neighbours } from './neighbours.ts';
import { NetGuest, type NetGuestOptions } from './net-guest.ts';
import { type Client, negotiateProtocol, start } from './sequences.ts';

const ALL_PROTOCOL_FEATURES = 2n ** 64n - 1n;

export class Suite {
  private started: GatewayHost | undefined;
  private neighbours: Neighbours | undefined;
  private readonly endings: (() => void)[] = [];

  get host(): GatewayHost {
    return this.started!;
  }

  async begin(choices: readonly PartitionChoice[], withNeighbours: boolean): Promise<void> {
    this.started = await GatewayHost.start(choices);
    if (withNeighbours) this.neighbours = await Neighbours.start(this.host);
  }

  atEnd(ending: () => void): void {
    this.endings.push(ending);
  }

  endTest(): void {
    for (const ending of this.endings.splice(0).reverse()) ending();
  }

  async end(): Promise<void> {
    this.neighbours?.end();
    await this.started?.stop();
  }

  /** A guest of a partition, connected and no more. */
  async guest(
    partition: string,
    options: NetGuestOptions = {},
    device = 'net0',
  ): Promise<NetGuest> {
    const guest = await NetGuest.open(this.host.socket(partition, device), {
      bytes: 2 ** 19,
      ...options,
    });
    this.atEnd(() => guest.end());
    return guest;
  }

  /** Another guest of a partition instead of this one, connected and no more. */
  async fresh(instead: NetGuest, partition: string): Promise<NetGuest> {
    instead.end();
    return this.guest(partition);
  }

  /** A guest of a partition that runs, with buffers to receive into. */
  async running(
    partition: string,
    client: Client = 'qemu',
    options: NetGuestOptions = {},
  ): Promise<NetGuest> {
    const guest = await this.guest(partition, options);
    await start(client, guest);
    for (const port of guest.ports) port.supply();
    return guest;
  }

  /** A connection with every protocol feature that is offered. */
  async frontEnd(partition: string, known = ALL_PROTOCOL_FEATURES): Promise<FrontEnd> {
    const frontEnd = await FrontEnd.served(this.host.socket(partition));
    this.atEnd(() => frontEnd.close());
    await negotiateProtocol(frontEnd, known);
    return frontEnd;
  }

  /** Packets from one partition's guest arrive at another's, in order, whole and once. */
  async assertTraffic(
    from: { id: string; guest: NetGuest },
    to: { id: string; guest: NetGuest },
    count = 5,
  ): Promise<void> {
    const [source, target] = [this.host.mac(from.id), this.host.mac(to.id)];
    to.guest.port.received();
    const sent = Array.from({ length: count }, (_, n) => packet(target, source, 1000 + n, 90 + n));
    for (const bytes of sent) assert.ok(from.guest.port.send(bytes), 'a free transmit buffer');
    const found = await to.guest.receives(count);
    assert.deepEqual(found.map(numberOf), sent.map(numberOf));
    assert.deepEqual(found, sent);
  }

  /** A test beside the neighbours, after which they still talk and the gateway lives. */
  beside(test: () => Promise<void>): () => Promise<void> {
    return async () => {
      await test();
      this.host.assertAlive();
      await this.neighbours?.assertUndisturbed();
    };
  }
}

/** Starts a gateway for the tests of a `describe`. */
export function vhostSuite(
  choices: readonly PartitionChoice[] = TWO_PAIRS,
  options: { readonly neighbours?: boolean } = {},
): Suite {
  const suite = new Suite();
  before(() => suite.begin(choices, options.neighbours ?? false));
  afterEach(() => suite.endTest());
  after(() => suite.end());
  return suite;
}
