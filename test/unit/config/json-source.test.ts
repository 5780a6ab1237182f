/** JSON texts as an adversary writes them: every one gets a sentence with a place, none a crash. */
import { strict as assert } from 'node:assert';
import { JsonSource } from '../../../src/control-plane/config/json-source.ts';
import { place, problemsOf } from '../../support/judged.ts';

const LEVELS = 100_000;

function refused(text: string): { places: string[]; message: string } {
  const { problems } = new JsonSource(text);
  assert.ok(problems.length > 0, 'the text was accepted');
  return { places: problems.map(place), message: problems[0]!.message };
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

describe('JSON source: depth', () => {
  it('[utest->req~cfg.strict-json~1] 64 levels are read', () => {
    assert.deepEqual(new JsonSource(nested(64)).problems, []);
  });

  it('[utest->req~cfg.strict-json~1] the 65th level is refused where it opens (catalogue 81)', () => {
    assert.deepEqual(refused(nested(65)), {
      places: ['1:65'],
      message: 'nested deeper than 64 levels',
    });
  });

  for (const [name, text, at] of [
    ['arrays', nested(LEVELS), '1:65'],
    ['arrays never closed', '['.repeat(LEVELS), '1:65'],
    ['objects', '{"a":'.repeat(LEVELS), '1:321'],
    ['objects with comments between', '{/**/"a":'.repeat(LEVELS), '1:577'],
  ] as const) {
    it(`[utest->req~cfg.strict-json~1] 100,000 levels of ${name} are refused (catalogue 81)`, () => {
      assert.deepEqual(refused(text).places, [at]);
    });
  }

  it('[utest->req~cfg.strict-json~1] brackets inside a string open no level', () => {
    assert.deepEqual(new JsonSource(`["${'['.repeat(100)}"]`).value, ['['.repeat(100)]);
  });

  it('[utest->req~cfg.strict-json~1] levels that were closed do not add up', () => {
    assert.deepEqual(new JsonSource(`[${'[],'.repeat(100)}[]]`).problems, []);
  });
});

describe('JSON source: what is not strict JSON', () => {
  for (const [name, text, at, message] of [
    ['a byte order mark', '\ufeff{}', '1:1', /not JSON/],
    ['a NUL byte between tokens', '{\0}', '1:2', /not JSON/],
    ['a NUL byte in a string', '{"a":"\0"}', '1:6', /not allowed/],
    ['a line break in a string', '["a\nb"]', '1:2', /not closed/],
    ['a no-break space between tokens', '[\u00a0]', '1:2', /not JSON/],
    ['a line separator between tokens', '[\u2028]', '1:2', /not JSON/],
    ['a vertical tab between tokens', '[\v]', '1:2', /not JSON/],
    ['NaN', '[NaN]', '1:2', /not JSON/],
    ['Infinity', '[Infinity]', '1:2', /not JSON/],
    ['-Infinity', '[-Infinity]', '1:2', /not JSON/],
    ['a bare word', '[yes]', '1:2', /not JSON/],
    ['a word that begins like a literal', '[truely]', '1:2', /not JSON/],
    ['single quotes', "['a']", '1:2', /not JSON/],
    ['a key without quotes', '{a:1}', '1:2', /not JSON/],
    ['a number as a key', '{1:1}', '1:2', /property name/],
    ['a leading zero', '[01]', '1:3', /comma/],
    ['a leading plus', '[+1]', '1:2', /not JSON/],
    ['a leading dot', '[.5]', '1:2', /not JSON/],
    ['a trailing dot', '[1.]', '1:2', /number/],
    ['an exponent without digits', '[1e]', '1:2', /number/],
    ['a hexadecimal number', '[0x10]', '1:3', /not JSON/],
    ['a minus without digits', '[-]', '1:2', /not JSON/],
    ['an escape that does not exist', '["\\x41"]', '1:2', /escape/],
    ['a Unicode escape cut short', '["\\u12"]', '1:2', /Unicode/],
    ['a string never closed', '["a', '1:2', /not closed/],
    ['a line comment', '[ // one\n]', '1:3', /comments/],
    ['a block comment', '[ /* one */ ]', '1:3', /comments/],
    ['a comment never closed', '[] /* one', '1:4', /comments/],
    ['a trailing comma in an array', '[1,]', '1:4', /value/],
    ['a trailing comma in an object', '{"a":1,}', '1:8', /property name/],
    ['two commas', '[1,,2]', '1:4', /value/],
    ['a missing comma', '[1 2]', '1:4', /comma/],
    ['a missing colon', '{"a" 1}', '1:6', /colon/],
    ['a missing value', '{"a":}', '1:6', /value/],
    ['a wrong bracket', '[1}', '1:3', /./],
    ['two documents', '[]\n[]', '2:1', /nothing may follow/],
    ['a file cut inside a key', '{"a', '1:2', /not closed/],
    ['a file cut behind a key', '{"a"', '1:5', /colon/],
    ['a file cut behind a colon', '{"a":', '1:6', /value/],
    ['a file cut behind a value', '{"a":[1', '1:8', /not closed/],
  ] as const) {
    it(`[utest->req~cfg.strict-json~1] ${name} is refused, and said where (catalogue 81)`, () => {
      const { places, message: said } = refused(text);
      assert.equal(places[0], at);
      assert.match(said, message);
    });
  }

  it('[utest->req~cfg.strict-json~1] an empty file is refused at its beginning (catalogue 81)', () => {
    assert.deepEqual(refused('').places, ['1:1']);
  });

  it('[utest->req~cfg.strict-json~1] a file of white space is refused at its end', () => {
    assert.deepEqual(refused(' \r\n\t\n').places, ['3:1']);
  });
});

describe('JSON source: numbers and keys', () => {
  for (const number of ['1e400', '-1e400', '1e309', `1${'0'.repeat(400)}`]) {
    const shown = number.length > 20 ? 'an integer of 401 digits' : number;
    it(`[utest->req~cfg.strict-json~1] ${shown} is refused where it stands (catalogue 81)`, () => {
      const { places, message } = refused(`{"a":\n [0, ${number}]}`);
      assert.deepEqual(places, ['2:6']);
      assert.match(message, /too large/);
    });
  }

  it('[utest->req~cfg.strict-json~1] the largest double is read exactly', () => {
    assert.deepEqual(new JsonSource('[1.7976931348623157e308, -0.5, 1E+2]').value, [
      Number.MAX_VALUE,
      -0.5,
      100,
    ]);
  });

  it(
    '[utest->req~cfg.strict-json~1] a key that stands twice is refused at its' +
      ' second place (catalogue 81)',
    () => {
      assert.deepEqual(refused('{"a": 1,\n "b": 2,\n "a": 1}').places, ['3:2']);
    },
  );

  it('[utest->req~cfg.strict-json~1] a key that stands three times is two mistakes', () => {
    assert.deepEqual(refused('{"a":1,"a":1,"a":1}').places, ['1:8', '1:14']);
  });

  it('[utest->req~cfg.strict-json~1] a key spelled with an escape is the same key', () => {
    assert.deepEqual(refused('{"id":1,"\\u0069d":2}').places, ['1:9']);
  });

  it('[utest->req~cfg.strict-json~1] the same key in two objects is none', () => {
    assert.deepEqual(new JsonSource('[{"a":1},{"a":{"a":2}}]').problems, []);
  });

  it(
    '[utest->req~cfg.strict-json~1] __proto__ twice is a duplicate key like any' +
      ' other (catalogue 81)',
    () => {
      assert.deepEqual(refused('{"__proto__":{},"__proto__":{}}').places, ['1:17']);
    },
  );

  it(
    '[utest->req~cfg.strict-json~1] __proto__ changes no prototype, neither the' +
      " object's own nor the common one",
    () => {
      const { value } = new JsonSource(
        '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": 1}}}',
      );
      const object = value as Record<string, unknown>;
      assert.equal(Object.getPrototypeOf(object), Object.prototype);
      assert.deepEqual(Object.keys(object), ['__proto__', 'constructor']);
      assert.equal(object['polluted'], undefined);
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    },
  );

  for (const key of [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '',
    '0',
  ]) {
    it(
      `[utest->req~cfg.schema~1] the key "${key}" is unknown like any other, and` +
        ` said where (catalogue 81)`,
      () => {
        const problems = problemsOf(
          `{"gateway":\n{"name":"a","revision":1,"asil":"QM","${key}":{}}}`,
        ).filter((problem) => problem.message.startsWith('unknown key'));
        assert.deepEqual(
          problems.map((problem) => [place(problem), problem.path]),
          [['2:38', `/gateway/${key}`]],
        );
      },
    );
  }
});

describe('JSON source: places', () => {
  it('[utest->req~cfg.all-errors~1] several syntax mistakes are all found, in the order of the file', () => {
    assert.deepEqual(refused('{"a" 1,\n"b": 2\n"c": 3, // no\n"d": 1e}').places, [
      '1:6',
      '3:1',
      '3:9',
      '4:6',
    ]);
  });

  it('[utest->req~cfg.all-errors~1] a CRLF ends one line', () => {
    assert.deepEqual(refused('[\r\n\r\n x]').places[0], '3:2');
  });

  it('[utest->req~cfg.all-errors~1] a line break at the very beginning ends a line', () => {
    assert.deepEqual(refused('\n x').places[0], '2:2');
  });

  it('[utest->req~cfg.all-errors~1] duplicate keys and numbers out of range are found together', () => {
    assert.deepEqual(refused('{"a": 1e999,\n"b": 1,\n"b": -1e999}').places, ['1:7', '3:1', '3:6']);
  });

  it(
    '[utest->req~cfg.all-errors~1] a path that does not exist is placed at what is' +
      ' nearest around it',
    () => {
      const source = new JsonSource('{"a":\n[1, {"b": 2}]}');
      assert.equal(place(source.problemAt(['a', 1, 'c', 'd'], '')), '2:5');
      assert.equal(place(new JsonSource('\n {}').problemAt(['x'], '')), '2:2');
      assert.equal(place(new JsonSource('\n {}').problemAt([], '')), '2:2');
    },
  );

  it(
    '[utest->req~cfg.all-errors~1] a mistake in a key is placed at the key, one in' +
      ' a value at the value',
    () => {
      const source = new JsonSource('{"a": {"b": 2}}');
      assert.equal(place(source.problemAt(['a', 'b'], '', true)), '1:8');
      assert.equal(place(source.problemAt(['a', 'b'], '')), '1:13');
    },
  );

  it('[utest->req~cfg.all-errors~1] paths are JSON pointers, with / and ~ escaped', () => {
    const source = new JsonSource('{"a/b": {"~": 1}}');
    assert.equal(source.problemAt(['a/b', '~'], '').path, '/a~1b/~0');
  });

  it('[utest->req~cfg.all-errors~1] a text that could not be read places everything at its beginning', () => {
    assert.equal(place(new JsonSource('[').problemAt(['a', 0], '')), '1:1');
  });
});

describe('regressions: JSON source', () => {
  it('[utest->req~cfg.strict-json~1] closing brackets too many do not hide 100,000 levels (catalogue 81)', () => {
    let overflow = '';
    try {
      refused(`[${'}'.repeat(LEVELS)},${'['.repeat(LEVELS)}`);
    } catch (error) {
      overflow = String(error);
    }
    assert.equal(overflow, '');
  });

  it('[utest->req~cfg.strict-json~1] the message for an empty file says that it is empty', () => {
    assert.match(refused('').message, /empty/);
  });
});
