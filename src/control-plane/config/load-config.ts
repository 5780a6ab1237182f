/** From a file to a configuration that may be run, or to everything that is wrong with it. */
import { readPackageFile, readTextFile } from '../../host/files.ts';
import { sha256 } from '../../host/digest.ts';
import type { GatewayConfig } from '../../schedule/gateway-config.ts';
import { JsonSource, type Problem } from './json-source.ts';
import { RULES } from './rules/index.ts';
import { Validator, type Finding } from './validator.ts';

export const CONFIG_BYTES_MAX = 1024 * 1024;

export interface LoadedConfig {
  readonly file: string;
  readonly sha256: string;
  readonly problems: readonly Problem[];
  /** There exactly when there are no problems; frozen. */
  readonly config: GatewayConfig | undefined;
}

let validator: Validator | undefined;

function schemaFindings(value: unknown): Finding[] {
  validator ??= new Validator(JSON.parse(readPackageFile('config/gateway.schema.json')) as object);
  return validator.findings(value);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

/** Judges a configuration text: syntax, then schema, then all semantic rules. */
// [impl->req~cfg.schema~1]
// [impl->req~cfg.semantic~1]
// [impl->req~cfg.immutable~1]
export function judgeConfig(file: string, text: string): LoadedConfig {
  const source = new JsonSource(text);
  const digest = sha256(text);
  const failed = (problems: readonly Problem[]): LoadedConfig => ({
    file,
    sha256: digest,
    problems: sorted(problems),
    config: undefined,
  });
  if (source.problems.length > 0) return failed(source.problems);
  const place = (found: Finding) => source.problemAt(found.path, found.message, found.atKey);
  const schema = schemaFindings(source.value);
  if (schema.length > 0) return failed(schema.map(place));
  const config = source.value as GatewayConfig;
  const semantic = RULES.flatMap((rule) => [...rule.check(config)]);
  if (semantic.length > 0) return failed(semantic.map(place));
  return { file, sha256: digest, problems: [], config: freeze(config) };
}

function sorted(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** @throws FileProblem when the file cannot be read */
export function loadConfig(file: string): LoadedConfig {
  return judgeConfig(file, readTextFile(file, CONFIG_BYTES_MAX));
}
