/**
 * DPDK's testpmd with virtio-user ports, a driver without a kernel, or net_vhost ports, a back-end
 * to compare with.
 */
import os from 'node:os';
import { namedThreadNs } from './thread-time.ts';
import { ClientProcess, literal } from './client-process.ts';
import type { CommandResult } from './guest-shell.ts';

const START_MS = 30_000;
const COMMAND_MS = 20_000;
const PROMPT = 'testpmd> ';
/** Name of the thread that forwards. */
const WORKER = 'rte-worker-1';
/** What the command line says when it did not do what it was told. */
const REFUSED = /^(Bad arguments|Command not found|Ambiguous command|Invalid |.*[Ff]ail)/m;

export interface VirtioUserPort {
  readonly driver: 'virtio-user';
  readonly socket: string;
  readonly mac?: string;
  readonly queues?: number;
  readonly queueSize?: number;
  readonly packed?: boolean;
  readonly inOrder?: boolean;
  readonly mergeable?: boolean;
  /** DPDK listens and the gateway connects. */
  readonly server?: boolean;
}

export interface VhostPort {
  readonly driver: 'vhost';
  readonly socket: string;
  readonly queues?: number;
  /** Offers segmentation and checksums. */
  readonly segments?: boolean;
}

export interface TestpmdOptions {
  readonly ports: readonly (VirtioUserPort | VhostPort)[];
  readonly forward?: 'io' | 'mac' | 'txonly' | 'rxonly' | 'csum';
  readonly packetBytes?: number;
  readonly memoryMiB?: number;
  readonly mbufs?: number;
  /** Destinations of the packets that each port makes or passes on. */
  readonly peers?: readonly string[];
  /** The processor on which it spins; the last one when absent: the first is for others. */
  readonly processor?: number;
  readonly words?: readonly string[];
}

/** Counters of one port, by testpmd's names: `RX-packets`, `TX-bytes`. */
export type PortStatistics = Readonly<Record<string, number>>;

const flag = (value: boolean | undefined) => (value ? 1 : 0);

function portWord(port: VirtioUserPort | VhostPort, n: number): string {
  const { socket, queues = 1 } = port;
  if (port.driver === 'vhost')
    return `net_vhost${n},iface=${socket},queues=${queues}${port.segments ? ',tso=1' : ''}`;
  const { mac, queueSize = 256, packed, inOrder, mergeable, server } = port;
  return [
    `net_virtio_user${n},path=${socket},queues=${queues},queue_size=${queueSize}`,
    `packed_vq=${flag(packed)},in_order=${flag(inOrder)},mrg_rxbuf=${flag(mergeable)}`,
    ...(server ? ['server=1'] : []),
    ...(mac === undefined ? [] : [`mac=${mac}`]),
  ].join(',');
}

function testpmdWords(options: TestpmdOptions): string[] {
  const {
    ports,
    memoryMiB = 256,
    mbufs = 8192,
    forward = 'io',
    packetBytes,
    peers = [],
    processor = os.cpus().length - 1,
    words = [],
  } = options;
  const queues = Math.max(...ports.map((port) => port.queues ?? 1));
  return [
    ...[`--lcores=0@${processor},1@${processor}`, '--no-huge', '-m', `${memoryMiB}`, '--no-pci'],
    ...['--no-telemetry', '--no-shconf'],
    ...ports.map((port, n) => `--vdev=${portWord(port, n)}`),
    ...[
      '--',
      '-i',
      '--nb-cores=1',
      '--disable-link-check',
      `--total-num-mbufs=${mbufs}`,
      `--forward-mode=${forward}`,
    ],
    ...[`--rxq=${queues}`, `--txq=${queues}`],
    ...(packetBytes === undefined ? [] : [`--txpkts=${packetBytes}`]),
    ...peers.map((mac, n) => `--eth-peer=${n},${mac}`),
    ...words,
  ];
}

export class Testpmd {
  readonly process: ClientProcess;
  private last: Promise<unknown> = Promise.resolve();

  constructor(name: string, options: TestpmdOptions) {
    // Its answers would stay in a buffer while its prompt does not.
    const words = ['-o0', 'dpdk-testpmd', ...testpmdWords(options)];
    this.process = new ClientProcess(name, 'stdbuf', words, {
      // Its complaints come between the letters of its prompt.
      apart: true,
      fatal: /EAL: Error|PANIC in|Cannot init|Cannot probe/,
    });
  }

  /** Resolves when its command line listens; nothing is forwarded until `start`. */
  static async start(name: string, options: TestpmdOptions): Promise<Testpmd> {
    const testpmd = new Testpmd(name, options);
    try {
      await testpmd.process.waitFor(PROMPT, START_MS);
      return testpmd;
    } catch (error) {
      await testpmd.kill();
      throw error;
    }
  }

  async run(command: string, timeoutMs = COMMAND_MS): Promise<CommandResult> {
    const turn = this.last.then(() => this.runNow(command, timeoutMs));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  async succeed(command: string, timeoutMs = COMMAND_MS): Promise<string> {
    const { status, output } = await this.run(command, timeoutMs);
    if (status !== 0) throw new Error(`${this.process.name}: ${command}: ${output}`);
    return output;
  }

  waitFor(text: string | RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    return this.process.waitFor(text, timeoutMs);
  }

  async statistics(port: number): Promise<PortStatistics> {
    const output = await this.succeed(`show port stats ${port}`);
    return Object.fromEntries(
      [...output.matchAll(/([RT]x?X?-[\w]+):\s+(\d+)/g)].map(([, name, value]) => [
        name!,
        Number(value),
      ]),
    );
  }

  /** Packets that all ports together have received so far. */
  async received(): Promise<number> {
    const answer = await this.succeed('show port stats all');
    return [...answer.matchAll(/RX-packets:\s+(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
  }

  /** What the forwarding thread has had of its processor so far, in nanoseconds. */
  get workerNs(): number {
    // stdbuf has become the program.
    return namedThreadNs(this.process.pid, WORKER);
  }

  /** By queue, too: `rx_q1_good_packets`. */
  async extendedStatistics(port: number): Promise<PortStatistics> {
    const output = await this.succeed(`show port xstats ${port}`);
    return Object.fromEntries(
      [...output.matchAll(/^(\w+): (\d+)$/gm)].map(([, name, value]) => [name!, Number(value)]),
    );
  }

  /** Stops forwarding and ends the process; resolves with its exit code. */
  async quit(): Promise<number | null> {
    this.process.write('quit\n');
    return this.process.exited;
  }

  async kill(): Promise<void> {
    await this.process.kill();
  }

  private async runNow(command: string, timeoutMs: number): Promise<CommandResult> {
    const from = this.process.position;
    this.process.write(`${command}\n`);
    // The command line repeats what it reads: an answer comes after its question.
    const answer = new RegExp(`${literal(command)}\\n([^]*?)testpmd> `);
    const [, output] = await this.process.waitFor(answer, timeoutMs, from);
    return { status: REFUSED.test(output!) ? 1 : 0, output: output!.trim() };
  }
}
