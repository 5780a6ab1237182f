/** Hostile indirect descriptors on every kind of queue, beside an honest pair (VIRTIO 2.7.5.3). */
import { strict as assert } from 'node:assert';
import { EMBEDDED_GUEST_PHYSICAL as BASE } from '../../src/schedule/arena-layout.ts';
import {
  bytesOf,
  contextOf,
  exposeHonest,
  HOSTILE_FIRST as FIRST,
  queueOf,
  ringOf,
  TARGETS,
  unroutedPacket,
  usedSince,
  type ChainContext,
  type Target,
} from '../support/attack-targets.ts';
import { testChainAttacks, type ChainAttack } from '../support/chain-attack.ts';
import {
  INDIRECT,
  linked,
  NEXT,
  raw,
  tableOf,
  WRITE,
  writeTable,
  type RawDesc,
} from '../support/hostile-ring.ts';
import { besideNeighbours } from '../support/neighbours.ts';

const FEATURES = ['VIRTIO_RING_F_INDIRECT_DESC'];
const QUEUE_SIZE = 64;
const DESCRIPTORS_MAX = 20;
const DESC_BYTES = 16;
const END = BASE + 1024 * 1024;

/** A table of so many good descriptors in one chain, the last of which goes on to `next`. */
function tableTo({ good, ring }: ChainContext, count: number, next: number): RawDesc {
  const descs = linked(Array.from({ length: count }, () => good(64)));
  const last = descs.pop()!;
  return tableOf(ring, [...descs, { ...last, flags: last.flags | NEXT, next }]);
}

function goodTable({ good, ring }: ChainContext, count = 2): RawDesc {
  return tableOf(ring, linked(Array.from({ length: count }, () => good(1024))));
}

type Named = Omit<ChainAttack, 'features'>;

const NEGOTIATION: readonly ChainAttack[] = [
  {
    catalogue: '14',
    title: 'a table without the feature',
    fault: 'indirect-not-negotiated',
    chain: (c) => [goodTable(c)],
  },
  {
    catalogue: '14',
    title: 'a table without the feature, behind a good descriptor',
    fault: 'indirect-not-negotiated',
    chain: (c) => linked([c.good(64), goodTable(c)], FIRST),
  },
];

const SHAPE: readonly Named[] = [
  {
    catalogue: '15',
    title: 'a table in a table',
    fault: 'indirect-nested',
    chain: (c) => [tableOf(c.ring, [goodTable(c)])],
  },
  {
    catalogue: '15',
    title: 'a table that names itself',
    fault: 'indirect-nested',
    chain: ({ ring }) => {
      const table = ring.slice.allocate(DESC_BYTES);
      writeTable(ring, [raw(table, DESC_BYTES, INDIRECT)], 0, table);
      return [raw(table, DESC_BYTES, INDIRECT)];
    },
  },
  {
    catalogue: '15',
    title: 'a table that is named behind good descriptors of a table',
    fault: 'indirect-nested',
    chain: (c) => [tableOf(c.ring, linked([c.good(64), c.good(64), goodTable(c)]))],
  },
  {
    catalogue: '16',
    title: 'INDIRECT and NEXT',
    fault: 'indirect-with-next',
    chain: (c) => linked([goodTable(c), c.good(2048)], FIRST),
  },
  {
    catalogue: '16',
    title: 'two tables in one chain',
    fault: 'indirect-with-next',
    chain: (c) => linked([goodTable(c), goodTable(c)], FIRST),
  },
];

const LENGTH: readonly Named[] = [
  ...[0, 1, 8, 15, 17, 31, 0xffffffff].map((length): Named => ({
    catalogue: '17',
    title: `a table of ${length} bytes`,
    fault: 'indirect-length',
    chain: (c) => [{ ...goodTable(c), length }],
  })),
  ...[(QUEUE_SIZE + 1) * DESC_BYTES, 0x10000 * DESC_BYTES, 0x7ffffff0, 0xfffffff0].map(
    (length): Named => ({
      catalogue: '17',
      title: `a table of ${length / DESC_BYTES} entries`,
      fault: 'indirect-length',
      requirement: 'queue.bounded-walk',
      chain: (c) => [{ ...goodTable(c), length }],
    }),
  ),
];

function tableAt(
  title: string,
  address: Pick<RawDesc, 'low' | 'high'>,
  entries: number,
  requirement = 'mem.bounds',
): Named {
  return {
    catalogue: '18',
    title,
    fault: 'address-out-of-range',
    requirement,
    chain: () => [{ ...address, length: entries * DESC_BYTES, flags: INDIRECT, next: 0 }],
  };
}

/** A table of which only the first entry, a good one, is needed; its last entry ends at `end`. */
function tableUpTo(title: string, end: number, entries: number): Named {
  return {
    catalogue: '18',
    title,
    fault: 'address-out-of-range',
    requirement: 'mem.bounds',
    chain: ({ ring, good }) => {
      const table = end - entries * DESC_BYTES;
      writeTable(ring, [good(2048)], 0, table);
      return [raw(table, entries * DESC_BYTES, INDIRECT)];
    },
  };
}

const PLACE: readonly Named[] = [
  tableAt('a table at address 0', raw(0, 0), 1),
  tableAt('a table that begins below the memory', raw(BASE - 8, 0), 1),
  tableAt('a table that begins behind the memory', raw(END, 0), 1),
  tableUpTo('a table that ends one byte behind the memory', END + 1, 3),
  tableUpTo('a table that ends far behind the memory', END + 60 * DESC_BYTES, QUEUE_SIZE),
  tableAt(
    'a table whose address needs more than 53 bits',
    { low: 0, high: 0x200001 },
    1,
    'mem.wrap',
  ),
  tableAt('a table whose end wraps', { low: 0xfffffff0, high: 0xffffffff }, 2, 'mem.wrap'),
];

const INSIDE: readonly Named[] = [
  {
    catalogue: '19',
    title: 'a table entry that names itself',
    fault: 'descriptor-loop',
    requirement: 'queue.bounded-walk',
    chain: (c) => [tableTo(c, 1, 0)],
  },
  {
    catalogue: '19',
    title: 'a loop inside the table',
    fault: 'descriptor-loop',
    requirement: 'queue.bounded-walk',
    chain: (c) => [tableTo(c, 5, 2)],
  },
  {
    catalogue: '19',
    title: 'next at the end of the table, below the queue size',
    fault: 'next-out-of-range',
    chain: (c) => [tableTo(c, 4, 4)],
  },
  {
    catalogue: '19',
    title: 'a table with one entry more than the longest chain',
    fault: 'chain-too-long',
    requirement: 'queue.bounded-walk',
    chain: ({ ring, good }) => [
      tableOf(ring, linked(Array.from({ length: DESCRIPTORS_MAX + 1 }, () => good(64)))),
    ],
  },
  {
    catalogue: '19',
    title: 'direct descriptors and a table that together exceed the longest chain',
    fault: 'chain-too-long',
    requirement: 'queue.bounded-walk',
    chain: (c) =>
      linked(
        [
          ...Array.from({ length: 10 }, () => c.good(64)),
          tableOf(c.ring, linked(Array.from({ length: DESCRIPTORS_MAX - 9 }, () => c.good(64)))),
        ],
        FIRST,
      ),
  },
  {
    catalogue: '19',
    title: 'a table entry outside the memory',
    fault: 'address-out-of-range',
    requirement: 'mem.bounds',
    chain: ({ ring, good, target }) => [
      tableOf(ring, linked([good(1024), raw(END, 1, target.direction)])),
    ],
  },
  {
    catalogue: '19',
    title: 'a table at an odd address with a loop',
    fault: 'descriptor-loop',
    requirement: 'queue.bounded-walk',
    chain: ({ ring, good, target }) => [
      tableOf(
        ring,
        linked([good(64), { ...good(64), flags: NEXT | target.direction, next: 0 }]),
        1,
      ),
    ],
  },
  {
    catalogue: '19',
    title: 'the descriptor table itself as the table',
    fault: 'indirect-nested',
    chain: ({ ring }) => [raw(ring.desc + FIRST * DESC_BYTES, DESC_BYTES, INDIRECT)],
  },
];

describe('a hostile indirect descriptor', () => {
  testChainAttacks(NEGOTIATION);
  testChainAttacks(
    [...SHAPE, ...LENGTH, ...PLACE, ...INSIDE].map((attack) => ({ ...attack, features: FEATURES })),
  );
});

/** A request that looks odd and is in order: it is served as if it lay in one descriptor. */
function acceptsBeside(
  target: Target,
  chain: (context: ChainContext, bytes: RawDesc) => RawDesc[],
): void {
  let from = 0;
  besideNeighbours({
    ...target.scenario,
    features: [...(target.scenario.features ?? []), ...FEATURES],
    attack: (rig) => {
      const ring = ringOf(rig, target);
      const whole = bytesOf(rig, [...new Array<number>(12).fill(0), ...unroutedPacket(rig)]);
      from = ring.usedIndex;
      writeTable(ring, chain(contextOf(rig, target), whole), FIRST);
      ring.expose(FIRST);
      exposeHonest(rig, target);
    },
    then: (rig) => {
      assert.deepEqual(rig.faults('a'), {});
      assert.equal(queueOf(rig, target).ring.started, true);
      assert.deepEqual(
        usedSince(ringOf(rig, target), from).map((element) => element.id),
        [FIRST, 16],
      );
    },
  });
}

const TRANSMIT = TARGETS.find((target) => target.role === 'transmit')!;

/** The bytes of one readable descriptor as `count` descriptors. */
function pieces({ low, high, length }: RawDesc, count: number): RawDesc[] {
  return Array.from({ length: count }, (_, n) => ({
    low: low + n,
    high,
    length: n === count - 1 ? length - n : 1,
    flags: 0,
    next: 0,
  }));
}

describe('an unusual indirect descriptor', () => {
  it('[utest->req~queue.chain-checked~1] with the WRITE flag is taken for what its table says (catalogue 16)', () => {
    acceptsBeside(TRANSMIT, ({ ring }, whole) => [tableOf(ring, [whole], 16, INDIRECT | WRITE)]);
  });

  it('[utest->req~queue.chain-checked~1] may come last behind direct descriptors (catalogue 16)', () => {
    acceptsBeside(TRANSMIT, ({ ring }, whole) => {
      const [first, ...rest] = pieces(whole, 4);
      return linked([first!, tableOf(ring, linked(rest))], FIRST);
    });
  });

  it('[utest->req~queue.bounded-walk~1] may name as many entries as the longest chain has (catalogue 19)', () => {
    acceptsBeside(TRANSMIT, ({ ring }, whole) => [
      tableOf(ring, linked(pieces(whole, DESCRIPTORS_MAX))),
    ]);
  });

  it('[utest->req~queue.chain-checked~1] may name a table of which only the first entry is used (catalogue 17)', () => {
    acceptsBeside(TRANSMIT, ({ ring }, whole) => [
      tableOf(ring, [whole, ...Array.from({ length: QUEUE_SIZE - 1 }, () => raw(0, 0))]),
    ]);
  });

  for (const align of [1, 2, 4, 8]) {
    it(`[utest->req~queue.chain-checked~1] may name a table at an address of alignment ${align} (catalogue 18)`, () => {
      acceptsBeside(TRANSMIT, ({ ring }, whole) => [
        tableOf(ring, linked(pieces(whole, 3)), align),
      ]);
    });
  }

  it('[utest->req~mem.bounds~1] may name a table that ends with the memory (catalogue 18)', () => {
    acceptsBeside(TRANSMIT, ({ ring }, whole) => {
      const table = END - 2 * DESC_BYTES;
      writeTable(ring, linked(pieces(whole, 2)), 0, table);
      return [raw(table, 2 * DESC_BYTES, INDIRECT)];
    });
  });
});
