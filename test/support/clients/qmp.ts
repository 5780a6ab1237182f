/** QEMU's machine protocol: one command, one answer, and the events between them. */
import net from 'node:net';

const RETRY_MS = 20;
const PATIENCE_MS = 10_000;

interface Message {
  readonly QMP?: unknown;
  readonly event?: string;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class Qmp {
  private readonly socket: net.Socket;
  private readonly pending: Pending[] = [];
  private rest = '';

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.take(text));
    const closed = () => {
      for (const { reject } of this.pending.splice(0))
        reject(new Error('QEMU closed its QMP socket'));
    };
    socket.on('close', closed).on('error', closed);
  }

  /** Connects as soon as QEMU listens. */
  static async connect(path: string): Promise<Qmp> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const qmp = new Qmp(await connected(path));
        await qmp.execute('qmp_capabilities');
        return qmp;
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => {
          setTimeout(resolve, RETRY_MS);
        });
      }
    }
  }

  execute(command: string, parameters?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.push({ resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    for (const line of lines.filter((entry) => entry.trim() !== '')) {
      const message = JSON.parse(line) as Message;
      if (message.QMP !== undefined || message.event !== undefined) continue;
      const command = this.pending.shift();
      if (message.error) command?.reject(new Error(message.error.desc));
      else command?.resolve(message.return);
    }
  }
}

function connected(path: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}
