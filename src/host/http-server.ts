/** An HTTP server on the loopback interface, for browsers of this machine. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { EventSocketServer, type EventSocket } from './event-socket.ts';
import { HostProblem } from './host-problem.ts';

export const LOOPBACK = '127.0.0.1';

/** Browsers open a handful of connections each. */
const CONNECTIONS_MAX = 64;
const REQUEST_WITHIN_MS = 5000;
const IDLE_MS = 5000;
const HEADER_BYTES_MAX = 8192;

export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpService {
  answer(request: HttpRequest): HttpAnswer;
  /** The refusal of a WebSocket, or undefined where there is one to be had. */
  refuseSocket(request: HttpRequest): HttpAnswer | undefined;
  connected(socket: EventSocket): void;
}

export class HttpServer {
  readonly port: number;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /**
   * Listens on 127.0.0.1; port 0 is any that is free.
   * @throws HostProblem when the port is not to be had
   */
  static async open(port: number, service: HttpService): Promise<HttpServer> {
    const server = createServer({
      requestTimeout: REQUEST_WITHIN_MS,
      headersTimeout: REQUEST_WITHIN_MS,
      keepAliveTimeout: IDLE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    });
    server.maxConnections = CONNECTIONS_MAX;
    const sockets = new EventSocketServer();
    server.on('request', (request, response) => respond(request, response, service));
    server.on('upgrade', (request, stream, head) => {
      stream.on('error', () => stream.destroy());
      const refusal = service.refuseSocket(partsOf(request));
      if (refusal) refuse(stream, refusal);
      else sockets.accept(request, stream, head, (socket) => service.connected(socket));
    });
    server.on('clientError', (_error, stream) => stream.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new HostProblem(`port ${port} of ${LOOPBACK} is not to be had: ${error.code}`)),
      );
      server.listen(port, LOOPBACK, resolve);
    });
    return new HttpServer(server);
  }

  /** Ends listening, and every connection that has no WebSocket. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

function partsOf(request: IncomingMessage): HttpRequest {
  const { method = '', url = '', headers } = request;
  return { method, path: url.split('?', 1)[0]!, host: headers.host, origin: headers.origin };
}

function respond(request: IncomingMessage, response: ServerResponse, service: HttpService): void {
  request.resume();
  const { status, headers, body } = service.answer(partsOf(request));
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function refuse(stream: Duplex, { status }: HttpAnswer): void {
  stream.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
