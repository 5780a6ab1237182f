/** Rings full of random nonsense that changes while it is served, beside an honest pair. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { FAULT_NAMES } from '../../src/base/fault.ts';
import { EMBEDDED_GUEST_PHYSICAL as BASE } from '../../src/schedule/arena-layout.ts';
import { queueOf, ringOf, TARGETS, usedSince, type Target } from '../support/attack-targets.ts';
import {
  INDIRECT,
  NEXT,
  raw,
  WRITE,
  writeRaw,
  writeTable,
  type RawDesc,
} from '../support/hostile-ring.ts';
import { besideNeighbours } from '../support/neighbours.ts';
import type { Rig } from '../support/rig.ts';

const seed = Number(process.env['TEST_SEED'] ?? 411_077);
const numRuns = Number(process.env['TEST_RUNS'] ?? 25);

const SIZE = 64;
const MIB = 1024 * 1024;
/** Free memory of a: buffers and tables, nothing that its rings need. */
const FREE = BASE + MIB / 2;
/** The lowest heads, so that chains meet. */
const HEADS = 8;

const address = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: FREE, max: BASE + MIB - 2048 }) },
  fc.constantFrom(0, BASE - 1, BASE + MIB - 1, BASE + MIB, 2 ** 52, FREE),
);
const length = fc.oneof(
  fc.constantFrom(0, 1, 12, 16, 48, 60, 2048),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
);
const flags = fc.constantFrom(0, NEXT, WRITE, NEXT | WRITE, INDIRECT, INDIRECT | NEXT, 7, 0xfff8);
const next = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: HEADS }) },
  fc.constantFrom(SIZE - 1, SIZE, 0xffff),
);
const desc = fc.tuple(address, length, flags, next).map((fields) => raw(...fields));
const table = fc.array(desc, { minLength: HEADS, maxLength: HEADS });

/** Returned heads, each as often as it was exposed, or a stopped ring. */
function assertNothingLost(
  rig: Rig,
  target: Target,
  from: number,
  exposed: readonly number[],
): void {
  const { ring } = queueOf(rig, target);
  const returned = usedSince(ringOf(rig, target), from).map((element) => element.id);
  assert.deepEqual(
    returned,
    exposed.slice(0, returned.length),
    'heads come back in order, each once',
  );
  if (ring.started) {
    if (target.role !== 'receive') assert.equal(returned.length, exposed.length, 'no head is lost');
    return;
  }
  assert.ok(Object.keys(rig.faults('a')).includes(FAULT_NAMES[ring.brokenBy]!));
}

function writeEverywhere(rig: Rig, target: Target, descs: readonly RawDesc[]): void {
  const ring = ringOf(rig, target);
  writeTable(ring, descs);
  writeTable(ring, descs, 0, FREE);
}

describe('random descriptors', () => {
  for (const target of TARGETS) {
    it(
      `[utest->req~queue.chain-returned~1] ${target.name}: every head comes back once, or the ring is stopped ` +
        '(catalogue 30)',
      () => {
        fc.assert(
          fc.property(
            table,
            fc.uniqueArray(fc.integer({ min: 0, max: HEADS - 1 }), { maxLength: HEADS }),
            (descs, heads) => {
              let from = 0;
              besideNeighbours({
                ...target.scenario,
                features: [...(target.scenario.features ?? []), 'VIRTIO_RING_F_INDIRECT_DESC'],
                attack: (rig) => {
                  from = ringOf(rig, target).usedIndex;
                  writeEverywhere(rig, target, descs);
                  for (const head of heads) ringOf(rig, target).expose(head);
                },
                then: (rig) => assertNothingLost(rig, target, from, heads),
              });
            },
          ),
          { seed, numRuns },
        );
      },
    );

    it(
      `[utest->req~fault.contain~1] ${target.name}: rings and descriptors that change at every moment harm ` +
        'nobody else (catalogue 20, 22)',
      () => {
        const change = fc.tuple(fc.nat(HEADS - 1), desc, fc.nat(0xffff), fc.nat(SIZE + 1));
        fc.assert(
          fc.property(
            table,
            fc.array(change, { minLength: 1, maxLength: 20 }),
            (descs, changes) => {
              let turn = 0;
              besideNeighbours({
                ...target.scenario,
                features: [...(target.scenario.features ?? []), 'VIRTIO_RING_F_INDIRECT_DESC'],
                attack: (rig) => writeEverywhere(rig, target, descs),
                meanwhile: (rig) => {
                  const ring = ringOf(rig, target);
                  const [index, changed, used, head] = changes[turn++ % changes.length]!;
                  writeRaw(ring, index, changed);
                  writeRaw(ring, index, changed, FREE);
                  ring.slice.write(ring.used, [used & 0xff, used >> 8, used >> 8, used & 0xff]);
                  if (turn % 4 === 0) ring.expose(head);
                },
              });
            },
          ),
          { seed, numRuns },
        );
      },
    );
  }
});
