/** What a guest draws on its display, and what the display must show then. */
import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinuxGuest } from '../../../src/cli/clients/linux-guest.ts';
import type { QemuGuest } from '../../../src/cli/clients/qemu-guest.ts';
import { difference, paint, readPpm, type Picture } from './picture.ts';
import { Qmp } from './qmp.ts';

const WIDTH = 1280;
const HEIGHT = 800;
const WHITE = 0xffffff;
const LOG = '/tmp/draw';
const POLL_US = 20_000;
/** What is drawn reaches the front-end's picture a moment later. */
const LOOKS = 100;
const LOOK_MS = 20;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const WHOLE: Box = { x: 0, y: 0, width: WIDTH, height: HEIGHT };

/** Has QEMU do something with its machine. */
export async function control(guest: QemuGuest, command: string, words?: object): Promise<void> {
  const monitor = await Qmp.connect(guest.monitor);
  await monitor.execute(command, words);
  monitor.close();
}

/** What the display shows, without the cursor. */
export async function screenOf(guest: QemuGuest): Promise<Picture> {
  const filename = `${guest.monitor}.ppm`;
  await control(guest, 'screendump', { filename });
  return readPpm(filename);
}

/** The picture of draw.c, where every pixel has a colour of its own; its negative within a box. */
export function drawing(box: Box = { ...WHOLE, width: 0 }): Picture {
  return paint(WIDTH, HEIGHT, (x, y) => {
    const blue = ((x >> 8) << 4) | (y >> 8);
    const colour = ((x & 255) << 16) | ((y & 255) << 8) | blue;
    const inside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
    return inside ? colour ^ WHITE : colour;
  });
}

export function negative(): Picture {
  return drawing(WHOLE);
}

/** Ends what the guest draws; its console comes back. */
export async function clears(guest: LinuxGuest): Promise<void> {
  await guest.succeed(`killall -q draw; while pidof draw >${LOG}.old; do usleep ${POLL_US}; done`);
}

/** Draws, step by step, and holds the display; resolves with what the program said of its steps. */
export async function draws(guest: LinuxGuest, ...steps: readonly string[]): Promise<string> {
  await clears(guest);
  await guest.succeed(`draw ${steps.join(' ')} hold >${LOG} 2>&1 &`);
  const ended = `pidof draw >${LOG}.pid || break`;
  const holds = `until grep -q "^hold done" ${LOG}; do ${ended}; usleep ${POLL_US}; done`;
  const said = await guest.succeed(`${holds}; cat ${LOG}`);
  assert.match(said, /^hold done$/m, `${guest.name}: draw ${steps.join(' ')}`);
  return said;
}

/** Lines on the guest's console, which then shows these and nothing else. */
export async function writesConsole(guest: QemuGuest, command: string): Promise<void> {
  await guest.succeed(`( printf "\\033[2J\\033[H"; ${command} ) >/dev/tty0`);
}

/** The display shows a picture, pixel for pixel, as soon as what was drawn has come through. */
export async function shows(guest: QemuGuest, picture: Picture): Promise<void> {
  let different: string | undefined = '';
  for (let n = 0; n < LOOKS && different !== undefined; n++) {
    if (n > 0) await sleep(LOOK_MS);
    different = difference(await screenOf(guest), picture);
  }
  assert.equal(different, undefined, `${guest.name} shows another picture: ${different}`);
}

/** So many of one step of draw.c were carried out in a second. */
export function rateOf(said: string, step: 'dirty' | 'flip'): number {
  const rate = new RegExp(`^${step}: \\d+ in [\\d.]+ s, ([\\d.]+) per second$`, 'm').exec(said);
  assert.ok(rate, said);
  return Number(rate[1]);
}
