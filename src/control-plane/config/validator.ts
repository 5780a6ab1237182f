/** JSON Schema validation with messages for people: what is wrong, and what would be right. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { closest, distance } from 'fastest-levenshtein';
import type { JsonPath } from './json-source.ts';

export interface Finding {
  readonly path: JsonPath;
  readonly message: string;
  /** The key is wrong, not its value. */
  readonly atKey?: boolean;
}

const SUGGESTION_DISTANCE_MAX = 4;

/** ` Did you mean "x"?` when one of the candidates is near, otherwise nothing. */
export function didYouMean(wrong: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return '';
  const best = closest(wrong, candidates as string[]);
  const limit = Math.min(SUGGESTION_DISTANCE_MAX, Math.ceil(wrong.length / 2));
  return distance(wrong, best) <= limit ? ` Did you mean "${best}"?` : '';
}

export class Validator {
  private readonly validate: ValidateFunction;

  constructor(schema: object) {
    const ajv = new Ajv2020({
      allErrors: true,
      strict: true,
      strictRequired: false,
      allowUnionTypes: true,
      verbose: true,
      // The schemas are our own and a test holds them against the meta-schema: not at every start.
      validateSchema: false,
    });
    this.validate = ajv.compile(schema);
  }

  /** Everything that is wrong with a value; nothing when it is right. */
  findings(value: unknown): Finding[] {
    if (this.validate(value)) return [];
    return (this.validate.errors ?? []).filter((error) => error.keyword !== 'if').map(finding);
  }
}

function pathOf(instancePath: string): (string | number)[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The last key of a path, with the positions in lists behind it. */
function nameOf(path: JsonPath): string {
  const key = path.findLastIndex((part) => typeof part === 'string');
  if (key < 0) return 'the document';
  return `"${path[key]}${path
    .slice(key + 1)
    .map((n) => `[${n}]`)
    .join('')}"`;
}

/** What the schema of an object says of it: its keys, and its name where it has several forms. */
interface ObjectSchema {
  readonly properties?: object;
  readonly title?: string;
}

function finding(error: ErrorObject): Finding {
  const path = pathOf(error.instancePath);
  const name = nameOf(path);
  const { params, data } = error;
  const { properties = {}, title } = error.parentSchema as ObjectSchema;
  const form = path.length > 0 ? title : undefined;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const wrong = form ? `${form} has no key "${key}"` : `unknown key "${key}"`;
      return {
        path: [...path, key],
        atKey: true,
        message: `${wrong}.${didYouMean(key, Object.keys(properties))}`,
      };
    }
    case 'required':
      return {
        path,
        message:
          `${name} lacks the key "${params['missingProperty']}"` +
          (form ? `, which ${form} needs` : ''),
      };
    case 'type':
      return {
        path,
        message: `${name} is ${shown(data)}; its type must be ${[params['type']].flat().join(' or ')}`,
      };
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map(String);
      return {
        path,
        message: `${name} is ${shown(data)}; allowed are ${allowed.join(', ')}.${didYouMean(String(data), allowed)}`,
      };
    }
    case 'const':
      return {
        path,
        message: `${name} is ${shown(data)}; it must be ${shown(params['allowedValue'])}`,
      };
    case 'pattern':
      return { path, message: `${name} is ${shown(data)}; it must match ${params['pattern']}` };
    default:
      return { path, message: `${name} is ${shown(data)}; it ${error.message ?? 'is not valid'}` };
  }
}
