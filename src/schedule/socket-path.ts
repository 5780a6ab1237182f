/** Where the socket of a device lies, and which paths are one and the same. */

/** sun_path of unix(7) with its final NUL has 108 bytes. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** `<socketDirectory>/<device id>.sock`, the device id without its partition. */
export function socketPathOf(socketDirectory: string, device: string): string {
  return `${socketDirectory}/${device}.sock`;
}

/** The same text for every way to write a path, as far as the text tells. */
export function normalPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(part);
  }
  return `${path.startsWith('/') ? '/' : ''}${kept.join('/')}`;
}
