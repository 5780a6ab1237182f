/** The schema itself: valid JSON Schema 2020-12, closed, described, bounded, and as the data types say. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { repositoryPath } from '../../support/judged.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly [key: string]: unknown;
}

const SCHEMA = JSON.parse(
  readFileSync(repositoryPath('config/gateway.schema.json'), 'utf8'),
) as Schema;
const UPLINKS = '#/network/uplinks/*';

function* places(schema: Schema, at = '#'): Iterable<{ at: string; schema: Schema }> {
  yield { at, schema };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield* places(property, `${at}/${name}`);
  }
  if (schema.items) yield* places(schema.items, `${at}/*`);
}

function placesWhere(test: (schema: Schema, at: string) => boolean): string[] {
  return [...places(SCHEMA)].filter(({ at, schema }) => test(schema, at)).map(({ at }) => at);
}

const typesOf = (schema: Schema): readonly unknown[] => [schema.type].flat();
const isOpenObject = (schema: Schema): boolean =>
  typesOf(schema).includes('object') && schema.additionalProperties !== false;

describe('config/gateway.schema.json', () => {
  it('[utest->req~cfg.schema~1] is valid JSON Schema 2020-12', () => {
    const ajv = new Ajv2020({ strict: false });
    assert.equal(SCHEMA['$schema'], 'https://json-schema.org/draft/2020-12/schema');
    assert.equal(ajv.validateSchema(SCHEMA), true, ajv.errorsText());
  });

  it(
    '[utest->req~cfg.schema~1] accepts config/cockpit.json, also by a validator' +
      " without the gateway's options",
    () => {
      const ajv = new Ajv2020({ allErrors: true, strict: false });
      const cockpit: unknown = JSON.parse(
        readFileSync(repositoryPath('config/cockpit.json'), 'utf8'),
      );
      assert.equal(ajv.validate(SCHEMA, cockpit), true, ajv.errorsText());
    },
  );

  it('[utest->req~cfg.schema~1] describes every property and every item', () => {
    assert.deepEqual(
      placesWhere((schema) => !/^\S.*\.$/s.test(schema.description ?? '')),
      [],
    );
  });

  it('[utest->req~cfg.schema~1] admits no unknown key in any object', () => {
    assert.deepEqual(
      placesWhere((schema, at) => isOpenObject(schema) && at !== UPLINKS),
      [],
    );
  });

  it('[utest->req~cfg.schema~1] requires only properties that exist', () => {
    assert.deepEqual(
      placesWhere((schema) =>
        (schema.required ?? []).some((name) => !Object.hasOwn(schema.properties ?? {}, name)),
      ),
      [],
    );
  });

  it('[utest->req~cfg.schema~1] says of every value its type, its choices or its constant', () => {
    const said = ['type', 'enum', 'const'];
    assert.deepEqual(
      placesWhere((schema) => !said.some((keyword) => keyword in schema)),
      [],
    );
  });

  it('[utest->req~cfg.schema~1] bounds every number', () => {
    const isNumber = (schema: Schema) =>
      ['integer', 'number'].some((type) => typesOf(schema).includes(type));
    const isBounded = (schema: Schema) => 'minimum' in schema && 'maximum' in schema;
    assert.deepEqual(
      placesWhere((schema) => isNumber(schema) && !isBounded(schema)),
      [],
    );
  });

  it('[utest->req~cfg.schema~1] bounds every list', () => {
    assert.deepEqual(
      placesWhere((schema) => schema.type === 'array' && schema.maxItems === undefined),
      [],
    );
  });

  it('[utest->req~cfg.schema~1] bounds every text', () => {
    const bounded = (schema: Schema) =>
      typeof schema['maxLength'] === 'number' ||
      /^\^(?!.*(?<!\\)[*+]).*\$$/.test(String(schema['pattern']));
    assert.deepEqual(
      placesWhere((schema) => schema.type === 'string' && !bounded(schema)),
      [],
    );
  });

  it('[utest->req~cfg.schema~1] says the unit of every time in its key', () => {
    const times = /(period|jitter|spacing|deadline|offset|duration|poll|majorFrame|Ns|Us)$/;
    const badlyNamed = (schema: Schema, at: string) =>
      (typesOf(schema).includes('number') && !at.endsWith('Us')) ||
      (typesOf(schema).includes('integer') && times.test(at) && !at.endsWith('Ns'));
    assert.deepEqual(placesWhere(badlyNamed), []);
  });

  it('[utest->req~cfg.schema~1] has no defaults: what is absent is said in words', () => {
    assert.deepEqual(
      placesWhere((schema) => 'default' in schema),
      [],
    );
  });
});

describe('regressions: schema', () => {
  it('[utest->req~cfg.schema~1] the item of "uplinks" admits no unknown key, as every other object', () => {
    assert.deepEqual(
      placesWhere((schema, at) => isOpenObject(schema) && at === UPLINKS),
      [],
    );
  });
});
