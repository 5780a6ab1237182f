/** One device that is served over vhost-user: its socket, and at most one front-end on it. */
import { UnixListener, UnixSocket } from '../../host/unix-socket.ts';
import { ProtocolFeature } from '../../wire/vhost-user.ts';
import type { DeviceModel } from '../device-model.ts';
import { Connection } from './connection.ts';
import { messageText, outcomeText } from './decode.ts';
import type { Message, Outcome } from './message.ts';
import { carryOut, repliesByItself, requestName } from './requests/index.ts';
import { Session, type SessionParts } from './session.ts';

/** Ticks of the supervision between two attempts to reach a front-end that listens. */
const CONNECT_EVERY_TICKS = 20;
/** Lines in the log that a front-end can cause: so many at once, one more in so many ticks. */
const LINES_MAX = 40;
const LINE_TICKS = 5;

export interface VhostUserDeviceParts extends Omit<SessionParts, 'complain'> {
  readonly socketPath: string;
  readonly socketMode: 'listen' | 'connect';
  readonly log: (line: string) => void;
  /** Every message is written to the log, in words. */
  readonly decode: boolean;
}

export class VhostUserDevice implements DeviceModel {
  private readonly parts: VhostUserDeviceParts;
  private listener: UnixListener | undefined;
  private connection: Connection | undefined;
  private session: Session | undefined;
  /** The last session is still being wound up. */
  private ending: Promise<void> | undefined;
  private refusedLogged = false;
  private lines = LINES_MAX;
  private ticks = 0;
  private closed = false;

  constructor(parts: VhostUserDeviceParts) {
    this.parts = parts;
  }

  /** @throws HostProblem when the socket cannot be made */
  open(): void {
    const { socketPath, socketMode } = this.parts;
    if (socketMode === 'connect') return;
    this.listener = UnixListener.open(socketPath);
    this.listener.onConnection((socket) => this.attach(socket));
  }

  /** A second front-end on a socket that is served would fight with the first for ever. */
  // [impl->req~vhost.single-owner~1]
  private attach(socket: UnixSocket): void {
    if (this.ending) return void this.ending.then(() => this.attach(socket));
    if (this.connection || this.closed) return this.refuse(socket);
    const session = new Session({ ...this.parts, complain: (line) => this.log(line) });
    this.session = session;
    this.refusedLogged = false;
    this.connection = new Connection({
      socket,
      onMessage: (message) => this.judge(session, message),
      acknowledges: () => session.hasProtocol(ProtocolFeature.REPLY_ACK),
      onClosed: (reason) => this.detached(session, reason),
    });
    this.log('a front-end connected');
  }

  private refuse(socket: UnixSocket): void {
    socket.close();
    if (!this.refusedLogged) this.log('a second front-end was refused');
    this.refusedLogged = true;
  }

  // [impl->req~vhost.refusal~1]
  private async judge(session: Session, message: Message): Promise<Outcome> {
    const { type } = this.parts.plan;
    const words = this.parts.decode ? messageText(message, type) : '';
    const outcome = await carryOut(session, message);
    if (words) this.write(`${words} -> ${outcomeText(message, outcome, type)}`);
    if (outcome.kind !== 'refused') return outcome;
    const reason = `${requestName(message.request)} refused: ${outcome.reason}`;
    this.log(reason);
    return repliesByItself(message.request) ? { kind: 'fatal', reason } : { ...outcome, reason };
  }

  private detached(session: Session, reason: string): void {
    this.connection = undefined;
    this.session = undefined;
    this.log(reason ? `the connection was closed: ${reason}` : 'the front-end has gone');
    this.ending = session.end().then(() => {
      this.ending = undefined;
    });
  }

  /** Each thing once, but who sends nonsense again and again fills no log. */
  private log(line: string): void {
    if (this.lines === 0) return;
    this.lines--;
    this.write(line);
  }

  /** Messages in words have no limit but that of the messages: who asks for them wants all. */
  private write(line: string): void {
    this.parts.log(`${this.parts.plan.id}: ${line}`);
  }

  tick(): void {
    this.connection?.tick();
    this.session?.tick();
    this.ticks++;
    if (this.ticks % LINE_TICKS === 0 && this.lines < LINES_MAX) {
      this.lines++;
    }
    if (this.parts.socketMode === 'connect') this.connect();
  }

  private connect(): void {
    if (this.connection || this.ending || this.closed) return;
    if (this.ticks % CONNECT_EVERY_TICKS !== 0) return;
    const socket = UnixSocket.connect(this.parts.socketPath);
    if (socket) this.attach(socket);
  }

  get linkUp(): boolean {
    return this.parts.config.linkUp;
  }

  // [impl->req~net.link-state~1]
  setLink(up: boolean): void {
    if (this.parts.config.setLink(up)) this.session?.configChanged();
  }

  needsReset(): void {
    this.session?.needsReset();
  }

  /** Ends the connection; the front-end may come again. */
  async disconnect(): Promise<void> {
    this.connection?.close('the gateway restarts the partition');
    await this.ending;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.listener?.close();
    this.connection?.close('the gateway stops');
    await this.ending;
  }
}
