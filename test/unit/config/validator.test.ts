/** Messages of the schema validator: the value, what would be right, and the nearest name. */
import { strict as assert } from 'node:assert';
import { didYouMean, Validator } from '../../../src/control-plane/config/validator.ts';

function messages(schema: object, value: unknown): string[] {
  return new Validator(schema)
    .findings(value)
    .map(({ path, message }) => `/${path.join('/')} ${message}`);
}

describe('did you mean', () => {
  for (const [wrong, candidates, expected] of [
    ['ceck', ['check', 'run'], ' Did you mean "check"?'],
    ['runn', ['check', 'run'], ' Did you mean "run"?'],
    ['descriptor-lop', ['descriptor-loop', 'head-in-flight'], ' Did you mean "descriptor-loop"?'],
    ['offsetUs', ['durationUs', 'offset'], ' Did you mean "offset"?'],
    ['simulate', ['check', 'run'], ''],
    ['x', ['check', 'run'], ''],
    ['abcdefghij', ['abcdefWXYZ'], ' Did you mean "abcdefWXYZ"?'],
    ['abcdefghij', ['abcdeVWXYZ'], ''],
    ['check', [], ''],
    ['', ['check'], ''],
  ] as const) {
    it(
      `[utest->req~cfg.all-errors~1] "${wrong}" among` +
        ` [${candidates.join(', ')}]${expected || ': nothing is near'}`,
      () => {
        assert.equal(didYouMean(wrong, candidates), expected);
      },
    );
  }
});

describe('validator', () => {
  it('[utest->req~cfg.schema~1] has no finding for what is right', () => {
    assert.deepEqual(messages({ type: 'integer' }, 5), []);
  });

  it('[utest->req~cfg.schema~1] judges each value anew', () => {
    const validator = new Validator({ type: 'integer' });
    assert.equal(validator.findings('5').length, 1);
    assert.equal(validator.findings(5).length, 0);
  });

  for (const [name, schema, value, expected] of [
    ['a type', { type: 'integer' }, '5', '/ the document is "5"; its type must be integer'],
    [
      'two types',
      { type: ['integer', 'null'] },
      'x',
      '/ the document is "x"; its type must be integer or null',
    ],
    [
      'true where a number is due',
      { type: 'integer' },
      true,
      '/ the document is true; its type must be integer',
    ],
    [
      'an enumeration',
      { enum: ['drop', 'defer'] },
      'drp',
      '/ the document is "drp"; allowed are drop, defer. Did you mean "drop"?',
    ],
    ['a constant', { const: 1 }, 2, '/ the document is 2; it must be 1'],
    [
      'a pattern',
      { type: 'string', pattern: '^a$' },
      'b',
      '/ the document is "b"; it must match ^a$',
    ],
    ['a minimum', { type: 'integer', minimum: 4 }, 3, '/ the document is 3; it must be >= 4'],
    ['a maximum', { type: 'integer', maximum: 4 }, 5, '/ the document is 5; it must be <= 4'],
  ] as const) {
    it(`[utest->req~cfg.all-errors~1] ${name}: the value, and what would be right`, () => {
      assert.deepEqual(messages(schema, value), [expected]);
    });
  }

  it('[utest->req~cfg.all-errors~1] names the place of a value inside lists and objects', () => {
    const item = { type: 'object', properties: { x: { const: 1 } } };
    const schema = { type: 'object', properties: { 'a/b~c': { type: 'array', items: item } } };
    assert.deepEqual(messages(schema, { 'a/b~c': [{ x: 1 }, { x: 2 }] }), [
      '/a/b~c/1/x "x" is 2; it must be 1',
    ]);
  });

  it('[utest->req~cfg.all-errors~1] an unknown key is a finding of its key, with the nearest one', () => {
    const schema = { type: 'object', additionalProperties: false, properties: { queueSize: {} } };
    assert.deepEqual(new Validator(schema).findings({ queuSize: 1 }), [
      {
        path: ['queuSize'],
        atKey: true,
        message: 'unknown key "queuSize". Did you mean "queueSize"?',
      },
    ]);
  });

  it('[utest->req~cfg.all-errors~1] a schema without keys has no nearest one', () => {
    assert.deepEqual(messages({ type: 'object', additionalProperties: false }, { a: 1 }), [
      '/a unknown key "a".',
    ]);
  });

  it('[utest->req~cfg.all-errors~1] finds all mistakes, those of one value, too', () => {
    const schema = { type: 'string', maxLength: 1, pattern: '^a' };
    assert.equal(messages(schema, 'bb').length, 2);
  });

  it('[utest->req~cfg.schema~1] a condition is reported once, by what it asks for', () => {
    const schema = { type: 'integer', if: { minimum: 5 }, then: { multipleOf: 2 } };
    assert.deepEqual(messages(schema, 7), ['/ the document is 7; it must be multiple of 2']);
  });

  it('[utest->req~cfg.schema~1] values are not coerced, and defaults are not filled in', () => {
    const value = { a: '1' };
    const properties = { a: { type: 'integer' }, b: { type: 'integer', default: 5 } };
    const schema = { type: 'object', properties };
    assert.equal(messages(schema, value).length, 1);
    assert.deepEqual(value, { a: '1' });
  });

  it('[utest->req~cfg.schema~1] a schema with a keyword that does not exist is a mistake of ours', () => {
    assert.throws(() => new Validator({ type: 'integer', minimun: 5 }), /minimun/);
  });
});
