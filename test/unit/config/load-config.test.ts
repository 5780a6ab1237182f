/** From a text to a configuration that may be run: all mistakes at once,
or a frozen result with its digest. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  judgeConfig,
  loadConfig,
  type LoadedConfig,
} from '../../../src/control-plane/config/load-config.ts';
import { compilePlan } from '../../../src/schedule/compile-plan.ts';
import { first, twoPartitions, type ConfigDraft } from '../../support/two-partitions.ts';
import { place, repositoryPath } from '../../support/judged.ts';

const VALID = JSON.stringify(twoPartitions(), null, 2);
const COCKPIT = repositoryPath('config/cockpit.json');

function sha256sum(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function unfrozen(value: unknown, at = '$'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, child]) => unfrozen(child, `${at}.${key}`));
  return Object.isFrozen(value) ? inner : [at, ...inner];
}

/** Judged in a file, so that bytes that are no text can be tried. */
function loaded(bytes: Uint8Array): LoadedConfig {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'gateway-load-'));
  try {
    const file = path.join(directory, 'config.json');
    writeFileSync(file, bytes);
    return loadConfig(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('accepted configuration', () => {
  it('[utest->req~cfg.schema~1] config/cockpit.json is accepted', () => {
    const { problems, config } = loadConfig(COCKPIT);
    assert.deepEqual(problems, []);
    assert.equal(config?.gateway.name, 'cockpit');
  });

  it("[utest->req~cfg.schema~1] it is the file's data, unchanged and without defaults", () => {
    assert.deepEqual(loadConfig(COCKPIT).config, JSON.parse(readFileSync(COCKPIT, 'utf8')));
  });

  it('[utest->req~cfg.immutable~1] every object and array of it is frozen', () => {
    assert.deepEqual(unfrozen(loadConfig(COCKPIT).config), []);
  });

  it('[utest->req~cfg.immutable~1] a write to it throws', () => {
    const config = judgeConfig('a', VALID).config as ConfigDraft;
    assert.throws(() => {
      first(config.schedule.windows).durationUs = 9000;
    }, TypeError);
    assert.throws(() => {
      config.partitions.push(first(config.partitions));
    }, TypeError);
  });

  it('[utest->req~cfg.immutable~1] compiling the plan leaves it as it was', () => {
    const { config } = judgeConfig('a', VALID);
    compilePlan(config!);
    assert.equal(JSON.stringify(config, null, 2), VALID);
  });

  it('[utest->req~cfg.identity~1] its SHA-256 is the one of the file', () => {
    assert.equal(loadConfig(COCKPIT).sha256, sha256sum(readFileSync(COCKPIT)));
  });

  it('[utest->req~cfg.identity~1] white space changes the SHA-256', () => {
    assert.notEqual(judgeConfig('a', `${VALID}\n`).sha256, judgeConfig('a', VALID).sha256);
  });
});

describe('refused configuration', () => {
  it('[utest->req~cfg.identity~1] it has a SHA-256, too', () => {
    assert.equal(judgeConfig('a', '{').sha256, sha256sum('{'));
  });

  it('[utest->req~cfg.semantic~1] there is no configuration where there is a problem', () => {
    const semantic = JSON.stringify(
      twoPartitions((draft) => {
        first(draft.flows).route = 'x';
      }),
    );
    for (const text of ['', '{}', semantic]) {
      const { problems, config } = judgeConfig('a', text);
      assert.ok(problems.length > 0);
      assert.equal(config, undefined);
    }
  });

  it('[utest->req~cfg.all-errors~1] all schema mistakes are found, in the order of the file', () => {
    const text = VALID.replace('"revision": 1', '"revision": -1')
      .replace('"majorFrameUs"', '"majorFrameMs"')
      .replace('"sleep"', '"nap"')
      .replace('"windowSwitchNs": 20000', '"windowSwitchNs": "20000"');
    const { problems } = judgeConfig('a', text);
    assert.deepEqual(
      problems.map(({ path: at, message }) => `${at} ${message}`),
      [
        '/gateway/revision "revision" is -1; it must be >= 0',
        '/schedule "schedule" lacks the key "majorFrameUs"',
        '/schedule/majorFrameMs unknown key "majorFrameMs". Did you mean "majorFrameUs"?',
        '/schedule/idle "idle" is "nap"; allowed are sleep, spin.',
        '/costs/windowSwitchNs "windowSwitchNs" is "20000"; its type must be integer',
      ],
    );
  });

  it('[utest->req~cfg.all-errors~1] all semantic mistakes are found, in the order of the file', () => {
    const { problems } = judgeConfig(
      'a',
      JSON.stringify(
        twoPartitions((draft) => {
          first(draft.health.reactions).fault = 'guest-deid';
          draft.schedule.windows[1]!.offsetUs = 500;
          draft.network.routes[1]!.to = 'cluster.net9';
          first(draft.partitions[1]!.devices).mac = '52:54:00:00:00:01';
        }),
        null,
        2,
      ),
    );
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [
        '/partitions/1/devices/0/mac',
        '/network/routes/1/to',
        '/schedule/windows/1/offsetUs',
        '/health/reactions/0/fault',
      ],
    );
  });

  for (const [name, indent] of [
    ['line', 2],
    ['column, where the file is one line', 0],
  ] as const) {
    it(
      `[utest->req~cfg.all-errors~1] mistakes are ordered by ${name}, whatever the` +
        ` order of the rules`,
      () => {
        const { health, flows, ...rest } = twoPartitions((draft) => {
          first(draft.health.reactions).fault = 'x';
          first(draft.flows).deadlineUs = 0.00025 + 1;
          draft.network.routes[1]!.to = 'cluster.net9';
        });
        const { problems } = judgeConfig(
          'a',
          JSON.stringify({ health, flows, ...rest }, null, indent),
        );
        assert.deepEqual(
          problems.map((problem) => problem.path),
          ['/health/reactions/0/fault', '/flows/0/deadlineUs', '/network/routes/1/to'],
        );
      },
    );
  }

  it('[utest->req~cfg.all-errors~1] one mistake that stands in every partition is found in each', () => {
    const { problems } = judgeConfig(
      'a',
      JSON.stringify(
        twoPartitions((draft) => {
          for (const partition of draft.partitions) first(partition.devices).queueSize = 63;
        }),
      ),
    );
    assert.deepEqual(
      problems.map((problem) => problem.path),
      ['/partitions/0/devices/0/queueSize', '/partitions/1/devices/0/queueSize'],
    );
  });

  it('[utest->req~cfg.all-errors~1] a missing key is placed at the object that lacks it', () => {
    const { problems } = judgeConfig('a', VALID.replace('"idle": "sleep",', ''));
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['"schedule" lacks the key "idle"'],
    );
    const line = VALID.split('\n').findIndex((text) => text.includes('"schedule"'));
    assert.equal(place(problems[0]!), `${line + 1}:${VALID.split('\n')[line]!.indexOf('{') + 1}`);
  });

  for (const [name, text] of [
    ['an array', '[]'],
    ['a number', '5'],
    ['a string', '"x"'],
    ['null', 'null'],
  ] as const) {
    it(`[utest->req~cfg.schema~1] a document that is ${name} is refused with its value`, () => {
      const { problems } = judgeConfig('a', text);
      assert.deepEqual(
        problems.map(({ message }) => message),
        [`the document is ${text}; its type must be object`],
      );
    });
  }

  it('[utest->req~cfg.schema~1] a long value is shown in part', () => {
    const [problem] = judgeConfig('a', JSON.stringify(['x'.repeat(1000)])).problems;
    assert.ok(problem!.message.length < 120, problem!.message);
  });
});

describe('regressions: load config', () => {
  const broken = Buffer.from(VALID.replace('"formatVersion"', '"$schema": "?", "formatVersion"'));
  broken[broken.indexOf('?')] = 0xff;

  it('[utest->req~cfg.strict-json~1] bytes that are not UTF-8 are not JSON', () => {
    assert.ok(loaded(broken).problems.length > 0, 'the configuration was accepted');
  });

  it(
    "[utest->req~cfg.identity~1] the SHA-256 is the one of the file's bytes, also" +
      ' where they are not UTF-8',
    () => {
      assert.equal(loaded(broken).sha256, sha256sum(broken));
    },
  );

  it('[utest->req~cfg.all-errors~1] the name of a wrong item is the one of its list, not its number', () => {
    const { problems } = judgeConfig(
      'a',
      JSON.stringify(
        twoPartitions((draft) => {
          first(draft.partitions[0]!.devices).features.offer.push('X'.repeat(65));
        }),
      ),
    );
    assert.match(problems[0]!.message, /offer/);
  });
});
