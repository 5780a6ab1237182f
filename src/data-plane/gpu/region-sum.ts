/** CRC-32 of a rectangle of pixels, row by row, in pieces. */
import { GPU_PIECE_RUNS } from '../../schedule/cost-model.ts';
import type { Arena } from '../arena.ts';

export class RegionSum {
  /** Of what has been summed so far, as a signed pattern. */
  crc = 0;
  private readonly arena: Arena;
  private readonly tablesAt: number;
  private at = 0;
  private stride = 0;
  private rowBytes = 0;
  private rowsLeft = 0;
  /** Bytes of the present row that are summed. */
  private summed = 0;

  /** `tablesAt`: where the tables of base/crc32.ts lie in the arena. */
  constructor(arena: Arena, tablesAt: number) {
    this.arena = arena;
    this.tablesAt = tablesAt;
  }

  begin(at: number, stride: number, rowBytes: number, rows: number): void {
    this.at = at;
    this.stride = stride;
    this.rowBytes = rowBytes;
    this.rowsLeft = rows;
    this.summed = 0;
    this.crc = 0;
  }

  get done(): boolean {
    return this.rowsLeft === 0;
  }

  /** Sums at most `bytesMax` more bytes; how many. */
  step(bytesMax: number): number {
    let left = bytesMax;
    for (let run = 0; run < GPU_PIECE_RUNS && left > 0 && this.rowsLeft > 0; run++) {
      const bytes = Math.min(this.rowBytes - this.summed, left);
      this.crc = this.arena.crc32((this.at + this.summed) | 0, bytes, this.crc, this.tablesAt);
      left -= bytes;
      this.summed += bytes;
      if (this.summed < this.rowBytes) continue;
      this.summed = 0;
      this.at = (this.at + this.stride) | 0;
      this.rowsLeft--;
    }
    return bytesMax - left;
  }
}
