/** The EDID of a scanout: a base block of VESA E-EDID A2 (EDID 1.4) with one fixed timing. */
// [impl->req~gpu.edid-valid~1]
import { assert } from '../base/assert.ts';

export const EDID_BLOCK_BYTES = 128;

/** What a display shows at most and how often. */
export interface DisplayMode {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly refreshHz: number;
}

export interface EdidProblem {
  readonly field: keyof DisplayMode;
  readonly message: string;
}

/** Linux ignores a detailed timing with fewer pixels on a side; 12 bits hold no more. */
const SIDE_MIN_PX = 64;
const SIDE_MAX_PX = 4095;
/** A pixel clock has 16 bits of 10 kHz; what is below 10 MHz is taken for an invalid one. */
const CLOCK_UNIT_HZ = 10_000;
const CLOCK_UNITS_MIN = 1000;
const CLOCK_UNITS_MAX = 65535;
const BLANK_LINES_MAX = 4095;

/** Reduced blanking of VESA CVT 1.1, in pixels, in lines, and the least blank time of a field. */
const HORIZONTAL = { front: 48, sync: 32, blank: 160 } as const;
const VERTICAL = { front: 3, backMin: 6, blankMinUs: 460 } as const;

/** CVT tells an aspect ratio by the lines of its vertical sync. */
const SYNC_LINES: readonly (readonly [across: number, down: number, lines: number])[] = [
  [4, 3, 4],
  [16, 9, 5],
  [16, 10, 6],
  [5, 4, 7],
  [15, 9, 7],
];
const SYNC_LINES_OTHERWISE = 10;

const MM_PER_PX = 25.4 / 96;

/** No vendor's: the three letters that this gateway goes by, five bits each. */
const MAKER = 'VGW';
const PRODUCT = 1;
const MODEL_YEAR = 2026;

const NAME_CHARACTERS = 13;
const DESCRIPTORS_AT = 54;
const DESCRIPTOR_BYTES = 18;
const DescriptorTag = { NAME: 0xfc, DUMMY: 0x10 } as const;

function syncLines({ widthPx, heightPx }: DisplayMode): number {
  const known = SYNC_LINES.find(([across, down]) => widthPx * down === heightPx * across);
  return known?.[2] ?? SYNC_LINES_OTHERWISE;
}

/**
 * Lines between two pictures: as long as CVT asks, room for the sync and its porches, and for a
 * small picture so many that the pixel clock is not too slow. Infinite where no time is left.
 */
function blankLines(mode: DisplayMode): number {
  const lineUs = (1e6 / mode.refreshHz - VERTICAL.blankMinUs) / mode.heightPx;
  if (lineUs <= 0) return Infinity;
  const linesMin = (CLOCK_UNITS_MIN * CLOCK_UNIT_HZ) / (linePixels(mode) * mode.refreshHz);
  const slow = Math.min(BLANK_LINES_MAX, Math.ceil(linesMin) - mode.heightPx);
  const least = VERTICAL.front + syncLines(mode) + VERTICAL.backMin;
  return Math.max(least, slow, Math.floor(VERTICAL.blankMinUs / lineUs) + 1);
}

function linePixels({ widthPx }: DisplayMode): number {
  return widthPx + HORIZONTAL.blank;
}

/** The pixel clock that comes nearest to the refresh rate, in units of 10 kHz. */
function clockUnits(mode: DisplayMode): number {
  const pixels = linePixels(mode) * (mode.heightPx + blankLines(mode));
  return Math.round((pixels * mode.refreshHz) / CLOCK_UNIT_HZ);
}

/** Why an EDID cannot describe this mode; empty when it can. */
export function edidProblems(mode: DisplayMode): EdidProblem[] {
  const problems: EdidProblem[] = [];
  for (const field of ['widthPx', 'heightPx'] as const) {
    const value = mode[field];
    if (Number.isInteger(value) && value >= SIDE_MIN_PX && value <= SIDE_MAX_PX) continue;
    const message = `${value} is not a whole number from ${SIDE_MIN_PX} to ${SIDE_MAX_PX}`;
    problems.push({ field, message });
  }
  if (problems.length > 0) return problems;
  const message = refreshProblem(mode);
  return message === undefined ? [] : [{ field: 'refreshHz', message }];
}

function refreshProblem(mode: DisplayMode): string | undefined {
  const { refreshHz, heightPx } = mode;
  if (!(refreshHz > 0)) return `${refreshHz} is not more than 0`;
  if (blankLines(mode) > BLANK_LINES_MAX) {
    return `${refreshHz} leaves no time for ${heightPx} lines and the blank ones`;
  }
  const units = clockUnits(mode);
  if (units >= CLOCK_UNITS_MIN && units <= CLOCK_UNITS_MAX) return undefined;
  return `${refreshHz} needs a pixel clock of ${units / 100} MHz; an EDID has 10 to 655.35`;
}

/**
 * The 128 bytes for a mode without {@link edidProblems}, with a picture of 96 pixels an inch.
 * `name`: printable ASCII, of which 13 characters are shown; `serial`: 32 bits, 0 for none.
 */
export function edidBlock(mode: DisplayMode, name: string, serial: number): Uint8Array {
  assert(edidProblems(mode).length === 0, 'the configuration check refuses what no EDID can say');
  const block = new Uint8Array(EDID_BLOCK_BYTES);
  block.set([0, 255, 255, 255, 255, 255, 255, 0]);
  block.set([...makerBytes(), PRODUCT & 0xff, PRODUCT >> 8], 8);
  new DataView(block.buffer).setUint32(12, serial, true);
  // Instead of a week, 0xff: the year is that of the model. Then the version, 1.4.
  block.set([0xff, MODEL_YEAR - 1990, 1, 4], 16);
  block.set(displayBytes(mode), 20);
  // No established timings, and eight times no standard timing.
  block.fill(1, 38, DESCRIPTORS_AT);
  const descriptors = [timing(mode), text(DescriptorTag.NAME, name), dummy(), dummy()];
  for (const [n, bytes] of descriptors.entries()) {
    block.set(bytes, DESCRIPTORS_AT + n * DESCRIPTOR_BYTES);
  }
  block[EDID_BLOCK_BYTES - 1] = -block.reduce((sum, byte) => sum + byte, 0);
  return block;
}

function makerBytes(): number[] {
  const [a, b, c] = [...MAKER].map((letter) => letter.charCodeAt(0) - 64);
  const packed = (a! << 10) | (b! << 5) | c!;
  return [packed >> 8, packed & 0xff];
}

/** Basic parameters and colours, bytes 20 to 34. */
function displayBytes({ widthPx, heightPx }: DisplayMode): number[] {
  const centimetres = (pixels: number) => Math.round((pixels * MM_PER_PX) / 10);
  return [
    // Digital, 8 bits a colour, no particular interface.
    0xa0,
    centimetres(widthPx),
    centimetres(heightPx),
    // Gamma 2.2.
    120,
    // RGB 4:4:4; sRGB is the default colour space; the first timing is the native one.
    0x06,
    // Chromaticities of sRGB, ten bits each.
    ...[0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54],
  ];
}

/** The low eight bits of two numbers, and their high ones in the two halves of a byte. */
function split(first: number, second: number): number[] {
  return [first & 0xff, second & 0xff, ((first >> 8) << 4) | (second >> 8)];
}

/** Detailed timing descriptor: progressive, separate syncs, horizontal positive as CVT has it. */
function timing(mode: DisplayMode): number[] {
  const clock = clockUnits(mode);
  const { front, sync, blank } = HORIZONTAL;
  const verticalSync = syncLines(mode);
  const millimetres = [mode.widthPx, mode.heightPx].map((pixels) => Math.round(pixels * MM_PER_PX));
  return [
    clock & 0xff,
    clock >> 8,
    ...split(mode.widthPx, blank),
    ...split(mode.heightPx, blankLines(mode)),
    front,
    sync,
    (VERTICAL.front << 4) | verticalSync,
    // None of the four has a bit beyond those above.
    0,
    ...split(millimetres[0]!, millimetres[1]!),
    0,
    0,
    0x1a,
  ];
}

/** A display descriptor with text: ended by a line feed, filled up with spaces. */
function text(tag: number, content: string): number[] {
  const shown = content.slice(0, NAME_CHARACTERS);
  const padded = `${shown}\n`.padEnd(NAME_CHARACTERS, ' ').slice(0, NAME_CHARACTERS);
  return [0, 0, 0, tag, 0, ...[...padded].map((letter) => letter.charCodeAt(0))];
}

function dummy(): number[] {
  return [0, 0, 0, DescriptorTag.DUMMY];
}
