/** Used buffer notifications to all drivers: a word in the arena, an eventfd, or a socket. */
import { ArenaNotifier } from './arena-notifier.ts';
import { makeNonBlocking, sendCounter, writeCounter } from './descriptors.ts';
import { EventSignal } from './native/aio.ts';

const EVENT = 2;
const SOCKET = 3;

/** One thread's own. */
// [impl->req~host.notification~1]
export class DescriptorNotifier extends ArenaNotifier {
  private readonly events: EventSignal | null;

  constructor(memory: WebAssembly.Memory, events: EventSignal | null = EventSignal.open()) {
    super(memory);
    this.events = events;
  }

  /** Nothing that the owner of a descriptor does can hold up who notifies. */
  get neverWaits(): boolean {
    return this.events !== null;
  }

  /** Once, before the first notification: the most that can be done without kernel AIO. */
  prepare(kind: number, target: number): void {
    if (kind === EVENT && !this.events) makeNonBlocking(target);
  }

  /** A descriptor that is full or gone is its owner's loss; the data plane goes on. */
  override notify(kind: number, target: number): void {
    if (kind === EVENT) this.addTo(target);
    else if (kind === SOCKET) sendCounter(target);
    else super.notify(kind, target);
  }

  private addTo(event: number): void {
    if (this.events) this.events.add(event);
    else writeCounter(event);
  }

  close(): void {
    this.events?.close();
  }
}
