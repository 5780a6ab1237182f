/** The built command line running a configuration for clients, as a user starts it. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { present } from '../../base/assert.ts';
import type { RunReport } from '../../control-plane/run-report.ts';
import { builtPath } from '../../host/files.ts';
import type { GatewayConfig } from '../../schedule/gateway-config.ts';
import { ClientProcess } from './client-process.ts';
import { until } from './wait.ts';

/** Flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON). */
const ACCEPTS = 0x10000;

/**
 * Whether somebody listens at a path; a connection to find out would take the place of the guest.
 */
export function listens(socket: string): boolean {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some((words) => words[7] === socket && (Number.parseInt(words[3]!, 16) & ACCEPTS) !== 0);
}

/** The sockets that a configuration has the gateway make. */
function socketsOf({ partitions }: GatewayConfig): string[] {
  return partitions.flatMap(({ guest, devices }) =>
    guest.type === 'vhost-user' && guest.socketMode === 'listen'
      ? devices.map(({ id }) => path.join(guest.socketDirectory, `${id}.sock`))
      : [],
  );
}

export class GatewayProcess {
  readonly process: ClientProcess;
  private document: RunReport | undefined;

  private constructor(config: GatewayConfig, options: readonly string[]) {
    const directory = mkdtempSync(path.join(tmpdir(), 'virtio-gateway-'));
    const file = path.join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const words = [builtPath('main.js'), 'run', file, '--json', ...options];
    this.process = new ClientProcess('gateway', process.execPath, words, { directory });
  }

  /** Resolves when every socket that the gateway makes accepts a front-end. */
  static async start(
    config: GatewayConfig,
    ...options: readonly string[]
  ): Promise<GatewayProcess> {
    for (const { guest } of config.partitions)
      if (guest.type === 'vhost-user') mkdirSync(guest.socketDirectory, { recursive: true });
    const sockets = socketsOf(config);
    const gateway = new GatewayProcess(config, options);
    await until(
      () => !gateway.process.running || sockets.every(listens),
      `the gateway listens at ${sockets.join(', ')}`,
    );
    if (gateway.process.running) return gateway;
    throw new Error(`the gateway ended\n${gateway.process.tail()}`);
  }

  /** Every device of a partition has a driver, and its rings are served. */
  async serves(...partitions: readonly string[]): Promise<void> {
    for (const id of partitions)
      await this.process.waitFor(
        new RegExp(`partition ${id}: \\S+ -> normal(?![^]*partition ${id}: normal -> )`),
      );
  }

  /** Ends it in order. @throws Error when its exit code is not 0 */
  async stop(): Promise<void> {
    process.kill(this.process.pid, 'SIGTERM');
    const code = await this.process.exited;
    if (code !== 0) throw new Error(`the gateway did not end in order\n${this.process.tail()}`);
    this.document = JSON.parse(this.process.output) as RunReport;
  }

  /** What it counted until it was stopped. */
  report(): RunReport {
    return present(this.document, 'a report, which is written at the end');
  }

  /** kill -9, as a crash; without a report. */
  async kill(): Promise<void> {
    await this.process.kill();
  }
}
