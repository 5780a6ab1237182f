/** What can be wrong with a file: each a sentence that names it, and never a wait. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sinon from 'sinon';
import { CONFIG_BYTES_MAX, loadConfig } from '../../../src/control-plane/config/load-config.ts';
import { FileProblem, readFileBytes, writeTextFile } from '../../../src/host/files.ts';
import { repositoryPath } from '../../support/judged.ts';
import { twoPartitions } from '../../support/two-partitions.ts';

const BYTES_MAX = 100;

/** The content of a file as text. */
function readText(file: string, bytesMax: number): string {
  return Buffer.from(readFileBytes(file, bytesMax)).toString();
}

describe('files', () => {
  let directory: string;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gateway-files-'));
  });

  afterEach(() => {
    sinon.restore();
    fs.rmSync(directory, { recursive: true });
  });

  const inside = (name: string): string => path.join(directory, name);
  const written = (name: string, content: string | Uint8Array): string => {
    fs.writeFileSync(inside(name), content);
    return inside(name);
  };
  const assertProblem = (action: () => unknown, message: string): void => {
    assert.throws(action, (error: unknown) => {
      assert.ok(error instanceof FileProblem, String(error));
      assert.equal(error.message, message);
      return true;
    });
  };

  it('[utest->req~cfg.strict-json~1] a regular file is read as it is', () => {
    assert.equal(readText(written('a', 'grüße\n'), BYTES_MAX), 'grüße\n');
  });

  it('[utest->req~cfg.strict-json~1] a file of exactly the limit is read', () => {
    assert.equal(readText(written('a', 'x'.repeat(BYTES_MAX)), BYTES_MAX).length, BYTES_MAX);
  });

  it(
    '[utest->req~cfg.strict-json~1] a file of one byte more than the limit is' +
      ' refused, with both lengths',
    () => {
      const file = written('a', 'x'.repeat(BYTES_MAX + 1));
      assertProblem(
        () => readText(file, BYTES_MAX),
        `${file}: 101 bytes; a configuration has at most 100`,
      );
    },
  );

  it('[utest->req~cfg.strict-json~1] the limit counts bytes, not characters', () => {
    const file = written('a', 'ü'.repeat(BYTES_MAX / 2 + 1));
    assertProblem(
      () => readText(file, BYTES_MAX),
      `${file}: 102 bytes; a configuration has at most 100`,
    );
  });

  it('[utest->req~cfg.strict-json~1] a configuration of 10 MiB is refused (catalogue 81)', () => {
    const file = written('a', '');
    fs.truncateSync(file, 10 * 1024 * 1024);
    assertProblem(
      () => loadConfig(file),
      `${file}: 10485760 bytes; a configuration has at most 1048576`,
    );
  });

  it('[utest->req~cfg.strict-json~1] a configuration has at most 1 MiB', () => {
    assert.equal(CONFIG_BYTES_MAX, 1_048_576);
  });

  it('[utest->req~cfg.strict-json~1] a configuration of exactly 1 MiB is judged', () => {
    const text = JSON.stringify(twoPartitions());
    const file = written('a', text + ' '.repeat(CONFIG_BYTES_MAX - text.length));
    assert.deepEqual(loadConfig(file).problems, []);
  });

  it('[utest->req~cfg.strict-json~1] a missing file is named', () => {
    assertProblem(() => loadConfig(inside('none')), `${inside('none')}: no such file`);
  });

  it('[utest->req~cfg.strict-json~1] a directory is named as one', () => {
    assertProblem(() => loadConfig(directory), `${directory}: it is a directory`);
  });

  it('[utest->req~cfg.strict-json~1] a file used as a directory is named as one', () => {
    const file = written('a', '{}');
    assertProblem(
      () => loadConfig(`${file}/b`),
      `${file}/b: a part of its path is not a directory`,
    );
  });

  it('[utest->req~cfg.strict-json~1] a FIFO without a writer is refused at once', () => {
    execFileSync('mkfifo', [inside('fifo')]);
    assertProblem(() => loadConfig(inside('fifo')), `${inside('fifo')}: not a regular file`);
  });

  it('[utest->req~cfg.strict-json~1] a device is refused', () => {
    assertProblem(() => loadConfig('/dev/zero'), '/dev/zero: not a regular file');
  });

  it('[utest->req~cfg.strict-json~1] a link to a file is followed, a link to itself is a sentence', () => {
    fs.symlinkSync(written('a', 'text'), inside('link'));
    assert.equal(readText(inside('link'), BYTES_MAX), 'text');
    fs.symlinkSync(inside('loop'), inside('loop'));
    assertProblem(() => readText(inside('loop'), BYTES_MAX), `${inside('loop')}: ELOOP`);
  });

  it('[utest->req~cfg.strict-json~1] a path with a NUL byte is a sentence', () => {
    assert.throws(() => loadConfig('a\0b'), FileProblem);
  });

  for (const [code, reason] of [
    ['EACCES', 'no permission'],
    ['EPERM', 'the operation is not permitted'],
    ['EIO', 'EIO'],
  ] as const) {
    it(`[utest->req~cfg.strict-json~1] ${code} on opening is the sentence "${reason}"`, () => {
      sinon.stub(fs, 'openSync').throws(Object.assign(new Error('refused'), { code }));
      assertProblem(() => readText('a', BYTES_MAX), `a: ${reason}`);
    });
  }

  const isRoot = process.getuid?.() === 0;
  const expectation = isRoot ? 'is read by root, whom permissions do not stop' : 'is refused';
  it(`[utest->req~cfg.strict-json~1] a file without permissions ${expectation}`, () => {
    const file = written('a', '{}');
    fs.chmodSync(file, 0);
    if (isRoot) assert.equal(readText(file, BYTES_MAX), '{}');
    else assertProblem(() => readText(file, BYTES_MAX), `${file}: no permission`);
  });

  it('[utest->req~cfg.strict-json~1] an error while reading is a sentence, and the file is closed', () => {
    const file = written('a', '{}');
    sinon.stub(fs, 'readSync').throws(Object.assign(new Error('broken'), { code: 'EIO' }));
    const close = sinon.spy(fs, 'closeSync');
    assertProblem(() => readText(file, BYTES_MAX), `${file}: EIO`);
    assert.equal(close.callCount, 1);
  });

  it('[utest->req~cfg.strict-json~1] an error without a code is a sentence', () => {
    sinon.stub(fs, 'openSync').throws(new Error('strange'));
    assertProblem(() => readText('a', BYTES_MAX), 'a: Error: strange');
  });

  it('[utest->req~cfg.strict-json~1] no file stays open, whatever was wrong with it', () => {
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    for (const name of [directory, '/dev/zero', inside('none')])
      assert.throws(() => readText(name, BYTES_MAX));
    assert.equal(open(), before);
  });

  it('[utest->req~cli.errors~1] a file is written as it is', () => {
    writeTextFile(inside('a'), 'grüße\n');
    assert.equal(fs.readFileSync(inside('a'), 'utf8'), 'grüße\n');
  });

  for (const [code, reason] of [
    ['ENOSPC', 'no space left on the device'],
    ['EROFS', 'the file system is read-only'],
  ] as const) {
    it(`[utest->req~cli.errors~1] ${code} on writing is the sentence "${reason}"`, () => {
      sinon.stub(fs, 'writeFileSync').throws(Object.assign(new Error('refused'), { code }));
      assertProblem(() => writeTextFile('a', ''), `a: ${reason}`);
    });
  }

  it('[utest->req~cli.errors~1] a directory is not written to', () => {
    assertProblem(() => writeTextFile(directory, ''), `${directory}: it is a directory`);
  });

  it('[utest->req~cfg.strict-json~1] the reference configuration passes', () => {
    assert.deepEqual(loadConfig(repositoryPath('config/cockpit.json')).problems, []);
  });
});

describe('regressions: files', () => {
  it('[utest->req~cli.errors~1] a file that may not be written is not said to be unreadable', () => {
    sinon.stub(fs, 'writeFileSync').throws(Object.assign(new Error('refused'), { code: 'EACCES' }));
    try {
      assert.throws(
        () => writeTextFile('a', ''),
        (error: Error) => !error.message.includes('read'),
      );
    } finally {
      sinon.restore();
    }
  });
});
