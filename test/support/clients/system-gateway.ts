/** The built command line running a configuration for guests, as a user starts it. */
import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { RunReport } from '../../../src/control-plane/run-report.ts';
import type { GatewayConfig } from '../../../src/schedule/gateway-config.ts';
import { TestDirectory } from '../command-line.ts';
import { repositoryPath } from '../judged.ts';
import { until } from '../running-gateway.ts';
import { ClientProcess } from './client-process.ts';

const MAIN = repositoryPath('build/src/main.js');
/** Flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON). */
const ACCEPTS = 0x10000;

/** Whether somebody listens at a path; a connection to find out would take the place of the guest. */
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

export class SystemGateway {
  readonly process: ClientProcess;
  private document: RunReport | undefined;

  private constructor(config: GatewayConfig) {
    const files = new TestDirectory();
    const file = files.write('config.json', JSON.stringify(config));
    const words = [MAIN, 'run', file, '--json'];
    const options = { directory: files.path };
    this.process = new ClientProcess('gateway', process.execPath, words, options);
  }

  /** Resolves when every socket that the gateway makes accepts a front-end. */
  static async start(config: GatewayConfig): Promise<SystemGateway> {
    for (const { guest } of config.partitions)
      if (guest.type === 'vhost-user') mkdirSync(guest.socketDirectory, { recursive: true });
    const sockets = socketsOf(config);
    const gateway = new SystemGateway(config);
    await until(
      () => !gateway.process.running || sockets.every(listens),
      `the gateway listens at ${sockets.join(', ')}`,
    );
    assert.ok(gateway.process.running, `the gateway ended\n${gateway.process.tail()}`);
    return gateway;
  }

  /** Every device of a partition has a driver, and its rings are served. */
  async serves(...partitions: readonly string[]): Promise<void> {
    for (const id of partitions)
      await this.process.waitFor(
        new RegExp(`partition ${id}: \\S+ -> normal(?![^]*partition ${id}: normal -> )`),
      );
  }

  /** Ends it in order, with exit code 0. */
  async stop(): Promise<void> {
    process.kill(this.process.pid, 'SIGTERM');
    const code = await this.process.exited;
    assert.equal(code, 0, `the gateway did not end in order\n${this.process.tail()}`);
    this.document = JSON.parse(this.process.output) as RunReport;
  }

  /** What it counted until it was stopped. */
  report(): RunReport {
    assert.ok(this.document, 'a report is written at the end: stop the gateway first');
    return this.document;
  }

  /** kill -9, as a crash; without a report. */
  async kill(): Promise<void> {
    await this.process.kill();
  }
}

export function startGateway(config: GatewayConfig): Promise<SystemGateway> {
  return SystemGateway.start(config);
}
