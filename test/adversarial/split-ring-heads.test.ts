/** Hostile available rings: heads and indices that no honest driver writes, beside an honest pair (VIRTIO 2.7.6). */
import { strict as assert } from 'node:assert';
import type { FaultName } from '../../src/base/fault.ts';
import {
  assertStopped,
  exposeHonest,
  HONEST_FIRST,
  ringOf,
  TARGETS,
  usedSince,
  type Target,
} from '../support/attack-targets.ts';
import { NEXT, writeRaw } from '../support/hostile-ring.ts';
import { besideNeighbours } from '../support/neighbours.ts';
import type { Rig } from '../support/rig.ts';
import type { RingDouble } from '../support/ring-double.ts';

const QUEUE_SIZE = 64;

interface RingAttack {
  readonly attack: (rig: Rig, ring: RingDouble) => void;
  readonly meanwhile?: (rig: Rig, ring: RingDouble) => void;
  /** The fault that stops the ring, if one does. */
  readonly stops?: FaultName;
  /** Heads that are returned all the same, in order. */
  readonly returned: readonly number[];
}

function runAgainst(target: Target, { attack, meanwhile, stops, returned }: RingAttack): void {
  let from = 0;
  besideNeighbours({
    ...target.scenario,
    attack: (rig) => {
      from = ringOf(rig, target).usedIndex;
      attack(rig, ringOf(rig, target));
    },
    ...(meanwhile && { meanwhile: (rig: Rig) => meanwhile(rig, ringOf(rig, target)) }),
    then: (rig) => {
      if (stops) assertStopped(rig, target, stops);
      else assert.deepEqual(rig.faults('a'), {});
      assert.deepEqual(
        usedSince(ringOf(rig, target), from).map((element) => element.id),
        returned,
      );
    },
  });
}

/** Exposes an honest request whose first descriptor is `head`. */
function exposeAt(rig: Rig, target: Target, head: number): void {
  const ring = ringOf(rig, target);
  const [first, second] = target.honest(rig);
  writeRaw(ring, head, second ? { ...first!, flags: first!.flags | NEXT, next: 0 } : first!);
  if (second) writeRaw(ring, 0, second);
  ring.expose(head);
}

for (const target of TARGETS) {
  describe(`a hostile head on a ${target.name}`, () => {
    for (const head of [QUEUE_SIZE, QUEUE_SIZE + 1, 0x8000, 0xffff]) {
      it(`[utest->req~queue.chain-returned~1] head ${head} of ${QUEUE_SIZE} stops the ring (catalogue 3)`, () => {
        runAgainst(target, {
          attack: (_rig, ring) => ring.expose(head),
          stops: 'head-out-of-range',
          returned: [],
        });
      });
    }

    it('[utest->req~queue.chain-returned~1] behind an honest one stops the ring after that (catalogue 3)', () => {
      runAgainst(target, {
        attack: (rig, ring) => {
          exposeHonest(rig, target);
          ring.expose(QUEUE_SIZE);
        },
        stops: 'head-out-of-range',
        returned: [HONEST_FIRST],
      });
    });

    it('[utest->req~queue.chain-checked~1] is not the last one of the table (catalogue 3)', () => {
      const head = QUEUE_SIZE - 1;
      runAgainst(target, { attack: (rig) => exposeAt(rig, target, head), returned: [head] });
    });

    for (const [title, copies] of [
      ['twice', 2],
      ['in every place of the ring', QUEUE_SIZE],
    ] as const) {
      it(`[utest->req~queue.in-flight-once~1] that is ${title} in the ring stops it (catalogue 6)`, () => {
        runAgainst(target, {
          attack: (rig, ring) => {
            exposeHonest(rig, target);
            for (let n = 1; n < copies; n++) ring.expose(HONEST_FIRST);
          },
          stops: 'head-in-flight',
          returned: [HONEST_FIRST],
        });
      });
    }

    it('[utest->req~queue.in-flight-once~1] may come again once it has been returned (catalogue 6)', () => {
      let again = 0;
      runAgainst(target, {
        attack: (rig) => {
          again = ringOf(rig, target).usedIndex + 1;
          exposeHonest(rig, target);
        },
        meanwhile: (_rig, ring) => {
          if (ring.usedIndex !== again) return;
          again = -1;
          ring.expose(HONEST_FIRST);
        },
        returned: [HONEST_FIRST, HONEST_FIRST],
      });
    });
  });

  describe(`a hostile available index on a ${target.name}`, () => {
    for (const jump of [QUEUE_SIZE + 1, 0x7fff, 0x8000, 0xffc0, 0xfffe, 0xffff]) {
      it(`[utest->req~queue.index-plausible~1] ${jump} ahead stops the ring (catalogue 4)`, () => {
        runAgainst(target, {
          attack: (_rig, ring) => ring.setAvailIndex(ring.availIndex + jump),
          stops: 'avail-index-out-of-range',
          returned: [],
        });
      });
    }

    it('[utest->req~queue.index-plausible~1] that takes back a returned head stops the ring (catalogue 4)', () => {
      let returned = 0;
      runAgainst(target, {
        attack: (rig, ring) => {
          returned = ring.usedIndex + 1;
          exposeHonest(rig, target);
        },
        meanwhile: (_rig, ring) => {
          if (ring.usedIndex === returned) ring.setAvailIndex(ring.availIndex - 1);
        },
        stops: 'avail-index-out-of-range',
        returned: [HONEST_FIRST],
      });
    });
  });

  describe(`garbage in the flags of a ${target.name}`, () => {
    it('[utest->req~queue.notify-suppression~1] changes nothing but notifications (catalogue 24)', () => {
      runAgainst(target, {
        attack: (rig, ring) => {
          ring.setAvailFlags(0xfffe);
          ring.setUsedEvent(0xdead);
          exposeHonest(rig, target);
        },
        returned: [HONEST_FIRST],
      });
    });
  });
}
