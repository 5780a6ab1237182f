/** Free-running 16-bit ring indices (VIRTIO 2.7): the only place that wraps them. */

export const INDEX_MASK = 0xffff;

export function wrapIndex(index: number): number {
  return index & 0xffff;
}

/** How far `to` is ahead of `from`, 0 to 65,535. */
export function indexDistance(to: number, from: number): number {
  return (to - from) & 0xffff;
}

/** Whether moving from `before` to `after` passes `event` (VIRTIO 2.7.7.2, vring_need_event). */
export function passesEvent(event: number, after: number, before: number): boolean {
  return ((after - event - 1) & 0xffff) < ((after - before) & 0xffff);
}
