/** Used buffer notifications to embedded guests: a word in the arena, and whoever waits on it. */

const ARENA_WORD = 1;

export class ArenaNotifier {
  private readonly words: Int32Array;

  constructor(memory: WebAssembly.Memory) {
    this.words = new Int32Array(memory.buffer);
  }

  /** `target` is the index of the interrupt word; other kinds mean that the driver wants none. */
  notify(kind: number, target: number): void {
    if (kind !== ARENA_WORD) return;
    Atomics.add(this.words, target, 1);
    Atomics.notify(this.words, target);
  }
}
