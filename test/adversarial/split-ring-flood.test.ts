/** A guest that never stops: it fills its rings again whenever the data plane looks at its clock. */
import { strict as assert } from 'node:assert';
import { QueueCounter } from '../../src/channel/counters.ts';
import { queueOf, ringOf, TARGETS, type Target } from '../support/attack-targets.ts';
import { NEXT, raw, writeTable, type RawDesc } from '../support/hostile-ring.ts';
import { besideNeighbours } from '../support/neighbours.ts';
import type { Rig } from '../support/rig.ts';

const QUEUE_SIZE = 64;
const LAST = QUEUE_SIZE - 1;
const ATTACKED_FRAMES = 2;
/** requestsMax of the rig's windows. */
const REQUESTS_MAX = { transmit: 1000, receive: 0, control: 16 } as const;

/** Refills the ring with this chain up to its size, reusing heads as they come back. */
function refill(rig: Rig, target: Target): void {
  const ring = ringOf(rig, target);
  const inRing = (ring.availIndex - ring.usedIndex) & 0xffff;
  for (let n = inRing; n < QUEUE_SIZE; n++) ring.expose(ring.availIndex % QUEUE_SIZE, false);
  ring.setAvailIndex(ring.availIndex);
}

function requests(rig: Rig, target: Target): number {
  return rig.counters.queue(queueOf(rig, target).index, QueueCounter.REQUESTS);
}

interface Flood {
  readonly target: Target;
  readonly chain: (rig: Rig, target: Target) => readonly RawDesc[];
  readonly then: (rig: Rig, requestsBefore: number) => void;
}

/** Every descriptor below the last is the head of this chain; the last is its second descriptor, if it has one. */
function flood({ target, chain, then }: Flood): void {
  let before = 0;
  besideNeighbours({
    ...target.scenario,
    attack: (rig) => {
      before = requests(rig, target);
      const [head, tail] = chain(rig, target);
      const first = tail ? { ...head!, flags: head!.flags | NEXT, next: LAST } : head!;
      writeTable(ringOf(rig, target), [...new Array<RawDesc>(LAST).fill(first), tail ?? first]);
    },
    meanwhile: (rig) => refill(rig, target),
    then: (rig) => then(rig, before),
  });
}

describe('a guest that adds requests while it is served', () => {
  const [transmit, receive, control] = TARGETS as [Target, Target, Target];

  it('[utest->req~sched.work-bound~1] transmitq: gets the requests of its windows and no more (catalogue 5)', () => {
    flood({
      target: transmit,
      chain: (rig, target) => target.honest(rig),
      then: (rig, before) => {
        assert.equal(requests(rig, transmit) - before, ATTACKED_FRAMES * REQUESTS_MAX.transmit);
        assert.deepEqual(rig.faults('a'), {});
      },
    });
  });

  it('[utest->req~sched.work-bound~1] transmitq: faulty requests count like good ones (catalogue 5)', () => {
    flood({
      target: transmit,
      chain: () => [raw(0, 1)],
      then: (rig, before) => {
        assert.equal(requests(rig, transmit) - before, ATTACKED_FRAMES * REQUESTS_MAX.transmit);
        assert.deepEqual(rig.faults('a'), {
          'address-out-of-range': ATTACKED_FRAMES * REQUESTS_MAX.transmit,
        });
      },
    });
  });

  it(
    '[utest->req~diag.event-log~1] transmitq: a flood of faults is one event per kind and major frame ' +
      '(catalogue 5)',
    () => {
      flood({
        target: transmit,
        chain: () => [raw(0, 1)],
        then: (rig) => {
          const ofA = rig.allEvents().filter((event) => event.subject === 0);
          assert.equal(ofA.length, ATTACKED_FRAMES);
          assert.equal(rig.events.lost, 0);
        },
      });
    },
  );

  it('[utest->req~sched.work-bound~1] receiveq: a buffer is used for each packet and no other (catalogue 5)', () => {
    flood({
      target: receive,
      chain: (rig, target) => target.honest(rig),
      then: (rig) => {
        assert.equal(rig.route('b-a').delivered, 2 * ATTACKED_FRAMES);
        assert.equal(ringOf(rig, receive).usedIndex, 2 * ATTACKED_FRAMES);
        assert.deepEqual(rig.faults('a'), {});
      },
    });
  });

  it('[utest->req~queue.chain-returned~1] receiveq: each packet costs one faulty buffer and no other (catalogue 5)', () => {
    flood({
      target: receive,
      chain: () => [raw(0, 1)],
      then: (rig) => {
        assert.deepEqual(rig.route('b-a').drops, {
          'no-receive-buffer': 2,
          'receiver-fault': 2 * ATTACKED_FRAMES,
        });
        assert.deepEqual(rig.faults('a'), { 'address-out-of-range': 2 * ATTACKED_FRAMES });
      },
    });
  });

  it('[utest->req~sched.work-bound~1] controlq: gets the commands of its windows and no more (catalogue 5)', () => {
    flood({
      target: control,
      chain: (rig, target) => target.honest(rig),
      then: (rig, before) => {
        assert.equal(requests(rig, control) - before, ATTACKED_FRAMES * REQUESTS_MAX.control);
        assert.deepEqual(rig.faults('a'), {});
      },
    });
  });
});
