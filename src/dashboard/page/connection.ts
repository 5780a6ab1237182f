/** The one connection to the gateway: it comes back by itself, unless the run has ended. */
import type { ServerMessage } from './message.ts';

export type ConnectionState = 'connecting' | 'live' | 'lost' | 'full' | 'ended';

const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 15_000;
/** Close code 1013: the server has as many viewers as it takes. */
const TRY_AGAIN_LATER = 1013;

export interface ConnectionCallbacks {
  readonly message: (message: ServerMessage) => void;
  readonly picture: (picture: Uint8Array<ArrayBuffer>) => void;
  readonly state: (state: ConnectionState) => void;
}

export class Connection {
  private readonly callbacks: ConnectionCallbacks;
  private socket: WebSocket | undefined;
  private ended = false;
  private retryMs = RETRY_MS_MIN;

  constructor(callbacks: ConnectionCallbacks) {
    this.callbacks = callbacks;
  }

  open(): void {
    this.ended = false;
    this.callbacks.state('connecting');
    const socket = new WebSocket(`ws://${location.host}/live`);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => this.received(data));
    socket.addEventListener('close', ({ code }) => this.closed(code));
    this.socket = socket;
  }

  send(text: string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  private received(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      this.callbacks.picture(new Uint8Array(data));
      return;
    }
    const message = JSON.parse(String(data)) as ServerMessage;
    if (message.type === 'hello') {
      this.retryMs = RETRY_MS_MIN;
      this.callbacks.state('live');
    }
    if (message.type === 'ended') {
      this.ended = true;
      this.callbacks.state('ended');
    }
    this.callbacks.message(message);
  }

  private closed(code: number): void {
    if (this.ended) return;
    this.callbacks.state(code === TRY_AGAIN_LATER ? 'full' : 'lost');
    setTimeout(() => this.open(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, RETRY_MS_MAX);
  }
}
