/**
 * Feature sets as data: the schema made from the one table, and the one validator that judges any
 * set.
 */
import { featuresOf, namesOf, type Feature, type FeatureBits } from '../../wire/features.ts';
import { DEVICE_TYPE_ID, type DeviceType } from '../../wire/virtio.ts';
import { didYouMean, Validator } from '../config/validator.ts';

/** The features that every device of this gateway must have in common with its driver. */
const ALWAYS_REQUIRED = 'VIRTIO_F_VERSION_1';

function ruleOf(feature: Feature): object | undefined {
  const all = (feature.requires ?? []).map((name) => ({ required: [name] }));
  const any = feature.requiresAny
    ? [{ anyOf: feature.requiresAny.map((name) => ({ required: [name] })) }]
    : [];
  return all.length + any.length > 0 ? { allOf: [...all, ...any] } : undefined;
}

/** A set is an object whose keys are the names of its features, each with the value true. */
function deviceSchema(device: DeviceType): object {
  const features = featuresOf(device);
  const rules = features.flatMap((feature) => {
    const rule = ruleOf(feature);
    return rule ? [[feature.name, rule] as const] : [];
  });
  return {
    description: `A feature set of ${device}: bits of section 6 and of the device, with their dependencies.`,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      features.map((feature) => [
        feature.name,
        {
          description: `Bit ${feature.bit}${feature.supported ? '' : '; known, not offered by this gateway'}.`,
          const: true,
        },
      ]),
    ),
    dependentSchemas: Object.fromEntries(rules),
  };
}

/** The content of `config/feature-sets.schema.json`. */
export function featureSetsSchema(): object {
  const devices = Object.keys(DEVICE_TYPE_ID) as DeviceType[];
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://virtio-gateway.invalid/feature-sets.schema.json',
    title: 'VIRTIO 1.4 feature sets (generated from src/wire/features.ts)',
    $defs: Object.fromEntries(devices.map((device) => [device, deviceSchema(device)])),
  };
}

const validators = new Map<DeviceType, Validator>();

function validatorOf(device: DeviceType): Validator {
  let validator = validators.get(device);
  if (!validator) {
    validator = new Validator(deviceSchema(device));
    validators.set(device, validator);
  }
  return validator;
}

/** Canonical names: an alias stands for its feature. */
function canonical(device: DeviceType, names: readonly string[]): string[] {
  const features = featuresOf(device);
  return names.map((name) => features.find((feature) => feature.alias === name)?.name ?? name);
}

/** What is wrong with a set as such: unknown names and broken dependencies. */
export function judgeSet(device: DeviceType, names: readonly string[]): string[] {
  const features = featuresOf(device);
  const set = canonical(device, names);
  const unknown = set.filter((name) => !features.some((feature) => feature.name === name));
  const problems = unknown.map(
    (name) =>
      `${device} has no feature ${name}.${didYouMean(
        name,
        features.map((feature) => feature.name),
      )}`,
  );
  const known = set.filter((name) => !unknown.includes(name));
  const valid =
    validatorOf(device).findings(Object.fromEntries(known.map((name) => [name, true]))).length ===
    0;
  return valid ? problems : [...problems, ...brokenDependencies(device, known)];
}

/** Names what the validator refused. */
function brokenDependencies(device: DeviceType, set: readonly string[]): string[] {
  const has = new Set(set);
  return featuresOf(device)
    .filter((feature) => has.has(feature.name))
    .flatMap((feature) => [
      ...(feature.requires ?? [])
        .filter((name) => !has.has(name))
        .map((name) => `${feature.name} requires ${name}`),
      ...(feature.requiresAny?.every((name) => !has.has(name))
        ? [`${feature.name} requires ${feature.requiresAny.join(' or ')}`]
        : []),
    ]);
}

/** Of a set to be offered: what this gateway does not implement. */
export function unsupportedIn(device: DeviceType, names: readonly string[]): string[] {
  const features = featuresOf(device);
  return canonical(device, names).filter((name) =>
    features.some((feature) => feature.name === name && !feature.supported),
  );
}

export function isKnownFeature(device: DeviceType, name: string): boolean {
  return featuresOf(device).some((feature) => feature.name === name || feature.alias === name);
}

/** Whether `name`, or the feature it is an alias of, is in the set. */
export function includesFeature(
  device: DeviceType,
  names: readonly string[],
  name: string,
): boolean {
  return canonical(device, names).includes(canonical(device, [name])[0]!);
}

export type Negotiation =
  | { readonly outcome: 'accepted'; readonly bits: FeatureBits }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'required-missing'; readonly reason: string };

/**
 * FEATURES_OK (2.2, 3.1.1): N = H ∩ G, where a driver that wants more than was offered, or a set
 * that breaks a dependency, is refused, and a set without a required feature isolates its
 * partition.
 */
// [impl->req~neg.offered-only~1]
// [impl->req~neg.dependencies~1]
export function negotiate(
  device: DeviceType,
  offered: FeatureBits,
  required: readonly string[],
  wanted: FeatureBits,
): Negotiation {
  const strange = ((wanted.low & ~offered.low) | (wanted.high & ~offered.high)) !== 0;
  if (strange)
    return { outcome: 'refused', reason: 'the driver accepted a feature that was not offered' };
  const names = namesOf(device, wanted);
  const broken = judgeSet(device, names);
  if (broken.length > 0) return { outcome: 'refused', reason: broken.join('; ') };
  const missing = [...new Set([ALWAYS_REQUIRED, ...required])].filter(
    (name) => !includesFeature(device, names, name),
  );
  if (missing.length > 0) {
    return {
      outcome: 'required-missing',
      reason: `the driver did not accept ${missing.join(', ')}`,
    };
  }
  return { outcome: 'accepted', bits: wanted };
}
