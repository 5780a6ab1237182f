/** Random lives of a packed ring against a model of plain lists; random lists against plain rules. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { FaultName } from '../../src/base/fault.ts';
import { EMBEDDED_GUEST_PHYSICAL as BASE } from '../../src/schedule/arena-layout.ts';
import { translate } from '../support/chain-model.ts';
import { INDIRECT, NEXT, raw, WRITE, type RawDesc } from '../support/hostile-ring.ts';
import { PackedBench } from '../support/packed-bench.ts';
import { PackedModel, type Step } from '../support/packed-model.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const small = fc.integer({ min: 1, max: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('submit' as const),
      length: fc.oneof({ weight: 5, arbitrary: small }, fc.integer({ min: 1, max: 140 })),
      hidden: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      op: fc.constantFrom('reveal', 'take', 'take', 'untake', 'complete', 'complete'),
      n: small,
    }),
  },
  fc.record({
    op: fc.constant('event' as const),
    flags: fc.constantFrom(0, 1, 2, 2, 2, 3),
    ahead: fc.nat(200),
  }),
  {
    weight: 10,
    arbitrary: fc.record({
      op: fc.constantFrom('look', 'look', 'publish', 'decide', 'reap', 'reap'),
    }),
  },
  fc.record({ op: fc.constant('restart' as const) }),
);

describe('property: the life of a packed ring', () => {
  it('[utest->req~queue.packed-lists~1] any life is that of the model: what is there, taken, used, notified and resumed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }) },
          fc.constantFrom(64, 100, 130),
        ),
        fc.array(step, { minLength: 20, maxLength: 200 }),
        (size, steps) => {
          const model = new PackedModel(size);
          for (const next of steps) model.run(next);
        },
      ),
      seededRuns(28001, 400),
    );
  });
});

const HOLE_AT = 0x8000;
const HOLE_BYTES = 0x1000;
const MEMORY = 0x100000;
const REGIONS = [
  { guestPhysical: BASE, size: HOLE_AT, arenaAt: 65536 },
  {
    guestPhysical: BASE + HOLE_AT + HOLE_BYTES,
    size: MEMORY - HOLE_AT - HOLE_BYTES,
    arenaAt: 65536 + HOLE_AT + HOLE_BYTES,
  },
];
const MODEL_REGIONS = REGIONS.map(({ guestPhysical, size, arenaAt }) => ({
  start: BigInt(guestPhysical),
  size: BigInt(size),
  arenaAt: BigInt(arenaAt),
}));

/** A descriptor, or with `table` one that names a table of these. */
interface Piece extends RawDesc {
  readonly table?: readonly RawDesc[];
}

const address = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: BASE + 0x2000, max: BASE + HOLE_AT - 2048 }) },
  fc.constantFrom(0, BASE - 1, BASE + HOLE_AT - 1, BASE + HOLE_AT, BASE + MEMORY, 2 ** 52),
);
const length = fc.oneof(
  { weight: 12, arbitrary: fc.nat(1500) },
  fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff),
);
const desc = (flags: fc.Arbitrary<number>): fc.Arbitrary<RawDesc> =>
  fc.tuple(address, length, flags).map((fields) => raw(...fields));
const rarely = <T>(usual: T, other: T, weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, fc.constant(other));
const inTable = fc
  .tuple(
    fc.constantFrom(0, WRITE),
    fc.constantFrom(0, NEXT, 0x8081, 0xfff9),
    rarely(0, INDIRECT, 30),
  )
  .map(([direction, ignored, nested]) => direction | ignored | nested);

/** Readable ones first, now and then not. */
function ordered<T extends RawDesc>(list: readonly T[], honest: boolean): T[] {
  return honest ? [...list].sort((a, b) => (a.flags & WRITE) - (b.flags & WRITE)) : [...list];
}

const listCase = fc.record({
  indirect: rarely(true, false, 6),
  descriptorsMax: fc.constantFrom(3, 8, 20),
  list: fc
    .tuple(
      fc.array(desc(fc.constantFrom(0, WRITE)), { minLength: 1, maxLength: 8 }),
      rarely(true, false, 5),
    )
    .map(([list, honest]) => ordered(list, honest)),
  tables: fc.array(
    fc.record({
      at: fc.nat(7),
      entries: fc
        .tuple(fc.array(desc(inTable), { minLength: 1, maxLength: 9 }), rarely(true, false, 5))
        .map(([list, honest]) => ordered(list, honest)),
      wrongLength: fc.oneof(
        { weight: 8, arbitrary: fc.constant(0) },
        fc.constantFrom(-16, 8, 4096),
      ),
    }),
    { maxLength: 1 },
  ),
  alone: fc.boolean(),
});

interface Rules {
  readonly size: number;
  readonly indirect: boolean;
  readonly descriptorsMax: number;
}

class Judge {
  readonly segments: { at: number; length: number }[] = [];
  private count = 0;
  private readonly sums = [0, 0];
  private writable = false;
  private readonly rules: Rules;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /** The faults of the first descriptor that has one; none when the list is in order. */
  judge(list: readonly Piece[]): FaultName[] {
    for (const piece of list) {
      if (this.count === this.rules.descriptorsMax) return ['chain-too-long'];
      const faults = piece.table
        ? this.judgeTable(piece, piece.table, list.length)
        : this.judgePiece(piece);
      if (faults.length > 0) return faults;
    }
    return [];
  }

  private at({ low, high, length: bytes }: RawDesc): bigint | undefined {
    return translate(MODEL_REGIONS, (BigInt(high) << 32n) | BigInt(low), BigInt(bytes));
  }

  private judgeTable(naming: RawDesc, table: readonly RawDesc[], listed: number): FaultName[] {
    const faults: FaultName[] = [];
    if (!this.rules.indirect) faults.push('indirect-not-negotiated');
    if (listed > 1) faults.push('indirect-with-next');
    const entries = naming.length / 16;
    if (entries === 0 || !Number.isInteger(entries) || entries > this.rules.size)
      faults.push('indirect-length');
    if (this.at(naming) === undefined) faults.push('address-out-of-range');
    if (faults.length > 0) return faults;
    for (const piece of table.slice(0, entries)) {
      if (this.count === this.rules.descriptorsMax) return ['chain-too-long'];
      const found =
        (piece.flags & INDIRECT) !== 0 ? ['indirect-nested' as const] : this.judgePiece(piece);
      if (found.length > 0) return found;
    }
    return [];
  }

  private judgePiece(piece: RawDesc): FaultName[] {
    this.count++;
    const faults: FaultName[] = [];
    const writes = (piece.flags & WRITE) !== 0;
    const at = this.at(piece);
    if (at === undefined) faults.push('address-out-of-range');
    this.sums[writes ? 1 : 0]! += piece.length;
    if (Math.max(...this.sums) >= 2 ** 31) faults.push('chain-bytes-exceeded');
    if (!writes && this.writable) faults.push('readable-after-writable');
    this.writable ||= writes;
    if (at !== undefined && piece.length > 0)
      this.segments.push({ at: Number(at), length: piece.length });
    return faults;
  }
}

describe('property: lists of a packed ring', () => {
  const bench = new PackedBench({ size: 8, indirect: true });
  bench.memory.setRegions(REGIONS);
  const tableAt = BASE + 0x10000;

  it('[utest->req~queue.chain-checked~1] any list has the outcome of the plain rules', () => {
    const outcomes = new Map<string, number>();
    const runs = seededRuns(28006, 3000);
    fc.assert(
      fc.property(listCase, ({ list, tables, alone, indirect, descriptorsMax }) => {
        const pieces: Piece[] = [...list];
        for (const { at, entries, wrongLength } of tables) {
          const bytes = Math.max(0, 16 * entries.length + wrongLength);
          const naming = { ...raw(tableAt + at, bytes, INDIRECT), table: entries };
          bench.slice.write(
            tableAt + at,
            entries.flatMap((entry) => [...bench.double.encode(entry)]),
          );
          if (alone) pieces.splice(0, pieces.length, naming);
          else pieces[at % pieces.length] = naming;
        }
        bench.start({ indirect });
        for (let n = 0; n < 8; n++) bench.double.setFlags(n, 0);
        const fault = bench.submitAndWalk(pieces, descriptorsMax);
        const judge = new Judge({ size: 8, indirect, descriptorsMax });
        const faults = judge.judge(pieces);
        outcomes.set(faults[0] ?? 'none', (outcomes.get(faults[0] ?? 'none') ?? 0) + 1);
        if (faults.length > 0)
          return assert.ok(faults.includes(fault), `${fault} for ${faults.join()}`);
        assert.equal(fault, 'none');
        assert.deepEqual([...bench.readable, ...bench.writable], judge.segments);
      }),
      runs,
    );
    if (runs.numRuns < 3000) return;
    const wanted: FaultName[] = [
      'none',
      'chain-too-long',
      'address-out-of-range',
      'readable-after-writable',
      'indirect-not-negotiated',
      'indirect-nested',
      'indirect-with-next',
      'indirect-length',
    ];
    for (const name of wanted) assert.ok((outcomes.get(name) ?? 0) >= 3, `${name} is hardly tried`);
  });
});
