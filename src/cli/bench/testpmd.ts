/** DPDK's testpmd as a client of the gateway and as the back-end to compare with: io forwarding. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { after } from '../../host/timers.ts';
import { namedThreadNs } from './thread-time.ts';

const PROGRAM = 'dpdk-testpmd';
const PROMPT = 'testpmd> ';
const PATIENCE_MS = 30_000;
/** Name of the thread that forwards. */
const WORKER = 'rte-worker-1';

export interface TestpmdOptions {
  /** The processor it spins on. */
  readonly processor: number;
  readonly vdevs: readonly string[];
  readonly words: readonly string[];
}

export function testpmdMissing(): boolean {
  return spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).error !== undefined;
}

export class Testpmd {
  private readonly child: ChildProcess;
  private text = '';
  private complaints = '';
  private heard: () => void = () => {};

  constructor({ processor, vdevs, words }: TestpmdOptions) {
    const own = [
      ...[`--lcores=0@${processor},1@${processor}`, '--no-huge', '-m', '512', '--no-pci'],
      ...['--no-telemetry', '--no-shconf', ...vdevs.map((vdev) => `--vdev=${vdev}`)],
      ...['--', '-i', '--forward-mode=io', '--total-num-mbufs=16384', '--nb-cores=1', ...words],
    ];
    // Its answers would stay in a buffer while its prompt does not.
    this.child = spawn('stdbuf', ['-o0', PROGRAM, ...own], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout!.on('data', (bytes: Buffer) => {
      this.text += bytes.toString();
      this.heard();
    });
    // Its complaints come between the letters of its prompt.
    this.child.stderr!.on('data', (bytes: Buffer) => {
      this.complaints += bytes.toString();
    });
    this.child.on('close', () => this.heard());
  }

  /** Resolves when its command line listens. @throws Error with what it said instead */
  ready(): Promise<void> {
    return this.prompt();
  }

  private prompt(): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = after(PATIENCE_MS, () => finish(new Error(`${PROGRAM} is silent: ${this.tail}`)));
      const finish = (error?: Error) => {
        end();
        this.heard = () => {};
        if (error) reject(error);
        else resolve();
      };
      this.heard = () => {
        if (this.text.endsWith(PROMPT)) finish();
        else if (this.child.exitCode !== null) finish(new Error(`${PROGRAM}: ${this.tail}`));
      };
      this.heard();
    });
  }

  private get tail(): string {
    return (this.complaints + this.text).slice(-400);
  }

  /** Its answer to one command. */
  async ask(command: string): Promise<string> {
    this.text = '';
    this.child.stdin!.write(`${command}\n`);
    await this.prompt();
    return this.text;
  }

  /** Packets that all ports together have received so far. */
  async received(): Promise<number> {
    const answer = await this.ask('show port stats all');
    return [...answer.matchAll(/RX-packets:\s+(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
  }

  /** What the forwarding thread has had of its processor so far, in nanoseconds. */
  get workerNs(): number {
    // stdbuf has become the program.
    return namedThreadNs(this.child.pid!, WORKER);
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdin!.end('quit\n');
    const cancel = after(PATIENCE_MS / 10, () => this.child.kill('SIGKILL'));
    await closed;
    cancel();
  }
}
