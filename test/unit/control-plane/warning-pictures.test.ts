/** Warning pictures: read at start, from beside the configuration, in exactly the size of their plane. */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileProblem } from '../../../src/host/files.ts';
import { writePng } from '../../../src/host/png.ts';
import { loadWarningPictures } from '../../../src/control-plane/warning-pictures.ts';
import { compilePlan } from '../../../src/schedule/compile-plan.ts';
import { sharedDisplay } from '../../support/shared-display.ts';

const PLAN_MEMORY_MIB = 1;

describe('warning pictures', () => {
  let directory: string;
  const plan = compilePlan(
    sharedDisplay((draft) => {
      for (const partition of draft.partitions) partition.memoryMiB = PLAN_MEMORY_MIB;
    }),
  );
  const { warningAt, bytes } = plan.layout.planes[1]!;

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'vgw-warning-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function write(width: number, height: number): Uint8Array {
    const pixels = new Uint8Array(width * height * 4).map((_, n) => (n % 4 === 3 ? 255 : n * 7));
    writePng(path.join(directory, 'warning.png'), { width, height, bytes: pixels });
    return pixels;
  }

  function load(): Uint8Array {
    const arena = new Uint8Array(plan.layout.pages * 65536).fill(0x5a);
    loadWarningPictures(plan, arena, path.join(directory, 'gateway.json'));
    return arena;
  }

  it('[utest->req~gpu.warning-picture~1] the picture lies where its plane shows it from, and nothing else is written', () => {
    const pixels = write(640, 200);
    const arena = load();
    assert.equal(bytes, pixels.length);
    assert.deepEqual(arena.subarray(warningAt, warningAt + bytes), pixels);
    const around = [arena.subarray(0, warningAt), arena.subarray(warningAt + bytes)];
    for (const part of around) {
      assert.ok(Buffer.alloc(part.length, 0x5a).equals(part), 'nothing else is written');
    }
  });

  it('[utest->req~gpu.warning-picture~1] another size is refused, naming the file and both sizes', () => {
    for (const [width, height] of [
      [639, 200],
      [640, 201],
      [200, 640],
    ] as const) {
      write(width, height);
      assert.throws(load, (error: Error) => {
        assert.ok(error instanceof FileProblem);
        assert.equal(
          error.message,
          `${path.join(directory, 'warning.png')}: a picture of ${width} x ${height} pixels; ` +
            'plane "center.cluster" has 640 x 200',
        );
        return true;
      });
    }
  });

  it('[utest->req~gpu.warning-picture~1] a file that is missing or no picture is refused, naming it', () => {
    const file = path.join(directory, 'warning.png');
    assert.throws(load, new FileProblem(`${file}: no such file`));
    writeFileSync(file, 'GIF89a');
    assert.throws(load, new FileProblem(`${file}: not a PNG file`));
  });

  it('[utest->req~gpu.warning-picture~1] no file is looked for where no plane shows a warning', () => {
    const keep = compilePlan(
      sharedDisplay((draft) => {
        const plane = draft.displays[0]!.planes[1]!;
        plane.ownerLost = 'keep';
        delete plane.warningPicture;
      }),
    );
    loadWarningPictures(keep, new Uint8Array(0), 'nowhere/gateway.json');
  });
});
