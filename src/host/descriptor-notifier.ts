/** Used buffer notifications to all drivers: a word in the arena, or a write to a descriptor. */
import { ArenaNotifier } from './arena-notifier.ts';
import { writeCounter } from './descriptors.ts';

const DESCRIPTOR = 2;

// [impl->req~host.notification~1]
export class DescriptorNotifier extends ArenaNotifier {
  /** A descriptor that is full or gone is its owner's loss; the data plane goes on. */
  override notify(kind: number, target: number): void {
    if (kind === DESCRIPTOR) writeCounter(target);
    else super.notify(kind, target);
  }
}
