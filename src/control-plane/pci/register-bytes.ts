/** Register values as bytes: little-endian, and as wide as the access. */

/** A value of `width` bytes; bytes that are not there read as `missing`. */
export function readBytes(bytes: Uint8Array, at: number, width: number, missing: number): number {
  let value = 0;
  for (let n = width - 1; n >= 0; n--) value = value * 256 + (bytes[at + n] ?? missing);
  return value;
}

/** The part of a value that an access of this width sees. */
export function ofWidth(value: number, width: number): number {
  return width >= 4 ? value : value & (2 ** (8 * width) - 1);
}
