/**
 * What is wrong with a PNG file (PNG 5 to 11), judged before it is decoded: pngjs takes a stream
 * that ends early for a picture, and shows in the missing pixels what its memory held before.
 */
// [impl->req~host.picture-file~1]
import { crc32, inflateSync } from 'node:zlib';

export const PICTURE_SIDE_MAX = 4096;

const SIGNATURE = '89504e470d0a1a0a';
const SIGNATURE_BYTES = SIGNATURE.length / 2;

/** A chunk: the length of its data, its name, the data, and the CRC-32 of name and data. */
const Chunk = { LENGTH: 0, NAME: 4, DATA: 8, AROUND: 12 } as const;
const Header = { WIDTH: 0, HEIGHT: 4, DEPTH: 8, COLOUR: 9, INTERLACE: 12, BYTES: 13 } as const;

/** Samples per pixel, by colour type. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const DEPTHS: readonly number[] = [1, 2, 4, 8, 16];

/** Why this is no PNG file that can be shown, or undefined. */
export function pngProblem(content: Buffer): string | undefined {
  if (content.toString('hex', 0, SIGNATURE_BYTES) !== SIGNATURE) return 'not a PNG file';
  const chunks = chunksOf(content);
  if (!chunks) return 'a damaged PNG file: its chunks do not agree with their sums';
  const [header] = chunks;
  if (header?.name !== 'IHDR' || header.data.length !== Header.BYTES) {
    return 'a PNG file without a header';
  }
  if (chunks.at(-1)!.name !== 'IEND') return 'a damaged PNG file: it has no end';
  const pieces = chunks.filter(({ name }) => name === 'IDAT').map(({ data }) => data);
  return headerProblem(header.data) ?? dataProblem(header.data, Buffer.concat(pieces));
}

interface NamedData {
  readonly name: string;
  readonly data: Buffer;
}

/** All chunks up to the end of the file, or undefined where one is cut or its sum is another. */
function chunksOf(content: Buffer): NamedData[] | undefined {
  const chunks: NamedData[] = [];
  for (let at = SIGNATURE_BYTES; at < content.length;) {
    if (content.length - at < Chunk.AROUND) return undefined;
    const length = content.readUInt32BE(at + Chunk.LENGTH);
    if (length > content.length - at - Chunk.AROUND) return undefined;
    const end = at + Chunk.DATA + length;
    const summed = content.subarray(at + Chunk.NAME, end);
    if (crc32(summed) !== content.readUInt32BE(end)) return undefined;
    const name = content.toString('latin1', at + Chunk.NAME, at + Chunk.DATA);
    chunks.push({ name, data: content.subarray(at + Chunk.DATA, end) });
    at += Chunk.AROUND + length;
  }
  return chunks;
}

/** A size is judged before memory is taken for it. */
function headerProblem(header: Buffer): string | undefined {
  const [width, height] = [header.readUInt32BE(Header.WIDTH), header.readUInt32BE(Header.HEIGHT)];
  const fits = (side: number) => side >= 1 && side <= PICTURE_SIDE_MAX;
  if (!fits(width) || !fits(height)) {
    return `${width} x ${height} pixels; a picture has 1 to ${PICTURE_SIDE_MAX} on each side`;
  }
  const [depth, colour] = [header[Header.DEPTH]!, header[Header.COLOUR]!];
  if (SAMPLES[colour] === undefined || !DEPTHS.includes(depth)) {
    return `a PNG file of the unknown colour type ${colour} with ${depth} bits a sample`;
  }
  if (header[Header.INTERLACE] !== 0) return 'an interlaced PNG file; save it without interlacing';
  return undefined;
}

/** The stream unpacks to exactly the rows that the header announces, each with its filter byte. */
function dataProblem(header: Buffer, data: Buffer): string | undefined {
  const bits = SAMPLES[header[Header.COLOUR]!]! * header[Header.DEPTH]!;
  const row = 1 + Math.ceil((header.readUInt32BE(Header.WIDTH) * bits) / 8);
  const wanted = row * header.readUInt32BE(Header.HEIGHT);
  try {
    const { length } = inflateSync(data, { maxOutputLength: wanted });
    return length === wanted ? undefined : 'a damaged PNG file: it lacks rows';
  } catch (error) {
    return `a damaged PNG file: ${(error as Error).message}`;
  }
}
