/**
 * Form of a picture: a header, then in the zlib format a list of tiles and the pixels of each.
 * Bytes of the header: kind, display, tile size (16 bits). Of the body: number of tiles, their
 * numbers (16 bits each, filled up to 4 bytes), then rows of 32-bit pixels, BGRX; little-endian.
 */

const TILE_PX = 64;
const KIND_TILES = 1;
export const PICTURE_HEADER_BYTES = 4;
const PIXEL_BYTES = 4;

export interface TileGrid {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly columns: number;
  readonly tiles: number;
}

export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function tileGridOf(size: { widthPx: number; heightPx: number }): TileGrid {
  const columns = Math.ceil(size.widthPx / TILE_PX);
  const rows = Math.ceil(size.heightPx / TILE_PX);
  return { widthPx: size.widthPx, heightPx: size.heightPx, columns, tiles: columns * rows };
}

/** In pixels; tiles at the right and lower edge may be smaller. */
export function tileOf({ columns, widthPx, heightPx }: TileGrid, tile: number): Tile {
  const x = (tile % columns) * TILE_PX;
  const y = Math.floor(tile / columns) * TILE_PX;
  return { x, y, width: Math.min(TILE_PX, widthPx - x), height: Math.min(TILE_PX, heightPx - y) };
}

function indexBytes(tiles: number): number {
  return Math.ceil((2 + 2 * tiles) / PIXEL_BYTES) * PIXEL_BYTES;
}

/** Size of the body of a whole picture. */
export function bodyBytesMax({ tiles, widthPx, heightPx }: TileGrid): number {
  return indexBytes(tiles) + widthPx * heightPx * PIXEL_BYTES;
}

/** Writes the list of tiles to the start of the body; where the pixels begin. */
export function writeIndices(body: Uint8Array, tiles: readonly number[]): number {
  const view = new DataView(body.buffer, body.byteOffset);
  view.setUint16(0, tiles.length, true);
  tiles.forEach((tile, n) => view.setUint16(2 + 2 * n, tile, true));
  return indexBytes(tiles.length);
}

export function writePictureHeader(picture: Uint8Array, display: number): void {
  picture[0] = KIND_TILES;
  picture[1] = display;
  new DataView(picture.buffer, picture.byteOffset).setUint16(2, TILE_PX, true);
}

/** The display that a picture is of, or -1 when the message is no picture in this form. */
export function displayOfPicture(picture: Uint8Array): number {
  if (picture.length < PICTURE_HEADER_BYTES || picture[0] !== KIND_TILES) return -1;
  const tilePx = new DataView(picture.buffer, picture.byteOffset).getUint16(2, true);
  return tilePx === TILE_PX ? picture[1]! : -1;
}

/** One tile in the order of a canvas: RGBA, opaque. */
export interface DecodedTile extends Tile {
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** The tiles of a body, one after the other. */
export function* tilesOf(body: Uint8Array, grid: TileGrid): Generator<DecodedTile> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = view.getUint16(0, true);
  let at = indexBytes(count);
  for (let n = 0; n < count; n++) {
    const tile = tileOf(grid, view.getUint16(2 + 2 * n, true));
    const pixels = tile.width * tile.height;
    const rgba = new Uint8ClampedArray(pixels * PIXEL_BYTES);
    const to = new DataView(rgba.buffer);
    for (let pixel = 0; pixel < pixels; pixel++, at += PIXEL_BYTES) {
      const bgrx = view.getUint32(at, true);
      const red = (bgrx >>> 16) & 0xff;
      to.setUint32(pixel * 4, 0xff00_0000 + (((bgrx & 0xff) << 16) | (bgrx & 0xff00) | red), true);
    }
    yield { ...tile, rgba };
  }
}
