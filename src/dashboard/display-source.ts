/** A display that can be looked at while others draw on it. */

export interface DisplaySource {
  readonly id: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Changes whenever the picture has changed, or is being changed. */
  generation(): number;
  /** Rows of `widthPx` pixels of 4 bytes, BGRX; a view on shared memory that is only read. */
  pixels(): Uint8Array;
}
