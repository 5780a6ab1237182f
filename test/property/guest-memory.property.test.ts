/** translate() at every edge of every region, against arithmetic that is exact at any size. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { GuestMemory, type MemoryRegion } from '../../src/data-plane/guest-memory.ts';
import { REGIONS_MAX } from '../../src/schedule/arena-layout.ts';
import { translate, type ModelRegion } from '../support/chain-model.ts';

const seed = Number(process.env['TEST_SEED'] ?? 27053);
const numRuns = Number(process.env['TEST_RUNS'] ?? 500);
const TWO_53 = 2n ** 53n;
const WORD = 2n ** 32n;

function memoryOf(regions: readonly MemoryRegion[]): GuestMemory {
  const memory = new GuestMemory();
  memory.setRegions(regions);
  return memory;
}

function modelOf(regions: readonly MemoryRegion[]): ModelRegion[] {
  return regions.map(({ guestPhysical, size, arenaAt }) => ({
    start: BigInt(guestPhysical),
    size: BigInt(size),
    arenaAt: BigInt(arenaAt),
  }));
}

/** What translate() says of a 64-bit address, as an unsigned offset; 0 is a refusal. */
function ask(memory: GuestMemory, address: bigint, length: bigint): bigint {
  const bits = BigInt.asUintN(64, address);
  const pattern = (word: bigint) => Number(BigInt.asIntN(32, word));
  const at = memory.translate(pattern(bits), pattern(bits >> 32n), pattern(length));
  assert.equal(at, at | 0, 'an offset is a signed 32-bit pattern');
  return BigInt(at >>> 0);
}

/** Compares with the model at each address for lengths around what is left of the region, and the largest. */
function compareAround(regions: readonly MemoryRegion[], addresses: readonly bigint[]): void {
  const memory = memoryOf(regions);
  const model = modelOf(regions);
  for (const wide of addresses) {
    const address = BigInt.asUintN(64, wide);
    const lengths = new Set([0n, 1n, WORD - 1n, 2n ** 31n]);
    for (const { start, size } of model) {
      for (const end of [start, start + size]) {
        for (const slack of [-1n, 0n, 1n]) lengths.add(end - address + slack);
      }
    }
    for (const length of lengths) {
      if (length < 0n || length >= WORD) continue;
      const expected = translate(model, address, length) ?? 0n;
      assert.equal(ask(memory, address, length), expected, `address ${address}, ${length} bytes`);
    }
  }
}

function edgesOf(regions: readonly MemoryRegion[]): bigint[] {
  return modelOf(regions).flatMap(({ start, size }) => [
    start - 1n,
    start,
    start + 1n,
    start + size - 1n,
    start + size,
    start + size + 1n,
  ]);
}

/** Disjoint regions, some of them touching, from a start on; arena slices in any order. */
const regionList: fc.Arbitrary<MemoryRegion[]> = fc
  .record({
    start: fc.oneof(
      fc.constantFrom(0, 1, 0x1000, 0xffff_f000, 0x1_0000_0000, 2 ** 52),
      fc.integer({ min: 0, max: 2 ** 53 - 2 ** 37 }),
    ),
    parts: fc.array(
      fc.record({
        hole: fc.oneof(fc.constant(0), fc.constantFrom(1, 0x1000, 0xffff_ffff), fc.nat(100_000)),
        size: fc.oneof(
          fc.constantFrom(1, 2, 0x1000, 0x1_0000),
          fc.integer({ min: 1, max: 0x700_0000 }),
        ),
      }),
      { minLength: 1, maxLength: REGIONS_MAX },
    ),
  })
  .chain(({ start, parts }) => {
    let guest = start;
    let arena = 64;
    const regions = parts.map(({ hole, size }) => {
      const region = { guestPhysical: guest + hole, size, arenaAt: arena };
      guest = region.guestPhysical + size;
      arena += size + 1;
      return region;
    });
    return fc.shuffledSubarray(regions, { minLength: regions.length });
  });

describe('property: guest memory', function () {
  this.timeout(20_000 + 5 * numRuns);

  it('[utest->req~mem.bounds~1] translate is exact at and around every edge of every region (catalogue 7)', () => {
    fc.assert(
      fc.property(regionList, (regions) =>
        compareAround(regions.slice(0, 6), edgesOf(regions.slice(0, 6))),
      ),
      { seed, numRuns },
    );
  });

  it('[utest->req~mem.bounds~1] any address and length, with all 32 regions in use', () => {
    fc.assert(
      fc.property(
        regionList,
        fc.bigInt(0n, TWO_53 - 1n),
        fc.bigInt(0n, WORD - 1n),
        (regions, address, length) => {
          const near = modelOf(regions).map(({ start, size }) => start + (address % (size + 1n)));
          for (const at of [address, ...near]) {
            for (const bytes of [length, length % 0x2000n]) {
              assert.equal(
                ask(memoryOf(regions), at, bytes),
                translate(modelOf(regions), at, bytes) ?? 0n,
              );
            }
          }
        },
      ),
      { seed, numRuns: Math.ceil(numRuns / 2) },
    );
  });

  it('[utest->req~mem.wrap~1] an address of more than 53 bits is refused, however near its low bits are (catalogue 8)', () => {
    const high = fc.integer({ min: 53, max: 63 }).map((bit) => 2n ** BigInt(bit));
    fc.assert(
      fc.property(regionList, high, (regions, bits) => {
        const some = regions.slice(0, 6);
        compareAround(
          some,
          edgesOf(some).map((edge) => edge + bits),
        );
        for (const edge of edgesOf(some)) assert.equal(ask(memoryOf(some), edge | bits, 0n), 0n);
      }),
      { seed, numRuns },
    );
  });

  it('[utest->req~mem.wrap~1] the last bytes below 2^53 and below 2^64 do not wrap (catalogue 8)', () => {
    const last = { guestPhysical: 2 ** 53 - 0x1001, size: 0x1000, arenaAt: 0x8000_0000 };
    const first = { guestPhysical: 0, size: 0x1000, arenaAt: 0x1000 };
    compareAround(
      [first, last],
      [
        ...edgesOf([first, last]),
        TWO_53 - 2n,
        TWO_53 - 1n,
        TWO_53,
        TWO_53 + 1n,
        2n ** 63n,
        2n ** 64n - 1n,
        2n ** 64n - 0x1000n,
      ],
    );
  });

  it('[utest->req~mem.bounds~1] a region of more than 2 GiB, in an arena up to its last page', () => {
    const region = { guestPhysical: 0xffff_ff00, size: 0xfffe_ffc0, arenaAt: 64 };
    const near = [0n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n].map((into) => 0xffff_ff00n + into);
    compareAround([region], [...edgesOf([region]), ...near]);
  });

  it('[utest->req~mem.bounds~1] two regions that touch are still two: no range spans both (catalogue 7)', () => {
    const regions = [
      { guestPhysical: 0x1000, size: 0x1000, arenaAt: 0x10000 },
      { guestPhysical: 0x2000, size: 0x1000, arenaAt: 0x11000 },
    ];
    const memory = memoryOf(regions);
    assert.equal(ask(memory, 0x1fffn, 1n), 0x10fffn);
    assert.equal(ask(memory, 0x2000n, 1n), 0x11000n);
    assert.equal(ask(memory, 0x1fffn, 2n), 0n);
  });

  it('[utest->req~mem.bounds~1] a new region table replaces the old one wholly, also by a shorter one', () => {
    const region = (n: number) => ({
      guestPhysical: n * 0x1000,
      size: 0x1000,
      arenaAt: (n + 1) * 0x10000,
    });
    const memory = memoryOf([region(0), region(1), region(2)]);
    memory.setRegions([region(5)]);
    for (let n = 0; n < 5; n++) assert.equal(ask(memory, BigInt(n * 0x1000), 1n), 0n);
    assert.equal(ask(memory, 0x5000n, 1n), 0x60000n);
    memory.setRegions([]);
    assert.equal(ask(memory, 0x5000n, 1n), 0n);
  });

  it('[utest->req~mem.bounds~1] without a region every address is refused', () => {
    for (const address of [0n, 1n, 0x1000n]) assert.equal(ask(new GuestMemory(), address, 0n), 0n);
  });

  it('[utest->req~mem.bounds~1] a region table that does not fit, or an empty region, is our own mistake', () => {
    const region = { guestPhysical: 0, size: 1, arenaAt: 64 };
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ ...region, guestPhysical: n }));
    assert.doesNotThrow(() => memoryOf(many(REGIONS_MAX)));
    const wrong = [
      many(REGIONS_MAX + 1),
      [{ ...region, size: 0 }],
      [{ ...region, guestPhysical: 2 ** 53 }],
    ];
    for (const regions of wrong) assert.throws(() => memoryOf(regions), { name: 'InternalError' });
  });

  it('[utest->req~mem.wrap~1] a region that reaches past 2^53 is refused, or its part there is', () => {
    const region = { guestPhysical: 2 ** 53 - 0x1000, size: 0x2000, arenaAt: 0x10000 };
    const memory = new GuestMemory();
    try {
      memory.setRegions([region]);
    } catch (error) {
      assert.equal((error as Error).name, 'InternalError');
      return;
    }
    assert.equal(ask(memory, TWO_53, 1n), 0n);
  });
});
