/** Feature negotiation against an independent reference: bit sets written down from VIRTIO 1.4 (5.1.3.1, 5.7.3). */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { judgeSet, negotiate } from '../../src/control-plane/features/feature-sets.ts';
import {
  bitOf,
  bitsOf,
  featuresOf,
  hasBit,
  namesOf,
  type FeatureBits,
} from '../../src/wire/features.ts';
import type { DeviceType } from '../../src/wire/virtio.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const VERSION_1 = 1n << 32n;

function set(...bits: number[]): bigint {
  return bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
}

interface Rule {
  readonly all?: bigint;
  readonly any?: bigint;
}

const CSUM = set(0);
const GUEST_CSUM = set(1);
const CTRL_VQ = set(17);

/** Bit by bit what 5.1.3.1 demands, and the control channel for what 5.1.9.5 does over it. */
const NET_RULES = new Map<number, Rule>([
  [7, { all: GUEST_CSUM }],
  [8, { all: GUEST_CSUM }],
  [9, { any: set(7, 8) }],
  [10, { all: GUEST_CSUM }],
  [54, { all: GUEST_CSUM }],
  [55, { all: GUEST_CSUM }],
  [65, { all: set(7, 8, 54, 55) }],
  [66, { all: set(65) }],
  [11, { all: CSUM }],
  [12, { all: CSUM }],
  [13, { any: set(11, 12) }],
  [14, { all: CSUM }],
  [56, { all: CSUM }],
  [67, { all: set(11, 12, 56) }],
  [68, { all: set(67) }],
  [2, { all: CTRL_VQ }],
  [18, { all: CTRL_VQ }],
  [19, { all: CTRL_VQ }],
  [20, { all: CTRL_VQ }],
  [21, { all: CTRL_VQ }],
  [22, { all: CTRL_VQ }],
  [23, { all: CTRL_VQ }],
  [50, { all: CTRL_VQ }],
  [51, { all: CTRL_VQ, any: set(57, 60) }],
  [52, { all: CTRL_VQ }],
  [53, { all: CTRL_VQ }],
  [60, { all: CTRL_VQ }],
  [61, { any: set(11, 12) }],
  [64, { all: set(17, 60) }],
]);
const GPU_RULES = new Map<number, Rule>([
  [4, { all: set(0) }],
  [5, { all: set(3) }],
]);
const RULES: Record<DeviceType, ReadonlyMap<number, Rule>> = {
  'virtio-net': NET_RULES,
  'virtio-gpu': GPU_RULES,
};
const RING_BITS = [28, 29, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 43];
const OWN_BITS: Record<DeviceType, readonly number[]> = {
  'virtio-net': [0, 1, 2, 3, 5, ...range(7, 23), ...range(50, 57), 59, ...range(60, 70)],
  'virtio-gpu': range(0, 5),
};
const DEVICES: readonly DeviceType[] = ['virtio-net', 'virtio-gpu'];

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

function knownBits(device: DeviceType): number[] {
  return [...OWN_BITS[device], ...RING_BITS].sort((a, b) => a - b);
}

function holds(device: DeviceType, mask: bigint): boolean {
  return [...RULES[device]].every(
    ([bit, { all = 0n, any = 0n }]) =>
      (mask & set(bit)) === 0n || ((mask & all) === all && (any === 0n || (mask & any) !== 0n)),
  );
}

/** The set with everything its rules demand, as far as one can tell without a choice. */
function closed(device: DeviceType, mask: bigint): bigint {
  let grown = mask;
  for (let round = 0; round < 4; round++) {
    for (const [bit, { all = 0n, any = 0n }] of RULES[device]) {
      if ((grown & set(bit)) === 0n) continue;
      grown |= all;
      if (any !== 0n && (grown & any) === 0n) grown |= any & -any;
    }
  }
  return grown;
}

function namesIn(device: DeviceType, mask: bigint): string[] {
  return featuresOf(device)
    .filter(({ bit }) => (mask & set(bit)) !== 0n)
    .map(({ name }) => name);
}

function words(mask: bigint): FeatureBits {
  return { low: Number(mask & 0xffff_ffffn), high: Number((mask >> 32n) & 0xffff_ffffn) };
}

function maskOf(bits: readonly number[]): bigint {
  return set(...bits);
}

/** Sets of known bits: free ones, closed ones, and closed ones with a bit taken out. */
function known(device: DeviceType, bitMax = 70): fc.Arbitrary<bigint> {
  const free = fc.subarray(knownBits(device).filter((bit) => bit <= bitMax)).map(maskOf);
  const whole = free.map((mask) => closed(device, mask));
  const holed = fc.tuple(whole, fc.nat(bitMax)).map(([mask, bit]) => mask & ~set(bit));
  return fc.oneof(free, whole, holed);
}

const schemaFile = path.resolve(__dirname, '../../../config/feature-sets.schema.json');
const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as { $id: string };
const ajv = new Ajv2020({ strict: true, strictRequired: false }).addSchema(schema);
const schemaJudges = (device: DeviceType) => ajv.getSchema(`${schema.$id}#/$defs/${device}`)!;

describe('the table of features', () => {
  for (const device of DEVICES) {
    it(`[utest->req~neg.dependencies~1] 6, 5: the known bits of ${device} are those of VIRTIO 1.4`, () => {
      assert.deepEqual(
        featuresOf(device)
          .map(({ bit }) => bit)
          .sort((a, b) => a - b),
        knownBits(device),
      );
    });
  }

  it("[utest->req~neg.offered-only~1] 2.2: bits of names, and names of bits, are each other's inverse", () => {
    for (const device of DEVICES) {
      fc.assert(
        fc.property(known(device, 63), (mask) => {
          const names = namesIn(device, mask);
          const bits = bitsOf(device, names);
          assert.deepEqual(bits, words(mask));
          assert.deepEqual(namesOf(device, bits), names);
          for (const bit of range(-1, 70)) {
            assert.equal(
              hasBit(bits, bit),
              bit >= 0 && bit < 64 && (mask & set(Math.max(0, bit))) !== 0n,
            );
          }
        }),
        seededRuns(61, 200),
      );
    }
  });

  it('[utest->req~neg.offered-only~1] 2.2: a second name stands for the same bit', () => {
    assert.deepEqual(
      bitsOf('virtio-net', ['VIRTIO_F_EVENT_IDX', 'VIRTIO_F_INDIRECT_DESC']),
      bitsOf('virtio-net', ['VIRTIO_RING_F_EVENT_IDX', 'VIRTIO_RING_F_INDIRECT_DESC']),
    );
    assert.equal(bitOf('virtio-net', 'VIRTIO_F_EVENT_IDX'), 29);
    assert.deepEqual(judgeSet('virtio-net', ['VIRTIO_F_VERSION_1', 'VIRTIO_F_EVENT_IDX']), []);
  });
});

describe('feature sets against the reference', () => {
  for (const device of DEVICES) {
    it(`[utest->req~neg.dependencies~1] 2.2.2: a set of ${device} is right exactly when every dependency holds`, () => {
      const outcomes = { right: 0, broken: 0 };
      fc.assert(
        fc.property(known(device), (mask) => {
          const expected = holds(device, mask);
          outcomes[expected ? 'right' : 'broken']++;
          const problems = judgeSet(device, namesIn(device, mask));
          assert.equal(problems.length === 0, expected, problems.join('; '));
        }),
        seededRuns(62, 600),
      );
      assert.ok(outcomes.right > 0 && outcomes.broken > 0);
    });

    it(`[utest->req~neg.dependencies~1] 2.2.2: the generated schema of ${device} says the same`, () => {
      const validate = schemaJudges(device);
      fc.assert(
        fc.property(known(device), (mask) => {
          const value = Object.fromEntries(namesIn(device, mask).map((name) => [name, true]));
          assert.equal(validate(value), holds(device, mask));
        }),
        seededRuns(63, 600),
      );
      assert.equal(validate({ VIRTIO_F_VERSION_1: false }), false, 'a feature is there or not');
      assert.equal(validate({ VIRTIO_NET_F_NOSUCH: true }), false);
    });
  }

  it('[utest->req~neg.dependencies~1] 2.2.2: each broken dependency is named, with both features', () => {
    for (const [bit, { all = 0n, any = 0n }] of NET_RULES) {
      const [problem] = judgeSet('virtio-net', namesIn('virtio-net', set(bit)));
      assert.ok(
        problem?.startsWith(`${namesIn('virtio-net', set(bit))[0]} requires `),
        `bit ${bit}: ${problem}`,
      );
      const [first] = namesIn('virtio-net', all === 0n ? any : all);
      assert.ok(
        judgeSet('virtio-net', namesIn('virtio-net', set(bit)))
          .join()
          .includes(first!),
        `bit ${bit}`,
      );
    }
  });

  it('[utest->req~neg.dependencies~1] 2.2.2: an unknown name is a problem of its own, with the nearest one', () => {
    const problems = judgeSet('virtio-net', ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_CSUN']);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /no feature VIRTIO_NET_F_CSUN.*Did you mean "VIRTIO_NET_F_CSUM"/);
    assert.equal(
      judgeSet('virtio-gpu', ['VIRTIO_NET_F_MAC']).length,
      1,
      "another device's feature",
    );
  });
});

describe('negotiation against the reference (2.2.2, 3.1.1)', () => {
  /** What a driver may want of an offer: parts of it, closed parts, and bits that were never offered. */
  const wantedOf = (offered: bigint): fc.Arbitrary<bigint> => {
    const part = fc.subarray(range(0, 63).filter((bit) => (offered & set(bit)) !== 0n)).map(maskOf);
    const strange = fc.tuple(part, fc.nat(63)).map(([mask, bit]) => mask | set(bit));
    const versioned = part.map(
      (mask) => (closed('virtio-net', mask) & offered) | (offered & VERSION_1),
    );
    return fc.oneof(part, versioned, versioned, strange, fc.constant(offered));
  };
  const negotiation = known('virtio-net', 63)
    .map((mask) => closed('virtio-net', mask) | VERSION_1)
    .chain((offered) =>
      fc.record({
        offered: fc.constant(offered),
        wanted: wantedOf(offered),
        required: fc
          .shuffledSubarray(namesIn('virtio-net', offered))
          .map((names) => names.slice(0, 2)),
      }),
    );

  it('[utest->req~neg.offered-only~1] 2.2.2: accepted is a subset of the offer, sound, with all that is required', () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(negotiation, ({ offered, wanted, required }) => {
        const expected =
          (wanted & ~offered) !== 0n || !holds('virtio-net', wanted)
            ? 'refused'
            : (wanted & VERSION_1) === 0n ||
                required.some((name) => !namesIn('virtio-net', wanted).includes(name))
              ? 'required-missing'
              : 'accepted';
        outcomes.set(expected, (outcomes.get(expected) ?? 0) + 1);
        const result = negotiate('virtio-net', words(offered), required, words(wanted));
        assert.equal(result.outcome, expected);
        if (result.outcome === 'accepted') assert.deepEqual(result.bits, words(wanted));
        else assert.notEqual(result.reason, '');
      }),
      seededRuns(64, 1000),
    );
    assert.equal(outcomes.size, 3, 'every outcome has been met');
  });

  it('[utest->req~neg.required~1] 2.2: VERSION_1 alone is the least set, required or not', () => {
    const offered = words(VERSION_1 | set(5));
    assert.equal(negotiate('virtio-net', offered, [], words(VERSION_1)).outcome, 'accepted');
    assert.equal(negotiate('virtio-net', offered, [], words(set(5))).outcome, 'required-missing');
    assert.equal(negotiate('virtio-net', offered, [], words(0n)).outcome, 'required-missing');
  });

  it('[utest->req~neg.required~1] 2.2: a requirement under its second name is met by the bit', () => {
    const offered = words(VERSION_1 | set(29));
    assert.equal(
      negotiate('virtio-net', offered, ['VIRTIO_F_EVENT_IDX'], offered).outcome,
      'accepted',
    );
    assert.equal(
      negotiate('virtio-net', offered, ['VIRTIO_F_EVENT_IDX'], words(VERSION_1)).outcome,
      'required-missing',
    );
  });
});
