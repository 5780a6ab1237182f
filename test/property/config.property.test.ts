/** Whatever a configuration says: problems with a place in the text, or a plan that holds; never a crash. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { FAULT_NAMES } from '../../src/base/fault.ts';
import { judgeConfig } from '../../src/control-plane/config/load-config.ts';
import { JsonSource, type Problem } from '../../src/control-plane/config/json-source.ts';
import { compilePlan } from '../../src/schedule/compile-plan.ts';
import { FEATURES } from '../../src/wire/features.ts';
import { consistentConfig } from '../support/consistent-config.ts';
import { repositoryPath } from '../support/judged.ts';
import { assertPlanHolds } from '../support/plan-invariants.ts';
import {
  replaced,
  SchemaArbitrary,
  schemaNodes,
  type JsonSchema,
} from '../support/schema-arbitrary.ts';

const seed = Number(process.env['TEST_SEED'] ?? 81);
const RUNS = 150;

function check<T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void, runs = RUNS): void {
  const numRuns = Number(process.env['TEST_RUNS'] ?? runs);
  fc.assert(
    fc.property(arbitrary, (value) => {
      holds(value);
    }),
    { seed, numRuns },
  );
}

const SCHEMA = JSON.parse(
  readFileSync(repositoryPath('config/gateway.schema.json'), 'utf8'),
) as JsonSchema;
const COCKPIT = readFileSync(repositoryPath('config/cockpit.json'), 'utf8');
const WORDS = [
  'p0',
  'p1',
  'p2',
  'net0',
  'net1',
  'r0',
  'r1',
  'p0.net0',
  'p1.net0',
  'p1.net1',
  'p0.net0.transmitq0',
  'p1.net0.transmitq0',
  'net0.transmitq0',
  'net1.transmitq0',
  'net0.transmitq1',
  'net0.controlq',
  'net0.receiveq0',
  '52:54:00:00:00:00',
  '52:54:00:00:01:00',
  '01:00:5e:00:00:01',
  '*',
  ...FAULT_NAMES,
  ...FEATURES.map((feature) => feature.name),
];
const random = new SchemaArbitrary(WORDS);

function assertPlace({ line, column, message }: Problem, lines: readonly string[]): void {
  const text = lines[line - 1];
  assert.ok(text !== undefined, `line ${line} of ${lines.length}: ${message}`);
  assert.ok(
    column >= 1 && column <= text.length + 1,
    `column ${column} of ${text.length} in line ${line}: ${message}`,
  );
  assert.ok(message.length > 0);
}

/** Judges a text; true when it was accepted. */
function judged(text: string): boolean {
  const { problems, config } = judgeConfig('random.json', text);
  assert.equal(config === undefined, problems.length > 0, 'a configuration, or problems');
  const lines = text.split('\n');
  for (const problem of problems) assertPlace(problem, lines);
  if (config) assertPlanHolds(compilePlan(config));
  return config !== undefined;
}

describe('random configurations', () => {
  it('[utest->req~cfg.semantic~1] what fits together is accepted, and its plan holds', () => {
    check(consistentConfig, (config) => {
      assert.deepEqual(judgeConfig('random.json', JSON.stringify(config)).problems, []);
      judged(JSON.stringify(config));
    });
  });

  it('[utest->req~cfg.semantic~1] the same configuration has the same plan', () => {
    check(
      consistentConfig,
      (config) => {
        assert.deepEqual(compilePlan(config), compilePlan(structuredClone(config)));
      },
      30,
    );
  });

  const changed = consistentConfig.chain((config) => {
    const change = fc
      .constantFrom(...schemaNodes(SCHEMA, config))
      .chain(({ path, schema }) => random.of(schema).map((value) => ({ path, value })));
    return change.map(({ path, value }) => replaced(config, path, value));
  });

  it(
    '[utest->req~cfg.semantic~1] one value replaced by another of its schema: semantic problems or a' +
      ' plan that holds',
    () => {
      let accepted = 0;
      let refused = 0;
      check(
        changed,
        (config) => {
          if (judged(JSON.stringify(config, null, 2))) accepted++;
          else refused++;
        },
        300,
      );
      assert.ok(accepted > 0 && refused > 0, `${accepted} accepted, ${refused} refused`);
    },
  );

  it('[utest->req~cfg.schema~1] one value replaced by any JSON value: problems or a plan that holds', () => {
    const anything = consistentConfig.chain((config) =>
      fc
        .tuple(fc.constantFrom(...schemaNodes(SCHEMA, config)), fc.jsonValue({ maxDepth: 3 }))
        .map(([{ path }, value]) => replaced(config, path, value)),
    );
    check(anything, (config) => {
      judged(JSON.stringify(config));
    });
  });

  it('[utest->req~cfg.semantic~1] what the schema admits gets semantic problems or a plan that holds', () => {
    check(random.of(SCHEMA), (config) => {
      judged(JSON.stringify(config));
    });
  });
});

/** Texts that are nearly cockpit.json: pieces deleted, repeated, or replaced by what readers dislike. */
const nearlyCockpit = fc
  .array(
    fc.record({
      at: fc.nat(COCKPIT.length),
      length: fc.oneof(fc.nat(3), fc.nat(200)),
      from: fc.nat(COCKPIT.length),
      piece: fc.oneof(
        fc.constantFrom(
          '',
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '\\',
          '\n',
          '\0',
          '-',
          'e',
          '1e999',
          'null',
          '/*',
          '//',
          '"id"',
          '"__proto__": {},',
          '\ufeff',
          '\u2028',
          '\ud800',
          '[[[[',
          '0.0001',
          '-1',
          '99999999',
        ),
        fc.constant(undefined),
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((edits) =>
    edits.reduce(
      (text, { at, length, from, piece }) =>
        text.slice(0, at) + (piece ?? COCKPIT.slice(from, from + length)) + text.slice(at + length),
      COCKPIT,
    ),
  );

function strictlyParsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

describe('random texts', () => {
  it(
    '[utest->req~cfg.strict-json~1] cockpit.json with random edits: problems' +
      ' inside the text or a plan that holds',
    () => {
      check(
        nearlyCockpit,
        (text) => {
          judged(text);
        },
        400,
      );
    },
  );

  it("[utest->req~cfg.strict-json~1] a text of JSON's own characters: problems inside the text", () => {
    const characters = fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        '/',
        '*',
        '\n',
        ' ',
        '1',
        '-',
        '.',
        'e',
        'true',
        'a',
      ),
      maxLength: 60,
    });
    check(
      characters,
      (text) => {
        judged(text);
      },
      1000,
    );
  });

  it('[utest->req~cfg.strict-json~1] any text: problems inside the text', () => {
    check(
      fc.string({ unit: 'binary', maxLength: 40 }),
      (text) => {
        judged(text);
      },
      500,
    );
  });

  it('[utest->req~cfg.schema~1] any JSON document: problems inside the text', () => {
    check(
      fc.json(),
      (text) => {
        judged(text);
      },
      300,
    );
  });

  it(
    '[utest->req~cfg.strict-json~1] what a strict reader refuses is refused, and' +
      ' what is accepted has the same value',
    () => {
      check(
        fc.oneof(nearlyCockpit, fc.json(), fc.string({ unit: 'binary-ascii', maxLength: 12 })),
        (text) => {
          const source = new JsonSource(text);
          const strict = strictlyParsed(text);
          if (!strict) assert.ok(source.problems.length > 0, 'the text was accepted');
          else if (source.problems.length === 0) assert.deepEqual(source.value, strict.value);
        },
        600,
      );
    },
  );

  it(
    '[utest->req~cfg.strict-json~1] what a strict reader accepts is refused for' +
      ' duplicates, numbers and depth alone',
    () => {
      check(
        fc.oneof(nearlyCockpit, fc.json()),
        (text) => {
          if (!strictlyParsed(text)) return;
          for (const { message } of new JsonSource(text).problems) {
            assert.match(message, /duplicate key|too large|deeper/);
          }
        },
        600,
      );
    },
  );
});
