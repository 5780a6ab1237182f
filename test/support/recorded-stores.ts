/** Records the data plane's stores to the arena, ordinary and atomic ones, in the order they are made. */
import type { Arena } from '../../src/data-plane/arena.ts';

export interface RecordedStore {
  /** Offset in bytes. */
  readonly at: number;
  readonly value: number;
}

function recording(view: Int32Array, log: RecordedStore[]): Int32Array {
  return new Proxy(view, {
    get: (target, key) => Reflect.get(target, key),
    set(target, key, value: number) {
      log.push({ at: Number(key) * Int32Array.BYTES_PER_ELEMENT, value });
      return Reflect.set(target, key, value);
    },
  });
}

/** Runs `action` and returns the stores it made through the 32-bit view and through `Atomics.store`. */
export function recordStores(arena: Arena, action: () => void): RecordedStore[] {
  const log: RecordedStore[] = [];
  const views = arena as { i32: Int32Array };
  const { i32 } = views;
  const { load, store } = Atomics;
  const recorded = recording(i32, log);
  views.i32 = recorded;
  Atomics.load = ((view: Uint16Array | Int32Array, index: number) =>
    load(view === recorded ? i32 : view, index)) as typeof Atomics.load;
  Atomics.store = ((view: Uint16Array | Int32Array, index: number, value: number) => {
    if (view.buffer === i32.buffer) log.push({ at: index * view.BYTES_PER_ELEMENT, value });
    return store(view, index, value);
  }) as typeof Atomics.store;
  try {
    action();
  } finally {
    views.i32 = i32;
    Atomics.load = load;
    Atomics.store = store;
  }
  return log;
}
