/** One browser that looks: what it gets when it keeps up, and its end when it does not. */
import { CloseCode, type EventSocket } from '../host/event-socket.ts';
import type { HappeningMark } from './happenings.ts';
import { displayOfDrawn, type ServerMessage } from './page/message.ts';

/** Counted in ticks of the dashboard, and in bytes that wait in this process. */
export interface ViewerLimits {
  /** Above this nothing is added: what was skipped is replaced by something newer. */
  readonly bufferedBytesBehind: number;
  /** Above this a viewer is dropped at once. */
  readonly bufferedBytesMax: number;
  /** A viewer that is behind for so long is dropped. */
  readonly behindTicksMax: number;
  readonly pingTicks: number;
  /** A viewer that has not answered for so long is dropped. */
  readonly silentTicksMax: number;
}

export class Viewer {
  /** What this viewer has been told of what happened. */
  told: HappeningMark = 0;
  private readonly socket: EventSocket;
  private readonly limits: ViewerLimits;
  /** Displays of which a picture is under way to the page, or being drawn. */
  private readonly drawing = new Set<number>();
  private behindTicks = 0;
  private silentTicks = 0;
  private gone = false;

  constructor(socket: EventSocket, limits: ViewerLimits, closed: () => void) {
    this.socket = socket;
    this.limits = limits;
    socket.listen({
      message: (text) => this.heard(text),
      pong: () => {
        this.silentTicks = 0;
      },
      closed: () => {
        this.gone = true;
        closed();
      },
    });
  }

  /** Nothing that a page can say asks for anything but the next picture. */
  // [impl->req~dash.read-only~1]
  private heard(text: string | undefined): void {
    const display = text === undefined ? -1 : displayOfDrawn(text);
    if (!this.drawing.delete(display)) this.socket.close(CloseCode.POLICY, 'read-only');
  }

  /** Whether anything may be sent to it now. */
  get keepsUp(): boolean {
    return !this.gone && this.socket.bufferedBytes <= this.limits.bufferedBytesBehind;
  }

  /** Whether it has drawn the last picture of this display. */
  wantsPicture(display: number): boolean {
    return this.keepsUp && !this.drawing.has(display);
  }

  send(message: ServerMessage): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.socket.send(text);
  }

  sendPicture(display: number, picture: Uint8Array): void {
    this.drawing.add(display);
    this.socket.send(picture);
  }

  /** Drops a viewer that does not read. */
  // [impl->req~dash.stalled-dropped~1]
  tick(): void {
    const { limits, socket } = this;
    this.behindTicks = this.keepsUp ? 0 : this.behindTicks + 1;
    this.silentTicks++;
    if (
      socket.bufferedBytes > limits.bufferedBytesMax ||
      this.behindTicks > limits.behindTicksMax ||
      this.silentTicks > limits.silentTicksMax
    )
      socket.terminate();
    else if (this.silentTicks % limits.pingTicks === 0) socket.ping();
  }

  close(): void {
    this.socket.close(CloseCode.NORMAL, 'the run has ended');
  }

  terminate(): void {
    this.socket.terminate();
  }
}
