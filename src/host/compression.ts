/** Compression that runs on another thread. */
import { deflate } from 'node:zlib';

/** Fast rather than small: what is compressed goes to a browser of the same machine. */
const LEVEL = 1;
const CHUNK_BYTES = 256 * 1024;

/** The bytes in the zlib format (RFC 1950); they must not change before it is done. */
export function compressed(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    deflate(bytes, { level: LEVEL, chunkSize: CHUNK_BYTES }, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
