/** A page without a browser: a WebSocket that keeps what it is told, and one that never reads. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import net from 'node:net';
import { WebSocket } from 'ws';
import type { ServerMessage } from '../../src/dashboard/page/message.ts';
import { until } from './running-gateway.ts';

type Kind = ServerMessage['type'];
type Message<Type extends Kind> = Extract<ServerMessage, { type: Type }>;

export class DashboardClient {
  readonly messages: ServerMessage[] = [];
  readonly pictures: Uint8Array[] = [];
  /** Close code and reason, once it is closed. */
  closed: readonly [number, string] | undefined;
  private readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.pictures.push(new Uint8Array(data as Buffer));
      else this.messages.push(JSON.parse((data as Buffer).toString('utf8')) as ServerMessage);
    });
    socket.on('close', (code, reason) => {
      this.closed = [code, reason.toString()];
    });
  }

  static async connect(url: string): Promise<DashboardClient> {
    const origin = url.replace(/\/$/, '');
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/live`, { origin });
    const client = new DashboardClient(socket);
    await once(socket, 'open');
    return client;
  }

  of<Type extends Kind>(type: Type): Message<Type>[] {
    return this.messages.filter((message): message is Message<Type> => message.type === type);
  }

  async receives(type: Kind, count = 1): Promise<void> {
    await until(() => this.of(type).length >= count, `${count} messages ${type}`);
  }

  async isClosed(): Promise<readonly [number, string]> {
    await until(() => this.closed !== undefined, 'the end of the connection');
    return this.closed!;
  }

  say(message: string | Uint8Array): void {
    this.socket.send(message);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Upgrades by hand, then reads nothing more, ever: not even that it has been dropped. */
export class DeafClient {
  private readonly socket: net.Socket;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => {});
  }

  static async connect(url: string): Promise<DeafClient> {
    const { host, port } = new URL(url);
    const socket = net.connect({ port: Number(port), host: '127.0.0.1' });
    await once(socket, 'connect');
    const client = new DeafClient(socket);
    socket.write(
      [
        'GET /live HTTP/1.1',
        `Host: ${host}`,
        `Origin: http://${host}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '\r\n',
      ].join('\r\n'),
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString('latin1'), /^HTTP\/1\.1 101 /);
    socket.pause();
    return client;
  }

  close(): void {
    this.socket.destroy();
  }
}
