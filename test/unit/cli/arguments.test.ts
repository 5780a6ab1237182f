/** Command lines taken apart, and tables put together. */
import { strict as assert } from 'node:assert';
import {
  parseArguments,
  positiveNumber,
  UsageError,
  type CommandShape,
} from '../../../src/cli/arguments.ts';
import { textTable, us } from '../../../src/cli/text-table.ts';

const SHAPE: CommandShape = {
  positionals: ['CONFIG'],
  options: { flag: 'flag', value: 'value', maybe: 'optional-value', each: 'list' },
};

function parsed(line: string) {
  return parseArguments(
    line.split(' ').filter((word) => word !== ''),
    SHAPE,
  );
}

function assertUsageError(action: () => unknown, message: string): void {
  assert.throws(action, (error: unknown) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(error.message, message);
    return true;
  });
}

describe('arguments', () => {
  for (const [line, options] of [
    ['a', {}],
    ['a --flag', { flag: true }],
    ['--flag a', { flag: true }],
    ['a --value 5', { value: '5' }],
    ['--value 5 a', { value: '5' }],
    ['a --value=5', { value: '5' }],
    ['a --value=', { value: '' }],
    ['a --value=b=c', { value: 'b=c' }],
    ['a --value -1', { value: '-1' }],
    ['a --maybe', { maybe: true }],
    ['a --maybe b', { maybe: 'b' }],
    ['a --maybe=b', { maybe: 'b' }],
    ['--maybe a', { maybe: true }],
    ['--maybe=b a', { maybe: 'b' }],
    ['a --maybe --flag', { maybe: true, flag: true }],
    ['a --value 1 --value 2', { value: '2' }],
  ] as const) {
    it(`[utest->req~cli.errors~1] "${line}" is understood`, () => {
      assert.deepEqual(parsed(line), { positionals: ['a'], options, lists: {} });
    });
  }

  for (const [line, message] of [
    ['', 'CONFIG is missing'],
    ['--flag', 'CONFIG is missing'],
    ['a b', '"b" is one argument too many'],
    ['a b c', '"b" is one argument too many'],
    ['a --flagg', 'unknown option --flagg. Did you mean "flag"?'],
    ['a --', 'unknown option --.'],
    ['a --=1', 'unknown option --.'],
    ['a --nothing-like-it', 'unknown option --nothing-like-it.'],
    ['a --flag=1', '--flag takes no value'],
    ['a --flag=', '--flag takes no value'],
    ['a --value', '--value needs a value'],
    ['a --value --flag', '--value needs a value'],
    ['a --maybe b c', '"c" is one argument too many'],
  ] as const) {
    it(`[utest->req~cli.errors~1] "${line}" is answered: ${message}`, () => {
      assertUsageError(() => parsed(line), message);
    });
  }

  it('[utest->req~cli.errors~1] an option that may be given several times keeps all of its values', () => {
    const { lists, options } = parsed('--each a=1 a --flag --each=b=2');
    assert.deepEqual([lists, options], [{ each: ['a=1', 'b=2'] }, { flag: true }]);
    assertUsageError(() => parsed('a --each'), '--each needs a value');
  });

  it('[utest->req~cli.errors~1] a command without positionals takes none', () => {
    assertUsageError(
      () => parseArguments(['a'], { positionals: [], options: {} }),
      '"a" is one argument too many',
    );
  });
});

describe('numbers on the command line', () => {
  it('[utest->req~cli.errors~1] an option that is not given is none', () => {
    assert.equal(positiveNumber(undefined, 'duration'), undefined);
  });

  for (const [text, number] of [
    ['1', 1],
    ['0.5', 0.5],
    ['1e3', 1000],
  ] as const) {
    it(`[utest->req~cli.errors~1] "${text}" is ${number}`, () =>
      assert.equal(positiveNumber(text, 'duration'), number));
  }

  for (const text of [
    '',
    '0',
    '-0',
    '-1',
    'NaN',
    'Infinity',
    '1e400',
    '1s',
    'abc',
    true,
  ] as const) {
    it(`[utest->req~cli.errors~1] "${text}" is no number above 0`, () => {
      assertUsageError(
        () => positiveNumber(text, 'duration'),
        `--duration needs a number above 0, not "${text}"`,
      );
    });
  }
});

describe('tables', () => {
  it('[utest->req~cli.errors~1] columns are as wide as their widest cell, numbers stand to the right', () => {
    assert.equal(
      textTable([
        ['name', 'time'],
        ['a', '1.5 µs'],
        ['long name', '12.5 µs'],
      ]),
      'name       time\na           1.5 µs\nlong name  12.5 µs',
    );
  });

  it('[utest->req~cli.errors~1] a missing cell is empty, and no line ends with blanks', () => {
    assert.equal(textTable([['a', 'b'], ['x']]), 'a  b\nx');
  });

  it('[utest->req~cli.errors~1] a table without rows is empty', () => {
    assert.equal(textTable([]), '');
  });

  for (const [ns, text] of [
    [0, '0.0 µs'],
    [50, '0.1 µs'],
    [1_500, '1.5 µs'],
    [12_000_000, '12000.0 µs'],
  ] as const) {
    it(`[utest->req~cli.errors~1] ${ns} ns are shown as ${text}`, () => assert.equal(us(ns), text));
  }
});
