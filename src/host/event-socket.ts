/** A WebSocket of a browser, as little of it as the dashboard needs; it throws nothing. */
import { WebSocket, WebSocketServer } from 'ws';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Close codes of RFC 6455 (7.4.1), and of its registry. */
export const CloseCode = { NORMAL: 1000, POLICY: 1008, TRY_AGAIN_LATER: 1013 } as const;

/** Longest message that is taken from a browser, in bytes. */
const MESSAGE_BYTES_MAX = 128;

export interface SocketCallbacks {
  /** A text message; undefined for a binary one. */
  readonly message: (text: string | undefined) => void;
  readonly pong: () => void;
  /** Once, however the connection ended. */
  readonly closed: () => void;
}

export class EventSocket {
  private readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  listen({ message, pong, closed }: SocketCallbacks): void {
    this.socket.on('message', (data, isBinary) =>
      message(isBinary ? undefined : (data as Buffer).toString('utf8')),
    );
    this.socket.on('pong', pong);
    this.socket.on('close', closed);
  }

  /** Queues a message; nobody waits for it. */
  send(message: string | Uint8Array): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  ping(): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
  }

  /** Bytes that wait in this process for the peer to read. */
  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  /** Tells the peer why, behind everything that is queued. */
  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  /** Ends it at once, whatever is queued. */
  terminate(): void {
    this.socket.terminate();
  }
}

/** Turns requests for an upgrade into sockets. */
export class EventSocketServer {
  private readonly server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
  });

  accept(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    accepted: (socket: EventSocket) => void,
  ): void {
    this.server.handleUpgrade(request, stream, head, (socket) => {
      // The end of the connection follows, and is told.
      socket.on('error', () => {});
      accepted(new EventSocket(socket));
    });
  }
}
