/** Random values that a JSON schema admits, generated from the schema itself. */
import fc from 'fast-check';

/** The keywords that config/gateway.schema.json uses. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly maxLength?: number;
}

/** Lists stay short, so that many configurations can be tried. */
const ITEMS_MAX = 4;

export class SchemaArbitrary {
  private readonly words: readonly string[];
  private readonly made = new Map<JsonSchema, fc.Arbitrary<unknown>>();

  /** @param words strings that are taken wherever the schema admits them, so that references often fit */
  constructor(words: readonly string[]) {
    this.words = words;
  }

  of(schema: JsonSchema): fc.Arbitrary<unknown> {
    const arbitrary = this.made.get(schema) ?? this.make(schema);
    this.made.set(schema, arbitrary);
    return arbitrary;
  }

  private make(schema: JsonSchema): fc.Arbitrary<unknown> {
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const types = [schema.type ?? []].flat();
    return fc.oneof(...types.map((type) => this.ofType(type, schema)));
  }

  private ofType(type: string, schema: JsonSchema): fc.Arbitrary<unknown> {
    switch (type) {
      case 'object':
        return this.object(schema);
      case 'array':
        return this.list(schema);
      case 'integer':
        return integer(schema);
      case 'number':
        return time(schema);
      case 'string':
        return this.text(schema);
      case 'boolean':
        return fc.boolean();
      default:
        return fc.constant(null);
    }
  }

  private object({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
    const members = Object.entries(properties).map(
      ([name, schema]) => [name, this.of(schema)] as const,
    );
    return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
  }

  private list(schema: JsonSchema): fc.Arbitrary<unknown> {
    const { minItems: minLength = 0, maxItems = ITEMS_MAX } = schema;
    const bounds = { minLength, maxLength: Math.min(maxItems, ITEMS_MAX) };
    const item = this.of(schema.items ?? {});
    return schema.uniqueItems ? fc.uniqueArray(item, bounds) : fc.array(item, bounds);
  }

  private text({ pattern, maxLength = 64 }: JsonSchema): fc.Arbitrary<string> {
    const form = new RegExp(pattern ?? '');
    const fitting = this.words.filter((word) => form.test(word) && word.length <= maxLength);
    const strange = pattern ? fc.stringMatching(form) : fc.string({ maxLength, unit: 'grapheme' });
    const short = strange.filter((text) => text.length <= maxLength);
    if (fitting.length === 0) return short;
    return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fitting) }, short);
  }
}

function integer({ minimum: min = 0, maximum: max = 0 }: JsonSchema): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min, max: Math.min(max, min + 20) }),
    fc.integer({ min, max }),
    fc.constantFrom(min, max),
  );
}

/** Mostly whole nanoseconds given in microseconds, sometimes more decimals than that. */
function time({ minimum: min = 0, maximum: max = 0 }: JsonSchema): fc.Arbitrary<number> {
  const nanoseconds = (most: number) =>
    fc.integer({ min: min * 1000, max: most * 1000 }).map((ns) => ns / 1000);
  return fc.oneof(
    nanoseconds(Math.min(max, 10_000)),
    nanoseconds(max),
    fc.constantFrom(min, max),
    fc.double({ min, max, noNaN: true }),
  );
}

export interface SchemaNode {
  readonly path: readonly (string | number)[];
  readonly schema: JsonSchema;
}

/** Every value of a document with the schema it is judged by. */
export function schemaNodes(
  schema: JsonSchema,
  value: unknown,
  path: SchemaNode['path'] = [],
): SchemaNode[] {
  const own = { path, schema };
  if (Array.isArray(value)) {
    return [
      own,
      ...value.flatMap((item, n) => schemaNodes(schema.items ?? {}, item, [...path, n])),
    ];
  }
  if (typeof value !== 'object' || value === null) return [own];
  return [
    own,
    ...Object.entries(value).flatMap(([name, member]) =>
      schemaNodes(schema.properties?.[name] ?? {}, member, [...path, name]),
    ),
  ];
}

/** A copy of a document with the value at a path replaced. */
export function replaced(document: unknown, path: SchemaNode['path'], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const copy = (Array.isArray(document) ? [...document] : { ...(document as object) }) as Record<
    string | number,
    unknown
  >;
  copy[step] = replaced(copy[step], rest, value);
  return copy;
}
