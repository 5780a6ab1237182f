/** Random queues for the walk of descriptor chains: regions with holes, tables, indirect tables, hostile fields. */
import fc from 'fast-check';
import type { MemoryRegion } from '../../src/data-plane/guest-memory.ts';

const PAGE = 65536;
const TABLE_AT = PAGE;
/** Four GiB of arena, of which only touched pages exist. */
export const ARENA_PAGES = 65535;

/** Neighbours in guest-physical addresses, holes, the 4 GiB edge, the 2^53 edge, and one region above 2 GiB. */
const REGIONS: readonly MemoryRegion[] = [
  { guestPhysical: 0x1000, size: 0x1000, arenaAt: 0x10_0000 },
  { guestPhysical: 0x2000, size: 0x3000, arenaAt: 0x11_0000 },
  { guestPhysical: 0xffff_f000, size: 0x2000, arenaAt: 0x12_0000 },
  { guestPhysical: 2 ** 53 - 0x1001, size: 0x1000, arenaAt: 0x13_0000 },
  { guestPhysical: 0x10_0000_0000, size: 0xe000_0000, arenaAt: 0x1000_0000 },
];

export interface DescPlan {
  readonly region: number;
  readonly offset: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
  /** Index of an indirect table that this descriptor names, or -1. */
  readonly table: number;
  readonly wildAddress: bigint | undefined;
}

export interface TablePlan {
  readonly region: number;
  readonly offset: number;
  readonly descs: readonly DescPlan[];
}

export interface ChainCase {
  readonly regions: readonly MemoryRegion[];
  readonly size: number;
  readonly head: number;
  readonly indirect: boolean;
  readonly descriptorsMax: number;
  readonly descs: readonly DescPlan[];
  readonly tables: readonly TablePlan[];
}

const often = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>, weight: number) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: rare });

const wildAddress = fc.oneof(
  fc.constantFrom(
    0n,
    0xfffn,
    2n ** 32n - 1n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 0x1000n,
    2n ** 63n,
    2n ** 64n - 1n,
    2n ** 64n - 0x1000n,
    0x1n << 48n,
  ),
  fc
    .tuple(
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constantFrom(0, 1, 0x10, 0x1fffff, 0x200000, 0x80000000),
    )
    .map(([low, high]) => (BigInt(high) << 32n) | BigInt(low)),
  // Region 0 again, 2^53 and 2^63 higher: a device that drops high bits would find it.
  fc.constantFrom(0x1000n + 2n ** 53n, 0x1000n + 2n ** 63n, 0x1000n + 2n ** 32n),
);

const offset = fc.oneof(fc.constantFrom(0, 1, 0xfff, 0xff0, 0x1000, -1), fc.nat(0x1100));
const length = often(
  fc.oneof(fc.constantFrom(0, 1, 12, 16, 60), fc.nat(1600)),
  fc.constantFrom(
    0x1000,
    0x1001,
    0x2000,
    0x5000_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
  ),
  6,
);

function desc(
  regions: number,
  size: number,
  at: number,
  writableFrom: number,
  tables: number,
): fc.Arbitrary<DescPlan> {
  const follow = often(
    fc.constant((at + 1) % size),
    fc.oneof(fc.nat(size + 1), fc.constant(0xffff)),
    5,
  );
  const writable = often(fc.constant(at >= writableFrom), fc.boolean(), 12).map((set) =>
    set ? 2 : 0,
  );
  const unknown = often(fc.constant(0), fc.constantFrom(8, 0x8000, 0xfff8), 20);
  return fc.record({
    region: often(fc.constant(regions - 1), fc.nat(regions - 1), 1),
    offset: often(fc.nat(0x800), offset, 4),
    length,
    flags: fc
      .tuple(often(fc.constant(1), fc.constant(0), 2), writable, unknown)
      .map(([follows, write, other]) => follows | write | other),
    next: follow,
    table: tables === 0 ? fc.constant(-1) : often(fc.constant(-1), fc.nat(tables - 1), 4),
    wildAddress: often(fc.constant(undefined), wildAddress, 25),
  });
}

function list(regions: number, count: number, tables: number): fc.Arbitrary<DescPlan[]> {
  return fc
    .nat(count)
    .chain((writableFrom) =>
      fc.tuple(
        ...Array.from({ length: count }, (_, at) => desc(regions, count, at, writableFrom, tables)),
      ),
    );
}

export const chainCase: fc.Arbitrary<ChainCase> = fc
  .record({
    regions: fc.shuffledSubarray([...REGIONS], { minLength: 1 }),
    sizeLog2: fc.nat(4),
    tables: fc.nat(2),
  })
  .chain(({ regions, sizeLog2, tables }) => {
    const size = 1 << sizeLog2;
    const table = fc.integer({ min: 1, max: size + 1 }).chain((entries) =>
      fc.record({
        region: fc.nat(regions.length - 1),
        offset: often(
          fc.nat(0x80).map((n) => n * 16),
          offset,
          2,
        ),
        descs: list(regions.length, entries, tables),
      }),
    );
    return fc.record({
      regions: fc.constant(regions),
      size: fc.constant(size),
      head: fc.nat(size - 1),
      indirect: often(fc.constant(true), fc.constant(false), 8),
      descriptorsMax: often(fc.constantFrom(20, 256), fc.integer({ min: 1, max: 20 }), 2),
      descs: list(regions.length, size, tables),
      tables: fc.array(table, { minLength: tables, maxLength: tables }),
    });
  });

/** Writes all tables of a case into the arena; the queue's own table is at the returned offset. */
export function writeCase(chain: ChainCase, bytes: DataView): number {
  const addressOf = (region: number, at: number) =>
    BigInt(chain.regions[region]!.guestPhysical) + BigInt(at);
  const write = (at: number, plan: DescPlan) => {
    const named = chain.tables[plan.table];
    const address =
      plan.wildAddress ??
      (named ? addressOf(named.region, named.offset) : addressOf(plan.region, plan.offset));
    bytes.setBigUint64(at, BigInt.asUintN(64, address), true);
    // A descriptor that names a table keeps a wrong length now and then.
    const whole = named !== undefined && plan.offset % 8 !== 0;
    bytes.setUint32(at + 8, whole ? 16 * named.descs.length : plan.length, true);
    const alone = named !== undefined && plan.offset % 5 !== 0;
    bytes.setUint16(
      at + 12,
      named ? 4 | (alone ? plan.flags & ~1 : plan.flags) : plan.flags & ~4,
      true,
    );
    bytes.setUint16(at + 14, plan.next, true);
  };
  for (const { region, offset: from, descs } of chain.tables) {
    const at = chain.regions[region]!.arenaAt + Math.max(0, from);
    descs.forEach((plan, n) => write(at + 16 * n, plan));
  }
  chain.descs.forEach((plan, n) => write(TABLE_AT + 16 * n, plan));
  return TABLE_AT;
}
