/**
 * What a scanout shows, for whoever passes it on: written by the data plane, read by the control
 * plane, by a sequence number that is odd while it changes. Neither waits for the other.
 */

export const ScanoutWord = {
  SEQUENCE: 0,
  /** Size of the scanout's picture in pixels; 0 while it is disabled. */
  WIDTH: 1,
  HEIGHT: 2,
  /** Counts changes of the picture; what changed since the reader's last {@link acknowledge}. */
  PICTURE: 3,
  LEFT: 4,
  TOP: 5,
  RIGHT: 6,
  BOTTOM: 7,
  /** Counts changes of the cursor's picture. */
  CURSOR_PICTURE: 8,
  CURSOR_VISIBLE: 9,
  CURSOR_X: 10,
  CURSOR_Y: 11,
  CURSOR_HOT_X: 12,
  CURSOR_HOT_Y: 13,
  /** The picture count that the reader has taken over. */
  TAKEN: 14,
  COUNT: 16,
} as const;

const READS_MAX = 16;

/** The data plane's side. */
export class ScanoutState {
  private readonly words: Int32Array;
  private readonly at: number;

  /** `at`: byte offset of the state's words. */
  constructor(words: Int32Array, at: number) {
    this.words = words;
    this.at = at >>> 2;
  }

  private begin(): void {
    Atomics.add(this.words, this.at + ScanoutWord.SEQUENCE, 1);
  }

  private end(): void {
    Atomics.add(this.words, this.at + ScanoutWord.SEQUENCE, 1);
  }

  /** The scanout has another size, or none; all of it has changed. */
  resized(width: number, height: number): void {
    const { words, at } = this;
    this.begin();
    words[at + ScanoutWord.WIDTH] = width;
    words[at + ScanoutWord.HEIGHT] = height;
    this.addDamage(0, 0, width, height);
    this.end();
  }

  /** A part of the picture has changed; right and bottom are exclusive. */
  changed(left: number, top: number, right: number, bottom: number): void {
    this.begin();
    this.addDamage(left, top, right, bottom);
    this.end();
  }

  private addDamage(left: number, top: number, right: number, bottom: number): void {
    const { words, at } = this;
    const picture = words[at + ScanoutWord.PICTURE]!;
    const taken = Atomics.load(words, at + ScanoutWord.TAKEN) === picture;
    words[at + ScanoutWord.PICTURE] = (picture + 1) | 0;
    if (taken || left < words[at + ScanoutWord.LEFT]!) words[at + ScanoutWord.LEFT] = left;
    if (taken || top < words[at + ScanoutWord.TOP]!) words[at + ScanoutWord.TOP] = top;
    if (taken || right > words[at + ScanoutWord.RIGHT]!) words[at + ScanoutWord.RIGHT] = right;
    if (taken || bottom > words[at + ScanoutWord.BOTTOM]!) words[at + ScanoutWord.BOTTOM] = bottom;
  }

  cursor(visible: boolean, x: number, y: number): void {
    const { words, at } = this;
    this.begin();
    words[at + ScanoutWord.CURSOR_VISIBLE] = visible ? 1 : 0;
    words[at + ScanoutWord.CURSOR_X] = x;
    words[at + ScanoutWord.CURSOR_Y] = y;
    this.end();
  }

  cursorPicture(hotX: number, hotY: number): void {
    const { words, at } = this;
    this.begin();
    words[at + ScanoutWord.CURSOR_PICTURE]! += 1;
    words[at + ScanoutWord.CURSOR_HOT_X] = hotX;
    words[at + ScanoutWord.CURSOR_HOT_Y] = hotY;
    this.end();
  }
}

/** The control plane's side: a copy of the words that belong together. */
export class ScanoutView {
  readonly copy = new Int32Array(ScanoutWord.COUNT);
  private readonly words: Int32Array;
  private readonly at: number;

  constructor(words: Int32Array, at: number) {
    this.words = words;
    this.at = at >>> 2;
  }

  /** Copies the state; false when it was changing all the time, which a later look will find. */
  read(): boolean {
    const { words, at, copy } = this;
    for (let n = 0; n < READS_MAX; n++) {
      const before = Atomics.load(words, at + ScanoutWord.SEQUENCE);
      for (let word = 0; word < ScanoutWord.COUNT; word++) copy[word] = words[at + word]!;
      const after = Atomics.load(words, at + ScanoutWord.SEQUENCE);
      if (before === after && (before & 1) === 0) return true;
    }
    return false;
  }

  /** What was read last is taken over: later changes are counted from it on. */
  acknowledge(): void {
    Atomics.store(this.words, this.at + ScanoutWord.TAKEN, this.copy[ScanoutWord.PICTURE]!);
  }
}
