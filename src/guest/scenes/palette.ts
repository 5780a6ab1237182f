/** The colours of the displays, as 0xRRGGBB. */

export const Palette = {
  NIGHT: 0x070a10,
  DUSK: 0x121a28,
  PANEL: 0x1a2434,
  LINE: 0x2c3a50,
  DIM: 0x6b7c94,
  TEXT: 0xe8eef8,
  CYAN: 0x27c4f5,
  TEAL: 0x1fa7a0,
  GREEN: 0x35d07f,
  AMBER: 0xffb02e,
  RED: 0xff4a3d,
  BLUE: 0x4d8dff,
} as const;
