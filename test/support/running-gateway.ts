/** A real gateway with its threads, for tests that wait for it and always stop it. */
import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { GuestStatistic } from '../../src/channel/guest-statistics.ts';
import { loadConfig } from '../../src/control-plane/config/load-config.ts';
import { Gateway } from '../../src/control-plane/gateway.ts';
import type { PartitionMode, Transition } from '../../src/control-plane/partition-manager.ts';
import { compilePlan } from '../../src/schedule/compile-plan.ts';
import type { GatewayConfig } from '../../src/schedule/gateway-config.ts';
import { repositoryPath } from './judged.ts';

const POLL_MS = 5;
const PATIENCE_MS = 20_000;

/** Three guests that send packets, one of them babbling, and no display. */
export function cockpit(): GatewayConfig {
  const file = repositoryPath('test/support/three-guests.json');
  const { config, problems } = loadConfig(file);
  assert.deepEqual(problems, []);
  return config!;
}

/** The configuration with another program for one partition, and these reactions before its own. */
export function cockpitWith(
  partition: string,
  program: string | undefined,
  reactions: GatewayConfig['health']['reactions'],
): GatewayConfig {
  const config = structuredClone(cockpit());
  return {
    ...config,
    partitions: config.partitions.map((entry) =>
      entry.id !== partition || program === undefined
        ? entry
        : { ...entry, guest: { ...entry.guest, program: program as 'echo' } },
    ),
    health: { reactions: [...reactions, ...config.health.reactions] },
  };
}

export async function until(
  condition: () => boolean,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not within ${patienceMs} ms: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** Threads of this process. */
export function threads(): number {
  return readdirSync('/proc/self/task').length;
}

export class RunningGateway {
  readonly gateway: Gateway;
  readonly lines: string[] = [];
  readonly transitions: Transition[] = [];
  private readonly ids: readonly string[];

  constructor(config: GatewayConfig) {
    this.gateway = new Gateway(compilePlan(config), config);
    this.ids = config.partitions.map(({ id }) => id);
    this.gateway.log.subscribe((line) => this.lines.push(line));
    this.gateway.partitions.transitions.subscribe((transition) =>
      this.transitions.push(transition),
    );
    this.gateway.start();
  }

  index(partition: string): number {
    return this.ids.indexOf(partition);
  }

  mode(partition: string): PartitionMode {
    return this.gateway.partitions.mode(this.index(partition));
  }

  statistic(partition: string, statistic: number): number {
    return this.gateway.guests[this.index(partition)]!.statistics!.get(statistic);
  }

  /** Whether the first device of a partition shows its link as up. */
  linkUp(partition: string): boolean {
    const { plan } = this.gateway;
    const device = plan.partitions[this.index(partition)]!.devices[0]!;
    return this.gateway.linkUp(device);
  }

  async reaches(mode: PartitionMode, ...partitions: readonly string[]): Promise<void> {
    for (const partition of partitions)
      await until(() => this.mode(partition) === mode, `${partition} in mode ${mode}`);
  }

  /** So many more answers to the cluster's requests. */
  async answers(count: number): Promise<void> {
    const before = this.statistic('cluster', GuestStatistic.ANSWERED);
    await until(
      () => this.statistic('cluster', GuestStatistic.ANSWERED) >= before + count,
      `${count} more answers`,
    );
  }

  /** What the cluster's requests and answers met on their way. */
  get trouble(): { lost: number; corrupt: number; duplicate: number; dropped: number } {
    const { counters, plan } = this.gateway;
    const dropped = plan.routes
      .filter(({ id }) => !id.startsWith('infotainment'))
      .map(({ index }) => counters.delivery(index))
      .reduce((sum, { sent, delivered }) => sum + sent - delivered, 0);
    return {
      lost: this.statistic('cluster', GuestStatistic.LOST),
      corrupt: this.statistic('cluster', GuestStatistic.CORRUPT),
      duplicate: this.statistic('cluster', GuestStatistic.DUPLICATE),
      dropped,
    };
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
  }
}
