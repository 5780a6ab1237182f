/** Pictures to PNG files and back, files of other makers, and every kind of damaged file. */
import { strict as assert } from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { FileProblem } from '../../../src/host/files.ts';
import { PICTURE_SIDE_MAX } from '../../../src/host/png-check.ts';
import { readPng, writePng, type Picture } from '../../../src/host/png.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

/** A chunk of a PNG file (PNG 5.3), written here byte by byte. */
function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

interface Form {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlace?: number;
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

function header({ width, height, depth, colour, interlace = 0 }: Form): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, 0, 0, interlace], 8);
  return chunk('IHDR', data);
}

const END = chunk('IEND', new Uint8Array());

/** A file of the given chunks between its header and its end. */
function fileOf(form: Form, ...chunks: Buffer[]): Buffer {
  return Buffer.concat([SIGNATURE, header(form), ...chunks, END]);
}

/** A file of unfiltered rows. */
function png(form: Form, rows: readonly (readonly number[])[], ...before: Buffer[]): Buffer {
  return fileOf(form, ...before, chunk('IDAT', packed(rows)));
}

function packed(rows: readonly (readonly number[])[]): Buffer {
  return deflateSync(Uint8Array.from(rows.flatMap((row) => [0, ...row])));
}

const picture: fc.Arbitrary<Picture> = fc
  .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 20 }) })
  .chain(({ width, height }) => {
    const length = 4 * width * height;
    return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({
      width,
      height,
      bytes: bytes.map((byte, n) => (n % 4 === 3 ? 255 : byte)),
    }));
  });

describe('host/png', () => {
  let directory: string;
  let file: string;

  before(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gateway-png-'));
    file = path.join(directory, 'picture.png');
  });
  after(() => {
    fs.rmSync(directory, { recursive: true });
  });

  const refused = (content: Uint8Array, reason: string): void => {
    fs.writeFileSync(file, content);
    assert.throws(
      () => readPng(file),
      (error: unknown) => {
        assert.ok(error instanceof FileProblem, String(error));
        assert.equal(error.message, `${file}: ${reason}`);
        return true;
      },
    );
  };
  const pixels = (content: Uint8Array): number[] => {
    fs.writeFileSync(file, content);
    return [...readPng(file).bytes];
  };

  it('[utest->req~host.picture-file~1] a picture comes back from its file as it was', () => {
    fc.assert(
      fc.property(picture, (given) => {
        writePng(file, given);
        assert.deepEqual(readPng(file), given);
      }),
      seededRuns(137, 100),
    );
  });

  it('[utest->req~host.picture-file~1] what X holds is not shown, and an arena may hold the picture', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(8));
    bytes.set([1, 2, 3, 0, 4, 5, 6, 77]);
    writePng(file, { width: 2, height: 1, bytes });
    assert.deepEqual([...readPng(file).bytes], [1, 2, 3, 255, 4, 5, 6, 255]);
    const colourType = fs.readFileSync(file)[25];
    assert.equal(colourType, 2, 'three colours, no alpha');
  });

  it('[utest->req~host.picture-file~1] a picture that lacks pixels is a mistake of ours', () => {
    assert.throws(() => writePng(file, { width: 2, height: 2, bytes: new Uint8Array(12) }));
  });

  it('[utest->req~host.picture-file~1] colours, greys, palettes and 16 bits become B, G, R, X', () => {
    const one = { width: 1, height: 1, depth: 8 };
    assert.deepEqual(pixels(png({ ...one, colour: 2 }, [[10, 20, 30]])), [30, 20, 10, 255]);
    assert.deepEqual(pixels(png({ ...one, colour: 0 }, [[99]])), [99, 99, 99, 255]);
    const palette = chunk('PLTE', Uint8Array.of(0, 0, 0, 7, 8, 9));
    assert.deepEqual(pixels(png({ ...one, colour: 3 }, [[1]], palette)), [9, 8, 7, 255]);
    const wide = png({ ...one, depth: 16, colour: 2 }, [[255, 255, 128, 128, 0, 0]]);
    assert.deepEqual(pixels(wide), [0, 128, 255, 255]);
  });

  it('[utest->req~host.picture-file~1] what is transparent lies over black', () => {
    const rows = [[200, 100, 50, 255, 200, 100, 50, 128, 200, 100, 50, 0]];
    assert.deepEqual(
      pixels(png({ width: 3, height: 1, depth: 8, colour: 6 }, rows)),
      [50, 100, 200, 255, 25, 50, 100, 255, 0, 0, 0, 255],
    );
  });

  it('[utest->req~host.picture-file~1] what is no picture is refused with its reason', () => {
    refused(Buffer.from(''), 'not a PNG file');
    refused(Buffer.from('GIF89a'), 'not a PNG file');
    refused(SIGNATURE, 'a PNG file without a header');
    refused(Buffer.concat([SIGNATURE, END]), 'a PNG file without a header');
    const short = chunk('IHDR', new Uint8Array(12));
    refused(Buffer.concat([SIGNATURE, short, END]), 'a PNG file without a header');
    const missing = path.join(directory, 'missing.png');
    assert.throws(() => readPng(missing), new FileProblem(`${missing}: no such file`));
    const nowhere = path.join(directory, 'nowhere', 'x.png');
    const small = { width: 1, height: 1, bytes: new Uint8Array(4) };
    assert.throws(() => writePng(nowhere, small), new FileProblem(`${nowhere}: no such file`));
  });

  it('[utest->req~host.picture-file~1] a size is refused before memory is taken for it', () => {
    const sized = (width: number, height: number) =>
      png({ width, height, depth: 8, colour: 6 }, [[0]]);
    for (const [width, height] of [
      [0, 1],
      [1, 0],
      [PICTURE_SIDE_MAX + 1, 1],
      [1, 0xffff_ffff],
    ] as const) {
      const limit = `a picture has 1 to ${PICTURE_SIDE_MAX} on each side`;
      refused(sized(width, height), `${width} x ${height} pixels; ${limit}`);
    }
    fs.writeFileSync(file, '');
    fs.truncateSync(file, 64 * 1024 * 1024 + 1);
    const limit = '67108865 bytes; a picture has at most 67108864';
    assert.throws(() => readPng(file), new FileProblem(`${file}: ${limit}`));
  });

  it('[utest->req~host.picture-file~1] a stream of too few or too many rows is no picture', () => {
    const form = { width: 3, height: 2, depth: 8, colour: 2 };
    const row = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const whole = packed([row, row]);
    assert.equal(pixels(fileOf(form, chunk('IDAT', whole))).length, 24);
    const halves = [whole.subarray(0, 7), whole.subarray(7)].map((part) => chunk('IDAT', part));
    assert.equal(pixels(fileOf(form, ...halves)).length, 24);
    for (let length = 0; length < whole.length; length++) {
      const cut = fileOf(form, chunk('IDAT', whole.subarray(0, length)));
      refused(cut, 'a damaged PNG file: unexpected end of file');
    }
    refused(fileOf(form), 'a damaged PNG file: unexpected end of file');
    refused(png(form, [row]), 'a damaged PNG file: it lacks rows');
    refused(
      png(form, [row, row, row]),
      'a damaged PNG file: Cannot create a Buffer larger than 20 bytes',
    );
  });

  it('[utest->req~host.picture-file~1] forms that cannot be shown are named', () => {
    const one = { width: 1, height: 1, depth: 8, colour: 0 };
    refused(
      png({ ...one, interlace: 1 }, [[0]]),
      'an interlaced PNG file; save it without interlacing',
    );
    refused(
      png({ ...one, colour: 5 }, [[0]]),
      'a PNG file of the unknown colour type 5 with 8 bits a sample',
    );
    refused(
      png({ ...one, depth: 3 }, [[0]]),
      'a PNG file of the unknown colour type 0 with 3 bits a sample',
    );
    const form = { ...one, colour: 3 };
    const palette = chunk('PLTE', Uint8Array.of(1, 2, 3));
    refused(png(form, [[7]]), 'a damaged PNG file: Expected palette not found');
    refused(png(form, [[7]], palette), 'a damaged PNG file: index 7 not in palette');
    const endless = Buffer.concat([SIGNATURE, header(one), chunk('IDAT', packed([[0]]))]);
    refused(endless, 'a damaged PNG file: it has no end');
  });

  it('[utest->req~host.picture-file~1] damage is told, wherever the file is cut or changed', () => {
    const whole = png({ width: 3, height: 2, depth: 8, colour: 2 }, [
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      [9, 8, 7, 6, 5, 4, 3, 2, 1],
    ]);
    const told = (content: Buffer): boolean => {
      fs.writeFileSync(file, content);
      try {
        readPng(file);
        return false;
      } catch (error) {
        assert.ok(error instanceof FileProblem, String(error));
        return error.message.startsWith(`${file}: `) && !error.message.includes('\n');
      }
    };
    for (let length = 0; length < whole.length; length++) {
      assert.ok(told(whole.subarray(0, length)), `cut to ${length}`);
    }
    for (let at = 0; at < whole.length; at++) {
      for (const bits of [1, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at]! ^= bits;
        assert.ok(told(changed), `byte ${at} changed by ${bits}`);
      }
    }
    assert.ok(told(Buffer.concat([whole, Buffer.from([0])])), 'one byte more');
  });
});
