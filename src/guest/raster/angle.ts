/** Angles as whole numbers, 4096 to the turn, clockwise from the right; sines from a table. */

export const TURN = 4096;
/** What stands for 1 in {@link sine} and {@link cosine}. */
export const UNIT = 65536;

const TABLE = Int32Array.from({ length: TURN }, (_, n) =>
  Math.round(UNIT * Math.sin((2 * Math.PI * n) / TURN)),
);

export function sine(angle: number): number {
  return TABLE[angle & (TURN - 1)]!;
}

export function cosine(angle: number): number {
  return sine(angle + TURN / 4);
}
