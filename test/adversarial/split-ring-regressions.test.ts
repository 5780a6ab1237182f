/** Mistakes that split rings once made. */
import { strict as assert } from 'node:assert';
import { FAULT_NAMES } from '../../src/base/fault.ts';
import type { ArrivalStamps } from '../../src/data-plane/arrival-stamps.ts';
import {
  exposeHonest,
  HONEST_FIRST,
  queueOf,
  ringOf,
  TARGETS,
  usedSince,
  type Target,
} from '../support/attack-targets.ts';
import { linked, NEXT, raw, WRITE, writeTable } from '../support/hostile-ring.ts';
import { netDevice, Rig, type RigOptions } from '../support/rig.ts';
import { RingBench } from '../support/ring-bench.ts';

const BURST_MAX = 32;
const [TRANSMIT, , CONTROL] = TARGETS as [Target, Target, Target];

/** Exposes more than one burst takes, and takes some of it back when the first burst is served. */
function takeBackUntaken(options: RigOptions = {}): Rig {
  const rig = new Rig(options);
  const ring = ringOf(rig, TRANSMIT);
  const [packet] = TRANSMIT.honest(rig);
  writeTable(
    ring,
    Array.from({ length: BURST_MAX + 8 }, () => packet!),
  );
  for (let head = 0; head < BURST_MAX + 8; head++) ring.expose(head);
  const readInto = rig.time.readInto.bind(rig.time);
  rig.time.readInto = (cell) => {
    readInto(cell);
    if (ring.usedIndex === BURST_MAX) ring.setAvailIndex(BURST_MAX + 4);
  };
  return rig;
}

describe('regressions', () => {
  it(
    '[utest->req~queue.index-plausible~1] an available index that falls back to a head that is not taken yet ' +
      'stops the ring (catalogue 4)',
    () => {
      const rig = takeBackUntaken();
      rig.frames();
      assert.deepEqual(rig.faults('a'), { 'avail-index-out-of-range': 1 });
      assert.equal(queueOf(rig, TRANSMIT).ring.started, false);
    },
  );

  it(
    '[utest->req~sched.work-bound~1] one look passes over at most as many positions as the ring has, ' +
      'wherever the index falls back to (catalogue 4)',
    () => {
      const rig = takeBackUntaken({
        flows: [
          {
            id: 'flow',
            from: 'a.net0.transmitq0',
            route: 'a-b',
            arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
            bytesMax: 1514,
            deadlineUs: 20_000,
          },
        ],
      });
      const service = rig.plane.services[queueOf(rig, TRANSMIT).index] as unknown as {
        stamps: ArrivalStamps;
      };
      const steps: number[] = [];
      const looked = service.stamps.looked.bind(service.stamps);
      service.stamps.looked = (from, to, now, sawAll) => {
        steps.push((to - from) & 0xffff);
        looked(from, to, now, sawAll);
      };
      rig.frames();
      assert.ok(Math.max(...steps) <= 64, `${Math.max(...steps)} positions in one look`);
    },
  );

  it(
    '[utest->req~queue.chain-returned~1] a control command longer than its window admits is returned, and the ' +
      'next one is answered (catalogue 30)',
    () => {
      const rig = new Rig({
        devices: {
          a: netDevice(1, {
            offer: ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_CTRL_VQ', 'VIRTIO_NET_F_CTRL_RX'],
          }),
          b: netDevice(2),
        },
      });
      const ring = ringOf(rig, CONTROL);
      const { slice } = ring;
      const long = slice.allocate(40_000);
      writeTable(
        ring,
        linked([raw(long, 40_000), raw(long, 40_000), raw(slice.allocate(1), 1, WRITE)]),
      );
      ring.expose(0);
      exposeHonest(rig, CONTROL);
      rig.frames(5);
      assert.deepEqual(
        usedSince(ring, 0).map((element) => element.id),
        [0, HONEST_FIRST],
      );
    },
  );

  it(
    '[utest->req~queue.chain-checked~1] a cycle of up to 20 descriptors is called a loop, where a chain may have 20 ' +
      '(catalogue 1)',
    () => {
      const bench = new RingBench({ size: 64, descriptorsMax: 20 });
      const buffer = bench.slice.allocate(16);
      const named = Array.from({ length: 20 }, (_, n) => {
        const cycle = n + 1;
        writeTable(
          bench.ring,
          Array.from({ length: cycle }, (_desc, at) => raw(buffer, 16, NEXT, (at + 1) % cycle)),
        );
        bench.chain.begin();
        return `${cycle}: ${FAULT_NAMES[bench.queue.walk(bench.chain, 0, 20)]}`;
      });
      assert.deepEqual(
        named,
        named.map((_, n) => `${n + 1}: descriptor-loop`),
      );
    },
  );
});
