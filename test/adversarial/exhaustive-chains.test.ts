/**
 * Every descriptor chain of a small scope, against an independent model of VIRTIO 2.7.4 and 2.7.5.
 *
 * Scope: queue size 4, head 0. A descriptor has an address of {inside, the last byte of a region, in
 * a hole, wrapping at 2^64}, a length of {0, 1, 16, 2^32 - 1}, each of the 8 flag combinations and
 * next of 0 to 4: 640 values, the full alphabet. Only descriptors that a walk reaches are told apart.
 *  - With tables: full alphabet for the first three descriptors of ring and table, 6 values behind.
 *  - Without the feature: full alphabet for the first three, 6 values behind.
 *  - Four descriptors: 160 values each for the first three, the full alphabet for the last.
 *  - Longer tables: naming descriptors of 0 to 80 bytes with all flags, at the head or behind one
 *    direct descriptor; full alphabet for the first table entries, 48 values for the others.
 *  - With chains of at most 1, 2 and 3 descriptors: full alphabet for the first two.
 * About 2.5 million chains. The model names every breach of the descriptor that ends a walk, and the
 * device may report any of them; a walk that goes round may be called a loop or too long.
 */
import { strict as assert } from 'node:assert';
import { FAULT_NAMES, NO_FAULT, type FaultName } from '../../src/base/fault.ts';
import { EMBEDDED_GUEST_PHYSICAL as BASE } from '../../src/schedule/arena-layout.ts';
import {
  judgeChain,
  type Judgement,
  type ModelDesc,
  type ModelRules,
  type Where,
} from '../support/chain-judge.ts';
import { INDIRECT, NEXT, raw, WRITE, writeRaw } from '../support/hostile-ring.ts';
import { RingBench } from '../support/ring-bench.ts';

const SIZE = 4;
const REGION_BYTES = 512 * 1024;
const SECOND_REGION = BASE + 16 * REGION_BYTES;
const TABLE = BASE + REGION_BYTES / 2;
const LENGTH_MAX = 0xffffffff;

const INSIDE = BigInt(TABLE);
const LAST_BYTE = BigInt(BASE + REGION_BYTES - 1);
const IN_HOLE = BigInt(BASE + REGION_BYTES);
const WRAPPING = 2n ** 64n - 8n;

const ALL_FLAGS = [0, 1, 2, 3, 4, 5, 6, 7];
const ALL_NEXTS = [0, 1, 2, 3, 4];

function product(
  addresses: readonly bigint[],
  lengths: readonly number[],
  flags: readonly number[],
  nexts: readonly number[],
): ModelDesc[] {
  return addresses.flatMap((address) =>
    lengths.flatMap((length) =>
      flags.flatMap((flag) => nexts.map((next) => ({ address, length, flags: flag, next }))),
    ),
  );
}

const FULL = product(
  [INSIDE, LAST_BYTE, IN_HOLE, WRAPPING],
  [0, 1, 16, LENGTH_MAX],
  ALL_FLAGS,
  ALL_NEXTS,
);
const FEW = [
  ...product([INSIDE], [1], [0, WRITE], [0]),
  ...product([INSIDE], [1], [NEXT | WRITE], [0, 3, 4]),
  ...product([IN_HOLE], [1], [0], [0]),
];
const MIDDLE = product([INSIDE, LAST_BYTE], [0, 1], ALL_FLAGS, ALL_NEXTS);
const ENTRIES = product(
  [INSIDE],
  [0, 1],
  [0, NEXT, WRITE, NEXT | WRITE, INDIRECT, INDIRECT | NEXT],
  [0, 1, 3, 4],
);
const NAMING = product(
  [INSIDE],
  [0, 8, 16, 32, 48, 64, 80],
  ALL_FLAGS.map((flags) => flags | INDIRECT),
  [0],
);
const BEFORE_NAMING = product([INSIDE], [0, 16], [NEXT, NEXT | WRITE], [1]);

interface Scope {
  readonly indirect: boolean;
  readonly descriptorsMax?: number;
  /** What a place may hold, when so many places are filled already. */
  readonly alphabet: (where: Where, filled: number) => readonly ModelDesc[];
}

/** Fills in descriptors where the model's walk asks for them, and compares at the end of each walk. */
class Explorer {
  readonly seen = new Map<FaultName, number>();
  compared = 0;
  good = 0;
  private readonly bench: RingBench;
  private readonly rules: ModelRules;
  private readonly scope: Scope;
  private readonly cells = {
    ring: new Map<number, ModelDesc>(),
    table: new Map<number, ModelDesc>(),
  };
  private readonly words: Record<Where, number>;

  constructor(scope: Scope) {
    const { indirect, descriptorsMax = SIZE } = scope;
    this.scope = scope;
    this.bench = new RingBench({ size: SIZE, indirect, descriptorsMax });
    const { slice, memory, ring } = this.bench;
    memory.setRegions([
      { guestPhysical: BASE, size: REGION_BYTES, arenaAt: slice.sliceAt },
      {
        guestPhysical: SECOND_REGION,
        size: slice.size - REGION_BYTES,
        arenaAt: slice.sliceAt + REGION_BYTES,
      },
    ]);
    this.rules = {
      queueSize: SIZE,
      descriptorsMax,
      indirect,
      regions: [
        { start: BigInt(BASE), end: BigInt(BASE + REGION_BYTES) },
        { start: BigInt(SECOND_REGION), end: BigInt(SECOND_REGION + slice.size - REGION_BYTES) },
      ],
    };
    this.words = { ring: slice.at(ring.desc) >>> 2, table: slice.at(TABLE) >>> 2 };
    for (let index = 0; index <= SIZE; index++) {
      this.clear('table', index);
      if (index < SIZE) this.clear('ring', index);
    }
  }

  explore(): void {
    const judgement = judgeChain(this.rules, (where, index) => this.cells[where].get(index), 0);
    if ('faults' in judgement) return this.compare(judgement);
    const [where, index] = judgement.needs;
    for (const desc of this.scope.alphabet(where, this.cells.ring.size + this.cells.table.size)) {
      this.cells[where].set(index, desc);
      this.write(where, index, desc);
      this.explore();
      this.cells[where].delete(index);
    }
    this.clear(where, index);
  }

  private write(where: Where, index: number, { address, length, flags, next }: ModelDesc): void {
    const { i32 } = this.bench.arena;
    const word = this.words[where] + 4 * index;
    i32[word] = Number(address & 0xffffffffn);
    i32[word + 1] = Number(address >> 32n);
    i32[word + 2] = length;
    i32[word + 3] = flags | (next << 16);
  }

  /** A descriptor that no walk of the model has reached yet is a fault to whoever reads it. */
  private clear(where: Where, index: number): void {
    writeRaw(this.bench.ring, index, raw(0, 1), where === 'ring' ? this.bench.ring.desc : TABLE);
  }

  private compare({ faults, segments }: Extract<Judgement, { faults: unknown }>): void {
    const { chain, queue } = this.bench;
    chain.begin();
    const code = queue.walk(chain, 0, chain.descriptorsMax);
    this.compared++;
    if (chain.steps > this.rules.descriptorsMax + 1) this.fail(`${chain.steps} descriptors read`);
    if (code !== NO_FAULT) {
      const name = FAULT_NAMES[code]!;
      this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
      if (!faults.has(name)) this.fail(`${name}, not ${[...faults].join(' or ') || 'good'}`);
      return;
    }
    if (faults.size > 0) this.fail(`good, not ${[...faults].join(' or ')}`);
    const filled = segments.filter((segment) => segment.length > 0);
    const same =
      chain.segments === filled.length &&
      filled.every(
        ({ address, length }, n) =>
          chain.length[n] === length &&
          chain.at[n] === this.bench.slice.sliceAt + Number(address) - BASE,
      ) &&
      chain.readableSegments === filled.filter((segment) => !segment.writable).length &&
      chain.readableBytes === bytesOf(filled, false) &&
      chain.writableBytes === bytesOf(filled, true);
    if (!same) this.fail('other segments');
    this.good++;
  }

  private fail(what: string): never {
    const show = (where: Where) =>
      [...this.cells[where]].map(
        ([index, { address, length, flags, next }]) =>
          `${where}[${index}]: 0x${address.toString(16)} +${length} flags ${flags} next ${next}`,
      );
    assert.fail(`${what}: ${[...show('ring'), ...show('table')].join('; ')}`);
  }
}

function bytesOf(
  segments: readonly { length: number; writable: boolean }[],
  writable: boolean,
): number {
  return segments
    .filter((segment) => segment.writable === writable)
    .reduce((sum, segment) => sum + segment.length, 0);
}

function explored(scope: Scope): Explorer {
  const explorer = new Explorer(scope);
  explorer.explore();
  assert.ok(explorer.good > 0, 'some chains are good');
  return explorer;
}

const WITH_TABLES: Scope = {
  indirect: true,
  alphabet: (_where, filled) => (filled < 3 ? FULL : FEW),
};

describe('every descriptor chain of a small scope is judged as the model judges it', () => {
  it('[utest->req~queue.chain-checked~1] three descriptors and tables (catalogue 1, 2, 7-19)', () => {
    const { compared, seen } = explored(WITH_TABLES);
    assert.ok(compared > 500_000, `${compared} chains`);
    for (const name of [
      'descriptor-loop',
      'next-out-of-range',
      'address-out-of-range',
      'readable-after-writable',
      'indirect-nested',
      'indirect-with-next',
      'indirect-length',
    ] as const) {
      assert.ok(seen.has(name), name);
    }
  });

  it('[utest->req~queue.chain-checked~1] three descriptors without the feature for tables (catalogue 1, 2, 7-14)', () => {
    const { compared, seen } = explored({
      indirect: false,
      alphabet: (_where, filled) => (filled < 3 ? FULL : FEW),
    });
    assert.ok(compared > 200_000, `${compared} chains`);
    assert.ok(seen.has('indirect-not-negotiated'));
  });

  it('[utest->req~queue.bounded-walk~1] four descriptors, as many as the queue has (catalogue 1, 2)', () => {
    const { compared } = explored({
      indirect: false,
      alphabet: (_where, filled) => (filled < 3 ? MIDDLE : FULL),
    });
    assert.ok(compared > 1_000_000, `${compared} chains`);
  });

  it('[utest->req~queue.bounded-walk~1] tables of up to four entries (catalogue 15-19)', () => {
    const { compared, seen } = explored({
      indirect: true,
      alphabet: (where, filled) =>
        where === 'table'
          ? filled < 3
            ? FULL
            : ENTRIES
          : filled === 0
            ? [...NAMING, ...BEFORE_NAMING]
            : NAMING,
    });
    assert.ok(compared > 100_000, `${compared} chains`);
    assert.ok(seen.has('chain-too-long'));
  });

  for (const descriptorsMax of [1, 2, 3]) {
    it(`[utest->req~queue.bounded-walk~1] with at most ${descriptorsMax} descriptors in a chain (catalogue 1, 19)`, () => {
      const { compared, seen } = explored({
        indirect: true,
        descriptorsMax,
        alphabet: (_where, filled) => (filled < 2 ? FULL : FEW),
      });
      assert.ok(compared > 600, `${compared} chains`);
      assert.ok(seen.has('chain-too-long'));
    });
  }
});
