/** Random descriptor chains: the device's walk against a plain reference model, fault for fault, byte for byte. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { FAULT_NAMES, type FaultName } from '../../src/base/fault.ts';
import { Arena } from '../../src/data-plane/arena.ts';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { DescriptorChain } from '../../src/data-plane/virtqueue/descriptor-chain.ts';
import { ARENA_PAGES, chainCase, writeCase, type ChainCase } from '../support/chain-cases.ts';
import { modelWalk, type ModelResult } from '../support/chain-model.ts';
import { kernel } from '../support/rig.ts';

const seed = Number(process.env['TEST_SEED'] ?? 27005);
const numRuns = Number(process.env['TEST_RUNS'] ?? 2000);
const SCRATCH_AT = 1024;

interface Walked {
  readonly fault: FaultName;
  readonly steps: number;
  readonly segments: readonly { at: bigint; length: bigint; writable: boolean }[];
  readonly readableBytes: number;
  readonly writableBytes: number;
}

class Bench {
  private readonly arena = new Arena(Arena.memory(ARENA_PAGES), kernel());
  private readonly bytes = new DataView(this.arena.u8.buffer);

  walk(chain: ChainCase): { device: Walked; model: ModelResult } {
    const tableAt = writeCase(chain, this.bytes);
    const { size, head, indirect, descriptorsMax, regions } = chain;
    const model = modelWalk(
      {
        bytes: this.bytes,
        tableAt: BigInt(tableAt),
        size,
        indirect,
        descriptorsMax,
        regions: regions.map(({ guestPhysical, size: bytes, arenaAt }) => ({
          start: BigInt(guestPhysical),
          size: BigInt(bytes),
          arenaAt: BigInt(arenaAt),
        })),
      },
      head,
    );
    const memory = new GuestMemory();
    memory.setRegions(regions);
    const walked = new DescriptorChain(this.arena, memory, descriptorsMax, SCRATCH_AT);
    walked.begin();
    const fault = FAULT_NAMES[walked.extend({ tableAt, size, indirect }, head, size)]!;
    const { segments, readableSegments, readableBytes, writableBytes, steps } = walked;
    return {
      model,
      device: {
        fault,
        steps,
        readableBytes,
        writableBytes,
        segments: Array.from({ length: segments }, (_, n) => ({
          at: BigInt(walked.at[n]! >>> 0),
          length: BigInt(walked.length[n]!),
          writable: n >= readableSegments,
        })),
      },
    };
  }
}

function bytesOf(segments: ModelResult['segments'], writable: boolean): number {
  return segments.reduce(
    (sum, segment) => sum + (segment.writable === writable ? Number(segment.length) : 0),
    0,
  );
}

describe('property: descriptor chains', function () {
  this.timeout(20_000 + 5 * numRuns);
  const bench = new Bench();

  it('[utest->req~queue.chain-checked~1] any chain has the outcome of the reference model', () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(chainCase, (chain) => {
        const { device, model } = bench.walk(chain);
        const outcome = model.loops ? 'descriptor-loop' : (model.faults[0] ?? 'none');
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        // A loop shows after a lap or more, in which another fault may come first.
        const admitted = model.loops ? [...model.faults, 'descriptor-loop'] : model.faults;
        if (admitted.length > 0)
          return assert.ok(admitted.includes(device.fault), `${device.fault} for ${admitted}`);
        assert.equal(device.fault, 'none');
        assert.deepEqual(device.segments, model.segments);
        assert.equal(device.readableBytes, bytesOf(model.segments, false));
        assert.equal(device.writableBytes, bytesOf(model.segments, true));
      }),
      { seed, numRuns },
    );
    if (numRuns < 2000) return;
    const wanted: FaultName[] = [
      'none',
      'next-out-of-range',
      'descriptor-loop',
      'chain-too-long',
      'chain-bytes-exceeded',
      'address-out-of-range',
      'readable-after-writable',
      'indirect-not-negotiated',
      'indirect-nested',
      'indirect-with-next',
      'indirect-length',
    ];
    for (const name of wanted)
      assert.ok((outcomes.get(name) ?? 0) >= numRuns / 1000, `${name} is hardly tried`);
  });

  it('[utest->req~queue.bounded-walk~1] no chain takes more steps than its limit and one table', () => {
    fc.assert(
      fc.property(chainCase, (chain) => {
        const { device } = bench.walk(chain);
        const limit = Math.min(chain.size, chain.descriptorsMax);
        assert.ok(device.steps <= limit + 1 && device.segments.length <= limit);
      }),
      { seed: seed + 1, numRuns: Math.ceil(numRuns / 4) },
    );
  });

  it('[utest->req~mem.bounds~1] no segment leaves the memory regions, whatever the outcome', () => {
    fc.assert(
      fc.property(chainCase, (chain) => {
        for (const { at, length } of bench.walk(chain).device.segments) {
          assert.ok(
            chain.regions.some(
              ({ arenaAt, size }) => at >= BigInt(arenaAt) && at + length <= BigInt(arenaAt + size),
            ),
          );
        }
      }),
      { seed: seed + 2, numRuns: Math.ceil(numRuns / 4) },
    );
  });
});
