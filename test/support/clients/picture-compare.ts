/** Pictures compared as a person at some distance would: average colours of cells, with a tolerance. */
import { PNG } from 'pngjs';

/** Pixels of the edge of a cell. */
const CELL_PX = 10;
/** Largest difference of a colour's channel that is no difference. */
const CHANNEL_MAX = 12;

/** Average colours of the cells of a picture, as a small picture. */
export function cellsOf(file: Buffer): PNG {
  const source = PNG.sync.read(file);
  const width = Math.ceil(source.width / CELL_PX);
  const height = Math.ceil(source.height / CELL_PX);
  const cells = new PNG({ width, height });
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      cells.data.set(averageOf(source, column, row), 4 * (row * width + column));
  return cells;
}

function averageOf(source: PNG, column: number, row: number): number[] {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = row * CELL_PX; y < Math.min((row + 1) * CELL_PX, source.height); y++) {
    for (let x = column * CELL_PX; x < Math.min((column + 1) * CELL_PX, source.width); x++, count++)
      for (let n = 0; n < 3; n++) sums[n]! += source.data[4 * (y * source.width + x) + n]!;
  }
  return [...sums.map((sum) => Math.round(sum / count)), 255];
}

/** Share of the cells that differ, from 0 to 1; 1 where the sizes do. */
export function difference(one: PNG, other: PNG): number {
  if (one.width !== other.width || one.height !== other.height) return 1;
  let differing = 0;
  for (let at = 0; at < one.data.length; at += 4) {
    const worst = Math.max(
      ...[0, 1, 2].map((n) => Math.abs(one.data[at + n]! - other.data[at + n]!)),
    );
    if (worst > CHANNEL_MAX) differing++;
  }
  return differing / (one.data.length / 4);
}
