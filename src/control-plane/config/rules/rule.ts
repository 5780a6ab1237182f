/**
 * What every semantic rule looks like: a name (also of its broken file in config/invalid) and a
 * check.
 */
import type { GatewayConfig } from '../../../schedule/gateway-config.ts';
import type { JsonPath } from '../json-source.ts';
import type { Finding } from '../validator.ts';

export interface Rule {
  readonly name: string;
  readonly check: (config: GatewayConfig) => Iterable<Finding>;
}

/** A finding at the value of a path. */
export function at(path: JsonPath, message: string): Finding {
  return { path, message };
}

/** Findings for every value that stands more than once; `paths` says where each stands. */
export function* duplicates(
  entries: readonly { readonly value: string; readonly path: JsonPath }[],
  what: string,
): Iterable<Finding> {
  const seen = new Set<string>();
  for (const { value, path } of entries) {
    if (seen.has(value)) yield at(path, `${what} "${value}" is used twice; each must be unique`);
    seen.add(value);
  }
}
