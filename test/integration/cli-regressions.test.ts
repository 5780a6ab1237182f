/** Wrong uses of the command line that once were answered wrongly. */
import { strict as assert } from 'node:assert';
import { gateway, TestDirectory } from '../support/command-line.ts';

const COCKPIT = 'config/cockpit.json';

describe('regressions: command line', function () {
  this.timeout(20_000);

  for (const name of ['constructor', 'toString', '__proto__']) {
    it(`[utest->req~cli.errors~1] "${name}" is an unknown command like any other`, () => {
      const { code, stderr } = gateway([name]);
      assert.match(stderr, new RegExp(`^virtio-gateway: error: unknown command "${name}"`));
      assert.equal(code, 2);
    });

    it(`[utest->req~cli.errors~1] --${name} is an unknown option like any other`, () => {
      const { code, stderr } = gateway(['check', COCKPIT, `--${name}`]);
      assert.match(stderr, new RegExp(`^virtio-gateway: error: unknown option --${name}`));
      assert.equal(code, 2);
    });
  }

  it(
    '[utest->req~cfg.strict-json~1] levels hidden behind closing brackets are' +
      ' problems of the file (catalogue 81)',
    () => {
      const directory = new TestDirectory();
      try {
        const file = directory.write('deep.json', `[${'}'.repeat(100_000)},${'['.repeat(100_000)}`);
        const { code, stderr } = gateway(['check', file]);
        assert.match(stderr, /^.+:\d+:\d+: error: /);
        assert.equal(code, 2);
      } finally {
        directory.remove();
      }
    },
  );

  it(
    '[utest->req~cfg.all-errors~1] a file of 60,000 unknown keys is answered' +
      ' within 5 s (catalogue 81)',
    () => {
      const directory = new TestDirectory();
      try {
        const keys = Array.from({ length: 60_000 }, (_, n) => `"k${n}":0`);
        const { code } = gateway(
          ['check', directory.write('keys.json', `{${keys.join(',')}}`)],
          5000,
        );
        assert.equal(code, 2);
      } finally {
        directory.remove();
      }
    },
  );
});
