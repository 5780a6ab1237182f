/** `check --dump-pci`: configuration spaces that lspci, which knows nothing of this project, decodes. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gateway, TestDirectory } from '../support/command-line.ts';

const COCKPIT = 'config/cockpit.json';
const FUNCTIONS = 5;
const STRUCTURES = 5;
const NOT_RUN = 'not run: run test/install-clients';

const installed = spawnSync('lspci', ['--version']).error === undefined;
const mustRun = process.env['CI'] === 'true';

describe('dump of the PCI configuration spaces', () => {
  let directory: TestDirectory;
  let dump: string;

  before(() => {
    directory = new TestDirectory();
    dump = directory.file('pci.txt');
    const { code } = gateway(['check', COCKPIT, '--dump-pci', dump]);
    assert.equal(code, 0);
  });
  after(() => {
    directory.remove();
  });

  /** The 256 bytes of each function, read from the dump. */
  const spaces = (): number[][] =>
    readFileSync(dump, 'utf8')
      .trimEnd()
      .split('\n\n')
      .map((block) =>
        block
          .split('\n')
          .slice(1)
          .flatMap((row) =>
            row
              .slice(4)
              .split(' ')
              .map((byte) => Number.parseInt(byte, 16)),
          ),
      );

  /** What lspci says of each function. */
  const decoded = (...options: string[]): string[] => {
    const { stdout, status } = spawnSync('lspci', ['-F', dump, ...options], { encoding: 'utf8' });
    assert.equal(status, 0);
    return stdout.trimEnd().split('\n\n');
  };

  const withLspci = (title: string, body: () => void): void => {
    it(installed ? title : `${title} (${NOT_RUN})`, () => {
      if (installed) body();
      else if (mustRun) assert.fail('lspci is missing: run test/install-clients');
      else console.log(`      ${NOT_RUN}`);
    });
  };

  it('[utest->req~pci.function~1] every device of the configuration is a function of 256 bytes', () => {
    assert.deepEqual(
      spaces().map((bytes) => bytes.length),
      new Array(FUNCTIONS).fill(256),
    );
  });

  it('[utest->req~pci.function~1] the capability list has the five structures of 4.1.4, and ends', () => {
    for (const bytes of spaces()) {
      const types: number[] = [];
      let steps = 0;
      for (let at = bytes[0x34]!; at !== 0; at = bytes[at + 1]!) {
        assert.ok(++steps <= STRUCTURES + 1, 'the capability list does not end');
        if (bytes[at] === 0x09) types.push(bytes[at + 3]!);
      }
      assert.deepEqual(types.sort(), [1, 2, 3, 4, 5]);
    }
  });

  withLspci(
    '[utest->req~pci.function~1] lspci finds a modern device of VIRTIO in' +
      ' every function: Ethernet controllers and displays (4.1.2)',
    () => {
      const [list] = decoded('-n');
      assert.deepEqual(
        list!.split('\n').map((line) => /(\w{4}: 1af4:\w{4}) \(rev 0[1-9a-f]\)/.exec(line)?.[1]),
        [
          '0200: 1af4:1041',
          '0380: 1af4:1050',
          '0200: 1af4:1041',
          '0200: 1af4:1041',
          '0380: 1af4:1050',
        ],
      );
    },
  );

  withLspci(
    '[utest->req~pci.function~1] lspci names CommonCfg, Notify, ISR,' +
      ' DeviceCfg and one structure more (4.1.4)',
    () => {
      const functions = decoded('-vvv');
      assert.equal(functions.length, FUNCTIONS);
      for (const text of functions) {
        const names = [...text.matchAll(/VirtIO: (.+)/g)].map(([, name]) => name!);
        assert.deepEqual(names.slice(0, 4), ['CommonCfg', 'Notify', 'ISR', 'DeviceCfg']);
        // lspci 3.9 has no name for the PCI configuration access structure, type 5.
        assert.match(names.slice(4).join(), /^(<unknown>|PCI.*)$/);
      }
    },
  );

  withLspci(
    '[utest->req~pci.function~1] lspci finds MSI-X, off, with a vector for' +
      ' each queue and one more',
    () => {
      for (const text of decoded('-vvv')) assert.match(text, /MSI-X: Enable- Count=3 Masked-/);
    },
  );

  withLspci(
    '[utest->req~pci.function~1] the structures that lspci finds do not overlap in their BAR',
    () => {
      for (const text of decoded('-vvv')) {
        const areas = [...text.matchAll(/BAR=0 offset=([0-9a-f]{8}) size=([0-9a-f]{8})/g)]
          .map(([, at, size]) => ({
            at: Number.parseInt(at!, 16),
            size: Number.parseInt(size!, 16),
          }))
          .filter(({ size }) => size > 0)
          .sort((a, b) => a.at - b.at);
        assert.equal(areas.length, STRUCTURES - 1);
        areas.forEach(({ at }, n) =>
          assert.ok(n === 0 || at >= areas[n - 1]!.at + areas[n - 1]!.size),
        );
      }
    },
  );
});
