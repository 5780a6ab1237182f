/** The floors and the bans, as tests. */
import { strict as assert } from 'node:assert';
import { roomOf, SOURCES, type Source } from './sources.ts';

const FLOORS: readonly (readonly string[])[] = [
  ['base'],
  ['wire', 'schedule'],
  ['channel', 'host'],
  ['data-plane', 'guest'],
  ['control-plane', 'analysis', 'simulation', 'dashboard', 'traceability'],
  ['cli'],
  ['main.ts', 'data-plane-thread.ts', 'guest-thread.ts'],
];

/** schedule stands on wire: a cost needs the size of a packet. */
const SAME_FLOOR_ALLOWED = new Set(['schedule wire']);

function floorOf(file: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(file)));
}

function violations(test: (source: Source) => string[]): string[] {
  return SOURCES.flatMap((source) => test(source).map((what) => `${source.file}: ${what}`));
}

describe('architecture', () => {
  it('[utest->req~dev.architecture~1] every source is in a known room', () => {
    assert.deepEqual(
      violations((source) => (floorOf(source.file) < 0 ? ['unknown room'] : [])),
      [],
    );
  });

  it('[utest->req~dev.architecture~1] imports go down only, and rooms of one floor do not import each other', () => {
    assert.deepEqual(
      violations((source) =>
        source.imports
          .filter((imported) => {
            const [from, to] = [roomOf(source.file), roomOf(imported)];
            if (from === to) return false;
            const distance = floorOf(source.file) - floorOf(imported);
            return (
              distance < 0 ||
              (distance === 0 &&
                !SAME_FLOOR_ALLOWED.has(`${from} ${to}`) &&
                !isTypeOnly(source, imported))
            );
          })
          .map((imported) => `imports ${imported}`),
      ),
      [],
    );
  });

  it('[utest->req~dev.architecture~1] packages stay in their rooms', () => {
    const homes: Readonly<Record<string, RegExp>> = {
      rxjs: /^src\/(control-plane|dashboard)\//,
      ws: /^src\/(host\/event-socket|cli\/bench\/dashboard-reader)\.ts$/,
      '/uplot.js': /^src\/dashboard\/page\//,
      ajv: /^src\/control-plane\/config\//,
      'jsonc-parser': /^src\/control-plane\/config\//,
      'fastest-levenshtein': /^src\/control-plane\/config\//,
      koffi: /^src\/host\/native\/libc\.ts$/,
      pngjs: /^src\/host\/png\.ts$/,
      'node:': /^src\/(host\/|cli\/|[^/]+\.ts$)/,
    };
    assert.deepEqual(
      violations((source) =>
        source.packages
          .filter((name) => {
            const home = Object.entries(homes).find(([prefix]) => name.startsWith(prefix));
            return !home || !home[1].test(source.file);
          })
          .map((name) => `imports ${name}`),
      ),
      [],
    );
  });
});

function isTypeOnly(source: Source, imported: string): boolean {
  const name = imported.split('/').at(-1)!;
  return source.lines.some((line) => line.startsWith('import type') && line.includes(`/${name}'`));
}

interface Ban {
  readonly pattern: RegExp;
  readonly where: RegExp;
  readonly instead: string;
}

const BANS: readonly Ban[] = [
  {
    pattern: /\b(Date\.now|performance\.now|process\.hrtime)\b/,
    where: /^src\/(?!host\/)/,
    instead: 'a Clock that is given',
  },
  { pattern: /\bMath\.random\b/, where: /^src\//, instead: 'SeededRandom' },
  {
    pattern: /\b(setTimeout|setInterval|setImmediate)\(/,
    // A page has no other timers than those of its browser.
    where: /^src\/(?!host\/|dashboard\/page\/)/,
    instead: 'host/timers.ts',
  },
  {
    pattern: /\bBigInt\b|\b\d+n\b|Big(Ui|I)nt64Array/,
    where: /^src\/(base|wire|data-plane|guest)\//,
    instead: 'two 32-bit halves',
  },
  {
    pattern: /\bconsole\.|process\.std/,
    where: /^src\/(?!cli\/|main\.ts)/,
    instead: 'a value, or a log that is given',
  },
  {
    pattern: /^\s*(export )?(const )?enum |^\s*namespace |export default/,
    where: /^src\/.*(?<!\.d)\.ts$/,
    instead: '`as const` tables, named exports',
  },
  {
    pattern: /\bthrow\b|\bawait\b|\basync\b/,
    where: /^src\/data-plane\//,
    instead: 'a fault value, or an assertion',
  },
  { pattern: /\bwhile \(true\)/, where: /^src\//, instead: 'a loop with a bound' },
  { pattern: /\b(TODO|FIXME|XXX)\b/, where: /^(src|test)\//, instead: 'an issue' },
  { pattern: /\bas any\b|: any\b|@ts-ignore|@ts-expect-error/, where: /^src\//, instead: 'a type' },
];

describe('bans', () => {
  for (const { pattern, where, instead } of BANS) {
    it(`[utest->req~dev.tidy~1] ${pattern.source} is banned where ${where.source}: use ${instead}`, () => {
      assert.deepEqual(
        violations((source) =>
          where.test(source.file)
            ? source.lines.flatMap((line, n) =>
                pattern.test(withoutText(line)) ? [`line ${n + 1}`] : [],
              )
            : [],
        ),
        [],
      );
    });
  }
});

/** A line without its strings and comments. */
function withoutText(line: string): string {
  return line
    .replace(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''")
    .replace(/\/\/.*$|^\s*\/?\*.*$/, '');
}
