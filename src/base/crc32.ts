/** Look-up tables of the CRC-32 of IEEE 802.3 (zlib's, PNG's), for sixteen bytes at a time. */
// [impl->req~gpu.crc-exact~1]

const POLYNOMIAL = 0xedb88320;
const TABLES = 16;
const ENTRIES = 256;

/** What {@link crc32Tables} needs, in bytes. */
export const CRC32_TABLES_BYTES = TABLES * ENTRIES * 4;

/** Table n, at word 256 n, says what a byte does to the sum when n bytes follow it. */
export function crc32Tables(): Int32Array {
  const words = new Int32Array(TABLES * ENTRIES);
  for (let byte = 0; byte < ENTRIES; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (POLYNOMIAL & -(sum & 1));
    words[byte] = sum;
  }
  for (let at = ENTRIES; at < words.length; at++) {
    const before = words[at - ENTRIES]!;
    words[at] = (before >>> 8) ^ words[before & 0xff]!;
  }
  return words;
}
