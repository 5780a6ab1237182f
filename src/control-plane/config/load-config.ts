/** From a file to a configuration that may be run, or to everything that is wrong with it. */
import { readFileBytes, readPackageFile } from '../../host/files.ts';
import { sha256 } from '../../host/digest.ts';
import type { GatewayConfig } from '../../schedule/gateway-config.ts';
import { JsonSource, type Problem } from './json-source.ts';
import { RULES } from './rules/index.ts';
import { Validator, type Finding } from './validator.ts';

export const CONFIG_BYTES_MAX = 1024 * 1024;
const PROBLEMS_MAX = 200;

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

function sorted(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** At most so many findings are placed and shown: a hostile file must not take time without end. */
function placed(source: JsonSource, findings: readonly Finding[]): Problem[] {
  const problems = findings
    .slice(0, PROBLEMS_MAX)
    .map((found) => source.problemAt(found.path, found.message, found.atKey));
  const more = findings.length - problems.length;
  if (more > 0) problems.push(source.problemAt([], `and ${more} mistakes more`));
  return sorted(problems);
}

/** Judges a configuration text: syntax, then schema, then all semantic rules. */
// [impl->req~cfg.schema~1]
// [impl->req~cfg.semantic~1]
// [impl->req~cfg.immutable~1]
export function judgeConfig(file: string, text: string, digest = sha256(text)): LoadedConfig {
  const source = new JsonSource(text);
  const failed = (problems: readonly Problem[]): LoadedConfig => ({
    file,
    sha256: digest,
    problems,
    config: undefined,
  });
  if (source.problems.length > 0) return failed(sorted(source.problems));
  const schema = schemaFindings(source.value);
  if (schema.length > 0) return failed(placed(source, schema));
  const config = source.value as GatewayConfig;
  const semantic = RULES.flatMap((rule) => [...rule.check(config)]);
  if (semantic.length > 0) return failed(placed(source, semantic));
  return { file, sha256: digest, problems: [], config: freeze(config) };
}

/** @throws FileProblem when the file cannot be read */
export function loadConfig(file: string): LoadedConfig {
  const bytes = readFileBytes(file, CONFIG_BYTES_MAX);
  const digest = sha256(bytes);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const problem = { path: '', line: 1, column: 1, message: 'the file is not UTF-8 text' };
    return { file, sha256: digest, problems: [problem], config: undefined };
  }
  return judgeConfig(file, text, digest);
}
