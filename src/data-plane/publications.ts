/**
 * Which rings have completed entries to publish and notifications to decide; bounded by their
 * number.
 */
import { QueueCounter } from '../channel/counters.ts';
import type { DeviceQueue } from './device-queue.ts';

/** Sends a used buffer notification; non-blocking, and never fails towards the data plane. */
export interface Notifier {
  notify(kind: number, target: number): void;
}

export class Publications {
  private readonly touched: DeviceQueue[] = [];
  private readonly awaiting: DeviceQueue[] = [];
  private touchedCount = 0;
  private awaitingCount = 0;

  private readonly notifier: Notifier;

  constructor(queues: readonly DeviceQueue[], notifier: Notifier) {
    this.notifier = notifier;
    // Filled once, so that later stores never grow an array.
    for (const queue of queues) {
      this.touched.push(queue);
      this.awaiting.push(queue);
    }
  }

  /** A receiver's ring has completed entries. */
  touch(queue: DeviceQueue): void {
    if (queue.touched) return;
    queue.touched = true;
    this.touched[this.touchedCount++] = queue;
  }

  /** Publishes the receivers' entries, then the sender's: a crash repeats, and never loses. */
  // [impl->req~queue.publish-receiver-first~1]
  publish(sender: DeviceQueue): void {
    for (let n = 0; n < this.touchedCount; n++) {
      const queue = this.touched[n]!;
      queue.touched = false;
      queue.ring.publish();
      this.awaitNotification(queue);
    }
    this.touchedCount = 0;
    sender.ring.publish();
    this.awaitNotification(sender);
  }

  private awaitNotification(queue: DeviceQueue): void {
    if (queue.awaiting) return;
    queue.awaiting = true;
    this.awaiting[this.awaitingCount++] = queue;
  }

  /** Notifies at most once per ring what was published since the last call. */
  // [impl->req~queue.notify-once-per-window~1]
  notify(): void {
    for (let n = 0; n < this.awaitingCount; n++) {
      const queue = this.awaiting[n]!;
      queue.awaiting = false;
      if (!queue.ring.mayNotify) continue;
      if (queue.ring.takeNotification()) {
        queue.count(QueueCounter.NOTIFICATIONS, 1);
        this.notifier.notify(queue.notifyKind, queue.notifyTarget);
      } else queue.count(QueueCounter.NOTIFICATIONS_SUPPRESSED, 1);
    }
    this.awaitingCount = 0;
  }
}
