/** `run --screenshot DISPLAY=FILE.png`: what a display shows at the end of a run, as a file. */
import { didYouMean } from '../control-plane/config/validator.ts';
import type { DisplayView } from '../control-plane/display-view.ts';
import { mustTakeFile } from '../host/files.ts';
import { writePng, type Picture } from '../host/png.ts';
import { after } from '../host/timers.ts';
import type { GatewayConfig } from '../schedule/gateway-config.ts';
import { UsageError } from './arguments.ts';

export interface Screenshot {
  readonly display: string;
  readonly file: string;
}

/** A display is composed for a small part of the time: a look that finds it done comes soon. */
const LOOKS_MAX = 200;
const LOOK_EVERY_MS = 5;

/**
 * What the command line asks for.
 * @throws UsageError when it is no display and file, or there is no such display
 * @throws FileProblem when the file cannot be made where it is wanted
 */
// [impl->req~disp.screenshot~1]
export function screenshotsOf(
  words: readonly string[] | undefined,
  { displays = [] }: GatewayConfig,
): Screenshot[] {
  const known = displays.map(({ id }) => id);
  return (words ?? []).map((word) => {
    const at = word.indexOf('=');
    const [display, file] = [word.slice(0, at), word.slice(at + 1)];
    if (at <= 0 || file === '')
      throw new UsageError(`--screenshot needs DISPLAY=FILE.png, not "${word}"`);
    if (!known.includes(display)) {
      const all = known.length === 0 ? ' The configuration has none.' : '';
      throw new UsageError(`there is no display "${display}".${didYouMean(display, known)}${all}`);
    }
    mustTakeFile(file);
    return { display, file };
  });
}

/** A whole picture of the display, unless it is being composed all the time. */
async function pictureOf(display: DisplayView): Promise<Uint8Array> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const picture = display.snapshot();
    if (picture) return picture;
    await new Promise<void>((resolve) => {
      after(LOOK_EVERY_MS, resolve);
    });
  }
  return display.pixels().slice();
}

/** What the displays show; while the gateway runs, because a stopped one shows nobody's picture. */
export async function takeScreenshots(
  displays: readonly DisplayView[],
  screenshots: readonly Screenshot[],
): Promise<(Screenshot & Picture)[]> {
  const taken: (Screenshot & Picture)[] = [];
  for (const screenshot of screenshots) {
    const display = displays.find(({ id }) => id === screenshot.display)!;
    const bytes = await pictureOf(display);
    taken.push({ ...screenshot, width: display.widthPx, height: display.heightPx, bytes });
  }
  return taken;
}

/** @throws FileProblem when a file cannot be written */
export function writeScreenshots(taken: readonly (Screenshot & Picture)[]): void {
  for (const picture of taken) writePng(picture.file, picture);
}
