/** EDID blocks as edid-decode, which knows nothing of this project, judges them. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { edidBlock } from '../../src/wire/edid.ts';

const NOT_RUN = 'not run: run test/install-clients';
const installed = spawnSync('edid-decode', ['--version']).error === undefined;
const mustRun = process.env['CI'] === 'true';

const MODES = [
  [1280, 800, 60],
  [640, 200, 60],
  [1920, 720, 60],
  [1920, 1080, 60],
  [800, 480, 50],
  [64, 64, 60],
  [4095, 2160, 60],
  [1280, 800, 240],
] as const;

function judge(widthPx: number, heightPx: number, refreshHz: number): void {
  const input = edidBlock({ widthPx, heightPx, refreshHz }, 'center', 1);
  const { status, stdout } = spawnSync('edid-decode', ['--check', '--preferred-timings', '-'], {
    input,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /EDID conformity: PASS/);
  const [, size, rate] = /Preferred Video Timing.*\n +DTD +1: +(\d+x\d+) +([\d.]+) Hz/.exec(
    stdout,
  )!;
  assert.equal(size, `${widthPx}x${heightPx}`);
  assert.equal(Math.round(Number(rate)), refreshHz);
  assert.match(stdout, /Display Product Name: 'center'/);
}

describe('edid-decode', () => {
  for (const [width, height, refresh] of MODES) {
    const title = `[utest->req~gpu.edid-valid~1] ${width}x${height} at ${refresh} Hz conforms and is preferred`;
    it(installed ? title : `${title} (${NOT_RUN})`, () => {
      if (installed) judge(width, height, refresh);
      else if (mustRun) assert.fail('edid-decode is missing: run test/install-clients');
      else console.log(`      ${NOT_RUN}`);
    });
  }
});
